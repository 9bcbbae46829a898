"""What people decided is kept as plain files in the archive, and a catalogue made anew has it again."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from core.catalogue_of import StoppedClock
from whole.examiner import TableExaminer

from mediabox.core import decisions
from mediabox.core.commit import Committer
from mediabox.core.rebuild import Rebuild
from mediabox.durable.renditions import RenditionFolder
from mediabox.durable.volume import Volume
from mediabox.errors import Away
from mediabox.model.decision import Decision, DecisionKind
from mediabox.store import decisions as stored
from mediabox.store.database import Database

NOVEMBER_MS, DECEMBER_MS = 1_764_547_199_999, 1_764_547_200_000  # the last moment of 2025-11, the first of 2025-12
ERASED = Decision(kind=DecisionKind.ERASED, subject="ab" * 32, at_ms=NOVEMBER_MS, by="console:anna")
ALBUM = Decision(kind=DecisionKind.ALBUM, subject="a1", at_ms=DECEMBER_MS, by="person:bob", document={"name": "Köln"})


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with Volume.enroll(tmp_path / "archive", now_ms=1, reserve_percent=0) as enrolled:
        yield enrolled


async def record(database: Database, *decided: Decision) -> None:
    for one in decided:
        await database.write(lambda connection, one=one: decisions.record(connection, one))


def lines(volume: Volume) -> dict[str, list[dict[str, object]]]:
    folder = volume.root / decisions.DECISIONS
    return {path.name: [json.loads(line) for line in path.open()] for path in sorted(folder.iterdir())}


async def test_each_decision_is_a_line_of_its_month_and_is_written_once(database: Database, volume: Volume) -> None:
    await record(database, ERASED, ALBUM)

    counts = [await decisions.write_out(database, volume) for _ in range(2)]

    assert counts == [2, 0]
    assert lines(volume) == {
        "2025-11.jsonl": [
            {
                "kind": "erased",
                "subject": "ab" * 32,
                "at_ms": NOVEMBER_MS,
                "by": "console:anna",
                "is_revoked": False,
                "document": {},
            }
        ],
        "2025-12.jsonl": [
            {
                "kind": "album",
                "subject": "a1",
                "at_ms": DECEMBER_MS,
                "by": "person:bob",
                "is_revoked": False,
                "document": {"name": "Köln"},
            }
        ],
    }


async def test_a_line_written_before_a_power_cut_is_not_written_twice(database: Database, volume: Volume) -> None:
    await record(database, ERASED)
    await decisions.write_out(database, volume)
    await database.write(lambda connection: connection.execute("UPDATE decision SET is_written = 0") and None)

    await decisions.write_out(database, volume)

    assert len(lines(volume)["2025-11.jsonl"]) == 1


async def test_what_is_taken_back_no_longer_holds_and_the_files_tell_both(database: Database, volume: Volume) -> None:
    back = msgspec.structs.replace(ERASED, at_ms=DECEMBER_MS, is_revoked=True)
    await record(database, ERASED)
    await decisions.write_out(database, volume)

    await record(database, back)
    await decisions.write_out(database, volume)

    assert await database.read(lambda connection: stored.find(connection, ERASED.kind, ERASED.subject)) is None
    assert decisions.read(volume) == ([ERASED, back], [])


async def test_while_the_archive_is_away_a_decision_holds_and_its_line_follows(
    database: Database, volume: Volume
) -> None:
    away = volume.root.with_name("away")
    volume.root.rename(away)
    await record(database, ERASED)
    with pytest.raises(Away):
        await decisions.write_out(database, volume)
    held = await database.read(lambda connection: stored.of_kind(connection, DecisionKind.ERASED))

    away.rename(volume.root)

    assert (held, await decisions.write_out(database, volume)) == ([ERASED], 1)


async def test_a_catalogue_made_anew_has_them_and_names_the_lines_it_cannot_read(
    tmp_path: Path, database: Database, volume: Volume
) -> None:
    later = msgspec.structs.replace(ALBUM, at_ms=DECEMBER_MS + 1, document={"name": "Bonn"})
    folder = volume.root / decisions.DECISIONS
    folder.mkdir(parents=True)
    encoded = [msgspec.json.encode(one) for one in (later, ALBUM)]
    (folder / "2025-12.jsonl").write_bytes(b"\n".join([encoded[0], b'{"kind":"erased","sub', encoded[1]]))
    (folder / "2025-11.jsonl").write_bytes(msgspec.json.encode(ERASED) + b'\n{"kind":"of next year","subject":"1"}\n')

    report = await Rebuild(
        database=database,
        volume=volume,
        workers=TableExaminer({}),
        renditions=RenditionFolder(tmp_path / "renditions"),
        clock=StoppedClock(),
        committer=Committer(rules=(), clock=StoppedClock(), moving_sources=()),
    ).run()
    await record(database, msgspec.structs.replace(ALBUM, at_ms=DECEMBER_MS + 2, is_revoked=True))
    await decisions.write_out(database, volume)

    assert report.unreadable_decisions == ["2025-11.jsonl:2", "2025-12.jsonl:2"]
    assert await database.read(lambda connection: stored.of_kind(connection, DecisionKind.ERASED)) == [ERASED]
    assert await database.read(lambda connection: stored.find(connection, ALBUM.kind, ALBUM.subject)) is None
    assert b'{"kind":"erased","sub\n' in (folder / "2025-12.jsonl").read_bytes()  # left as it is
