"""One round after another: plan, carry out, look, admit; and what is told of it."""

import asyncio
import itertools

import msgspec
import pytest
from core.catalogue_of import NOW_MS
from core.delivering.wishing import LATER_MS, PIXEL, Shelf, WishingDestination, still, wish_of

from mediabox.contracts import Capabilities, Foreign, Look
from mediabox.core import switches, timeline
from mediabox.core.delivering.deliveries import Deliveries
from mediabox.errors import Away, NeedsHuman, Retryable
from mediabox.model.delivery import DeliveryState, DeviceReport, Room, Sighting
from mediabox.model.events import DeliveryChanged
from mediabox.model.issue import Issue
from mediabox.store import figures, issues, volumes

ADMITTED, ACCEPTED, STORED, FREED, DOUBTED = (
    DeliveryState.ADMITTED,
    DeliveryState.ACCEPTED,
    DeliveryState.STORED,
    DeliveryState.FREED,
    DeliveryState.DOUBTED,
)


@pytest.fixture
def service(shelf: Shelf) -> Deliveries:
    shelf.box.clock.now_ms = LATER_MS
    return shelf.deliveries()


async def open_issues(shelf: Shelf) -> list[tuple[str, str]]:
    return [(one.key, one.subject) for one in await shelf.box.ask(issues.open_issues)]


async def waits_for(shelf: Shelf) -> str | None:
    return await shelf.box.ask(lambda connection: volumes.switch(connection, figures.WAITS + PIXEL))


async def put_some(shelf: Shelf, count: int) -> None:
    for number in range(count):
        await shelf.put(f"p{number}", still(f"p{number}", size_bytes=100, taken_at_ms=NOW_MS - number))


async def test_what_is_archived_is_admitted_as_there_is_room_with_its_job(shelf, service, anna) -> None:
    await put_some(shelf, 5)
    anna.has_room = Room(most_bytes=250)

    assert await service.look(anna)

    admitted = [one for one in await shelf.all() if one.state is ADMITTED]
    assert [one.name for one in admitted] == ["p0.JPG", "p1.JPG"]  # the newest
    assert await shelf.box.jobs("deliver") == [f"{PIXEL}/{one.id}" for one in admitted]


async def test_room_that_has_become_free_is_used_in_the_same_round(shelf, service, anna) -> None:
    await put_some(shelf, 3)
    anna.has_room = Room(most_bytes=100)
    await service.look(anna)
    await shelf.box.database.write(
        lambda connection: connection.execute("UPDATE delivery SET state = 'stored' WHERE state = 'admitted'")
    )
    first = await shelf.the("p0.JPG")
    anna.shows = (Sighting(delivery_id=first.id, state=FREED, proof="gone"),)

    assert await service.look(anna)

    assert {one.name: one.state for one in await shelf.all()} == {
        "p0.JPG": FREED,
        "p1.JPG": ADMITTED,
        "p2.JPG": DeliveryState.QUEUED,
    }


async def test_a_room_full_admits_nothing_however_often_it_looks(shelf, service, anna) -> None:
    await put_some(shelf, 3)
    anna.has_room = Room(most_bytes=100)

    assert await service.look(anna)
    for _ in range(3):
        assert not await service.look(anna)

    assert len(await shelf.box.jobs("deliver")) == 1


async def test_looks_again_soon_only_while_there_is_something_to_do(shelf, service, anna) -> None:
    waited: list[float] = []

    async def wait(timeout_s: float) -> bool:
        waited.append(timeout_s)
        if len(waited) == 3:
            raise asyncio.CancelledError
        return False

    anna.wait = wait
    await put_some(shelf, 1)

    with pytest.raises(asyncio.CancelledError):
        await service.follow(anna)

    assert waited == [2.0, 30.0, 30.0]


async def test_why_nothing_is_sent_is_told_and_forgotten_when_it_is_over(shelf, service, anna) -> None:
    await put_some(shelf, 1)
    anna.has_room = Room(most_bytes=1000, reason="the phone is not connected")

    await service.look(anna)
    assert await waits_for(shelf) == "the phone is not connected"
    assert await shelf.box.jobs("deliver") == []

    anna.has_room = Room(most_bytes=1000)
    await service.look(anna)
    assert await waits_for(shelf) is None
    assert len(await shelf.box.jobs("deliver")) == 1


