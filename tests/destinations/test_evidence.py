"""What the folder shows, and what is believed of it: only what this phone had, and then deleted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from destinations.standings import (
    MINUTE_MS,
    PEERS,
    PHONE,
    THIRD,
    B,
    P,
    T,
    deleted,
    delivery,
    fetching,
    file,
    forgotten,
)
from mediabox.contracts import Foreign
from mediabox.destinations.pixel.answers import Availability, Event, EventData, FileEntry, FileState
from mediabox.destinations.pixel.evidence import NEVER_SEEN, SHOWN_WITHIN_MS, Reading, Standing, judge, read, traced
from mediabox.destinations.pixel.foreign import Traces, name_before
from mediabox.destinations.pixel.watch import REMOTE
from mediabox.model.delivery import DeliveryState, Sighting

ACCEPTED, STORED, FREED, DOUBTED = (
    DeliveryState.ACCEPTED,
    DeliveryState.STORED,
    DeliveryState.FREED,
    DeliveryState.DOUBTED,
)
HOUR_MS = 60 * MINUTE_MS
NOW_MS = 100 * HOUR_MS


# ---------------------------------------------------------------- one file


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (None, Standing.UNKNOWN),
        (file(holders=()), Standing.WAITING),  # not there yet, or not connected
        (fetching(), Standing.WAITING),  # its first block is there
        (file(), Standing.HELD),
        (file(holders=(THIRD,)), Standing.WAITING),  # somebody else has it
        (file(f"{P}:2", f"{B}:1", settled=False, by=P), Standing.WAITING),  # a change is on its way to us
        (file(f"{P}:2", f"{B}:3"), Standing.HELD),  # put back after a deletion
        (deleted(), Standing.FREED),
        (deleted(settled=False), Standing.WAITING),  # the outbox still has it
        (deleted(f"{B}:2", by=B), Standing.REMOVED),
        (deleted(f"{T}:2", f"{B}:1", by=T), Standing.REMOVED),
        (file(f"{P}:2", f"{B}:1", by=P), Standing.CHANGED),
        (file(f"{P}:2", by=P), Standing.UNSURE),  # its index began anew
        (file(f"{T}:2", f"{B}:1", by=T), Standing.UNSURE),  # a third device wrote it
        (deleted(f"{P}:3", f"{T}:2", f"{B}:1"), Standing.NAMELESS),  # ... and the phone deleted that
    ],
)
def test_reads(shown: FileState | None, expected: Standing) -> None:
    assert read(delivery(), shown, PEERS, is_here=True).standing is expected


@pytest.mark.parametrize(("state", "expected"), [(STORED, Standing.FREED), (ACCEPTED, Standing.NAMELESS)])
def test_a_deletion_after_the_index_began_anew_counts_only_for_what_was_seen_before(state, expected) -> None:
    assert read(delivery(state=state), deleted(f"{P}:3"), PEERS, is_here=False).standing is expected


@pytest.mark.parametrize("state", [ACCEPTED, STORED])
@pytest.mark.parametrize("shown", [None, forgotten()])
def test_what_syncthing_lost_its_memory_of_is_doubted_once_it_has_gone(state, shown) -> None:
    """Else it would take its room for ever, and nobody could say anything about it."""
    one = delivery(state=state)

    assert read(one, shown, PEERS, is_here=True).standing in (Standing.UNKNOWN, Standing.WAITING)
    assert read(one, shown, PEERS, is_here=False).standing is Standing.FORGOTTEN
    assert states(judged([read(one, shown, PEERS, is_here=False)])) == [DOUBTED]


def test_the_proof_names_version_and_author() -> None:
    assert read(delivery(), deleted(), PEERS, is_here=False).proof == f"db/file {P}:2,{B}:1 by {P}"


# ---------------------------------------------------------------- many


def reading(number: int, standing: Standing, *, state: DeliveryState = STORED, arrived_ms: int = 0) -> Reading:
    return Reading(delivery(number, state, accepted_at_ms=arrived_ms), standing, "proof")


def some(count: int, standing: Standing, *, first: int = 1, **more: Any) -> list[Reading]:
    return [reading(first + number, standing, **more) for number in range(count)]


def judged(readings: Sequence[Reading], **more: Any) -> tuple[Sighting, ...]:
    given = {"is_receiving": True, "now_ms": NOW_MS, "backed_up_after_ms": MINUTE_MS}
    return judge(readings, **given | more)


def states(sightings: Sequence[Sighting]) -> list[DeliveryState]:
    return sorted({one.state for one in sightings})


def notes(sightings: Sequence[Sighting]) -> set[str]:
    return {one.note for one in sightings}


@pytest.mark.parametrize(
    ("readings", "more", "expected"),
    [
        ([], {}, []),
        (some(3, Standing.HELD, state=ACCEPTED), {}, [STORED]),
        (some(3, Standing.HELD), {}, []),  # known
        (some(3, Standing.WAITING, state=ACCEPTED), {}, []),
        (some(3, Standing.UNKNOWN), {}, []),
        (some(3, Standing.UNSURE), {}, []),
        (some(3, Standing.REMOVED), {}, [DOUBTED]),
        (some(3, Standing.CHANGED), {}, [DOUBTED]),
        (some(3, Standing.MOVED), {}, [DOUBTED]),
        (some(3, Standing.NAMELESS, state=ACCEPTED), {}, [DOUBTED]),
        # deleted before anybody saw it there
        (some(3, Standing.FREED, state=ACCEPTED), {}, [FREED]),
        (some(3, Standing.FREED, state=ACCEPTED), {"is_receiving": False}, [DOUBTED]),
        # however many, whatever stays: a slow phone frees what it has backed up
        *[
            ([*some(gone, Standing.FREED), *some(there, Standing.HELD, first=500)], {}, [FREED])
            for gone in (1, 9, 200)
            for there in (0, 1, 30, 180)
        ],
        # too early
        (some(1, Standing.FREED, arrived_ms=NOW_MS - MINUTE_MS // 2), {}, [DOUBTED]),
        (some(9, Standing.FREED, arrived_ms=NOW_MS), {}, [DOUBTED]),
        (some(200, Standing.FREED, arrived_ms=NOW_MS - MINUTE_MS + 1), {}, [DOUBTED]),
        (some(200, Standing.FREED, arrived_ms=NOW_MS - MINUTE_MS), {}, [FREED]),
        (some(1, Standing.FREED, arrived_ms=NOW_MS + HOUR_MS), {}, [DOUBTED]),  # a clock that was wrong
        (some(1, Standing.FREED, arrived_ms=NOW_MS), {"backed_up_after_ms": 0}, [FREED]),
    ],
)
def test_judges(readings: list[Reading], more: dict[str, Any], expected: list[DeliveryState]) -> None:
    assert states(judged(readings, **more)) == expected


def test_each_is_judged_by_its_own_stay() -> None:
    readings = [*some(30, Standing.FREED), *some(2, Standing.FREED, first=500, arrived_ms=NOW_MS - 1000)]

    found = {one.delivery_id: one.state for one in judged(readings)}

    assert [number for number, state in found.items() if state is DOUBTED] == [500, 501]


def test_a_phone_that_tells_late_is_judged_by_when_it_deleted() -> None:
    (one,) = some(1, Standing.FREED, arrived_ms=NOW_MS - 5 * HOUR_MS)

    assert states(judged([one._replace(gone_at_ms=NOW_MS - 5 * HOUR_MS + 1000)])) == [DOUBTED]
    assert states(judged([one._replace(gone_at_ms=NOW_MS - 4 * HOUR_MS)])) == [FREED]
    assert states(judged([one._replace(gone_at_ms=NOW_MS + HOUR_MS)])) == [FREED]  # its clock is ahead


def test_what_nobody_saw_there_came_after_it_was_last_seen_not_to_be_there() -> None:
    (one,) = some(1, Standing.FREED, state=ACCEPTED)

    assert states(judged([one._replace(absent_at_ms=NOW_MS - 1000)])) == [DOUBTED]
    assert states(judged([one._replace(absent_at_ms=NOW_MS - HOUR_MS)])) == [FREED]


def test_a_long_film_takes_longer() -> None:
    (one,) = some(1, Standing.FREED, arrived_ms=NOW_MS - 5 * MINUTE_MS)
    film = msgspec.structs.replace(one.delivery, size_bytes=5_000_000_000)  # 400 s at 100 Mbit/s

    assert states(judged([one])) == [FREED]
    assert states(judged([one._replace(delivery=film)])) == [DOUBTED]


def test_a_deletion_before_the_phone_has_shown_anything_waits_until_it_has() -> None:
    soon = some(2, Standing.FREED, state=ACCEPTED, arrived_ms=NOW_MS - SHOWN_WITHIN_MS + 1)

    assert not judged(soon, is_receiving=False)
    assert states(judged([*soon, *some(1, Standing.HELD, first=9)], is_receiving=False)) == [FREED]
    late = some(2, Standing.FREED, state=ACCEPTED, arrived_ms=NOW_MS - SHOWN_WITHIN_MS)
    assert states(judged(late, is_receiving=False)) == [DOUBTED]


def test_a_doubt_says_why() -> None:
    assert notes(judged(some(1, Standing.FREED, state=ACCEPTED), is_receiving=False)) == {NEVER_SEEN}
    (early,) = judged(some(1, Standing.FREED, arrived_ms=NOW_MS - 12_000))
    assert early.note == "left the phone 12 s after it came, too early to have been backed up"
    (moved,) = judged([some(1, Standing.MOVED)[0]._replace(path=".trashed-1795000000-1.JPG")])
    assert ".trashed-1795000000-1.JPG" in moved.note
    assert all(notes(judged(some(1, one))) != {""} for one in (Standing.REMOVED, Standing.CHANGED, Standing.NAMELESS))


# ---------------------------------------------------------------- what else lies there


def foreign(path: str, *, digest: str = "", since_ms: int = NOW_MS) -> Foreign:
    return Foreign(path=path, name=name_before(path), digest=digest, since_ms=since_ms)


@pytest.mark.parametrize(
    ("lies", "expected"),
    [
        (foreign(".trashed-1795000000-1.JPG"), Standing.MOVED),
        (foreign("holiday/1.JPG"), Standing.MOVED),
        (foreign("holiday.JPG", digest="d1"), Standing.MOVED),
        (foreign("1.JPG"), Standing.MOVED),
        (foreign(".trashed-1795000000-2.JPG"), Standing.FREED),
        (foreign("holiday.JPG", digest="d2"), Standing.FREED),
        (foreign("holiday.JPG"), Standing.FREED),
        (foreign("holiday.JPG", digest="d1", since_ms=NOW_MS - HOUR_MS - 1), Standing.FREED),  # of an earlier time
    ],
)
def test_what_lies_there_under_another_name_has_not_left(lies: Foreign, expected: Standing) -> None:
    (one,) = some(1, Standing.FREED, arrived_ms=NOW_MS - HOUR_MS)
    one = one._replace(delivery=msgspec.structs.replace(one.delivery, digest="d1"))

    (found,) = traced([one], [lies], Traces())

    assert (found.standing, found.path) == (expected, lies.path if expected is Standing.MOVED else "")


@pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.FREED])
def test_nothing_else_is_changed_by_what_lies_there(standing: Standing) -> None:
    readings = some(2, standing)

    assert traced(readings, [foreign("holiday/1.JPG")], traces("1.JPG modified 0")) == readings


def test_what_was_changed_before_it_went_has_not_left_as_it_came() -> None:
    told = traces("2.JPG modified 0", "2.JPG deleted 60")

    assert [one.standing for one in traced(some(2, Standing.FREED), [], told)] == [Standing.FREED, Standing.CHANGED]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["1.JPG deleted 100", "holiday.JPG modified 101", "holiday.JPG deleted 130"], Standing.MOVED),
        (["holiday.JPG modified 99", "1.JPG deleted 100", "holiday.JPG deleted 130"], Standing.MOVED),
        (["1.JPG deleted 100", "1.jpg modified 100", "1.jpg deleted 130"], Standing.MOVED),
        (["1~2.JPG modified 40", "1.JPG deleted 100", "1~2.JPG deleted 100"], Standing.FREED),  # a copy edited before
        (["1.JPG deleted 100", "there.JPG modified 100"], Standing.FREED),  # it lies there, and has other bytes
        (["1.JPG deleted 100", "2.JPG modified 100"], Standing.FREED),  # one of ours
        (["holiday.JPG modified 99", "holiday.JPG deleted 130"], Standing.FREED),
    ],
)
def test_what_came_just_when_it_went_and_is_gone_was_the_same_file(events: list[str], expected: Standing) -> None:
    readings = some(2, Standing.FREED)[:1] + some(2, Standing.HELD)[1:]

    found = traced(readings, [foreign("there.JPG", digest="other")], traces(*events))

    assert [one.standing for one in found] == [expected, Standing.HELD]


def traces(*events: str) -> Traces:
    """Each `NAME deleted|modified SECONDS`, as Syncthing's events tell of them."""
    found = Traces()
    changes = []
    for number, each in enumerate(events, start=1):
        path, action, at_s = each.split()
        at = datetime.fromtimestamp(NOW_MS / 1000 - 1000 + int(at_s), tz=UTC).isoformat()
        data = EventData(path=path, action=action, modified_by="P")
        changes.append(Event(id=number, type=REMOTE, time=at, data=data))
    found.note(changes)
    return found


