"""One person's iCloud under Apple's names, and the whole box that pulls it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from simulate.apples_names import resolving
from sources.icloud.signed_in import SimulatedKeeper, source_of

from mediabox.contracts import Source
from mediabox.model.manifest import MANIFEST_NAME
from mediabox.shell import Shell
from mediabox.simulate.icloud.blob import MemoryBlob, of_bytes
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud.session import Session
from whole.box import Household
from whole.examiner import TableExaminer, read_table
from whole.family import LIBRARY
from whole.soundness import findings

LIVE, CLIP = LIBRARY / "DCIM/100APPLE/IMG_0001.HEIC", LIBRARY / "DCIM/100APPLE/IMG_0001.MOV"
TOWER = LIBRARY / "Mixed/tower.jpg"
NEW_YEARS_EVE_MS = 1_577_835_000_000  # 2019-12-31T23:30:00Z: the next day where it was taken


def screenshot(number: int) -> MemoryBlob:
    """A JPEG that says nothing of itself."""
    return of_bytes(b"\xff\xd8\xff\xe0" + b"screen %d " % number * 400 + b"\xff\xd9")


class CloudBox(Shell):
    """The box with the simulator's account for a source, signed in without the way through sign-in."""

    def __init__(self, home: Path, simulator: Simulator, keeper: SimulatedKeeper, workers: Any) -> None:
        super().__init__(home, workers=workers, sources=self._own)
        self._simulator, self._keeper = simulator, keeper

    def _own(self, *_: object, **__: object) -> dict[str, Source]:
        return {"cloud": source_of(self._simulator, keeper=self._keeper, deletion="mirror")}


class Account:
    """One person's iCloud, the box that pulls it, and what the archive has."""

    def __init__(self, simulator: Simulator, household: Household) -> None:
        self.simulator, self.household = simulator, household
        self.library: Library = simulator.account().library
        self.sign_ins = 0
        self._sealed: Session | None = None

    async def pull(self) -> int:
        """`mediabox run --once`; how many downloads that took."""
        before = self.simulator.calls["content"]
        table = await asyncio.to_thread(read_table, self.household.table)
        keeper = SimulatedKeeper(self.simulator, sealed=self._sealed)
        await CloudBox(self.household.home, self.simulator, keeper, lambda _: TableExaminer(table)).run(once=True)
        self.sign_ins += keeper.sign_ins
        self._sealed = keeper.sealed
        return self.simulator.calls["content"] - before

    def filed(self) -> set[str]:
        """Everything in the archive that people see, without lists."""
        root = self.household.archive
        paths = [path for path in root.rglob("*") if path.is_file() and ".mediabox" not in path.parts]
        return {str(path.relative_to(root)) for path in paths if path.name != MANIFEST_NAME}

    def in_trash(self) -> set[str]:
        root = self.household.archive / ".mediabox/trash"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    def sidecar(self, path: str) -> str:
        return (self.household.archive / f"{path}.xmp").read_text("utf-8")

    async def assert_sound(self) -> None:
        """All but that nothing of ours is in `.mediabox`: there is a trash now."""
        complaints = await asyncio.to_thread(findings, self.household.home, {})
        found = [one for one in complaints if "left over in .mediabox: {'trash'}" not in one]
        assert not found, "\n".join(found)

    def events(self) -> list[str]:
        with closing(sqlite3.connect(self.household.home / "mediabox.db")) as catalogue:
            return [row[0] for row in catalogue.execute("SELECT event FROM journal ORDER BY seq")]

    def assets(self) -> int:
        with closing(sqlite3.connect(self.household.home / "mediabox.db")) as catalogue:
            return int(catalogue.execute("SELECT count(*) FROM asset").fetchone()[0])


@pytest.fixture
async def account(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, box: Household) -> AsyncIterator[Account]:
    box.found({})
    simulator = Simulator(tmp_path_factory.getbasetemp() / "icloud-of-whole", has_apples_names=True)
    simulator.add_account()
    async with simulator:
        with resolving(simulator):
            yield Account(simulator, box)