@pytest.mark.parametrize(
    "failure",
    [
        (Away("nobody answers", part=f"destination:{PIXEL}"), None),
        (NeedsHuman("the key is wrong", issue="destination.key", subject=PIXEL), "destination.key"),
    ],
)
@pytest.mark.parametrize("verb", ["look", "room", "withdraw"])
async def test_who_is_away_rests_as_a_part_and_says_why(shelf, service, anna, failure, verb) -> None:
    error, issue = failure
    await put_some(shelf, 1)
    await service.look(anna)
    await shelf.box.database.write(lambda connection: connection.execute("UPDATE delivery SET state = 'withdrawn'"))
    asked = itertools.count()

    async def fail(*_: object, **__: object) -> None:
        next(asked)
        raise error

    setattr(anna, verb, fail)

    assert not await service.look(anna)
    assert not await service.look(anna)

    assert next(asked) == 1  # it rests
    assert await waits_for(shelf) == str(error)
    assert shelf.box.parts.is_resting(f"destination:{PIXEL}")
    assert issue is None or (issue, PIXEL) in await open_issues(shelf)


async def test_what_may_pass_in_a_moment_opens_no_issue(shelf, service, anna) -> None:
    async def fail(*_: object, **__: object) -> Look:
        raise Retryable("Syncthing is busy")

    anna.look = fail

    assert not await service.look(anna)

    assert await open_issues(shelf) == []
    assert not shelf.box.parts.is_resting(f"destination:{PIXEL}")


async def test_planning_goes_on_while_a_destination_is_away(shelf, service, anna) -> None:
    async def away(*_: object, **__: object) -> Look:
        raise Away("gone", part=f"destination:{PIXEL}")

    anna.look = away
    await service.look(anna)
    await put_some(shelf, 2)

    await service.look(anna)

    assert len(await shelf.all()) == 2


async def test_a_complaint_is_an_issue_until_it_is_not_made_any_more(shelf, service, anna) -> None:
    complaint = Issue(key="destination.stalled", subject=PIXEL, message="m", remedy="r")

    async def complaining(*_: object, **__: object) -> Look:
        return Look(complaints=(complaint,))

    silent, anna.look = anna.look, complaining
    await service.look(anna)
    await service.look(anna)
    assert await open_issues(shelf) == [("destination.stalled", PIXEL)]

    anna.look = silent
    await service.look(anna)
    assert await open_issues(shelf) == []


async def test_what_is_unverified_is_named_with_its_reason_and_the_rest_counted(shelf, service, anna) -> None:
    await put_some(shelf, 7)
    await service.look(anna)
    await shelf.box.database.write(
        lambda connection: connection.execute("UPDATE delivery SET state = 'doubted', note = 'left after 12 s'")
    )

    await service.look(anna)

    (issue,) = await shelf.box.ask(issues.open_issues)
    assert issue.message.startswith(
        "Unverified at anna, perhaps never backed up: 7. p0.JPG (left after 12 s); p1.JPG ("
    )
    assert issue.message.endswith("; and 2 more.")
    assert "mediabox pixel unverified anna" in issue.remedy


async def test_what_had_left_and_is_seen_again_is_unverified_once(shelf, service, anna) -> None:
    await shelf.put("a", still("a"))
    await shelf.plan_all()
    await shelf.accept("a.JPG")
    await shelf.show("a.JPG", FREED)

    async def look(out, *, has_stored):
        return Look(foreign=(Foreign(path=".trashed-1-a.JPG", name="a.JPG", since_ms=NOW_MS + 1),))

    anna.look = look
    await service.look(anna)
    await service.look(anna)

    assert (await shelf.the("a.JPG")).state is DOUBTED
    assert (await shelf.the("a.JPG")).note == "it left the phone, and is there as .trashed-1-a.JPG"


async def test_what_is_doubted_is_an_issue_until_a_person_has_said_something(shelf, service, anna) -> None:
    await put_some(shelf, 2)
    await service.look(anna)
    await shelf.box.database.write(lambda connection: connection.execute("UPDATE delivery SET state = 'stored'"))
    one = await shelf.the("p0.JPG")
    anna.shows = (Sighting(delivery_id=one.id, state=DOUBTED, proof="x"),)

    await service.look(anna)
    assert await open_issues(shelf) == [("destination.doubted", PIXEL)]

    await shelf.box.database.write(
        lambda connection: connection.execute("UPDATE delivery SET state = 'believed' WHERE state = 'doubted'")
    )
    await service.look(anna)
    assert await open_issues(shelf) == []


async def test_whoever_listens_hears_of_each_change_once(shelf, service, anna) -> None:
    await put_some(shelf, 1)
    await service.look(anna)
    await shelf.box.database.write(lambda connection: connection.execute("UPDATE delivery SET state = 'accepted'"))
    one = await shelf.the("p0.JPG")
    heard: list[object] = []
    with shelf.box.bus.listen() as events:
        for _ in range(2):
            anna.shows = (Sighting(delivery_id=one.id, state=STORED, proof="x"),)
            await service.look(anna)
        while not events.empty():
            heard.append(events.get_nowait())

    told = [each for each in heard if isinstance(each, DeliveryChanged)]
    assert [(each.name, each.state) for each in told] == [("p0.JPG", STORED)]


