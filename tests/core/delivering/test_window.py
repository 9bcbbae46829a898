"""How much may go at a time: never more than the room, nobody overtaken, nobody starved."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediabox.core.delivering.window import Out, admit
from mediabox.model.delivery import Delivery, DeliveryState, Form, Room

NOTHING = Out(0, 0)


def waiting(*sizes: int, first: int = 1) -> list[Delivery]:
    return [
        Delivery(
            id=first + number,
            destination="anna",
            asset_id=first + number,
            resource_id=first + number,
            form=Form.ORIGINAL,
            name=f"{first + number}.JPG",
            state=DeliveryState.QUEUED,
            size_bytes=size,
        )
        for number, size in enumerate(sizes)
    ]


def sizes_of(chosen: list[Delivery]) -> list[int]:
    return [one.size_bytes for one in chosen]


@pytest.mark.parametrize(
    ("recent", "backlog", "room", "out", "expected"),
    [
        ((), (), Room(most_bytes=100), NOTHING, []),
        ((40, 40), (), Room(most_bytes=100), NOTHING, [40, 40]),
        ((60, 60), (), Room(most_bytes=100), NOTHING, [60]),
        ((60, 60), (), Room(most_bytes=100), Out(50, 0), []),
        ((60, 10), (), Room(most_bytes=100), Out(50, 0), []),  # the small one does not overtake
        ((60,), (), Room(most_bytes=100, reason="the phone is hot"), NOTHING, []),
        # a fifth of the room is the past's
        ((40, 40, 40), (20, 20), Room(most_bytes=100), NOTHING, [40, 40, 20]),
        ((40, 40, 40), (20, 20), Room(most_bytes=100), Out(60, 20), []),
        (
            (10,),
            (20, 20, 60),
            Room(most_bytes=100),
            NOTHING,
            [10, 20, 20],
        ),  # what the present does not need is the past's
        ((40, 40, 20), (), Room(most_bytes=100), NOTHING, [40, 40, 20]),  # and the other way round
        ((40, 40, 15, 30), (5,), Room(most_bytes=100), NOTHING, [40, 40, 5, 15]),
        # larger than all the room
        ((500, 10), (), Room(most_bytes=100), NOTHING, [500]),
        ((500, 10), (), Room(most_bytes=100), Out(1, 0), []),
        ((), (500,), Room(most_bytes=100), Out(0, 1), []),
        ((), (500, 10), Room(most_bytes=100), NOTHING, [500]),
        # what the phone itself has left
        ((40, 40), (), Room(most_bytes=100, more_bytes=50), NOTHING, [40]),
        ((40, 40), (), Room(most_bytes=100, more_bytes=50), Out(30, 0), [40]),
        ((40, 40), (), Room(most_bytes=100, more_bytes=0), NOTHING, []),
        ((500,), (), Room(most_bytes=100, more_bytes=400), NOTHING, []),
        ((500,), (), Room(most_bytes=100, more_bytes=600), NOTHING, [500]),
        # a window that was made smaller
        ((40,), (40,), Room(most_bytes=100), Out(300, 0), []),
        ((40,), (40,), Room(most_bytes=100), Out(0, 300), []),
    ],
)
def test_admits(recent, backlog, room, out, expected) -> None:
    chosen = admit(waiting(*recent), waiting(*backlog, first=100), room, out)

    assert sizes_of(chosen) == expected


def test_a_long_film_of_today_is_not_starved_by_the_past() -> None:
    """It fits into the room, but not beside the share of the past: that one pauses until it has gone."""
    film, past = waiting(90), waiting(*[10] * 50, first=100)

    full = admit(film, past, Room(most_bytes=100), Out(0, 20))
    empty = admit(film, past, Room(most_bytes=100), NOTHING)

    assert full == []
    assert empty[0] is film[0]


def test_the_past_gets_no_more_than_its_share_while_the_present_waits() -> None:
    chosen = admit(waiting(60), waiting(*[10] * 50, first=100), Room(most_bytes=100), Out(50, 0))

    assert sizes_of(chosen) == [10, 10]


SIZES = st.lists(st.integers(1, 120), max_size=30)


@st.composite
def rooms(draw) -> Room:
    more = draw(st.none() | st.integers(0, 200))
    return Room(most_bytes=draw(st.integers(1, 200)), more_bytes=more, backlog_share=draw(st.floats(0, 1)))


@given(SIZES, SIZES, rooms(), st.integers(0, 150), st.integers(0, 150))
def test_never_more_than_the_room_and_nobody_is_overtaken(recent, backlog, room, recent_out, backlog_out) -> None:
    new, old, out = waiting(*recent), waiting(*backlog, first=1000), Out(recent_out, backlog_out)

    chosen = admit(new, old, room, out)

    is_alone = len(chosen) == 1 and out.both == 0
    if chosen and not is_alone:
        assert out.both + sum(sizes_of(chosen)) <= room.most_bytes
    if chosen and room.more_bytes is not None:
        assert sum(sizes_of(chosen)) <= room.more_bytes
    assert len({one.id for one in chosen}) == len(chosen)
    for one_class in (new, old):
        of_class = [one for one in chosen if one in one_class]
        assert of_class == one_class[: len(of_class)]


@settings(max_examples=60)
@given(SIZES, SIZES, st.integers(1, 150), st.floats(0, 0.9), st.randoms(use_true_random=False))
def test_whoever_waits_goes_in_the_end(recent, backlog, most_bytes, share, dice) -> None:
    """A phone that frees something now and then: at most as many rounds as there are files, twice."""
    new, old, out = waiting(*recent), waiting(*backlog, first=1000), []
    room = Room(most_bytes=most_bytes, backlog_share=share)
    is_recent = {one.id for one in new}

    for _ in range(2 * (len(recent) + len(backlog)) + 2):
        taken = [sum(one.size_bytes for one in out if (one.id in is_recent) is which) for which in (True, False)]
        chosen = admit(new, old, room, Out(*taken))
        assert chosen or out or not (new or old)  # never stuck with an empty phone
        new, old = [one for one in new if one not in chosen], [one for one in old if one not in chosen]
        out += chosen
        if out:
            out.remove(dice.choice(out))

    assert not new
    assert not old


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.lists(st.integers(1, 10), min_size=60, max_size=60))
def test_the_past_keeps_its_share_however_busy_the_present_is(recent, backlog) -> None:
    room = Room(most_bytes=100, backlog_share=0.2)

    chosen = admit(waiting(*recent), waiting(*backlog, first=1000), room, NOTHING)

    of_past = sum(one.size_bytes for one in chosen if one.id >= 1000)
    assert of_past > 20 - 10  # no more is left of the share than the next one is large
