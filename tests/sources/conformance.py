"""What every source must do, whatever is behind it. Subclass `SourceConformance` and give it a `Place`."""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from typing import Protocol

import pytest

from mediabox.contracts import Source
from mediabox.errors import Away, Permanent, Retryable
from mediabox.model.asset import Kind, RemoteResource, Resource, ResourceState

MIB = 1 << 20

ODD_NAMES: tuple[bytes, ...] = (
    b"IMG 0001.JPG",
    b" leading and trailing .JPG",
    b"two\nlines.JPG",
    b"tab\there.JPG",
    b"quote'\"`$(x).JPG",
    b"back\\slash.JPG",
    b"-rf.JPG",
    b"100%.JPG",
    b"%41.JPG",
    b"A.JPG",
    b"K\xc3\xb6ln.JPG",  # NFC
    b"Ko\xcc\x88ln.JPG",  # NFD: another file on disk
    b"K\xf6ln.JPG",  # Latin-1: not UTF-8
    b"K\xc3\xb6ln 100%.JPG",
    b"K\xc3\xb6ln 100%25.JPG",
    b"K%F6ln.JPG",  # what Latin-1 might be mistaken for
    "😀🏖️.JPG".encode(),
    b"\x01\x7f.JPG",
    b"x" * 246 + b".JPG",  # 250 bytes
    b"sub folder/nested \xff/IMG_0002.HEIC",
    b"IMG_0003.MOV",
    b"IMG_0003.HEIC",
)


class Place(Protocol):
    """The world behind a source, as a test may change it. Paths are bytes below the place's root."""

    source: Source

    def put(self, path: bytes, content: bytes) -> None:
        """Make or replace a file; its version changes."""

    def drop(self, path: bytes) -> None: ...
    def has(self, path: bytes) -> bool: ...
    def leave(self) -> None:
        """The disk, card or server goes away."""

    def come_back(self) -> None: ...


class MemorySink:
    """Keeps what is poured. `on_write` runs before each chunk is kept, in the source's thread."""

    def __init__(self, held: bytes = b"", *, on_write: Callable[[], None] = lambda: None) -> None:
        self.held = bytearray(held)
        self.restarts = 0
        self.writes = 0
        self._on_write = on_write

    @property
    def offset(self) -> int:
        return len(self.held)

    def restart(self) -> None:
        self.restarts += 1
        self.held.clear()

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self.writes += 1
        self._on_write()
        self.held += chunk


