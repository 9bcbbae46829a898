"""What the folder shows, and what is believed of it: only what this phone had, and then deleted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

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
from mediabox.destinations.pixel.answers import Availability, FileEntry, FileState
from mediabox.destinations.pixel.deletions import Deletions
from mediabox.destinations.pixel.evidence import (
    FEW,
    FEW_OF,
    NEVER_SEEN,
    SHOWN_WITHIN_MS,
    TOO_MANY,
    Judgement,
    Reading,
    Standing,
    judge,
    read,
)
from mediabox.model.delivery import DeliveryState

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


def judged(readings: Sequence[Reading], **more: Any) -> Judgement:
    given = {
        "is_receiving": True,
        "is_quiet": True,
        "freed_lately": 0,
        "most_freed_percent": 50.0,
        "now_ms": NOW_MS,
        "gone_ms": NOW_MS,
        "backed_up_after_ms": MINUTE_MS,
    }
    return judge(readings, **given | more)


def states(judgement: Judgement) -> list[DeliveryState]:
    return sorted({one.state for one in judgement.sightings})


def notes(judgement: Judgement) -> set[str]:
    return {one.note for one in judgement.sightings}


HELD_AND_FREED = [*some(6, Standing.FREED), *some(4, Standing.HELD, first=100)]


@pytest.mark.parametrize(
    ("readings", "more", "expected"),
    [
        ([], {}, []),
        (some(3, Standing.HELD, state=ACCEPTED), {}, [STORED]),
        (some(3, Standing.HELD), {}, []),  # known
        (some(3, Standing.WAITING, state=ACCEPTED), {}, []),
        (some(3, Standing.UNKNOWN), {}, []),
        (some(3, Standing.UNSURE), {}, []),
        (HELD_AND_FREED, {}, [FREED]),  # few
        (HELD_AND_FREED, {"is_quiet": False}, [FREED]),  # and at once
        (some(3, Standing.REMOVED), {}, [DOUBTED]),
        (some(3, Standing.CHANGED), {}, [DOUBTED]),
        (some(3, Standing.NAMELESS, state=ACCEPTED), {}, [DOUBTED]),
        # deleted before anybody saw it there
        (some(3, Standing.FREED, state=ACCEPTED), {}, [FREED]),
        (some(3, Standing.FREED, state=ACCEPTED), {"is_receiving": False}, [DOUBTED]),
        # free up: everything older is gone
        (some(200, Standing.FREED), {}, [FREED]),
        ([*some(200, Standing.FREED), *some(20, Standing.HELD, first=500)], {}, [FREED]),  # some not backed up yet
        (
            [*some(200, Standing.FREED), *some(180, Standing.HELD, first=500, arrived_ms=NOW_MS - 1)],
            {},
            [FREED],
        ),  # those have come since
        ([*some(200, Standing.FREED), *some(30, Standing.HELD, first=500)], {}, [DOUBTED]),  # a choice by hand
        # a wipe
        (some(200, Standing.FREED, arrived_ms=NOW_MS - MINUTE_MS // 2), {}, [DOUBTED]),
        (
            [*some(170, Standing.FREED), *some(30, Standing.FREED, first=500, arrived_ms=NOW_MS - 1000)],
            {},
            [DOUBTED],
        ),
        (
            [*some(185, Standing.FREED), *some(15, Standing.FREED, first=500, arrived_ms=NOW_MS - 1000)],
            {},
            [FREED],
        ),  # a fast line
        (some(200, Standing.FREED, state=ACCEPTED), {}, [DOUBTED]),  # nobody knows for how long it was there
        (some(200, Standing.FREED, state=ACCEPTED), {"backed_up_after_ms": 0}, [FREED]),
        # the owner's share
        ([*some(40, Standing.FREED), *some(60, Standing.HELD, first=500)], {}, [FREED]),
        ([*some(40, Standing.FREED), *some(60, Standing.HELD, first=500)], {"most_freed_percent": 30.0}, [DOUBTED]),
        # small ones in a row are a large one
        ([*some(9, Standing.FREED), *some(9, Standing.HELD, first=500)], {}, [FREED]),
        ([*some(9, Standing.FREED), *some(9, Standing.HELD, first=500)], {"freed_lately": 9}, [DOUBTED]),
    ],
)
def test_judges(readings: list[Reading], more: dict[str, Any], expected: list[DeliveryState]) -> None:
    assert states(judged(readings, **more)) == expected


@pytest.mark.parametrize("there", [0, 1000])
def test_more_than_a_few_wait_until_no_more_come(there: int) -> None:
    """Syncthing sends a large deletion in parts: the first part of a wipe looks like a small one."""
    readings = [*some(FEW + 1, Standing.FREED), *some(there, Standing.HELD, first=5000)]

    found = judged(readings, is_quiet=False)

    assert found.sightings == ()
    assert found.waits_for == {one.delivery.id for one in readings[: FEW + 1]}
    assert states(judged(readings)) == [FREED]


def test_what_waits_does_not_keep_the_rest_from_being_told() -> None:
    readings = [
        *some(200, Standing.FREED),
        *some(2, Standing.HELD, first=500, state=ACCEPTED),
        *some(2, Standing.REMOVED, first=600),
    ]

    found = judged(readings, is_quiet=False)

    assert {one.delivery_id: one.state for one in found.sightings} == {
        500: STORED,
        501: STORED,
        600: DOUBTED,
        601: DOUBTED,
    }


def test_what_is_on_the_phone_though_it_is_asleep_counts_as_there() -> None:
    readings = [*some(30, Standing.FREED), *some(300, Standing.WAITING, first=500)]

    assert states(judged(readings)) == [FREED]
    assert states(judged([*some(30, Standing.FREED), *some(40, Standing.WAITING, first=500, state=ACCEPTED)])) == [
        FREED
    ]


def test_a_deletion_before_the_phone_has_shown_anything_waits_until_it_has() -> None:
    soon = some(2, Standing.FREED, state=ACCEPTED, arrived_ms=NOW_MS - SHOWN_WITHIN_MS + 1)

    assert not judged(soon, is_receiving=False).sightings
    assert states(judged([*soon, *some(1, Standing.HELD, first=9)], is_receiving=False)) == [FREED]
    late = some(2, Standing.FREED, state=ACCEPTED, arrived_ms=NOW_MS - SHOWN_WITHIN_MS)
    assert states(judged(late, is_receiving=False)) == [DOUBTED]


def test_a_doubt_says_why() -> None:
    assert notes(judged(some(1, Standing.FREED, state=ACCEPTED), is_receiving=False)) == {NEVER_SEEN}
    assert notes(judged(some(99, Standing.FREED, arrived_ms=NOW_MS))) == {TOO_MANY}
    assert all(notes(judged(some(1, one))) != {""} for one in (Standing.REMOVED, Standing.CHANGED, Standing.NAMELESS))


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
        self.wipe_of_fresh = 0  # number of the wipe that took it with others that had only just come
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
        self.deletions = Deletions(lambda: self.now_s)
        self.untold: list[Photo] = []  # deleted, and not told yet
        self.wipes, self.wiped_s = 0, 0.0

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
                self._spoil_wipes()

    def _spoil_wipes(self) -> None:
        """What comes after a wipe makes it a smaller share of all there is, and it may pass for one by hand."""
        for one in self.photos:
            if one.delivery.state.is_out:
                one.wipe_of_fresh = 0

    @rule(is_looked_at=st.booleans())
    def arrive(self, is_looked_at: bool) -> None:
        self._hear_the_rest()
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

    @rule(share=st.sampled_from([0.2, 0.4, 1.0]))
    def wipe(self, share: float) -> None:
        """Everything at once; Syncthing tells of a part of it at first."""
        gone = self.there()
        fresh = [one for one in gone if self.now_ms - one.arrived_ms < MINUTE_MS]
        self.wipes, self.wiped_s = self.wipes + 1, self.now_s
        for one in gone:
            one.wipe_of_fresh = self.wipes if len(fresh) > FEW_OF * len(gone) else 0
        told = int(len(gone) * share)
        for one in gone[:told]:
            one.delete(P, self.now_s)
        self.untold += gone[told:]

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

    @rule(again_after_s=st.sampled_from([0.0, 31.0]))
    def look(self, again_after_s: float) -> None:
        self._look()
        if self.untold:
            self._hear_the_rest()
            self._look()
        if again_after_s:
            self.now_s += again_after_s
            self._look()

    def _hear_the_rest(self) -> None:
        """Syncthing tells of the rest a moment later."""
        self.now_s += 3
        for one in [one for one in self.untold if one.is_on_phone]:
            one.delete(P, self.wiped_s)
        self.untold = []

    def _look(self) -> None:
        out = [one for one in self.photos if one.delivery.state.is_out]
        for one in self.photos:
            if self.is_connected:
                self.shown[one.number] = one.as_shown()
            else:  # what was known when it went; of what came since, that it lies in the outbox
                self.shown.setdefault(one.number, file(holders=()))
        readings = [self._read(one) for one in out]
        gone = [one.delivery.id for one in readings if one.standing is Standing.FREED]
        is_quiet = self.deletions.is_quiet(gone)
        judgement = judge(
            readings,
            is_receiving=any(one.delivery.stored_at_ms is not None for one in self.photos),
            is_quiet=is_quiet,
            freed_lately=self.deletions.lately,
            most_freed_percent=50.0,
            now_ms=self.now_ms,
            gone_ms=self.now_ms - int(self.deletions.quiet_for_s * 1000),
            backed_up_after_ms=MINUTE_MS,
        )
        self.deletions.believe(sum(one.state is FREED for one in judgement.sightings))
        by_id = {one.number: one for one in self.photos}
        for sighting in judgement.sightings:
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
    def a_wipe_of_fresh_photos_is_never_believed(self) -> None:
        """But for the few that were told of first, and nobody could know that more would follow."""
        believed = Counter(one.wipe_of_fresh for one in self.photos if one.delivery.state is FREED)
        assert all(count <= FEW for wipe, count in believed.items() if wipe)


TestPhone = Phone.TestCase
TestPhone.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_free_up_after_a_days_backup_is_believed() -> None:
    """The machine above may never be blind to everything: the good story ends well."""
    phone = Phone()
    phone.offer(count=40)
    phone.fetch()
    phone.look(again_after_s=0.0)
    phone.pass_time(4000.0)
    phone.back_up()
    phone.free_up()

    phone.look(again_after_s=31.0)

    assert {one.delivery.state for one in phone.photos} == {FREED}


def test_a_wipe_on_the_way_is_known_for_one_when_the_phone_comes_home() -> None:
    phone = Phone()
    phone.pass_time(4000.0)
    phone.arrive(is_looked_at=True)
    phone.connect(is_connected=False)
    phone.pass_time(20.0)
    phone.wipe(share=1.0)
    phone.pass_time(4000.0)
    phone.connect(is_connected=True)

    phone.look(again_after_s=31.0)

    assert {one.delivery.state for one in phone.photos} == {DOUBTED}


def test_a_wipe_that_is_judged_when_all_is_quiet_is_judged_by_when_it_happened() -> None:
    phone = Phone()
    phone.arrive(is_looked_at=True)
    phone.pass_time(40.0)
    phone.wipe(share=1.0)

    phone.look(again_after_s=31.0)

    assert {one.delivery.state for one in phone.photos} == {DOUBTED}
