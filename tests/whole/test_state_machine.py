"""Whatever happens to a box, in whatever order: nothing lost, nothing twice, nothing half.

Each run is the whole daemon, from its lock to its end, on real files and a real
database; only the decoding children are replaced, and a kill is a real SIGKILL in a
fork. `model.Model` says what a household may expect.
"""

import argparse
import io
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mediabox import failpoints
from mediabox.cli import exits, rebuild
from mediabox.durable.volume import Volume
from mediabox.errors import MediaboxError, NeedsHuman
from whole.box import Household
from whole.examiner import TableExaminer
from whole.model import Model
from whole.plain_box import WrongClock, killed_at, retry, run_to_the_end
from whole.soundness import archived_originals, findings

NAMES = ("a.jpg", "b.jpg", "A.JPG", "trip/a.jpg", "trip/c.heic", "a.jpg.xmp", "clip.mov", "notes")
DAY_MS = 86_400_000


class BoxMachine(RuleBasedStateMachine):
    """One household's bad year."""

    ground: Path  # where the disks are: a file system in memory

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.offset_ms = 0
        self.root = Path(tempfile.mkdtemp(dir=self.ground))
        self.box = Household(self.root)

    @initialize(moves=st.booleans())
    def found(self, moves: bool) -> None:
        self.box.moves = moves
        self.box.found({})
        self.box.add("readme.txt", b"not a picture")  # an empty folder may be a card that is away
        Volume.enroll(self.root / "other", now_ms=1).close()

    def teardown(self) -> None:
        """Every story ends with everything put right: then everything has its end."""
        try:
            self._put_right()
            retry(self.box.home)
            self._run()
            self.nothing_is_lost_twice_or_half()
            found = findings(self.box.home, self.model.sources, moved=self.box.moves, by_commands=False)
            assert not self._unexcused(found), "\n".join(found)
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    # ------------------------------------------------------------ the owner

    @precondition(lambda self: not self.model.source_away)
    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 5))
    def takes_or_edits_a_picture(self, name: str, number: int) -> None:
        """Seldom empty; the same bytes under two names, and other bytes under one, come by themselves."""
        is_empty = not number and name != "notes"  # an empty file of no known kind is left alone
        content = b"" if is_empty else b"\xff\xd8\xff\xe0 picture %d" % number
        if name.endswith(".xmp") and content:
            content = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- %d --></x:xmpmeta>' % number
        self.model.wrote(self.box.add(name, content))

    @precondition(lambda self: not self.model.source_away and self.model.sources)
    @rule(data=st.data(), comes_back=st.booleans())
    def deletes_a_picture(self, data: st.DataObject, comes_back: bool) -> None:
        path = data.draw(st.sampled_from(sorted(self.model.sources)))
        original, content = self.model.sources.pop(path), path.read_bytes()
        path.unlink()
        if comes_back:
            self.runs()
            path.write_bytes(content)
            self.model.wrote(path, mtime_ns=original.mtime_ns)

    # ------------------------------------------------------------ the hardware

    @precondition(lambda self: self.model.archive_away or (self._is_enrolled() and not self.model.is_swapped))
    @rule()
    def unplugs_or_plugs_in_the_archive(self) -> None:
        _exchange(self.box.archive, self.root / "unplugged archive", is_away=self.model.archive_away)
        self.model.archive_away = not self.model.archive_away

    @rule()
    def unplugs_or_plugs_in_the_card(self) -> None:
        _exchange(self.box.pictures, self.root / "unplugged card", is_away=self.model.source_away)
        self.model.source_away = not self.model.source_away

    @precondition(lambda self: not self.model.archive_away and self._is_enrolled())
    @rule()
    def swaps_the_disk_or_swaps_it_back(self) -> None:
        there, other, aside = self.box.archive, self.root / "other", self.root / "aside"
        there.rename(aside)
        other.rename(there)
        aside.rename(other)
        self.model.is_swapped = not self.model.is_swapped

    @rule()
    def fills_the_disk_or_makes_room(self) -> None:
        self.model.is_full = not self.model.is_full

    @rule(days=st.sampled_from((0, 0, -30, -20_000)))
    def jumps_the_clock(self, days: int) -> None:
        self.offset_ms = days * DAY_MS
        self.model.is_clock_wrong = days != 0

    @precondition(lambda self: self.model.has_archive)
    @rule(data=st.data())
    def rots_a_bit(self, data: st.DataObject) -> None:
        kept = archived_originals(self.box.archive)
        whole = [path for path, digest in kept.items() if digest not in self.model.rotten and path.stat().st_nlink == 1]
        if whole:
            path = data.draw(st.sampled_from(whole))
            self.model.rotten |= {kept[path], _rot(path)}

    # ------------------------------------------------------------ the box

    @rule()
    def runs(self) -> None:
        self._run()

    @rule(point=st.sampled_from(sorted(failpoints.POINTS)), hit=st.integers(1, 4))
    def is_killed(self, point: str, hit: int) -> None:
        with _full_disk() if self.model.is_full else _roomy_disk():
            killed_at(point, self.box.home, {}, hit=hit, clock=WrongClock(self.offset_ms))

    @precondition(lambda self: self.model.has_archive and (self.box.archive / ".mediabox").exists())
    @rule()
    def loses_its_catalogue(self) -> None:
        """Nothing is filed a second time for it: the box asks for a rebuild."""
        before, was_used = archived_originals(self.box.archive), (self.box.archive / ".mediabox/spool").exists()
        for path in self.box.home.glob("mediabox.db*"):
            path.unlink()
        self._run(may_refuse=was_used)
        if was_used:
            assert archived_originals(self.box.archive) == before
            with redirect_stdout(io.StringIO()):
                code = rebuild.run(argparse.Namespace(home=str(self.box.home), archive=None, json=False))
            assert code == exits.OK or self.model.rotten

    def _run(self, *, may_refuse: bool = False) -> None:
        before, states = self._present(), self._states()
        with _full_disk() if self.model.is_full else _roomy_disk():
            try:
                run_to_the_end(self.box.home, {}, clock=WrongClock(self.offset_ms))
            except MediaboxError as error:
                assert may_refuse or not self.model.is_able, f"nothing was wrong, and it said: {error}"
        if not self.model.has_archive:
            assert self._states() == states, "a disk that is away changed what is known of a picture"
        if not self.model.has_archive or (self.model.is_clock_wrong and self.offset_ms < -1_000 * DAY_MS):
            assert self._present() == before, "a picture was removed without proof or without a clock"

    # ------------------------------------------------------------ what always holds

    @invariant()
    def nothing_is_lost_twice_or_half(self) -> None:
        sources = {} if self.model.source_away else self.model.sources
        place = "unplugged archive" if self.model.archive_away else "other" if self.model.is_swapped else "archive"
        archive = self.root / place
        found = findings(
            self.box.home, sources, archive=archive, moved=self.box.moves, is_over=False, by_commands=False
        )
        found += self.model.archive_shows(set(archived_originals(archive).values()))
        assert not self._unexcused(found), "\n".join(found)
        if not self.model.source_away:
            self.model.sources = {path: each for path, each in sources.items() if path.exists()}

    @invariant()
    def nothing_is_written_where_a_disk_should_be(self) -> None:
        if self.model.archive_away:
            assert not os.listdir(self.box.archive)
        if self.model.is_swapped:
            assert not archived_originals(self.box.archive)

    def _unexcused(self, found: list[str]) -> list[str]:
        """What a disk has damaged is said, not repaired; and what is damaged proves nothing, so its source stays.

        So does a picture the owner has edited since: its removal is given up.
        """
        rotten = self.model.rotten
        found = [each for each in found if "has changed since it was archived" not in each]
        return [
            each
            for each in found
            if not any(digest in each for digest in rotten) and not (rotten and each.startswith("remove of"))
        ]

    def _put_right(self) -> None:
        if self.model.archive_away:
            self.unplugs_or_plugs_in_the_archive()
        if self.model.is_swapped:
            self.swaps_the_disk_or_swaps_it_back()
        if self.model.source_away:
            self.unplugs_or_plugs_in_the_card()
        self.offset_ms = 0
        self.model.is_full = self.model.is_clock_wrong = False

    def _present(self) -> set[Path]:
        return {path for path in self.model.sources if path.exists()}

    def _is_enrolled(self) -> bool:
        """Killed between a disk's marker and its row, a box knows no disk yet: then any empty folder is a new one."""
        return bool(self._ask("SELECT 1 FROM volume"))

    def _states(self) -> list[tuple[object, ...]]:
        return self._ask("SELECT id, state, path, digest FROM resource ORDER BY id")

    def _ask(self, question: str) -> list[tuple[object, ...]]:
        if not (self.box.home / "mediabox.db").exists():
            return []
        with closing(sqlite3.connect(self.box.home / "mediabox.db")) as connection:
            is_empty = connection.execute("PRAGMA user_version").fetchone()[0] == 0
            return [] if is_empty else connection.execute(question).fetchall()