def test_a_phones_wrong_clock_makes_nothing_early_that_we_saw_there_ourselves() -> None:
    (one,) = some(1, Standing.FREED, arrived_ms=NOW_MS - 5 * HOUR_MS)
    slow = one._replace(gone_at_ms=NOW_MS - 24 * HOUR_MS)

    assert states(judged([slow._replace(held_at_ms=NOW_MS - MINUTE_MS)])) == [FREED]
    assert states(judged([slow._replace(held_at_ms=NOW_MS - 5 * HOUR_MS + 1000)])) == [DOUBTED]


def test_nor_late_what_an_event_told_in_time() -> None:
    """The box's program was down for hours; its Syncthing was not, and the phone's clock is ahead."""
    (one,) = some(1, Standing.FREED, arrived_ms=NOW_MS - 1010 * 1000)
    fast = one._replace(gone_at_ms=NOW_MS + HOUR_MS, delivery=msgspec.structs.replace(one.delivery, name="1.JPG"))

    (found,) = traced([fast], [], traces("1.JPG deleted 0"))

    assert found.gone_at_ms == NOW_MS - 1000 * 1000


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (".trashed-1795000000-IMG_1.JPG", "IMG_1.JPG"),
        (".Trashed-1-a-b.JPG", "a-b.JPG"),
        (".pending-1795000000-IMG_1.JPG", "IMG_1.JPG"),
        ("a/b/.trashed-1795000000-IMG_1.JPG", "IMG_1.JPG"),
        ("a/IMG_1.JPG", "IMG_1.JPG"),
        ("IMG_1.JPG", "IMG_1.JPG"),
        ("IMG_1.sync-conflict-20261130-222737-J6YX2AB.JPG", "IMG_1.JPG"),
        ("trashed-1795000000-IMG_1.JPG", "trashed-1795000000-IMG_1.JPG"),
        (".trashed-x-IMG_1.JPG", ".trashed-x-IMG_1.JPG"),
    ],
)
def test_the_name_before(path: str, name: str) -> None:
    """As AOSP's MediaProvider reads it (`(?i)^\\.(pending|trashed)-(\\d+)-([^/]+)$`), and Syncthing's conflicts."""
    assert name_before(path) == name


