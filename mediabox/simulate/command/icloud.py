"""`mediabox simulate icloud DIR`: an iCloud over a folder of pictures, to try the whole chain without Apple."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import default_home
from mediabox.cli.words import count_words
from mediabox.errors import Fatal

if TYPE_CHECKING:
    import argparse

    from mediabox.simulate.icloud.directory import Account, Push
    from mediabox.simulate.icloud.simulator import Simulator

_RESCAN_S = 2.0
_WAYS = {"device": "on the devices", "sms": "by SMS"}


def add_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", metavar="DIR", help="the photos and videos it holds")
    verb.add_argument("--port", type=int, default=8443, metavar="N", help="on this machine (8443)")
    verb.add_argument("--apple-id", default="anna@example.com", help="whose library it is")
    verb.add_argument("--password", default="correct horse", help="of the Apple ID")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted. Raises Fatal when the folder or the port cannot be used."""
    from mediabox.simulate.icloud.simulator import Simulator

    home = Path(arguments.home).expanduser().absolute() if arguments.home else default_home() / "simulated-icloud"
    folder = Path(arguments.folder).expanduser().absolute()
    started = time.monotonic()
    try:
        simulator = Simulator(home, port=arguments.port)
        library = simulator.folder_library(folder)
    except OSError as err:
        raise Fatal(f"{folder} cannot be served: {err}") from err
    account = simulator.add_account(arguments.apple_id, arguments.password, library=library)
    took_s = time.monotonic() - started
    print(f"{count_words(len(library.assets()), 'photo')} and videos of {folder}, read in {took_s:.1f} s")
    asyncio.run(_serve(simulator, account))
    return exits.OK


async def _serve(simulator: Simulator, account: Account) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    simulator.directory.on_push = _tell_push
    try:
        await simulator.start()
    except OSError as err:
        raise Fatal(f"cannot listen: {err}; name another --port") from err
    try:
        print(_introduction(simulator, account), flush=True)
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _RESCAN_S)
            changed = await simulator.rescan()
            if changed:
                print(f"{count_words(changed, 'change')} of the folder in iCloud now", flush=True)
    finally:
        await simulator.stop()


def _tell_push(push: Push) -> None:
    print(f"Code for {push.apple_id}, {_WAYS[push.way]}: {push.code}", flush=True)


def _introduction(simulator: Simulator, account: Account) -> str:
    hosts = simulator.hosts
    return f"""
iCloud listens at {hosts.home}, its content at {hosts.content}.
  Apple account  {account.apple_id}
  Password       {account.password}
  Codes appear here when they are sent.

In mediabox.toml:

[sources.icloud]
type = "icloud"
apple_id = "{account.apple_id}"
poll_s = 60

[sources.icloud.hosts]
auth = "{hosts.home}"
setup = "{hosts.home}"
home = "{hosts.home}"
ca_file = "{simulator.certificate_authority}"

What is put into the folder is in iCloud two seconds later, what is taken away is in Recently Deleted.
More can be ordered at {hosts.home}/_simulator (mediabox/simulate/icloud/control.py). Ctrl-C ends it.
"""