def bytes_of(size: int, *, seed: int = 7) -> bytes:
    """Bytes in which no two positions within 64 KiB look alike, so that a shifted copy shows."""
    pattern = b"".join(((position * 2654435761 + seed) & 0xFFFFFFFF).to_bytes(4, "big") for position in range(16384))
    return (pattern * (size // len(pattern) + 1))[:size]


async def listed(source: Source) -> list[RemoteResource]:
    found: list[RemoteResource] = []
    async for page in source.pages(None):
        found += [resource for asset in page.assets for resource in asset.resources]
        found += page.undecided
    return found


def taken_in(remote: RemoteResource, content: bytes | None = None) -> Resource:
    """As the catalogue has it; with `content`, as archived."""
    return Resource(
        id=1,
        asset_id=1,
        source="here",
        remote_id=remote.remote_id,
        version=remote.version,
        name=remote.name,
        kind=remote.kind or Kind.PICTURE,
        role=remote.role,
        state=ResourceState.SEEN,
        digest=hashlib.sha256(content).hexdigest() if content is not None else None,
    )


async def only(source: Source) -> Resource:
    (remote,) = await listed(source)
    return taken_in(remote)


class SourceConformance:
    """The suite. `place` is empty when a test begins, and its source moves files."""

    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    async def test_lists_every_file_exactly_once_whatever_its_name(self, place: Place) -> None:
        for name in ODD_NAMES:
            place.put(name, name)

        found = await listed(place.source)

        assert len(found) == len(ODD_NAMES)
        assert len({resource.remote_id for resource in found}) == len(ODD_NAMES)
        for resource in found:
            (resource.remote_id + resource.name + resource.version).encode("utf-8")  # raises on lone surrogates

    async def test_fetches_the_right_bytes_whatever_the_name(self, place: Place) -> None:
        for name in ODD_NAMES:
            place.put(name, b"content of " + name)

        fetched = []
        for remote in await listed(place.source):
            sink = MemorySink()
            await place.source.fetch(taken_in(remote), sink)
            fetched.append(bytes(sink.held))

        assert sorted(fetched) == sorted(b"content of " + name for name in ODD_NAMES)

    async def test_a_repeated_listing_is_equal(self, place: Place) -> None:
        for name in ODD_NAMES:
            place.put(name, name)

        assert await listed(place.source) == await listed(place.source)

    async def test_a_replaced_file_keeps_its_id_and_gets_a_new_version(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"before")
        (before,) = await listed(place.source)

        place.put(b"IMG_0001.JPG", b"after!")
        (after,) = await listed(place.source)

        assert after.remote_id == before.remote_id
        assert after.version != before.version

    async def test_pages_are_small_and_complete(self, place: Place) -> None:
        for number in range(1203):
            place.put(b"%d/IMG_%04d.JPG" % (number % 3, number), b"x")

        sizes = [len(page.assets) async for page in place.source.pages(None)]

        assert sum(sizes) == 1203
        assert max(sizes) <= 500

    async def test_a_name_that_does_not_say_what_it_is_is_undecided(self, place: Place) -> None:
        place.put(b"scan0001", b"\xff\xd8\xff")

        pages = [page async for page in place.source.pages(None)]

        assert [resource.name for page in pages for resource in page.undecided] == ["scan0001"]
        assert not [asset for page in pages for asset in page.assets]

    async def test_peeks_at_the_first_4_kib(self, place: Place) -> None:
        content = bytes_of(10_000)
        place.put(b"scan0001", content)
        place.put(b"short", b"\xff\xd8")

        peeked = {resource.name: await place.source.peek(resource) for resource in await listed(place.source)}

        assert peeked == {"scan0001": content[:4096], "short": b"\xff\xd8"}

    async def test_goes_on_where_an_interrupted_fetch_stopped(self, place: Place) -> None:
        content = bytes_of(3 * MIB + 17)
        place.put(b"IMG_0001.MOV", content)
        sink = MemorySink(content[: MIB + 5])

        await place.source.fetch(await only(place.source), sink)

        assert sink.held == content

    async def test_a_fetch_that_was_whole_already_changes_nothing(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"whole")
        sink = MemorySink(b"whole")

        await place.source.fetch(await only(place.source), sink)

        assert sink.held == b"whole"

    async def test_starts_again_when_more_is_held_than_there_is(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"short")
        sink = MemorySink(b"longer than the file")

        await place.source.fetch(await only(place.source), sink)

        assert sink.held == b"short"
        assert sink.restarts == 1

    async def test_a_file_that_changes_while_it_is_read_is_tried_again(self, place: Place) -> None:
        place.put(b"IMG_0001.MOV", bytes_of(2 * MIB))
        resource = await only(place.source)
        sink = MemorySink(on_write=lambda: place.put(b"IMG_0001.MOV", bytes_of(2 * MIB, seed=8)))

        with pytest.raises(Retryable, match="changed while it was read"):
            await place.source.fetch(resource, sink)

    async def test_a_file_that_changed_since_it_was_listed_is_not_poured(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"before")
        resource = await only(place.source)
        place.put(b"IMG_0001.JPG", b"after!!")
        sink = MemorySink()

        with pytest.raises(Retryable):
            await place.source.fetch(resource, sink)

        assert sink.writes == 0

    async def test_a_file_that_is_gone_is_said_to_be_gone(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"here")
        place.put(b"IMG_0002.JPG", b"stays")
        first, _ = await listed(place.source)
        place.drop(b"IMG_0001.JPG")

        with pytest.raises(Permanent, match="no longer"):
            await place.source.fetch(taken_in(first), MemorySink())
        with pytest.raises(Permanent, match="no longer"):
            await place.source.peek(first)

    async def test_an_empty_file_can_never_be_fetched(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"")

        with pytest.raises(Permanent, match="empty"):
            await place.source.fetch(await only(place.source), MemorySink())

    async def test_away_is_never_gone(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"here")
        before = await listed(place.source)
        place.leave()

        with pytest.raises(Away):
            await listed(place.source)
        with pytest.raises(Away):
            await place.source.fetch(taken_in(before[0]), MemorySink())
        with pytest.raises(Away):
            await place.source.peek(before[0])
        with pytest.raises(Away):
            await place.source.remove(taken_in(before[0]))

        place.come_back()
        assert await listed(place.source) == before
        assert not place.source.complaints()

    async def test_removes_the_version_that_was_archived(self, place: Place) -> None:
        place.put(b"a/IMG_0001.JPG", b"archived")
        place.put(b"a/IMG_0002.JPG", b"stays")
        first, _ = await listed(place.source)

        await place.source.remove(taken_in(first, b"archived"))

        assert not place.has(b"a/IMG_0001.JPG")
        assert place.has(b"a/IMG_0002.JPG")

    async def test_removing_twice_is_removing_once(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"archived")
        place.put(b"IMG_0002.JPG", b"stays")
        first, _ = await listed(place.source)

        await place.source.remove(taken_in(first, b"archived"))
        await place.source.remove(taken_in(first, b"archived"))

        assert place.has(b"IMG_0002.JPG")

    async def test_never_removes_another_version_than_the_archived_one(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"archived")
        resource = await only(place.source)
        place.put(b"IMG_0001.JPG", b"edited since")

        with pytest.raises(Permanent):
            await place.source.remove(resource)

        assert place.has(b"IMG_0001.JPG")

    async def test_never_removes_other_bytes_than_the_archived_ones(self, place: Place) -> None:
        place.put(b"IMG_0001.JPG", b"edited, with the same size and time")
        (remote,) = await listed(place.source)

        with pytest.raises(Permanent):
            await place.source.remove(taken_in(remote, b"archived"))

        assert place.has(b"IMG_0001.JPG")

    async def test_a_cancelled_fetch_writes_nothing_more_and_can_be_continued(self, place: Place) -> None:
        content = bytes_of(5 * MIB)
        place.put(b"IMG_0001.MOV", content)
        resource = await only(place.source)
        inside, released = threading.Event(), threading.Event()

        def halt() -> None:
            inside.set()
            released.wait(10)

        sink = MemorySink(on_write=halt)
        fetch = asyncio.ensure_future(place.source.fetch(resource, sink))
        await asyncio.to_thread(inside.wait, 10)
        fetch.cancel()
        for _ in range(10):  # turns of the loop, until the word has reached whoever pours
            await asyncio.sleep(0)
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await fetch

        writes, held = sink.writes, bytes(sink.held)
        assert held == content[: len(held)]
        assert len(held) < len(content)
        continued = MemorySink(held)
        await place.source.fetch(resource, continued)
        assert continued.held == content
        assert sink.writes == writes

    async def test_a_listing_that_was_given_up_leaves_the_next_one_whole(self, place: Place) -> None:
        for number in range(1200):
            place.put(b"IMG_%04d.JPG" % number, b"x")

        pages = place.source.pages(None)
        await anext(pages)
        await pages.aclose()

        assert len(await listed(place.source)) == 1200

    async def test_says_that_something_may_have_changed_before_the_first_listing(self, place: Place) -> None:
        assert await place.source.wait(3600)
