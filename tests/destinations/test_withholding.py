"""A phone that keeps its deletions to itself, or does not fetch, is named within a minute, and a slow one is not."""

import asyncio
from collections.abc import Container, Sequence

import msgspec
import pytest
from virtual_time import run_virtually

from destinations.standings import delivery
from destinations.test_looking import phone
from mediabox.destinations.pixel.evidence import Reading, Standing
from mediabox.destinations.pixel.folder import Phone
from mediabox.destinations.pixel.withholding import Withholding
from mediabox.model.delivery import DeliveryState
from mediabox.model.issue import Issue

WAITING, HELD = Standing.WAITING, Standing.HELD


def readings(state: DeliveryState, *standings: Standing) -> list[Reading]:
    return [Reading(delivery(number, state), one, "") for number, one in enumerate(standings, start=1)]


def lacks(need_bytes: int = 0, **changes: object) -> Phone:
    return msgspec.structs.replace(phone(need_items=1), need_bytes=need_bytes, **changes)


def told(
    looks: Sequence[tuple[float, Sequence[Reading], Phone | None]], needed: Container[str] = ("1.JPG", "2.JPG")
) -> list[list[Issue]]:
    """What each look complains of; the first number is the time since the look before, in seconds."""
    found: list[list[Issue]] = []

    async def story() -> None:
        withholding = Withholding()
        for after_s, read, seen in looks:
            await asyncio.sleep(after_s)
            found.append(list(withholding.complaints("anna", read, seen, needed)))

    run_virtually(story())
    return found


def test_what_the_phone_had_and_needs_again_is_told_of_within_a_minute() -> None:
    gone = readings(DeliveryState.STORED, WAITING, WAITING, HELD)

    held = readings(DeliveryState.STORED, HELD, HELD, HELD)

    found = told([(0, held, phone()), (30, gone, lacks()), (30, gone, lacks()), (30, gone, lacks())])

    assert [len(one) for one in found] == [0, 0, 0, 1]
    (complaint,) = found[-1]
    assert complaint.key == "destination.withheld"
    assert complaint.message.startswith("anna lacks 2 files it had: its folder only receives")
    assert "Send & Receive" in complaint.remedy


def test_what_the_phone_neither_has_nor_needs_it_ignores() -> None:
    ignored = [*readings(DeliveryState.STORED, WAITING), Reading(delivery(2, DeliveryState.ACCEPTED), WAITING, "")]

    found = told([(0, ignored, phone()), (30, ignored, phone()), (30, ignored, phone())], needed=())

    assert [len(one) for one in found] == [0, 0, 1]
    assert found[-1][0].message.startswith("anna neither has nor wants 2 files: its folder ignores them")
    assert "ignore patterns" in found[-1][0].remedy


def test_a_phone_that_fetches_again_is_left_in_peace_and_one_that_deleted_for_us_too() -> None:
    gone = readings(DeliveryState.STORED, WAITING, WAITING)
    partly = readings(DeliveryState.STORED, HELD, WAITING)
    freed = readings(DeliveryState.STORED, Standing.FREED, Standing.FREED)

    coming = told([(30, gone, lacks(900)), (30, gone, lacks(600)), (30, gone, lacks(300)), (30, partly, lacks(300))])
    deleted = told([(30, freed, phone()), (300, freed, phone())])

    assert [*coming, *deleted] == [[]] * 6


def test_what_is_offered_and_not_begun_is_told_of_after_minutes() -> None:
    offered = readings(DeliveryState.ACCEPTED, WAITING, WAITING)

    found = told([(30, offered, lacks(900)), (60, offered, lacks(900)), (240, offered, lacks(900))])

    assert [len(one) for one in found] == [0, 0, 1]
    assert "has not begun to fetch 2 files" in found[-1][0].message


@pytest.mark.parametrize(
    ("state", "words"), [("paused", "anna has paused the folder"), ("notSharing", "anna has not accepted the folder")]
)
def test_what_syncthing_itself_tells_is_told_at_once(state: str, words: str) -> None:
    held = readings(DeliveryState.STORED, HELD)
    closed = lacks(remote_state=state)

    ((complaint,), away) = told([(0, held, closed), (30, held, lacks(remote_state=state, is_connected=False))])

    assert complaint.message.startswith(words)
    assert not away


def test_a_phone_that_is_away_withholds_nothing() -> None:
    gone = readings(DeliveryState.STORED, WAITING)
    away = lacks(is_connected=False)

    assert told([(30, gone, away), (600, gone, away), (30, gone, lacks()), (30, gone, lacks())]) == [[]] * 4
    assert told([(30, gone, None), (600, gone, None)]) == [[]] * 2