# ---------------------------------------------------------------- a phone's life


class Photo:
    """What truly is the case with one file."""

    def __init__(self, number: int, now_ms: int) -> None:
        self.number = number
        self.version = [f"{B}:1"]
        self.author = B
        self.is_deleted = False
        self.is_on_phone = False
        self.bytes_are_ours = True
        self.phone_had_ours = False
        self.deleted_by = ""
        self.deleted_at_ms = 0
        self.arrived_ms = now_ms
        self.delivery = delivery(number, ACCEPTED, accepted_at_ms=now_ms)

    def change(self, author: str, now_s: float, *, keep: bool = True) -> None:
        counters = {one.partition(":")[0]: int(one.partition(":")[2]) for one in self.version} if keep else {}
        counters[author] = max(int(now_s), max(counters.values(), default=1) + 1)
        self.version = [f"{name}:{counter}" for name, counter in sorted(counters.items())]
        self.author = author

    def delete(self, author: str, now_s: float) -> None:
        self.change(author, now_s)
        self.is_deleted, self.deleted_by, self.is_on_phone = True, author, False
        self.deleted_at_ms = int(now_s * 1000)

    @property
    def seen_stored(self) -> bool:
        return self.delivery.stored_at_ms is not None

    def as_shown(self) -> FileState:
        entry = FileEntry(version=tuple(self.version), modified_by=self.author, deleted=self.is_deleted)
        has_it = self.is_on_phone or self.is_deleted
        return FileState(agreed=entry, local=entry, availability=(Availability(id=PHONE),) if has_it else ())