async def test_only_what_was_told_lately_of_the_phone_reaches_it(shelf, service, anna) -> None:
    said = DeviceReport(at_ms=LATER_MS, battery_percent=50)
    await service.look(anna)
    await shelf.box.database.write(lambda connection: switches.report_device(connection, PIXEL, said))
    await service.look(anna)
    shelf.box.clock.now_ms += switches.DEVICE_GOOD_MS + 1
    await service.look(anna)

    assert anna.reports == [None, said, None]


async def test_two_destinations_do_not_know_of_each_other(shelf, service, anna) -> None:
    await put_some(shelf, 2)
    ben = WishingDestination("ben")
    anna.has_room = Room(most_bytes=1, reason="hot")

    await service.look(anna)
    await service.look(ben)

    assert {one.state for one in await shelf.all()} == {DeliveryState.QUEUED}
    assert {one.state for one in await shelf.all("ben")} == {ADMITTED}


async def test_a_destination_that_comes_back_takes_up_what_had_been_admitted(shelf, service, anna) -> None:
    await put_some(shelf, 2)
    anna.has_room = Room(most_bytes=100)
    await service.look(anna)
    await shelf.box.database.write(lambda connection: connection.execute("DELETE FROM job"))  # it was not configured

    await service.look(anna)
    assert await shelf.box.jobs("deliver") == []  # it was there all the time: nothing of it was lost
    service._taken_up.clear()
    await service.look(anna)

    (admitted,) = [one for one in await shelf.all() if one.state is ADMITTED]
    assert await shelf.box.jobs("deliver") == [f"{PIXEL}/{admitted.id}"]


async def test_a_full_window_is_said_until_there_is_room(shelf, service, anna) -> None:
    await put_some(shelf, 3)
    anna.has_room = Room(most_bytes=100)
    await service.look(anna)
    await service.look(anna)
    assert "as much as may be there at a time" in (await waits_for(shelf) or "")

    anna.has_room = Room(most_bytes=1_000)
    await service.look(anna)

    assert await waits_for(shelf) is None


async def test_a_file_larger_than_the_free_space_is_said(shelf, service, anna) -> None:
    await put_some(shelf, 1)
    anna.has_room = Room(most_bytes=1_000, more_bytes=10)

    await service.look(anna)

    assert "larger than the room" in (await waits_for(shelf) or "")


def undecided(shelf: Shelf) -> Deliveries:
    shelf.box.clock.now_ms = LATER_MS
    return shelf.deliveries(undecided={PIXEL})


async def test_nothing_is_chosen_until_somebody_has_said_whose_photos_go(shelf: Shelf, anna) -> None:
    service = undecided(shelf)
    await put_some(shelf, 3)

    await service.look(anna)

    assert await shelf.all() == []
    assert anna.asked == []
    assert ("destination.whose", PIXEL) in await open_issues(shelf)


async def test_what_was_chosen_before_anybody_was_asked_goes_on(shelf: Shelf, service, anna) -> None:
    await put_some(shelf, 3)
    await service.look(anna)
    before = len(await shelf.all())
    await shelf.put("late", still("late", size_bytes=100, taken_at_ms=NOW_MS))
    shelf.box.clock.now_ms += LATER_MS

    await undecided(shelf).look(anna)

    assert (before, len(await shelf.all())) == (3, 4)
    assert ("destination.whose", PIXEL) not in await open_issues(shelf)


async def test_a_look_that_waits_for_nothing_writes_down_the_time_it_is(shelf: Shelf, anna) -> None:
    shelf.box.clock.now_ms = NOW_MS
    await put_some(shelf, 1)
    anna._wishing = lambda asset: [msgspec.structs.replace(one, obstacle="too small") for one in wish_of(asset)]

    await shelf.deliveries().look(anna, at_once=True)

    assert [one.state for one in await shelf.all()] == [DeliveryState.REFUSED]
    assert await shelf.box.ask(timeline.passed_ms) == NOW_MS  # a later one and the clock would be called wrong


async def test_a_destination_without_a_device_is_told_nothing_of_one(shelf, service) -> None:
    class Bucket(WishingDestination):
        take_report = None

    await service.look(Bucket("bucket"))


async def test_what_cannot_be_deleted_at_a_destination_is_said(shelf, service, anna) -> None:
    await put_some(shelf, 1)
    await service.look(anna)
    anna.capabilities = Capabilities(deletes=False)
    await shelf.box.database.write(lambda connection: connection.execute("UPDATE delivery SET state = 'withdrawn'"))

    await service.look(anna)

    assert anna.withdrew == []
    assert "destination.cannot_delete" in [one.key for one in await shelf.box.ask(issues.open_issues)]
