"""Apple's names lead to a simulator: a resolver for this process and for those it starts.

`resolving(simulator)` answers for the names the simulator serves (`hosts.port_of`), for loopback as ever, and says of
every other name that there is none: nothing a test does leaves the machine. Children that keep their environment get
the same through `names/sitecustomize.py`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mediabox.simulate.icloud.hosts import Hosts
from mediabox.simulate.icloud.simulator import Simulator

LOOPBACK = (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::")
PORTS = "SIMULATED_ICLOUD_PORTS"  # "443's port here,the content host's"
_SITE = Path(__file__).parent / "names"
_HTTPS = (443, "443", "https")
Resolver = Callable[..., list[Any]]


def resolver_of(hosts: Hosts, real: Resolver) -> Resolver:
    """`socket.getaddrinfo` with the simulator for Apple."""

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        if name in LOOPBACK or str(name).startswith("127."):
            return real(host, port, *args, **kwargs)
        at = hosts.port_of(name) if port in _HTTPS else None
        if at is None:
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is none of the simulator's names")
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", at))]

    return getaddrinfo


@contextmanager
def resolving(simulator: Simulator) -> Iterator[None]:
    """While the block lasts, in this process and in those it starts."""
    real, environment = socket.getaddrinfo, {name: os.environ.get(name) for name in (PORTS, "PYTHONPATH")}
    socket.getaddrinfo = resolver_of(simulator.hosts, real)
    hosts = simulator.hosts
    os.environ[PORTS] = f"{hosts.port},{hosts.content_port}"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_SITE), *filter(None, [environment["PYTHONPATH"]])])
    try:
        yield
    finally:
        socket.getaddrinfo = real
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
