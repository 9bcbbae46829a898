"""What the catalogue knows of a phone."""

import sqlite3

from core.queries.catalogued import NOW_MS, archived, delivered

from mediabox.core import switches
from mediabox.core.queries.devices import device, unverified
from mediabox.model.delivery import Counted, DeliveryState, DeviceReport


def test_a_phone_nothing_was_sent_to_has_nothing_to_come(connection: sqlite3.Connection) -> None:
    found = device(connection, "pixel", window_bytes=1000, now_ms=NOW_MS)

    assert (found.rounds.taps, found.rounds.days, found.counted, found.report) == (0, None, None, None)
    assert (found.unverified, found.held) == (0, 0)


def test_what_it_holds_and_what_a_person_has_to_look_at_is_its_own(connection: sqlite3.Connection) -> None:
    ids = [archived(connection, f"IMG_{number}.JPG") for number in range(5)]
    states = [DeliveryState.STORED, DeliveryState.DOUBTED, DeliveryState.DOUBTED, DeliveryState.QUEUED]
    for resource_id, state in zip(ids, states, strict=False):
        delivered(connection, resource_id, f"{resource_id}.JPG", state, to="anna")
    delivered(connection, ids[4], "IMG_4.JPG", DeliveryState.DOUBTED, to="ben")
    switches.keep_count(connection, "anna", Counted(at_ms=NOW_MS, shown=2, on_phone=1))
    switches.report_device(connection, "anna", DeviceReport(at_ms=NOW_MS - 3_600_001, battery_percent=3))

    found = device(connection, "anna", window_bytes=1000, now_ms=NOW_MS)

    assert (found.held, found.unverified, found.rounds.taps, found.rounds.waiting_bytes) == (1, 2, 2, 1000)
    assert found.counted == Counted(at_ms=NOW_MS, shown=2, on_phone=1)
    assert found.report is None  # of more than an hour ago
    assert [one.resource_id for one in unverified(connection, "anna")] == ids[1:3]
