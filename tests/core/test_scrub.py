"""Reading again for ever: what cannot be read, or is not whole, keeps no other file waiting."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource, original, photo

from mediabox.core import verification
from mediabox.core.scrub import PORTION, Scrub
from mediabox.core.verification import UNREADABLE, Verification
from mediabox.durable.verify import FileVerdict
from mediabox.durable.volume import Volume
from mediabox.errors import NeedsHuman
from mediabox.model.ledger import CopyState
from mediabox.store import issues

DAY_MS = 86_400_000
FILES = 3 * PORTION


class Disk:
    """What reading each path answers; `read` is what was looked at, in order."""

    def __init__(self) -> None:
        self.answers: dict[str, CopyState | NeedsHuman] = {}
        self.read: list[str] = []

    def check(self, _: Volume, relative: str, **_known: object) -> FileVerdict:
        self.read.append(relative)
        answer = self.answers.get(relative, CopyState.PRESENT)
        if isinstance(answer, NeedsHuman):
            raise answer
        return FileVerdict(state=answer)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(verification, "check", disk.check)
    return disk


@pytest.fixture
async def volume(tmp_path: Path) -> AsyncIterator[Volume]:
    with Volume.enroll(tmp_path / "archive", now_ms=1) as volume:
        yield volume


@pytest.fixture
async def paths(box: Catalogued, cloud: ScriptedSource, volume: Volume) -> list[str]:
    """Files archived two days ago."""
    ids = [f"{number}/original" for number in range(FILES)]
    cloud.say(*(photo(str(number), original(str(number), version=f"v{number}")) for number in range(FILES)))
    await box.intake.list_once(cloud)
    await box.archive(*ids, volume=volume.identity.uuid)
    box.clock.now_ms = NOW_MS + 2 * DAY_MS
    return [row[0] for row in await box.rows("SELECT path FROM resource ORDER BY id")]


def scrub(box: Catalogued, volume: Volume) -> Scrub:
    return Scrub(database=box.database, volume=volume, governor=None, clock=box.clock, days=1, bytes_per_s=1e9)


def unreadable(path: str) -> NeedsHuman:
    return NeedsHuman(
        f"read {path}: Input/output error", issue="volume.failing", subject="archive", remedy="Check the cable."
    )


@pytest.mark.parametrize("answer", [CopyState.DAMAGED, CopyState.MISSING, "unreadable"])
async def test_a_portion_of_bad_files_keeps_no_other_waiting(
    answer: str, box: Catalogued, volume: Volume, disk: Disk, paths: list[str]
) -> None:
    disk.answers = {path: unreadable(path) if answer == "unreadable" else CopyState(answer) for path in paths[:PORTION]}
    service = scrub(box, volume)

    while await service.portion():
        assert len(disk.read) <= FILES, "the same are looked at again and again"

    assert sorted(disk.read) == sorted(paths)
    box.clock.now_ms += DAY_MS
    disk.answers.clear()
    while await service.portion():
        assert len(disk.read) <= FILES + PORTION
    assert sorted(disk.read[FILES:]) == sorted(paths[:PORTION])
    assert not await box.ask(issues.open_issues)


async def test_what_cannot_be_read_is_named_and_the_rest_is_read(
    box: Catalogued, volume: Volume, disk: Disk, paths: list[str]
) -> None:
    disk.answers = {paths[1]: unreadable(paths[1])}

    report = await Verification(box.database, volume, box.clock).round()

    assert (report.checked, report.whole) == (FILES, FILES - 1)
    assert [finding.path for finding in report.unreadable] == [paths[1]]
    assert not report.is_clean
    [issue] = await box.ask(issues.open_issues)
    assert (issue.key, issue.subject, issue.remedy) == (UNREADABLE, paths[1], "Check the cable.")
