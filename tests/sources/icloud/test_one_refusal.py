"""A refusal of one library, index, record or zone: whatever else is asked of Apple goes on, and it is said.

Codes as icloudpd, kei and CloudKit's own reference of web services have them; each comes as an HTTP status and
inside a 200.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mediabox.errors import Away, MediaboxError, Permanent, Retryable
from mediabox.simulate.icloud.faults import EmptyPage, Fault, RecordRefused, Refused, Status
from mediabox.simulate.icloud.simulator import Simulator
from sources.conformance import MemorySink
from sources.icloud.signed_in import Reader, SimulatedKeeper, calls_of, give_stock, source_of, taken_in
from sources.icloud.test_icloud_faults import quick
from sources.icloud.test_icloud_listing import picture
from sources.icloud.test_left_out import between

CODES = ("BAD_REQUEST", "ACCESS_DENIED", "THROTTLED", "TRY_AGAIN_LATER", "AUTHENTICATION_FAILED", "INTERNAL_ERROR",
         "SOMETHING_NEW")  # fmt: skip
REFUSALS = [Status(400), Status(404), Status(421), Status(500), *(Refused(code) for code in CODES)]


@pytest.fixture
async def reader(icloud: Simulator, monkeypatch) -> AsyncIterator[Reader]:
    monkeypatch.setattr("mediabox.sources.icloud.breaker.SHORTEST_S", 0.0)
    source = source_of(icloud, budget=quick(icloud))
    yield Reader(source)
    await source.close()


async def looks(reader: Reader, icloud: Simulator, times: int = 3) -> list[MediaboxError | None]:
    """Look this often, an hour apart; what each ended with."""
    ends: list[MediaboxError | None] = []
    for _ in range(times):
        try:
            await reader.look()
            ends.append(None)
        except Away as away:
            ends.append(away)
        icloud.clock.advance(3600)
    return ends


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@pytest.mark.parametrize("is_known", [False, True], ids=["first", "later"])
async def test_a_shared_library_that_is_refused_keeps_the_personal_one_waiting_for_nothing(
    icloud: Simulator, reader: Reader, refusal: Any, is_known: bool
) -> None:
    library = icloud.account().library
    shared = library.start_sharing()
    library.add(picture("own"), file_name="IMG_0001.JPG")
    library.add(picture("ours"), file_name="IMG_0002.JPG", zone=shared)
    if is_known:
        await reader.look()
    for path in ("records.query", "changes.zone", "records.lookup"):
        icloud.faults.add(Fault(path, refusal, times=None, only="SharedSync"))
    library.add(picture("new"), file_name="IMG_9001.JPG")
    library.add(picture("new too"), file_name="IMG_9002.JPG", zone=shared)

    ends = await looks(reader, icloud)

    assert reader.named("IMG_0001.JPG")
    assert reader.named("IMG_9001.JPG")
    assert isinstance(ends[-1], Away)  # and it is said
    icloud.faults.clear()
    await looks(reader, icloud)
    assert reader.named("IMG_9002.JPG")


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@pytest.mark.parametrize("index", ["CPLAlbumByPositionLive", "CPLAssetAndMasterHiddenByAssetDate", "CPLContainer"])
async def test_an_index_that_is_refused_for_long_stops_no_photo(
    icloud: Simulator, reader: Reader, index: str, refusal: Any
) -> None:
    library = icloud.account().library
    album = library.make_album("Norway")
    library.add_to_album(library.add(picture("1"), file_name="IMG_0001.JPG").name, album.name)
    icloud.faults.add(Fault("records.query", refusal, times=None, only=index))

    await looks(reader, icloud, 2)
    library.add(picture("new"), file_name="IMG_9001.JPG")
    ends = await looks(reader, icloud)

    assert reader.named("IMG_0001.JPG")
    assert reader.named("IMG_9001.JPG")
    assert ends[-1] is None
    assert [one.key for one in reader.source.complaints()] == ["icloud.refused_index"]
    icloud.faults.clear()
    await looks(reader, icloud)
    assert reader.source.complaints() == ()


@pytest.mark.parametrize("path", ["records.query", "changes.zone"])
@pytest.mark.parametrize("code", CODES)
async def test_a_record_that_is_always_refused_costs_itself_and_is_said(
    icloud: Simulator, reader: Reader, path: str, code: str
) -> None:
    library = give_stock(icloud, 20)
    await reader.look()
    refused = RecordRefused(code)
    icloud.faults.add(Fault(path, refused, times=None, only="changes" if path == "changes.zone" else "ByAddedDate"))
    library.add(picture("new"), file_name="IMG_9001.JPG")
    if path == "records.query":
        reader.cursor = None

    ends = await looks(reader, icloud, 8)

    assert ends[-1] is None
    known = {key.partition("/")[2] for key in reader.assets}
    assert len(known) >= 19
    assert "icloud.unreadable_records" in [one.key for one in reader.source.complaints()]


@pytest.mark.parametrize("code", CODES)
async def test_a_record_that_is_refused_is_not_gone(icloud: Simulator, reader: Reader, code: str) -> None:
    library = icloud.account().library
    asset = library.add(picture("1"), file_name="IMG_0001.JPG")
    await reader.look()
    (resource,) = (taken_in(each) for each in reader.resources())
    icloud.clock.advance(4000)  # its link is old
    icloud.faults.add(Fault("records.lookup", RecordRefused(code), times=None))

    for _ in range(6):
        with pytest.raises(Retryable):
            await reader.source.fetch(resource, MemorySink())
        with pytest.raises(Retryable):
            await reader.source.state_of([f"PrimarySync/{asset.name}"])
        icloud.clock.advance(3600)

    icloud.faults.clear()
    await reader.source.fetch(resource, MemorySink())


async def test_what_a_lookup_leaves_out_is_not_gone(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    one, two = (library.add(picture(str(n)), file_name=f"IMG_000{n}.JPG") for n in (1, 2))
    await reader.look()
    icloud.clock.advance(4000)
    given = {"recordName": two.name, "recordType": "CPLAsset", "fields": {}}
    between(reader, lambda path, _: {"records": [given]} if path == "records/lookup" else None)

    for remote_id in (f"PrimarySync/{one.name}", f"PrimarySync/{two.name}"):
        resource = next(each for each in reader.resources() if each.remote_id.startswith(remote_id))
        with pytest.raises(Retryable):
            await reader.source.fetch(taken_in(resource), MemorySink())
    with pytest.raises(Retryable):
        await reader.source.state_of([f"PrimarySync/{one.name}"])


async def test_what_a_lookup_says_to_be_gone_is_gone(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    asset = library.add(picture("1"), file_name="IMG_0001.JPG")
    await reader.look()
    (resource,) = (taken_in(each) for each in reader.resources())
    library.purge(asset.name)
    icloud.clock.advance(4000)

    with pytest.raises(Permanent, match="no longer in iCloud"):
        await reader.source.fetch(resource, MemorySink())


@pytest.mark.parametrize("reason", ["Unknown sync continuation type", "sync token has expired", "", "anything else"])
async def test_a_token_that_is_always_refused_lists_everything_once_a_look(
    icloud: Simulator, reader: Reader, reason: str
) -> None:
    library = give_stock(icloud, 30)
    await reader.look()
    icloud.faults.add(Fault("changes.zone", Refused("BAD_REQUEST", reason), times=None))
    library.add(picture("new"), file_name="IMG_9001.JPG")
    icloud.calls.clear()

    (end,) = await looks(reader, icloud, 1)

    assert reader.named("IMG_9001.JPG")
    assert end is not None
    assert "also with a new one" in str(end)
    assert calls_of(icloud) < 20


@pytest.mark.parametrize("tokens", [["A"], ["A", "B"], ["A", "B", "C"]], ids=str)
async def test_changes_that_turn_in_a_circle_end_with_a_word(
    icloud: Simulator, reader: Reader, tokens: list[str]
) -> None:
    give_stock(icloud, 10)
    await reader.look()
    count = [0]

    def say(path: str, _: dict[str, Any]) -> dict[str, Any] | None:
        if path != "changes/zone":
            return None
        count[0] += 1
        token = tokens[count[0] % len(tokens)]
        return {
            "zones": [{"zoneID": {"zoneName": "PrimarySync"}, "records": [], "syncToken": token, "moreComing": True}]
        }

    between(reader, say)

    with pytest.raises(Away, match="sends nothing new"):
        await reader.look()

    assert count[0] < 60


async def test_an_index_that_gives_the_same_page_for_ever_ends_with_a_word(icloud: Simulator, reader: Reader) -> None:
    give_stock(icloud, 150)
    page: list[Any] = []
    cloud: Any = reader.source._cloud
    ask = cloud._once

    async def once(session: Any, scope: str, path: str, body: bytes, kind: type) -> Any:
        if path != "records/query" or b"ByAddedDate" not in body:
            return await ask(session, scope, path, body, kind)
        if not page:
            page.append(await ask(session, scope, path, body, kind))
        return page[0]

    cloud._once = once

    with pytest.raises(Away, match="sends nothing new"):
        await reader.look()

    assert len(reader.assets) == 100
    assert calls_of(icloud) < 60


async def test_many_empty_pages_that_go_on_are_followed(icloud: Simulator, reader: Reader) -> None:
    library = give_stock(icloud, 10)
    await reader.look()
    library.add(picture("new"), file_name="IMG_9001.JPG")
    icloud.faults.add(Fault("changes.zone", EmptyPage(), times=120))

    await reader.look()

    assert reader.named("IMG_9001.JPG")


@pytest.mark.parametrize("code", ["BAD_REQUEST", "SOMETHING_NEW"])
@pytest.mark.parametrize("reason", ["Invalid continuation format", "no such marker"])
async def test_a_marker_that_is_refused_is_no_reason_to_begin_anew(
    icloud: Simulator, reader: Reader, code: str, reason: str
) -> None:
    library = give_stock(icloud, 250)
    seen = [0]

    def say(path: str, question: dict[str, Any]) -> dict[str, Any] | None:
        is_it = path == "records/query" and "ByAddedDate" in str(question)
        seen[0] += is_it
        return {"records": [], "continuationMarker": "M1", "syncToken": "t"} if is_it and seen[0] == 2 else None

    between(reader, say)
    icloud.faults.add(Fault("records.query", Refused(code, reason), times=2, only="M1"))

    await reader.look()

    assert len(reader.assets) == len(list(library.assets()))
    assert seen[0] < 12


async def test_a_personal_library_that_vanishes_while_nothing_changes_is_said(
    icloud: Simulator, reader: Reader
) -> None:
    give_stock(icloud, 10)
    await reader.look()
    before = reader.cursor
    answers = {"zones/list": {"zones": []}, "changes/database": {"zones": [], "syncToken": "AQAAx"}}
    between(reader, lambda path, _: answers.get(path))
    icloud.faults.add(Fault("changes.zone", Refused("ZONE_NOT_FOUND"), times=None))

    ends = [await _end(reader) for _ in range(3)]

    assert [type(end).__name__ for end in ends] == ["LibraryGone", "LibraryGone", "NeedsHuman"]
    assert getattr(ends[-1], "issue", "") == "icloud.no_library"
    assert reader.cursor == before


async def _end(reader: Reader) -> MediaboxError | None:
    try:
        await reader.look()
    except MediaboxError as err:
        return err
    return None


async def test_what_an_answer_to_an_ended_session_sets_is_not_for_the_next(icloud: Simulator) -> None:
    """Two lanes: the later of them hears with its 421 that the cookie is over, when a new one is there already."""
    give_stock(icloud, 10)
    keeper = SimulatedKeeper(icloud)
    source = source_of(icloud, keeper=keeper)
    connection = source._connection
    old = await connection.session()
    keeper.expired(old)
    new = await connection.session()
    url = f"{icloud.hosts.database}/database/1/x"
    held = connection.headers_for(url, {})

    connection.received(old, url, ["X-APPLE-WEBAUTH-TOKEN=;Max-Age=0;Path=/;Domain=.icloud.com;Secure"])

    assert new is not old
    assert connection.headers_for(url, {}) == held != {}
    await source.close()
