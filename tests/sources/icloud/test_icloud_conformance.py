"""The suite every source passes. Apple's cloud differs in three ways, each said where a test is replaced."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from mediabox.errors import Away, Permanent, Retryable
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import Dropped, Fault
from mediabox.simulate.icloud.simulator import Simulator
from sources.conformance import MIB, MemorySink, SourceConformance, bytes_of, listed, only, taken_in
from sources.icloud.signed_in import source_of


class CloudPlace:
    """Somebody's personal library. A path is only a name here: each is an asset of its own."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._library = simulator.account().library
        self._assets: dict[bytes, str] = {}
        self.source = source_of(simulator)

    def put(self, path: bytes, content: bytes) -> None:
        name = path.rpartition(b"/")[2].decode("utf-8", "replace")
        part = self._library.part(of_bytes(content), name)
        known = self._assets.get(path)
        if known is None:
            self._assets[path] = self._library.add(of_bytes(content), file_name=name).name
        else:
            zone = self._library.zone_of(known)
            row = zone.asset(known)
            new = msgspec.structs.replace(zone.master(row.master), name=part.blob.signature, original=part)
            zone.put(new)
            zone.put(msgspec.structs.replace(row, master=new.name))
        if "." not in name:
            self._library.omit(self._assets[path], "itemType", "resOriginalFileType")

    def drop(self, path: bytes) -> None:
        self._library.purge(self._assets.pop(path))

    def has(self, path: bytes) -> bool:
        return path in self._assets

    def let_links_die(self) -> None:
        self._simulator.clock.advance(3601)

    def leave(self) -> None:
        self._simulator.faults.add(Fault("*", Dropped(), times=None))

    def come_back(self) -> None:
        self._simulator.faults.clear()


class TestICloud(SourceConformance):
    @pytest.fixture
    async def place(self, icloud: Simulator) -> AsyncIterator[CloudPlace]:
        place = CloudPlace(icloud)
        yield place
        await place.source.close()

    # A link leads to the bytes it was made for, whatever the asset has become meanwhile.

    async def test_a_file_that_changes_while_it_is_read_is_tried_again(self, place: CloudPlace) -> None:
        before = bytes_of(2 * MIB)
        place.put(b"IMG_0001.MOV", before)
        resource = await only(place.source)
        sink = MemorySink(on_write=lambda: place.put(b"IMG_0001.MOV", bytes_of(2 * MIB, seed=8)))

        await place.source.fetch(resource, sink)

        assert sink.held == before

    # The links of a listing are good for an hour; only then does a fetch look again.

    async def test_a_file_that_changed_since_it_was_listed_is_not_poured(self, place: CloudPlace) -> None:
        place.put(b"IMG_0001.JPG", b"before")
        resource = await only(place.source)
        place.put(b"IMG_0001.JPG", b"after!!")
        place.let_links_die()
        sink = MemorySink()

        with pytest.raises(Retryable, match="changed"):
            await place.source.fetch(resource, sink)

        assert sink.writes == 0

    async def test_a_file_that_is_gone_is_said_to_be_gone(self, place: CloudPlace) -> None:
        place.put(b"IMG_0001.JPG", b"here")
        place.put(b"IMG_0002.JPG", b"stays")
        first = next(each for each in await listed(place.source) if each.name == "IMG_0001.JPG")
        place.drop(b"IMG_0001.JPG")
        place.let_links_die()

        with pytest.raises(Permanent, match="no longer"):
            await place.source.fetch(taken_in(first), MemorySink())
        with pytest.raises(Permanent, match="no longer"):
            await place.source.peek(first)

    # Nothing is removed from iCloud.

    async def test_away_is_never_gone(self, place: CloudPlace) -> None:
        place.put(b"IMG_0001.JPG", b"here")
        before = await listed(place.source)
        place.leave()

        with pytest.raises(Away):
            await listed(place.source)
        with pytest.raises(Away):
            await place.source.fetch(taken_in(before[0]), MemorySink())
        with pytest.raises(Away):
            await place.source.peek(before[0])

        place.come_back()
        assert await listed(place.source) == before
        assert not place.source.complaints()

    async def test_removes_the_version_that_was_archived(self, place: CloudPlace) -> None:
        place.put(b"IMG_0001.JPG", b"archived")

        with pytest.raises(Permanent, match="not enabled"):
            await place.source.remove(await only(place.source))

        assert not place.source.removes_after_archiving
        assert len(await listed(place.source)) == 1

    async def test_removing_twice_is_removing_once(self, place: CloudPlace) -> None:
        place.put(b"IMG_0001.JPG", b"archived")
        resource = await only(place.source)

        for _ in range(2):
            with pytest.raises(Permanent):
                await place.source.remove(resource)
