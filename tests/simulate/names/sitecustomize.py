"""Python runs this at every start where PYTHONPATH leads here: the child knows the simulator's names too."""

import os
import socket
import sys
from pathlib import Path

if "SIMULATED_ICLOUD_PORTS" in os.environ:
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from simulate.apples_names import resolver_of

    from mediabox.simulate.icloud.hosts import Hosts

    hosts = Hosts(has_apples_names=True)
    hosts.port, hosts.content_port = map(int, os.environ["SIMULATED_ICLOUD_PORTS"].split(","))
    socket.getaddrinfo = resolver_of(hosts, socket.getaddrinfo)
