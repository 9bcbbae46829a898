"""A simulated iCloud in a process of its own, so that a bench counts only what the client costs.

    icloud_server.py COUNT STILL_BYTES VIDEO_BYTES LIVE [FIRST_BYTE_S BYTES_PER_S]

Up to `MOST_SIGNED` photos have Apple's checksums, and none is hidden; more would take too long to sign.
Prints one JSON line (`Served`) when it listens; ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

MOST_SIGNED = 20_000
TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from mediabox.clock import Clock  # noqa: E402, I001 - after the path
from mediabox.simulate.icloud.simulator import Simulator  # noqa: E402
from mediabox.model.sign_in import SignInResult, SignInStep  # noqa: E402
from mediabox.sources.icloud import ICloud, Settings  # noqa: E402
from mediabox.sources.icloud.budget import Budget, CallRate  # noqa: E402
from mediabox.sources.icloud.endpoints import Hosts  # noqa: E402
from mediabox.sources.icloud.session import Cookie, Session  # noqa: E402
from sources.icloud.signed_in import give_stock, session_of  # noqa: E402


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is, and a session that is good there."""

    home: str
    ca_file: str
    session: Session


class Signed:
    """A keeper with one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def session(self) -> Session:
        return self._session

    def expired(self, session: Session) -> None:
        raise AssertionError("the simulator refused the session")

    def renewed(self, session: Session, cookies: tuple[Cookie, ...]) -> None:
        """Not written down: it keeps the session it has."""

    async def seal(self) -> None:
        """Nothing was renewed."""

    async def take(self, step: SignInStep) -> SignInResult:
        """Nobody asks."""
        return SignInResult(is_done=True)

    async def close(self) -> None:
        """Nothing is under way."""


@contextlib.contextmanager
def served(*given: float) -> Iterator[Served]:
    """Run the server until the block ends."""
    command = [sys.executable, __file__, *map(str, given)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield msgspec.json.decode(server.stdout.readline(), type=Served)
        finally:
            server.stdin.close()


def client(place: Served, *, eager: bool = True, **settings: object) -> ICloud:
    """A source in front of it. `eager`: without the budget's brakes, to measure the rest."""
    hosts = Hosts(auth=place.home, setup=place.home, home=place.home, ca_file=place.ca_file)
    limits = CallRate(records_per_s=1e6, records_burst=10**6, contents_per_s=1e6, contents_burst=10**6)
    clock = Clock()
    return ICloud(
        Settings(apple_id="someone@example.com", hosts=hosts, **settings),
        name="bench",
        keeper=Signed(place.session),
        budget=Budget(clock=clock, limits=limits if eager else None),
        clock=clock,
    )


def resident_bytes(*, at_most: bool = False) -> int:
    """Resident memory of this process; the most it ever was with `at_most`."""
    key = "VmHWM" if at_most else "VmRSS"
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def print_line(**values: object) -> None:
    print(msgspec.json.encode(values).decode(), flush=True)


async def _serve(count: int, still: int, video: int, live: float, line: list[float]) -> None:
    with tempfile.TemporaryDirectory() as home:
        async with Simulator(Path(home)) as simulator:
            simulator.add_account()
            is_signed = count <= MOST_SIGNED
            sizes = {"still_bytes": still, "video_bytes": video}
            give_stock(simulator, count, is_signed=is_signed, live=live, hidden=0 if is_signed else 0.01, **sizes)
            if line:
                simulator.line.first_byte_s, simulator.line.bytes_per_s = line
            session = session_of(simulator, simulator.account())
            place = Served(home=simulator.hosts.home, ca_file=str(simulator.certificate_authority), session=session)
            print_line(**msgspec.structs.asdict(place))
            await asyncio.to_thread(os.read, 0, 1)


if __name__ == "__main__":
    count, still, video, live, *line = map(float, sys.argv[1:])
    asyncio.run(_serve(int(count), int(still), int(video), live, line))
