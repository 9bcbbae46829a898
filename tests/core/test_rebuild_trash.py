"""A catalogue made anew knows of the trash too, and brings back what nobody took back a word for."""

from hashlib import sha256
from pathlib import Path

import msgspec
from core.catalogue_of import Catalogued, StoppedClock
from whole.examiner import TableExaminer

from mediabox.core.commit import Committer
from mediabox.core.rebuild import Rebuild
from mediabox.core.retention import Retention
from mediabox.durable.renditions import RenditionFolder
from mediabox.durable.trash import in_trash
from mediabox.durable.volume import Volume
from mediabox.model.asset import ResourceState
from mediabox.model.decision import Decision, DecisionKind
from mediabox.store import copies
from mediabox.store.database import Database

PATH = "2024/IMG_1.JPG"


async def test_what_lies_in_the_trash_is_found_there_and_may_come_back(tmp_path: Path, database: Database) -> None:
    with Volume.enroll(tmp_path / "archive", now_ms=1, reserve_percent=0) as volume:
        (volume.root / ".mediabox/trash/2024").mkdir(parents=True)
        (volume.root / in_trash(PATH)).write_bytes(b"deleted somewhere")
        rebuild = Rebuild(
            database=database,
            volume=volume,
            workers=TableExaminer({}),
            renditions=RenditionFolder(tmp_path / "renditions"),
            clock=StoppedClock(),
            committer=Committer(rules=(), clock=StoppedClock(), moving_sources=()),
        )

        report = await rebuild.run()

        box = Catalogued(database)
        found = await box.file(PATH)
        assert (report.originals, found.state, found.path) == (1, ResourceState.TRASHED, PATH)
        assert [copy.path for copy in await box.ask(copies.of_resource, found.id)] == [in_trash(PATH)]
        await Retention(database=database, volume=volume, clock=box.clock, mirroring=frozenset({"cloud"})).look()
        assert await box.jobs("recover") == [str(found.asset_id)]


async def test_bytes_a_person_erased_are_not_taken_in_again(tmp_path: Path, database: Database) -> None:
    content = b"erased, and put back out of a backup"
    tombstone = Decision(kind=DecisionKind.ERASED, subject=sha256(content).hexdigest(), at_ms=1, by="console:anna")
    with Volume.enroll(tmp_path / "archive", now_ms=1, reserve_percent=0) as volume:
        (volume.root / ".mediabox/decisions").mkdir(parents=True)
        (volume.root / ".mediabox/decisions/1970-01.jsonl").write_bytes(msgspec.json.encode(tombstone) + b"\n")
        (volume.root / "2024").mkdir()
        (volume.root / PATH).write_bytes(content)
        (volume.root / "2024/IMG_2.JPG").write_bytes(b"another")
        rebuild = Rebuild(
            database=database,
            volume=volume,
            workers=TableExaminer({}),
            renditions=RenditionFolder(tmp_path / "renditions"),
            clock=StoppedClock(),
            committer=Committer(rules=(), clock=StoppedClock(), moving_sources=()),
        )

        report = await rebuild.run()

    assert (report.originals, report.erased) == (1, [PATH])
    assert await Catalogued(database).rows("SELECT path FROM resource") == [("2024/IMG_2.JPG",)]
