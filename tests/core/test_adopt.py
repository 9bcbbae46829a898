"""Which files of an older backup may stand for a source's, and that none does without proof."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sources.conformance import bytes_of

from mediabox.contracts import Work
from mediabox.core.adoption import FoundAdoptions, samples_of
from mediabox.core.backup_walk import BackupFindings, walk
from mediabox.durable.spool import SpoolFolder
from mediabox.durable.volume import Volume
from mediabox.errors import Away, Permanent, Retryable
from mediabox.model.adoptable import Adoptable, likely
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.job import Job
from mediabox.stages.fetch import Fetch
from mediabox.store import adoptable
from mediabox.store.database import Database

TAKEN_MS = 1_700_000_000_000
PICTURE = b"\xff\xd8\xff\xe0" + bytes_of(50_000).replace(b"\xff\xd9", b"\xff\xd8") + b"\xff\xd9"
LARGE = b"\xff\xd8\xff\xe0" + bytes_of(3_000_000).replace(b"\xff\xd9", b"\xff\xd8") + b"\xff\xd9"


def resource_of(content: bytes = PICTURE, name: str = "IMG_0001.JPG") -> Resource:
    return Resource(
        id=1,
        asset_id=1,
        source="cloud",
        remote_id=f"PrimarySync/A/{name}",
        version=f"v-{len(content)}",
        name=name,
        kind=Kind.PICTURE,
        role=Role.ORIGINAL,
        state=ResourceState.SEEN,
        size_bytes=len(content),
        modified_at_ms=TAKEN_MS,
    )


def laid(folder: Path, content: bytes, name: str = "IMG_0001.JPG") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def walked(folder: Path) -> list[Adoptable]:
    return list(walk(folder, excluded_roots=(), source=None, findings=BackupFindings()))


# ---------------------------------------------------------------- names and times


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("IMG_0001.JPG", "IMG_0001.JPG"),
        ("img_0001.jpeg", "IMG_0001.JPG"),
        ("IMG_0001_HEVC.MOV", "IMG_0001.MOV"),
        ("IMG_0001-1234.JPG", "IMG_0001.JPG"),
        ("IMG_0001_HEVC-1234.MOV", "IMG_0001.MOV"),
        ("IMG_0001_QWErty1.JPG", "IMG_0001.JPG"),
        ("IMG_0001-adjusted.JPG", "IMG_E0001.JPG"),
        ("IMG_0001_edited.jpeg", "IMG_E0001.JPG"),
        ("IMG_0001 (1).jpg", "IMG_0001.JPG"),
        ("IMG_0001(2).jpg", "IMG_0001.JPG"),
        ("Gre.jpg", "Größe.jpg"),
        ("Größe.jpg", "Gro\u0308ße.jpg"),
        ("a_b.jpg", "a:b.jpg"),
        ("写真.jpg", "写真.JPG"),
    ],
)
def test_a_renamed_file_is_known_by_its_name(theirs: str, ours: str) -> None:
    file = Adoptable(path=f"/backup/{theirs}", size_bytes=1234, modified_ns=0)
    resource = resource_of(bytes(1234), ours)

    assert likely([file], resource) == [file]


@pytest.mark.parametrize(
    ("theirs", "size_bytes", "off_ms"),
    [
        ("IMG_0002.JPG", 1234, 2_001),  # another name, another time
        ("IMG_0001.JPG", 1235, 0),  # another size
        ("IMG_0001-999.JPG", 1234, 60_000),  # a number that is no size
    ],
)
def test_another_file_is_left_alone(theirs: str, size_bytes: int, off_ms: int) -> None:
    file = Adoptable(path=f"/backup/{theirs}", size_bytes=size_bytes, modified_ns=(TAKEN_MS + off_ms) * 1_000_000)

    assert likely([file], resource_of(bytes(1234))) == []


def test_its_time_is_enough_within_two_seconds_and_its_name_counts_more() -> None:
    by_time = Adoptable(path="/backup/oma.jpg", size_bytes=1234, modified_ns=(TAKEN_MS - 2_000) * 1_000_000)
    by_name = Adoptable(path="/backup/x/IMG_0001.JPG", size_bytes=1234, modified_ns=0)
    others = Adoptable(path="/backup/y/IMG_0001.JPG", size_bytes=1234, modified_ns=0, source="others")

    assert likely([by_time, others, by_name], resource_of(bytes(1234))) == [by_name, by_time]


def test_a_large_file_is_known_by_its_size_when_nothing_else_is_left() -> None:
    renamed = Adoptable(path="/backup/AQ-2m1Xmtmju0S1TToXZotkM2v77.jpeg", size_bytes=len(LARGE), modified_ns=0)
    by_name = Adoptable(path="/backup/IMG_0001.JPG", size_bytes=len(LARGE), modified_ns=0)

    assert likely([renamed, by_name], resource_of(LARGE)) == [by_name, renamed]


# ---------------------------------------------------------------- the walk


def test_the_walk_finds_pictures_and_videos_and_changes_nothing(tmp_path: Path) -> None:
    for name in ("2023/IMG_0001.JPG", "2023/11/IMG_0001_HEVC.MOV", "2023/notes.txt", "2023/IMG_0002.JPG.part"):
        laid(tmp_path, b"content", name)
    laid(tmp_path, b"", "2023/empty.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "2023/IMG_0001.JPG")
    before = {path: os.lstat(path)[1:9] for path in tmp_path.rglob("*")}
    findings = BackupFindings()

    found = list(walk(tmp_path, excluded_roots=(), source="cloud", findings=findings))

    assert [file.path for file in found] == [
        f"{tmp_path}/2023/IMG_0001.JPG",
        f"{tmp_path}/2023/11/IMG_0001_HEVC.MOV",
    ]
    assert found[0].modified_ns == os.stat(found[0].path).st_mtime_ns
    assert findings.other == 4
    assert {path: os.lstat(path)[1:9] for path in tmp_path.rglob("*")} == before


def test_our_own_archive_is_not_walked_by_whatever_name(tmp_path: Path) -> None:
    laid(tmp_path, b"theirs", "tree/IMG_0001.JPG")
    archive = laid(tmp_path, b"ours", "tree/archive/2023/IMG_0002.JPG").parents[1]
    (tmp_path / "name").symlink_to(archive)

    found = list(walk(tmp_path / "tree", excluded_roots=(archive,), source=None, findings=BackupFindings()))

    assert [file.name for file in found] == ["IMG_0001.JPG"]
    for folder in (archive, archive / "2023", tmp_path / "name"):
        with pytest.raises(Permanent, match="a folder of mediabox itself"):
            list(walk(folder, excluded_roots=(archive,), source=None, findings=BackupFindings()))


async def test_walking_again_forgets_what_is_gone_from_there_only(tmp_path: Path) -> None:
    kept, gone = laid(tmp_path, b"1", "tree/a.jpg"), laid(tmp_path, b"1", "tree/b.jpg")
    beside = laid(tmp_path, b"1", "tree0/c.jpg")
    async with Database(tmp_path / "mediabox.db") as database:
        await database.write(lambda connection: adoptable.note(connection, walked(tmp_path), at_ms=1))
        gone.unlink()
        await database.write(lambda connection: adoptable.note(connection, walked(tmp_path / "tree"), at_ms=2))

        withdrawn = await database.write(
            lambda connection: adoptable.forget_older(connection, f"{tmp_path}/tree", than_ms=2)
        )

        left = await database.read(lambda connection: adoptable.of_size(connection, 1))
    assert withdrawn == 1
    assert {file.path for file in left} == {str(kept), str(beside)}


# ---------------------------------------------------------------- proof


class Cloud:
    """A remote source of one file. `checks`: whether it has checksums; `error`: what asking for samples raises."""

    name = "cloud"
    removes_after_archiving = False
    mirrors_deletions = False
    resumes = True

    def __init__(self, content: bytes, *, checks: bool = False) -> None:
        self.content, self.checks = content, checks
        self.error: Exception | None = None
        self.on_sample: Callable[[], None] = lambda: None
        self.sampled: list[range] = []
        self.fetched_from: list[int] = []

    async def sample(self, resource: Resource, offset: int, length: int) -> bytes:
        if self.error is not None:
            raise self.error
        self.on_sample()
        self.sampled.append(range(offset, offset + length))
        return self.content[offset : offset + length]

    def checksum(self, resource: Resource) -> "Sha256 | None":
        return Sha256(self.content) if self.checks else None

    async def fetch(self, resource: Resource, sink) -> None:
        self.fetched_from.append(sink.offset)
        sink.write(self.content[sink.offset :])


class Sha256:
    def __init__(self, content: bytes) -> None:
        self._expected, self._seen = hashlib.sha256(content).digest(), hashlib.sha256()

    def feed(self, chunk: bytes) -> None:
        self._seen.update(chunk)

    @property
    def agrees(self) -> bool:
        return self._seen.digest() == self._expected


class Bench:
    """The fetch stage over a real spool and a real catalogue."""

    def __init__(self, volume: Volume, database: Database) -> None:
        self.spool, self.database = SpoolFolder(volume), database
        self.adoptions = FoundAdoptions(database)

    async def offer(self, folder: Path) -> None:
        await self.database.write(lambda connection: adoptable.note(connection, walked(folder), at_ms=1))

    async def fetch(self, cloud: Cloud, resource: Resource):
        stage = Fetch({"cloud": cloud}, self.spool, self.adoptions)  # type: ignore[dict-item]
        return await stage.run(Work(job=Job(id=1, step="fetch", subject="1"), resource=resource))

    def staged(self) -> bytes:
        descriptor = self.spool.open(1)
        try:
            return os.pread(descriptor, 1 << 24, 0)
        finally:
            os.close(descriptor)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Database(tmp_path / "mediabox.db") as database:
        with Volume.enroll(tmp_path / "archive", now_ms=TAKEN_MS) as volume:
            yield Bench(volume, database)


@pytest.mark.parametrize("checks", [False, True])
@pytest.mark.parametrize("content", [PICTURE, LARGE])
async def test_the_same_bytes_are_adopted_for_the_price_of_a_sample_or_of_nothing(
    bench: Bench, tmp_path: Path, content: bytes, checks: bool
) -> None:
    path = laid(tmp_path / "backup", content)
    await bench.offer(tmp_path / "backup")
    cloud = Cloud(content, checks=checks)

    result = await bench.fetch(cloud, resource_of(content))

    assert result.outcome.adopted_from == str(path)
    assert result.outcome.digest == hashlib.sha256(content).hexdigest()
    assert bench.staged() == content
    assert cloud.fetched_from == []
    assert sum(map(len, cloud.sampled)) == (0 if checks else sum(map(len, samples_of(len(content)))))


def changed(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "local",
    [
        changed(LARGE, 100),  # its beginning
        changed(LARGE, len(LARGE) // 2 + 60_000),  # its middle
        LARGE[:2_000_000] + bytes(len(LARGE) - 2_000_000),  # room was made for it, and the end never came
    ],
    ids=["head", "middle", "end"],
)
async def test_other_bytes_of_the_same_name_and_size_are_fetched(bench: Bench, tmp_path: Path, local: bytes) -> None:
    laid(tmp_path / "backup", local)
    await bench.offer(tmp_path / "backup")
    cloud = Cloud(LARGE)

    result = await bench.fetch(cloud, resource_of(LARGE))

    assert result.outcome.adopted_from is None
    assert bench.staged() == LARGE
    assert cloud.fetched_from == [0]


async def test_once_a_checksum_agreed_one_bit_anywhere_is_noticed(bench: Bench, tmp_path: Path) -> None:
    rotten = changed(LARGE, 1_000_000)  # where no sample looks
    laid(tmp_path / "backup", PICTURE, "IMG_0001.JPG")
    laid(tmp_path / "backup", rotten, "IMG_0002.JPG")
    await bench.offer(tmp_path / "backup")
    await bench.fetch(Cloud(PICTURE, checks=True), resource_of(PICTURE))
    cloud = Cloud(LARGE, checks=True)

    result = await bench.fetch(cloud, resource_of(LARGE, "IMG_0002.JPG"))

    assert result.outcome.adopted_from is None
    assert bench.staged() == LARGE
    assert cloud.sampled == []


async def test_the_next_likely_file_is_tried_after_a_wrong_one(bench: Bench, tmp_path: Path) -> None:
    laid(tmp_path / "backup", changed(PICTURE, 10), "a/IMG_0001.JPG")
    right = laid(tmp_path / "backup", PICTURE, "b/IMG_0001.JPG")
    await bench.offer(tmp_path / "backup")

    result = await bench.fetch(Cloud(PICTURE), resource_of())

    assert result.outcome.adopted_from == str(right)
    assert bench.staged() == PICTURE


@pytest.mark.parametrize("how", ["written", "touched", "removed", "folder", "link"])
async def test_a_file_that_changed_since_is_not_used(bench: Bench, tmp_path: Path, how: str) -> None:
    path = laid(tmp_path / "backup", PICTURE)
    await bench.offer(tmp_path / "backup")
    match how:
        case "written":
            path.write_bytes(PICTURE + b"more")
        case "touched":
            os.utime(path, ns=(1, 1))
        case "removed":
            path.unlink()
        case "folder":
            path.unlink()
            path.mkdir()
        case "link":
            path.rename(tmp_path / "elsewhere")
            path.symlink_to(tmp_path / "elsewhere")
    cloud = Cloud(PICTURE)

    result = await bench.fetch(cloud, resource_of())

    assert result.outcome.adopted_from is None
    assert cloud.sampled == []
    assert cloud.fetched_from == [0]


async def test_a_file_that_changes_while_it_is_read_is_not_used(bench: Bench, tmp_path: Path) -> None:
    path = laid(tmp_path / "backup", LARGE)
    await bench.offer(tmp_path / "backup")
    cloud = Cloud(LARGE)
    cloud.on_sample = lambda: os.utime(path, ns=(1, 1))

    result = await bench.fetch(cloud, resource_of(LARGE))

    assert result.outcome.adopted_from is None
    assert cloud.fetched_from == [0]


async def test_a_sample_that_cannot_be_had_is_no_proof(bench: Bench, tmp_path: Path) -> None:
    laid(tmp_path / "backup", PICTURE)
    await bench.offer(tmp_path / "backup")
    cloud = Cloud(PICTURE)
    cloud.error = Retryable("another range came")

    result = await bench.fetch(cloud, resource_of())

    assert result.outcome.adopted_from is None
    assert cloud.fetched_from == [0]


async def test_what_was_poured_without_proof_is_never_continued(bench: Bench, tmp_path: Path) -> None:
    """Else the end of one file would follow the beginning of another."""
    path = laid(tmp_path / "backup", changed(LARGE, 1_000_000))
    await bench.offer(tmp_path / "backup")
    cloud = Cloud(LARGE)
    cloud.error = Away("the line is down", part="source:cloud")
    with pytest.raises(Away):
        await bench.fetch(cloud, resource_of(LARGE))
    path.unlink()  # nothing to adopt the next time
    cloud.error = None

    result = await bench.fetch(cloud, resource_of(LARGE))

    assert cloud.fetched_from == [0]
    assert result.outcome.digest == hashlib.sha256(LARGE).hexdigest()


async def test_a_fetch_that_has_begun_goes_on(bench: Bench, tmp_path: Path) -> None:
    laid(tmp_path / "backup", LARGE)
    resource = resource_of(LARGE)
    sink = bench.spool.sink(1, size_bytes=len(LARGE), version=resource.version)
    sink.write(LARGE[:1_000_000])
    sink.close()
    await bench.offer(tmp_path / "backup")
    cloud = Cloud(LARGE)

    result = await bench.fetch(cloud, resource)

    assert cloud.fetched_from == [1_000_000]
    assert result.outcome.digest == hashlib.sha256(LARGE).hexdigest()
