"""What Apple leaves out of an answer, or refuses, once or for long: nothing of it is forgotten.

The answers put in between have the shape of recorded ones (icloudpd's cassettes, kei's notes on sync tokens).
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from mediabox.contracts import Page
from mediabox.errors import Away, NeedsHuman
from mediabox.simulate.icloud.faults import Fault, Refused, Status
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud import tolerant
from sources.icloud.signed_in import Reader, calls_of, give_stock, source_of
from sources.icloud.test_icloud_listing import picture

Answer = dict[str, Any] | None  # None: let the simulator answer
NO_ZONE = {"serverErrorCode": "ZONE_NOT_FOUND", "reason": "Zone does not exist", "uuid": "u"}


@pytest.fixture
async def reader(icloud: Simulator) -> AsyncIterator[Reader]:
    source = source_of(icloud)
    yield Reader(source)
    await source.close()


def between(reader: Reader, say: Callable[[str, dict[str, Any]], Answer]) -> None:
    """Answer in Apple's place whatever `say` has an answer to: the path and the question's JSON are what it sees."""
    cloud: Any = reader.source._cloud
    ask = cloud._once

    async def once(session: Any, scope: str, path: str, body: bytes, kind: type) -> Any:
        answer = say(path, msgspec.json.decode(body)) if scope == "private" else None
        if answer is None:
            return await ask(session, scope, path, body, kind)
        return tolerant.decode(msgspec.json.encode(answer), kind)

    cloud._once = once


def times(count: int, path: str, answer: dict[str, Any], *, about: str = "") -> Callable[[str, dict[str, Any]], Answer]:
    """This answer to the first `count` questions of a path (about an index)."""
    left = [count]

    def say(asked: str, question: dict[str, Any]) -> Answer:
        if asked != path or about not in str(question) or not left[0]:
            return None
        left[0] -= 1
        return answer

    return say


async def everything(reader: Reader) -> list[Page]:
    """Look until a look ends well, four times at most."""
    for _ in range(4):
        try:
            return await reader.look()
        except Away:
            continue
    raise AssertionError("no look ended well")


def known(reader: Reader) -> set[str]:
    return {key.partition("/")[2] for key in reader.assets}


@pytest.mark.parametrize(
    "endpoint", ["records.query", "changes.zone", "records.lookup", "changes.database", "zones.list"]
)
@pytest.mark.parametrize("is_known", [False, True], ids=["first", "later"])
async def test_a_zone_that_is_denied_once_is_not_forgotten(
    icloud: Simulator, reader: Reader, endpoint: str, is_known: bool
) -> None:
    library = give_stock(icloud, 250)
    if is_known:
        await reader.look()
        library.add(picture("new"), file_name="IMG_9001.JPG")
    icloud.faults.add(Fault(endpoint, Refused("ZONE_NOT_FOUND")))

    await everything(reader)

    assert known(reader) == {asset.name for asset in library.assets()}
    assert "PrimarySync" in (reader.cursor or "")


@pytest.mark.parametrize(
    "endpoint", ["records.query", "changes.zone", "records.lookup", "changes.database", "zones.list", "*"]
)
@pytest.mark.parametrize("fault", [Status(400), Status(418), Refused("SOMETHING_NEW")], ids=str)
async def test_a_refusal_nobody_knows_is_a_source_that_is_away_for_now(
    icloud: Simulator, reader: Reader, endpoint: str, fault: Any
) -> None:
    library = give_stock(icloud, 120)
    library.add(picture("late"), file_name="IMG_9000.JPG")
    await reader.look()
    library.add(picture("new"), file_name="IMG_9001.JPG")
    icloud.faults.add(Fault(endpoint, fault))

    await everything(reader)

    assert known(reader) == {asset.name for asset in library.assets()}


@pytest.mark.parametrize("path", ["changes/database", "changes/zone", "records/query", "records/lookup", "zones/list"])
@pytest.mark.parametrize(
    "empty", [{}, {"zones": [], "records": [], "moreComing": False, "syncToken": "AQAAx"}], ids=str
)
@pytest.mark.parametrize("is_known", [False, True], ids=["first", "later"])
async def test_an_answer_of_nothing_is_not_the_end_of_a_library(
    icloud: Simulator, reader: Reader, path: str, empty: dict[str, Any], is_known: bool
) -> None:
    library = give_stock(icloud, 150)
    if is_known:
        await reader.look()
        library.add(picture("new"), file_name="IMG_9001.JPG")
    between(reader, times(1, path, empty))

    await everything(reader)
    icloud.clock.advance(86_401)  # with a token, no zone is what nothing new looks like: once a day we look closer
    await everything(reader)

    assert known(reader) == {asset.name for asset in library.assets()}


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
async def test_a_page_of_nothing_amid_a_listing_hides_no_photo(icloud: Simulator, reader: Reader, number: int) -> None:
    library = give_stock(icloud, 350)
    pages = [0]

    def say(path: str, question: dict[str, Any]) -> Answer:
        pages[0] += path == "records/query" and "ByAddedDate" in str(question)
        is_it = path == "records/query" and "ByAddedDate" in str(question) and pages[0] == number
        return {"records": [], "syncToken": "AQAAx"} if is_it else None

    between(reader, say)
    await everything(reader)

    assert known(reader) == {asset.name for asset in library.assets()}


async def test_an_empty_page_with_a_marker_is_followed_to_what_is_behind(icloud: Simulator, reader: Reader) -> None:
    """A hole in the ranks: nothing at 96 and behind, and only the marker leads on."""
    library = give_stock(icloud, 250)
    asked = []

    def say(path: str, question: dict[str, Any]) -> Answer:
        if path != "records/query" or "ByAddedDate" not in str(question):
            return None
        (rank,) = [
            one["fieldValue"]["value"] for one in question["query"]["filterBy"] if one["fieldName"] == "startRank"
        ]
        asked.append((rank, question.get("continuationMarker")))
        is_hole = rank > 0 and question.get("continuationMarker") is None and len(asked) < 4
        return {"records": [], "continuationMarker": "M1", "syncToken": "AQAAx"} if is_hole else None

    between(reader, say)
    await everything(reader)

    assert (96, "M1") in asked
    assert known(reader) == {asset.name for asset in library.assets()}


async def test_markers_that_lead_nowhere_end_a_listing(icloud: Simulator, reader: Reader) -> None:
    give_stock(icloud, 10)
    between(reader, lambda path, question: {"records": [], "continuationMarker": "M"}
            if path == "records/query" and "HiddenByAssetDate" in str(question) else None)  # fmt: skip

    await reader.look()

    assert len(reader.assets) == 10
    assert calls_of(icloud) < 30


async def test_an_account_that_never_had_a_library_is_a_question_for_a_person(
    icloud: Simulator, reader: Reader
) -> None:
    nothing = {"zones": [], "moreComing": False, "syncToken": "AQAAx"}
    between(reader, lambda path, _: nothing if path in ("changes/database", "zones/list") else None)

    with pytest.raises(NeedsHuman) as asked:
        await reader.look()

    assert asked.value.issue == "icloud.no_library"
    assert reader.cursor is None  # and the next look begins anew


async def test_a_library_that_is_denied_for_long_is_kept_and_said(icloud: Simulator, reader: Reader) -> None:
    library = give_stock(icloud, 20)
    await reader.look()
    before = reader.cursor
    library.add(picture("new"), file_name="IMG_9001.JPG")
    gone = {"zoneID": {"zoneName": "PrimarySync"}, "deleted": True}
    answers = {"zones/list": {"zones": [gone]}, "changes/zone": {"zones": [{**gone, **NO_ZONE}]},
               "changes/database": {"zones": [gone], "syncToken": "AQAAy"}}  # fmt: skip
    isolated = [True]
    between(reader, lambda path, _: answers.get(path) if isolated[0] else None)
    cloud: Any = reader.source._cloud
    cloud._once = _refusing(cloud, cloud._once)

    for _ in range(2):
        with pytest.raises(Away):
            await reader.look()
    with pytest.raises(NeedsHuman) as asked:
        await reader.look()

    assert asked.value.issue == "icloud.no_library"
    assert reader.cursor == before
    isolated[0] = False
    await reader.look()
    assert reader.named("IMG_9001.JPG")


def _refusing(cloud: Any, ask: Any) -> Any:
    """As the real call does: an error under its zone is one of the call."""

    async def once(session: Any, scope: str, path: str, body: bytes, kind: type) -> Any:
        answer = await ask(session, scope, path, body, kind)
        for zone in getattr(answer, "zones", []):
            if getattr(zone, "server_error_code", None):
                async with cloud._budget.call(path, account="cloud") as call:
                    cloud._refuse(200, zone, call, session, path)
        return answer

    return once


@pytest.mark.parametrize("index", ["CPLAlbumByPositionLive", "CPLAssetAndMasterHiddenByAssetDate"])
async def test_an_index_apple_will_not_give_costs_its_words_and_not_the_photos(
    icloud: Simulator, reader: Reader, index: str
) -> None:
    library = icloud.account().library
    for number in range(3):
        library.add(picture(str(number)), file_name=f"IMG_000{number}.JPG")
    album = library.make_album("Norway")
    for asset in library.assets():
        library.add_to_album(asset.name, album.name)
    icloud.faults.add(Fault("records.query", Status(400), only=index, times=2))

    await reader.look()

    assert len(reader.assets) == 3
    assert [one.key for one in reader.source.complaints()] == ["icloud.refused_index"]
    library.add(picture("new"), file_name="IMG_9001.JPG")
    await reader.look()
    await reader.look()
    assert reader.named("IMG_9001.JPG")
    assert any(page.memberships for page in reader.pages) or index != "CPLAlbumByPositionLive"
    assert reader.source.complaints() == ()


@pytest.mark.parametrize("newest", [1, 3, 100, 130])
async def test_only_as_many_are_taken_as_were_asked_for(icloud: Simulator, newest: int) -> None:
    give_stock(icloud, 150, hidden=0.1)
    source = source_of(icloud, newest=newest)
    reader = Reader(source)

    await reader.look()
    await source.close()

    assert len(reader.assets) == newest
