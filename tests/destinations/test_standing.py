"""Why nothing is sent to a phone now, how much may be on it, and what a person should know."""

from typing import Any

import msgspec
import pytest

from destinations.standings import delivery
from mediabox.destinations.pixel import standing
from mediabox.destinations.pixel.evidence import Reading, Standing
from mediabox.destinations.pixel.folder import FolderState, Phone
from mediabox.destinations.pixel.settings import Settings
from mediabox.destinations.pixel.soundness import Fault, FaultKind
from mediabox.destinations.pixel.standing import DAY_MS, GB, HOUR_MS, MINUTE_MS, SPARE_BYTES
from mediabox.model.delivery import DeliveryState, DeviceReport

NOW_MS = 1_760_000_000_000
PHONE = Phone(
    device_id="PHONE",
    is_connected=True,
    is_paused=False,
    last_seen_ms=NOW_MS,
    has_told=True,
    remote_state="valid",
    percent=100.0,
    need_bytes=0,
    need_items=0,
)
SOUND = FolderState(faults=(), state="idle", is_settled=True, phone=PHONE)
FAULT = Fault(kind=FaultKind.PAUSED, message="the folder is paused", remedy="Resume it.")


def phone(**changes: Any) -> FolderState:
    return FolderState(faults=(), state="idle", phone=msgspec.structs.replace(PHONE, **changes))


def told(**known: Any) -> DeviceReport:
    return DeviceReport(at_ms=NOW_MS, **known)


@pytest.mark.parametrize(
    ("state", "said", "expected"),
    [
        (SOUND, None, ""),
        (SOUND, told(), ""),
        (SOUND, told(battery_percent=20, celsius=42, free_bytes=SPARE_BYTES + 1), ""),
        (SOUND, told(battery_percent=19.6), "the phone's battery is at 20 %, the limit is 20 %"),
        (SOUND, told(battery_percent=5), "the phone's battery is at 5 %, the limit is 20 %"),
        (SOUND, told(celsius=43), "the phone is at 43 °C, the limit is 42 °C"),
        (SOUND, told(free_bytes=300_000_000), "the phone is full: 0.3 GB left"),
        (FolderState(faults=(FAULT,), phone=PHONE), None, "the folder is paused"),
        (FolderState(faults=()), None, "no phone has been paired yet"),
        (phone(is_connected=False, last_seen_ms=None), None, "the phone is not connected; it never was"),
        (phone(is_connected=False), None, "the phone is not connected; seen a moment ago"),
        (
            phone(is_connected=False, last_seen_ms=NOW_MS - MINUTE_MS),
            None,
            "the phone is not connected; seen 1 minute ago",
        ),
        (
            phone(is_connected=False, last_seen_ms=NOW_MS - 3 * HOUR_MS),
            None,
            "the phone is not connected; seen 3 hours ago",
        ),
        (
            phone(is_connected=False, last_seen_ms=NOW_MS - 2 * DAY_MS - 1),
            None,
            "the phone is not connected; seen 2 days ago",
        ),
        (phone(is_connected=False, last_seen_ms=NOW_MS + 1), None, "the phone is not connected; seen a moment ago"),
        (phone(is_paused=True), None, "Syncthing is paused between the box and the phone"),
        (phone(remote_state="paused"), None, "Syncthing is paused between the box and the phone"),
        (phone(remote_state="notSharing"), None, "Syncthing is paused between the box and the phone"),
        (phone(remote_state=""), None, ""),  # before 1.20
    ],
)
def test_says_why_nothing_is_sent(state: FolderState, said: DeviceReport | None, expected: str) -> None:
    assert standing.obstacle(Settings(), state, said, now_ms=NOW_MS) == expected


def test_a_limit_of_zero_degrees_is_none() -> None:
    assert standing.obstacle(Settings(max_celsius=0), SOUND, told(celsius=99), now_ms=NOW_MS) == ""


@pytest.mark.parametrize(
    ("settings", "expected_gb"),
    [
        (Settings(), 6.4),  # a fifth of 32 GB
        (Settings(capacity_gb=128), 8),
        (Settings(window_gb=2), 2),
        (Settings(window_percent=50, window_gb=100, capacity_gb=64), 32),
    ],
)
def test_the_window_is_the_smaller_of_size_and_share(settings: Settings, expected_gb: float) -> None:
    assert standing.room(settings, SOUND, None, now_ms=NOW_MS).most_bytes == int(expected_gb * GB)


