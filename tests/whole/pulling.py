"""A pull from iCloud in processes of their own: the simulator stays, the box is killed over and over.

`python -m whole.pulling SEED CERTIFICATES` is the simulator: says on its output where it
is; a line on its input lifts the limit of its line, and it ends with its input.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
from patience import PATIENCE_S
from sources.icloud.signed_in import EAGER, session_of

from mediabox.clock import Clock
from mediabox.contracts import Source
from mediabox.core import pipeline
from mediabox.core.home import locked
from mediabox.shell import Shell
from mediabox.simulate.icloud.library import PRIMARY, Library
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.simulate.icloud.synthetic import Mixture, SyntheticStock
from mediabox.simulate.icloud.zone import Zone
from mediabox.sources.icloud import ICloud, Settings, download
from mediabox.sources.icloud.budget import Budget
from mediabox.sources.icloud.endpoints import Hosts
from mediabox.sources.icloud.pour import Pour
from whole.box import OURS
from whole.examiner import TableExaminer
from whole.plain_box import HASTE_S
from whole.releasing import Errand, KeptSession

PHOTOS = 300
FILMS = Mixture(live=0.05, still_bytes=30_000, video_bytes=5_000_000)
LINE_BYTES_PER_S = 1_200_000  # of each connection: what is killed after so long has not fetched everything
CHUNK_BYTES = 64 << 10  # is to these films what a MiB is to those of life: what a kill can cost of each


class Pull:
    """What is to arrive, and the box that fetches it into `home`."""

    def __init__(self, errand: Errand, home: Path, *, seed: int) -> None:
        self._errand, self._home = errand, home
        self._written = mmap.mmap(-1, 8)  # shared with the forks, and outlives them
        stock = stock_of(seed)
        self.library = {sha256(content).hexdigest(): len(content) for content in _contents(stock)}

    @property
    def size_bytes(self) -> int:
        return sum(self.library.values())

    @property
    def written_bytes(self) -> int:
        """What all runs together have written into the spool, or were about to when they were killed."""
        return int.from_bytes(self._written[:], "little")

    def begin(self, *, kill_after_s: float | None = None, kill_after_bytes: int | None = None) -> int:
        """One run in a fork, from its start to its end or its death; its exit code, -9 when it was killed.

        Killed so long after its start, or as soon as it has written so many bytes.
        """
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE_S)
            code = 1
            try:
                self._run(self.written_bytes + kill_after_bytes if kill_after_bytes else None)
                code = 0
            finally:
                os._exit(code)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _run(self, last_byte: int | None) -> None:
        pipeline.GATHER_S, download.CHUNK_BYTES = HASTE_S, CHUNK_BYTES
        write = Pour.write

        async def counted(pour: Pour, content: bytes) -> None:
            self._written[:] = (self.written_bytes + len(content)).to_bytes(8, "little")
            await write(pour, content)
            if last_byte is not None and self.written_bytes >= last_byte:
                os.kill(os.getpid(), signal.SIGKILL)

        Pour.write = counted  # type: ignore[method-assign]
        with locked(self._home):
            asyncio.run(PullingBox(self._home, self._errand).run(once=True))


class PullingBox(Shell):
    """The box with the simulated account for its one source, signed in from the start."""

    def __init__(self, home: Path, errand: Errand) -> None:
        super().__init__(home, workers=lambda _: TableExaminer({}), sources=self._own)
        self._errand = errand

    def _own(self, *_: object, **__: object) -> dict[str, Source]:
        errand, clock = self._errand, Clock()
        hosts = Hosts(auth=errand.home, setup=errand.home, home=errand.home, ca_file=errand.authority)
        source = ICloud(
            Settings(apple_id="someone@example.com", hosts=hosts),
            name="cloud",
            keeper=KeptSession(errand.session),
            budget=Budget(clock=clock, limits=EAGER),
            clock=clock,
        )
        return {source.name: source}


def stock_of(seed: int) -> SyntheticStock:
    return SyntheticStock(PHOTOS, seed=seed, mixture=FILMS)


def _contents(stock: SyntheticStock) -> Iterator[bytes]:
    """Every file of the library, one at a time."""
    for number in range(len(stock)):
        master = stock.master(number)
        for part in (master.original, master.live):
            if part is not None:
                yield part.blob.read(0, part.blob.size_bytes)


class Simulation:
    """The simulator while it runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.errand = msgspec.json.decode(self._said(), type=Errand)

    def hasten(self) -> None:
        """From now on as fast as it goes."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"hasten\n")
        self._process.stdin.flush()

    def _said(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def simulation(seed: int, certificates: Path) -> Iterator[Simulation]:
    argv = [sys.executable, "-m", "whole.pulling", str(seed), str(certificates)]
    with subprocess.Popen(
        argv, env=os.environ | OURS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            yield Simulation(process)
        finally:
            process.kill()


async def simulate(seed: int, certificates: Path) -> None:
    async with Simulator(certificates) as simulator:
        simulator.line.bytes_per_s = LINE_BYTES_PER_S
        stock = stock_of(seed)
        library = Library(clock=simulator.clock, personal=Zone(PRIMARY, owner="_owner", stock=stock))
        library.vault.keep_stock(stock)
        account = simulator.add_account(library=library)
        errand = Errand(
            home=simulator.hosts.home,
            authority=str(simulator.certificate_authority),
            session=session_of(simulator, account),
        )
        _say(errand)
        await asyncio.to_thread(sys.stdin.buffer.readline)
        simulator.line.bytes_per_s = None
        await asyncio.to_thread(sys.stdin.buffer.read)


def _say(value: msgspec.Struct) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(simulate(int(sys.argv[1]), Path(sys.argv[2])))