def _exchange(place: Path, elsewhere: Path, *, is_away: bool) -> None:
    """A disk that is not there leaves its mount point: an empty folder that takes every write."""
    if is_away:
        place.rmdir()
        elsewhere.rename(place)
    else:
        place.rename(elsewhere)
        place.mkdir()


def _rot(path: Path) -> str:
    """One bit, and nothing else about the file; the digest it has now."""
    content, status = path.read_bytes(), path.stat()
    path.chmod(0o644)
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    path.chmod(0o444)
    return archived_originals(path.parent)[path]


@contextmanager
def _full_disk() -> Iterator[None]:
    def refuse(volume: Volume, wanted_bytes: int) -> None:
        raise NeedsHuman(f"{wanted_bytes} bytes wanted, none free", issue="volume.full", subject=volume.name)

    roomy, Volume.ensure_room = Volume.ensure_room, refuse
    try:
        yield
    finally:
        Volume.ensure_room = roomy


@contextmanager
def _roomy_disk() -> Iterator[None]:
    yield


@pytest.fixture
def city(ground: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rebuild, "MediaWorkers", lambda _: TableExaminer({}))
    monkeypatch.setattr(BoxMachine, "ground", ground, raising=False)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(10_000)
def test_no_story_loses_a_picture(city: None, is_full: bool) -> None:
    told = settings(
        max_examples=10_000 if is_full else 300,
        stateful_step_count=20,
        deadline=None,
        derandomize=not is_full,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    run_state_machine_as_test(BoxMachine, settings=told)
