"""Downloads against the simulator: every fault of its wire, and never a wrong byte kept."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from mediabox.errors import Away, Permanent, Retryable
from mediabox.model.asset import RemoteResource, Resource, Role
from mediabox.simulate.icloud.blob import MemoryBlob, encode, of_bytes, signed
from mediabox.simulate.icloud.faults import SEVENTEEN_BYTES, Cut, Dropped, Fault, Garbled, Status, WholeFile
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud import ICloud
from mediabox.sources.icloud.links import MOST_KEPT
from sources.conformance import MIB, MemorySink, bytes_of
from sources.icloud.signed_in import Reader, calls_of, give_stock, source_of, taken_in

JPEG = b"\xff\xd8\xff\xe0" + bytes_of(3 * MIB).replace(b"\xff\xd9", b"\xff\xd8") + b"\xff\xd9"


def signed_otherwise(content: bytes) -> MemoryBlob:
    return MemoryBlob(content=content, signature=encode(hashlib.sha1(content, usedforsecurity=False).digest()))


@pytest.fixture
async def source(icloud: Simulator) -> AsyncIterator[ICloud]:
    source = source_of(icloud)
    yield source
    await source.close()


async def only(source: ICloud) -> Resource:
    reader = Reader(source)
    await reader.look()
    (remote,) = reader.resources()
    return taken_in(remote)


async def listed(source: ICloud) -> list[RemoteResource]:
    reader = Reader(source)
    await reader.look()
    return reader.resources()


async def fetched(source: ICloud, resource: Resource, *, attempts: int = 1) -> bytes:
    """As the fetch stage does: a new beginning at each attempt. Whatever a failed one leaves must be a beginning."""
    for attempt in range(attempts):
        sink = MemorySink()
        try:
            await source.fetch(resource, sink)
        except (Retryable, Away):
            assert attempt < attempts - 1, "it never came"
            assert JPEG.startswith(sink.held) or not sink.held
            continue
        return bytes(sink.held)
    raise AssertionError


async def test_a_fault_free_download_is_one_request(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.calls.clear()

    assert await fetched(source, resource) == JPEG

    assert dict(icloud.calls) == {"content": 1}  # the link came with the listing


@pytest.mark.parametrize("cuts", [[1], [0, 1000, 2 * MIB], [len(JPEG) - 1], [MIB, MIB]])
async def test_a_cut_connection_goes_on_where_it_ended(icloud: Simulator, source: ICloud, cuts: list[int]) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    for cut in cuts:
        icloud.faults.add(Fault("content", Cut(cut)))
    sink = MemorySink()

    try:
        await source.fetch(resource, sink)
    except Away:  # nothing came at all: another time
        await source.fetch(resource, sink)

    assert sink.held == JPEG
    assert sink.restarts == 0


async def test_a_file_that_is_always_cut_near_its_end_is_never_counted_as_whole(
    icloud: Simulator, source: ICloud
) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.faults.add(Fault("content", Cut(0), times=None))
    sink = MemorySink(JPEG[: 2 * MIB])

    with pytest.raises((Retryable, Away)):
        await source.fetch(resource, sink)

    assert sink.held == JPEG[: 2 * MIB]


async def test_range_that_is_ignored_begins_anew(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.faults.add(Fault("content", WholeFile()))
    sink = MemorySink(JPEG[:MIB])

    await source.fetch(resource, sink)

    assert sink.held == JPEG
    assert sink.restarts == 1


async def test_a_dead_link_is_renewed(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.faults.add(Fault("content", Status(410)))
    icloud.calls.clear()

    assert await fetched(source, resource) == JPEG

    assert icloud.calls["content"] == 2
    assert calls_of(icloud) == 1


async def test_when_every_link_is_dead_the_account_pauses_and_asks_nothing(icloud: Simulator, source: ICloud) -> None:
    library = icloud.account().library
    for number in range(18):
        library.add(of_bytes(JPEG + bytes([number])), file_name=f"IMG_{number:04}.JPG")
    files = [taken_in(each) for each in await listed(source)]
    icloud.faults.add(Fault("content", Status(410), times=None))
    icloud.calls.clear()

    for file in files * 3:
        with pytest.raises(Away) as pause:
            await source.fetch(file, MemorySink())
        assert pause.value.part == "source:cloud"

    assert icloud.calls["content"] == 2  # the link, and a fresh one
    assert calls_of(icloud) == 2  # one lookup of it and of those behind it, in two steps
    (said,) = source.complaints()
    assert (said.key, said.subject) == ("source.missing", "cloud")
    assert pause.value.retry_after_s == pytest.approx(300, abs=60)


async def test_a_pause_is_tried_again_ever_less_often_and_over_with_the_first_file(
    icloud: Simulator, source: ICloud
) -> None:
    library = icloud.account().library
    for number in range(3):
        library.add(of_bytes(JPEG + bytes([number])), file_name=f"IMG_{number:04}.JPG")
    one, two, three = [taken_in(each) for each in await listed(source)]
    icloud.faults.add(Fault("content", Status(410), times=6))
    waits = []

    for file in (one, one, two):
        with pytest.raises(Retryable) as later:
            await source.fetch(file, MemorySink())
        waits.append((isinstance(later.value, Away), round(later.value.retry_after_s or 0)))
        icloud.clock.advance(later.value.retry_after_s or 0)

    assert waits == [(True, 300), (False, 300), (True, 600)]  # the same file again is that file's trouble
    await fetched(source, three)
    assert source.complaints() == ()


async def test_a_single_dead_file_does_not_hold_up_the_others(icloud: Simulator, source: ICloud) -> None:
    library = icloud.account().library
    for number in range(2):
        library.add(of_bytes(JPEG + bytes([number])), file_name=f"IMG_{number:04}.JPG")
    bad, good = [taken_in(each) for each in await listed(source)]
    its_path = bad.version.partition("-")[0].translate(str.maketrans("+/", "-_"))
    icloud.faults.add(Fault("content", Status(410), times=None, only=its_path))

    with pytest.raises(Away):
        await source.fetch(bad, MemorySink())
    icloud.clock.advance(300)
    with pytest.raises(Retryable) as later:
        await source.fetch(bad, MemorySink())

    assert not isinstance(later.value, Away)
    await fetched(source, good)


@pytest.mark.parametrize("status", [403, 404, 410, 416])
async def test_when_half_of_the_links_are_dead_the_other_half_arrives(
    icloud: Simulator, source: ICloud, status: int
) -> None:
    library = icloud.account().library
    for number in range(40):
        library.add(of_bytes(JPEG[:4096] + bytes([number]) + JPEG[-2:]), file_name=f"IMG_{number:04}.JPG")
    files = [taken_in(each) for each in await listed(source)]
    for file in files[1::2]:
        its_path = file.version.partition("-")[0].translate(str.maketrans("+/", "-_"))
        icloud.faults.add(Fault("content", Status(status), times=None, only=its_path))
    came, began_s = 0, icloud.clock.monotonic_s()

    for file in files:
        try:
            await source.fetch(file, MemorySink())
            came += 1
        except Away as pause:
            icloud.clock.advance(pause.retry_after_s or 0)
        except Retryable:
            continue

    assert came == 20
    assert icloud.clock.monotonic_s() - began_s < 600


async def test_when_all_links_die_amid_work_the_account_pauses_soon(icloud: Simulator, source: ICloud) -> None:
    library = icloud.account().library
    for number in range(30):
        library.add(of_bytes(JPEG[:4096] + bytes([number]) + JPEG[-2:]), file_name=f"IMG_{number:04}.JPG")
    good, *files = [taken_in(each) for each in await listed(source)]
    await fetched(source, good)
    icloud.faults.add(Fault("content", Status(410), times=None))
    icloud.calls.clear()

    ends = []
    for file in files:
        with pytest.raises(Retryable) as later:
            await source.fetch(file, MemorySink())
        ends.append(isinstance(later.value, Away))

    assert ends == [False] * 5 + [True] * 24
    assert icloud.calls["content"] == 12
    assert source.complaints()


async def test_a_link_that_dies_in_the_middle_is_renewed_and_the_rest_fetched(
    icloud: Simulator, source: ICloud
) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.faults.add(Fault("content", Cut(MIB)))
    icloud.faults.add(Fault("content", Status(410)))
    sink = MemorySink()

    await source.fetch(resource, sink)

    assert sink.held == JPEG
    assert sink.restarts == 0


async def test_a_link_older_than_fifty_minutes_is_not_tried(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.clock.advance(3001)
    icloud.calls.clear()

    assert await fetched(source, resource) == JPEG

    assert icloud.calls["content"] == 1
    assert calls_of(icloud) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Status(200, SEVENTEEN_BYTES, content_type="application/octet-stream"),
        Status(200, "<html>Please sign in</html>", content_type="text/html"),
        Status(200, '{"error":1}', content_type="application/json"),
        Status(200, "", content_type="application/octet-stream"),
        Status(206, "a part of what?", content_type="application/octet-stream"),
        Status(503),
        Status(503, retry_after_s=2),
        Status(429, retry_after_s=1),
        Status(500),
        Status(403),
        Status(404),
        Status(410),
        Status(416),
        Status(302),
        Dropped(),
        Cut(0),
        Cut(MIB),
        Cut(len(JPEG) - 1),
        Garbled(len(JPEG) - 1),
        WholeFile(),
    ],
    ids=lambda fault: f"{type(fault).__name__} {getattr(fault, 'code', '')}{getattr(fault, 'body', '')[:6]}",
)
@pytest.mark.parametrize("times", [1, 2])
async def test_no_fault_makes_a_wrong_file(icloud: Simulator, source: ICloud, fault: object, times: int) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.faults.add(Fault("content", fault, times=times))

    content = await patiently(icloud, source, resource)

    # Twice the same broken end cannot be told from a picture that is broken in iCloud: it is kept, and examined.
    is_believed = isinstance(fault, Garbled) and times == 2
    assert (content == JPEG) is not is_believed
    assert icloud.faults.fired["content"] >= (1 if isinstance(fault, WholeFile) else times)


async def patiently(icloud: Simulator, source: ICloud, resource: Resource) -> bytes:
    """Try again whenever told so, as late as told so."""
    for _ in range(12):
        sink = MemorySink()
        try:
            await source.fetch(resource, sink)
        except Retryable as later:
            assert JPEG.startswith(bytes(sink.held))
            icloud.clock.advance(max(later.retry_after_s or 0, 10))
            continue
        return bytes(sink.held)
    raise AssertionError("it never came")


async def test_wrong_answers_in_a_row_are_the_accounts_trouble_not_the_files(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.faults.add(Fault("content", Status(200, SEVENTEEN_BYTES), times=None))

    for _ in range(2):
        with pytest.raises(Retryable) as file_error:
            await source.fetch(resource, MemorySink())
        assert not isinstance(file_error.value, Away)
    with pytest.raises(Away):
        await source.fetch(resource, MemorySink())


async def test_a_picture_that_is_cut_in_icloud_is_fetched_once_when_its_checksum_agrees(
    icloud: Simulator, source: ICloud
) -> None:
    icloud.account().library.add(of_bytes(JPEG[:-2]), file_name="IMG_0001.JPG")
    resource = await only(source)
    sink = MemorySink()

    await source.fetch(resource, sink)

    assert sink.held == JPEG[:-2]


async def test_a_picture_that_is_cut_in_icloud_and_has_no_known_checksum_is_fetched_twice_and_kept(
    icloud: Simulator, source: ICloud
) -> None:
    icloud.account().library.add(signed_otherwise(JPEG[:-2]), file_name="IMG_0001.JPG")
    resource = await only(source)
    sink = MemorySink()

    with pytest.raises(Retryable, match="without its end mark"):
        await source.fetch(resource, sink)
    assert not sink.held
    await source.fetch(resource, sink)

    assert sink.held == JPEG[:-2]


async def test_once_a_checksum_agreed_a_file_with_another_is_never_kept(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    await source.fetch(resource, MemorySink())
    icloud.faults.add(Fault("content", Garbled(MIB), times=3))  # inside: length, beginning and end are right

    for _ in range(3):
        sink = MemorySink()
        with pytest.raises(Retryable, match=r"IMG_0001\.JPG does not match iCloud's checksum"):
            await source.fetch(resource, sink)
        assert not sink.held
    await source.fetch(resource, sink)

    assert sink.held == JPEG


async def test_a_checksum_that_never_agreed_is_not_believed(icloud: Simulator, source: ICloud) -> None:
    """Should Apple begin to sign otherwise under the same first byte, everything must still come."""
    icloud.account().library.add(MemoryBlob(content=JPEG, signature=signed(b"another way")), file_name="IMG_0001.JPG")
    resource = await only(source)

    assert await fetched(source, resource) == JPEG


async def test_a_checksum_agrees_across_a_cut_and_is_not_asked_of_a_file_begun_elsewhere(
    icloud: Simulator, source: ICloud
) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    icloud.faults.add(Fault("content", Cut(MIB)))

    assert await fetched(source, resource) == JPEG
    assert source._downloads._is_telling
    sink = MemorySink(JPEG[:MIB])
    await source.fetch(resource, sink)

    assert sink.held == JPEG


async def test_a_checksum_begins_anew_with_its_file(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)
    await source.fetch(resource, MemorySink())
    icloud.faults.add(Fault("content", Cut(MIB)))
    icloud.faults.add(Fault("content", WholeFile()))
    sink = MemorySink()

    await source.fetch(resource, sink)

    assert sink.held == JPEG
    assert sink.restarts == 1


async def test_files_of_a_shared_library_come_with_the_sessions_cookies(icloud: Simulator, source: ICloud) -> None:
    library = icloud.account().library
    library.add(of_bytes(JPEG), file_name="IMG_0001.JPG", zone=library.start_sharing())
    resource = await only(source)

    assert await fetched(source, resource) == JPEG
    icloud.clock.advance(3700)
    fresh = source_of(icloud)  # a restart: nobody has listed anything yet
    assert await fetched(fresh, resource) == JPEG
    await fresh.close()


async def test_every_file_of_an_asset_is_its_own(icloud: Simulator, source: ICloud) -> None:
    library = icloud.account().library
    asset = library.add(
        of_bytes(b"raw or not"), file_name="IMG_1.JPG", live=of_bytes(b"live"), alternative=of_bytes(b"alternative")
    )
    library.edit(asset.name, of_bytes(b"edited"), live=of_bytes(b"edited live"))
    reader = Reader(source)
    await reader.look()

    for age_s in (0, 3700):
        icloud.clock.advance(age_s)
        got = {each.role: await fetched(source, taken_in(each)) for each in reader.resources()}
        assert got == {
            Role.ORIGINAL: b"raw or not",
            Role.RAW: b"alternative",
            Role.LIVE_VIDEO: b"live",
            Role.EDITED: b"edited",
            Role.EDITED_VIDEO: b"edited live",
        }


async def test_those_who_wait_together_share_a_lookup(icloud: Simulator) -> None:
    give_stock(icloud, 40, live=0.0, still_bytes=2000)
    source = source_of(icloud, streams=8)
    reader = Reader(source)
    await reader.look()
    icloud.clock.advance(3700)
    icloud.calls.clear()

    async with asyncio.TaskGroup() as group:
        for remote in reader.resources():
            group.create_task(source.fetch(taken_in(remote), MemorySink()))

    assert icloud.calls["content"] == 40
    assert icloud.calls["records.lookup"] <= 20
    await source.close()


async def test_a_lookup_brings_the_links_that_are_wanted_next(icloud: Simulator, source: ICloud) -> None:
    give_stock(icloud, 120, live=0.5, still_bytes=2000, video_bytes=2000)
    reader = Reader(source)
    await reader.look()
    icloud.clock.advance(3700)
    icloud.calls.clear()

    for remote in reader.resources():  # one after the other, as listed
        await source.fetch(taken_in(remote), MemorySink())

    assert icloud.calls["content"] == len(reader.resources())
    assert icloud.calls["records.lookup"] <= 2 * 120 // 20


async def test_links_kept_are_bounded(icloud: Simulator) -> None:
    give_stock(icloud, MOST_KEPT, live=0.7)
    source = source_of(icloud)

    await Reader(source).look()

    assert len(source._cache._links) == MOST_KEPT
    await source.close()


async def test_no_more_downloads_at_once_than_asked_for(icloud: Simulator) -> None:
    give_stock(icloud, 12, live=0.0, still_bytes=2000)
    source = source_of(icloud, streams=2)
    reader = Reader(source)
    await reader.look()
    at_once, most = 0, 0
    original = source._downloads._stream

    async def counted(*given: object) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await original(*given)
        finally:
            at_once -= 1

    source._downloads._stream = counted
    async with asyncio.TaskGroup() as group:
        for remote in reader.resources():
            group.create_task(source.fetch(taken_in(remote), MemorySink()))

    assert most == 2
    await source.close()


async def test_a_sink_that_is_away_says_so(icloud: Simulator, source: ICloud) -> None:
    icloud.account().library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    resource = await only(source)

    def fail() -> None:
        raise Away("unplugged", part="volume:archive")

    with pytest.raises(Away) as away:
        await source.fetch(resource, MemorySink(on_write=fail))

    assert away.value.part == "volume:archive"


async def test_an_edit_that_was_reverted_is_gone(icloud: Simulator, source: ICloud) -> None:
    library = icloud.account().library
    asset = library.add(of_bytes(JPEG), file_name="IMG_0001.JPG")
    library.edit(asset.name, of_bytes(JPEG[:4] + JPEG[-2:]))
    reader = Reader(source)
    await reader.look()
    edited = next(each for each in reader.resources() if each.role is Role.EDITED)
    library.revert(asset.name)
    icloud.clock.advance(3700)

    with pytest.raises(Permanent, match="no longer in iCloud"):
        await source.fetch(taken_in(edited), MemorySink())