class Phone(RuleBasedStateMachine):
    """Arrivals, backups, free ups, hands, wipes, lost indexes, strangers; and a box that looks now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.photos: list[Photo] = []
        self.backed_up: set[int] = set()
        self.is_connected = True
        self.shown: dict[int, FileState] = {}

    @property
    def now_ms(self) -> int:
        return int(self.now_s * 1000)

    def there(self) -> list[Photo]:
        return [one for one in self.photos if one.is_on_phone]

    @rule(count=st.sampled_from([1, 5, 40]))
    def offer(self, count: int) -> None:
        self.photos += [Photo(len(self.photos) + number, self.now_ms) for number in range(count)]

    @rule()
    def fetch(self) -> None:
        for one in self.photos if self.is_connected else ():
            if not one.is_on_phone and not one.is_deleted and one.author == B:
                one.is_on_phone = one.phone_had_ours = True
                one.arrived_ms = self.now_ms

    @rule(is_looked_at=st.booleans())
    def arrive(self, is_looked_at: bool) -> None:
        self.offer(count=40)
        self.fetch()
        if is_looked_at:
            self._look()

    @rule(seconds=st.sampled_from([1.0, 20.0, 40.0, 100.0, 4000.0]))
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def back_up(self) -> None:
        self.backed_up |= {one.number for one in self.there()}

    @rule()
    def free_up(self) -> None:
        for one in self.there():
            if one.number in self.backed_up:
                one.delete(P, self.now_s)

    @rule(count=st.integers(1, 3))
    def delete_by_hand(self, count: int) -> None:
        for one in self.there()[:count]:
            one.delete(P, self.now_s)

    @rule()
    def wipe(self) -> None:
        for one in self.there():
            one.delete(P, self.now_s)

    @rule(number=st.integers(0, 3), author=st.sampled_from([P, T]))
    def edit(self, number: int, author: str) -> None:
        for one in self.there()[number : number + 1]:
            one.change(author, self.now_s)
            one.bytes_are_ours = False

    @rule()
    def lose_the_index(self) -> None:
        for one in self.there():
            one.change(P, self.now_s, keep=False)

    @rule(author=st.sampled_from([T, B]), number=st.integers(0, 3))
    def somebody_else_deletes(self, author: str, number: int) -> None:
        for one in [one for one in self.photos if not one.is_deleted][number : number + 1]:
            one.delete(author, self.now_s)

    @rule(is_connected=st.booleans())
    def connect(self, is_connected: bool) -> None:
        self.is_connected = is_connected

    @rule()
    def look(self) -> None:
        self._look()

    def _look(self) -> None:
        out = [one for one in self.photos if one.delivery.state in (DeliveryState.ACCEPTED, DeliveryState.STORED)]
        for one in self.photos:
            if self.is_connected:
                self.shown[one.number] = one.as_shown()
            else:  # what was known when it went; of what came since, that it lies in the outbox
                self.shown.setdefault(one.number, file(holders=()))
        readings = [self._read(one) for one in out]
        sightings = judge(
            readings,
            is_receiving=any(one.delivery.stored_at_ms is not None for one in self.photos),
            now_ms=self.now_ms,
            backed_up_after_ms=MINUTE_MS,
        )
        by_id = {one.number: one for one in self.photos}
        for sighting in sightings:
            self._take_in(by_id[sighting.delivery_id], sighting.state)

    def _read(self, photo: Photo) -> Reading:
        found = read(photo.delivery, self.shown[photo.number], PEERS, is_here=not photo.is_deleted)
        if found.standing is Standing.UNSURE:  # the outbox's copy is hashed again
            return found._replace(standing=Standing.HELD if photo.bytes_are_ours else Standing.CHANGED)
        return found

    def _take_in(self, photo: Photo, state: DeliveryState) -> None:
        times = {"accepted_at_ms": photo.delivery.accepted_at_ms, "stored_at_ms": photo.delivery.stored_at_ms}
        if state is STORED:
            times["stored_at_ms"] = self.now_ms
        photo.delivery = delivery(photo.number, state, **times)

    @invariant()
    def only_what_the_phone_had_and_deleted_is_freed(self) -> None:
        for one in self.photos:
            if one.delivery.state is FREED:
                assert one.deleted_by == P
                assert one.phone_had_ours

    @invariant()
    def what_is_stored_was_there(self) -> None:
        for one in self.photos:
            if one.delivery.state is STORED:
                assert one.phone_had_ours

    @invariant()
    def what_was_seen_to_go_too_early_has_not_left(self) -> None:
        for one in self.photos:
            if one.delivery.state is FREED and one.seen_stored:
                assert one.deleted_at_ms - one.arrived_ms >= MINUTE_MS


TestPhone = Phone.TestCase
TestPhone.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_free_up_after_a_days_backup_has_left() -> None:
    """The machine above may never be blind to everything: the good story ends well."""
    phone = Phone()
    phone.offer(count=40)
    phone.fetch()
    phone.look()
    phone.pass_time(4000.0)
    phone.back_up()
    phone.free_up()

    phone.look()

    assert {one.delivery.state for one in phone.photos} == {FREED}


def test_a_wipe_on_the_way_is_unverified_when_the_phone_comes_home() -> None:
    phone = Phone()
    phone.pass_time(4000.0)
    phone.arrive(is_looked_at=True)
    phone.connect(is_connected=False)
    phone.pass_time(20.0)
    phone.wipe()
    phone.pass_time(4000.0)
    phone.connect(is_connected=True)

    phone.look()

    assert {one.delivery.state for one in phone.photos} == {DOUBTED}