@pytest.mark.parametrize(
    ("state", "said", "expected"),
    [
        (SOUND, None, None),
        (SOUND, told(battery_percent=50), None),
        (SOUND, told(free_bytes=3 * GB), 3 * GB - SPARE_BYTES),
        (phone(need_bytes=GB), told(free_bytes=3 * GB), 2 * GB - SPARE_BYTES),  # what is coming takes its place
        (phone(need_bytes=GB), told(free_bytes=GB), 0),
    ],
)
def test_no_more_is_sent_than_the_phone_has_room_for(state, said, expected) -> None:
    assert standing.room(Settings(), state, said, now_ms=NOW_MS).more_bytes == expected


def test_shares_and_days_are_the_owners() -> None:
    room = standing.room(Settings(backlog_percent=35, recent_days=7), SOUND, None, now_ms=NOW_MS)

    assert (room.backlog_share, room.recent_ms, room.reason) == (0.35, 7 * DAY_MS, "")


# ---------------------------------------------------------------- complaints


def stored(days: float, number: int = 1) -> Reading:
    at_ms = NOW_MS - int(days * DAY_MS)
    return Reading(delivery(number, DeliveryState.STORED, accepted_at_ms=at_ms), Standing.HELD, "")


def accepted(days: float, number: int = 1) -> Reading:
    at_ms = NOW_MS - int(days * DAY_MS)
    return Reading(delivery(number, DeliveryState.ACCEPTED, accepted_at_ms=at_ms), Standing.WAITING, "")


@pytest.mark.parametrize(
    ("state", "readings", "expected"),
    [
        (SOUND, [], []),
        (SOUND, [stored(6.9), accepted(0.9)], []),
        (SOUND, [stored(7.1), stored(1, 2)], ["destination.stalled"]),
        (SOUND, [accepted(1.1)], ["destination.stuck"]),
        (phone(is_connected=False), [accepted(1.1)], []),  # how should it have fetched
        (phone(is_connected=False), [stored(7.1)], ["destination.stalled"]),
        (FolderState(faults=(FAULT,), phone=PHONE), [stored(9), accepted(9)], ["destination.paused"]),
        (FolderState(faults=(FAULT, FAULT)), [], ["destination.paused", "destination.paused"]),
    ],
)
def test_complains_of_what_somebody_can_do_something_about(state, readings, expected) -> None:
    found = list(standing.complaints("anna", Settings(), state, readings, now_ms=NOW_MS))

    assert [one.key for one in found] == expected
    assert all(one.subject == "anna" and one.remedy and "anna" in one.message for one in found)


def test_a_stall_is_counted_and_says_what_to_tap() -> None:
    readings = [*(stored(8, number) for number in range(3)), stored(1, 9), accepted(0, 10)]

    (found,) = standing.complaints("anna", Settings(), SOUND, readings, now_ms=NOW_MS)

    assert found.message.startswith("3 of 4 photos have been on anna for more than 7 days")
    assert "Free up space" in found.remedy
    assert "Android 14" in found.remedy


def test_patience_is_the_owners() -> None:
    assert not list(standing.complaints("anna", Settings(stall_days=30), SOUND, [stored(8)], now_ms=NOW_MS))


@pytest.mark.parametrize(
    ("share", "hours", "is_told"),
    [(0.9, 3, True), (0.8, 2, True), (0.7, 3, False), (0.9, 1, False)],
)
def test_a_tap_is_asked_for_when_it_is_worth_one(*, share: float, hours: float, is_told: bool) -> None:
    settings = Settings(window_gb=2)
    one = delivery(1, accepted_at_ms=NOW_MS - int(hours * HOUR_MS))
    whole = msgspec.structs.replace(one, size_bytes=int(share * settings.window_bytes))

    found = list(standing.complaints("anna", settings, SOUND, [Reading(whole, Standing.HELD, "")], now_ms=NOW_MS))

    assert [one.key for one in found] == ["destination.full"] * is_told
    assert all("Free up space" in one.remedy for one in found)


def test_a_window_that_is_still_filling_is_no_reason_to_tap() -> None:
    settings = Settings(window_gb=2)
    old = msgspec.structs.replace(delivery(1, accepted_at_ms=NOW_MS - 9 * HOUR_MS), size_bytes=settings.window_bytes)
    coming = delivery(2, DeliveryState.ACCEPTED, accepted_at_ms=NOW_MS - MINUTE_MS)
    readings = [Reading(old, Standing.HELD, ""), Reading(coming, Standing.WAITING, "")]

    assert not list(standing.complaints("anna", settings, SOUND, readings, now_ms=NOW_MS))
