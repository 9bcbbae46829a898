"""A sidecar is composed while only we wrote it, and merged once anybody else did."""

import hashlib

import msgspec
import pytest
from archive_fake import FakeArchive, work

from mediabox.contracts import StepResult
from mediabox.errors import Permanent
from mediabox.model.asset import Kind, Role
from mediabox.model.sidecar import SidecarMember, SidecarRecord
from mediabox.native import sidecar
from mediabox.stages.describe import Describe, Description

PATH = "2024/2024-05/IMG_1.JPG.xmp"
SOURCE = "2024/2024-05/IMG_1.JPG.source.xmp"
FOREIGN = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Tint="+20"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
MEMBER = SidecarMember(
    path="2024/2024-05/IMG_1.JPG",
    sha256="ab" * 32,
    size_bytes=3,
    role=Role.ORIGINAL,
    kind=Kind.PICTURE,
    media_type="image/jpeg",
    original_name="IMG_1.JPG",
    source="pictures",
    remote_id="tree/IMG_1.JPG",
    version="3-1",
    taken_in_at_ms=1,
)
RECORD = SidecarRecord(members=(MEMBER,), mediabox_version="0.1.0", filed_at_ms=2, rating=3)


class FakeCatalogue:
    def __init__(self, description: Description | None) -> None:
        self.now = description

    async def description(self, asset_id: int) -> Description | None:
        assert asset_id == 7
        return self.now

    def remember(self, result: StepResult, **changes: object) -> None:
        """As the runner does: what was written is committed with the job."""
        assert result.outcome.written is not None
        self.now = msgspec.structs.replace(self.now, written_digest=result.outcome.written.digest, **changes)


class FakeMerger:
    def __init__(self) -> None:
        self.calls = 0

    async def merge_sidecar(self, existing: bytes | None, source: bytes | None, record: SidecarRecord) -> bytes:
        self.calls += 1
        return sidecar.merge(existing, source, record)


def stage(catalogue: FakeCatalogue, archive: FakeArchive, merger: FakeMerger) -> Describe:
    return Describe(catalogue, archive, merger, compose=sidecar.compose)


async def test_composes_the_first_sidecar_and_its_own_later_ones() -> None:
    catalogue, archive, merger = FakeCatalogue(Description(record=RECORD, path=PATH)), FakeArchive(), FakeMerger()

    first = await stage(catalogue, archive, merger).run(work("describe", "7"))
    better = msgspec.structs.replace(RECORD, title="Better known")
    catalogue.remember(first, record=better)
    await stage(catalogue, archive, merger).run(work("describe", "7"))

    assert archive.files[PATH] == sidecar.compose(better)
    assert merger.calls == 0
    assert archive.writes == 2


async def test_writes_nothing_when_nothing_changed() -> None:
    catalogue, archive = FakeCatalogue(Description(record=RECORD, path=PATH)), FakeArchive()
    catalogue.remember(await stage(catalogue, archive, FakeMerger()).run(work("describe", "7")))

    assert await stage(catalogue, archive, FakeMerger()).run(work("describe", "7")) == StepResult()
    assert archive.writes == 1


async def test_a_sidecar_written_before_a_power_cut_is_recognised() -> None:
    content = sidecar.compose(RECORD)
    archive, merger = FakeArchive({PATH: content}), FakeMerger()

    result = await stage(FakeCatalogue(Description(record=RECORD, path=PATH)), archive, merger).run(
        work("describe", "7")
    )

    assert result.outcome.written is not None
    assert result.outcome.written.digest == hashlib.sha256(content).hexdigest()
    assert (archive.writes, merger.calls) == (0, 0)


async def test_another_programs_words_are_merged_then_and_ever_after() -> None:
    catalogue, merger = FakeCatalogue(Description(record=RECORD, path=PATH)), FakeMerger()
    archive = FakeArchive({PATH: FOREIGN})

    outcome = await stage(catalogue, archive, merger).run(work("describe", "7"))
    catalogue.remember(outcome, record=msgspec.structs.replace(RECORD, title="Later"))
    await stage(catalogue, archive, merger).run(work("describe", "7"))

    assert merger.calls == 2  # the digest is ours, the content is not ours alone
    assert b'crs:Tint="+20"' in archive.files[PATH]
    assert sidecar.parse(archive.files[PATH]).title == "Later"


async def test_the_owners_own_sidecar_is_merged_in() -> None:
    description = Description(record=RECORD, path=PATH, source_path=SOURCE)
    archive = FakeArchive({SOURCE: FOREIGN})

    await stage(FakeCatalogue(description), archive, FakeMerger()).run(work("describe", "7"))

    assert b'crs:Tint="+20"' in archive.files[PATH]
    assert archive.files[SOURCE] == FOREIGN
    assert sidecar.parse(archive.files[PATH]) == RECORD


async def test_a_file_that_is_no_sidecar_is_never_overwritten() -> None:
    archive = FakeArchive({PATH: b"not xml"})

    with pytest.raises(Permanent):
        await stage(FakeCatalogue(Description(record=RECORD, path=PATH)), archive, FakeMerger()).run(
            work("describe", "7")
        )

    assert archive.files[PATH] == b"not xml"


async def test_an_asset_without_archived_files_has_no_sidecar() -> None:
    archive = FakeArchive()

    assert await stage(FakeCatalogue(None), archive, FakeMerger()).run(work("describe", "7")) == StepResult()
    assert archive.files == {}
