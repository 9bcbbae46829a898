"""Counts and lists for people: accounting, rates, what is flagged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.model.status import Accounting, Bytes, Calls, Named, Rates, Road, Status, Steps
from mediabox.store import adoptable, asset_index, deliveries, issues, jobs, listings, volumes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SHOWN = 50  # names in a list; the count beside it is of all
RECENT_ROWS = 5_000  # of the journal, looked through for the last minute's rate
MINUTE_MS = 60_000
WAITS = "waits:"  # and a destination's name: the switch that says why nothing is sent there now
_CALLS = "calls"  # the switch that keeps what the daemon counted


def status(connection: sqlite3.Connection, *, now_ms: int) -> Status:
    """Everything the catalogue knows of how things stand."""
    return Status(
        at_ms=now_ms,
        accounting=accounting(connection),
        assets=_count(connection, "SELECT count(DISTINCT asset_id) FROM resource WHERE state = 'archived'"),
        companions=_count(
            connection,
            "SELECT count(*) FROM resource WHERE (kind = 'sidecar' OR role = 'companion') AND state = 'archived'",
        ),
        similar=_count(connection, "SELECT count(DISTINCT resource_id) FROM similar"),
        ignored=_count(connection, "SELECT count(*) FROM ignored"),
        flagged=_count(connection, "SELECT count(*) FROM facts WHERE damage IS NOT NULL"),
        bytes=byte_totals(connection),
        rates=_rates(connection, now_ms),
        adoption=adoptable.figures(connection),
        calls=calls(connection),
        roads=roads(connection),
        jobs=_steps(connection),
        issues=tuple(issues.open_issues(connection)),
        quarantined=_quarantined(connection),
        damaged=_damaged(connection),
        left_alone=tuple(row[0] for row in connection.execute("SELECT remote_id FROM ignored LIMIT ?", (SHOWN,))),
        indexed_percent=asset_index.indexed_percent(connection),
        surveys=listings.surveys(connection),
    )


def roads(connection: sqlite3.Connection) -> tuple[Road, ...]:
    """How far each destination is, and why it waits."""
    return tuple(
        msgspec.structs.replace(road, waiting_for=volumes.switch(connection, WAITS + road.destination))
        for road in deliveries.roads(connection)
    )


def set_calls(connection: sqlite3.Connection, counted: Sequence[Calls]) -> None:
    """Keep what the daemon counted, for whoever asks from another process."""
    volumes.set_switch(connection, _CALLS, msgspec.json.encode(counted).decode())


def calls(connection: sqlite3.Connection) -> tuple[Calls, ...]:
    """What the daemon counted last."""
    text = volumes.switch(connection, _CALLS)
    return msgspec.json.decode(text, type=tuple[Calls, ...]) if text else ()


def accounting(connection: sqlite3.Connection) -> Accounting:
    """Where every file that was taken in has got to."""
    by_state = dict(connection.execute("SELECT state, count(*) FROM resource GROUP BY state").fetchall())
    return Accounting(
        taken_in=_count(connection, "SELECT count(*) FROM resource"),
        archived=by_state.get("archived", 0) + by_state.get("trashed", 0),
        trashed=by_state.get("trashed", 0),
        duplicate=by_state.get("duplicate", 0),
        quarantined=by_state.get("quarantined", 0),
        removed=by_state.get("removed", 0),
        pending=sum(by_state.get(state, 0) for state in ("seen", "staged", "filing")),
    )


def byte_totals(connection: sqlite3.Connection) -> Bytes:
    """Of what is archived, its trash included, and of what is still to come."""
    totals = dict(connection.execute("SELECT state, sum(size_bytes) FROM resource GROUP BY state").fetchall())
    waiting = sum(totals.get(state) or 0 for state in ("seen", "staged", "filing"))
    return Bytes(archived=sum(totals.get(state) or 0 for state in ("archived", "trashed")), pending=waiting)


def _rates(connection: sqlite3.Connection, now_ms: int) -> Rates:
    row = connection.execute(
        "SELECT count(*), coalesce(sum(resource.size_bytes), 0) FROM "
        "(SELECT event, at_ms, resource_id FROM journal ORDER BY seq DESC LIMIT ?) AS recent "
        "JOIN resource ON resource.id = recent.resource_id WHERE event = 'archived' AND at_ms > ?",
        (RECENT_ROWS, now_ms - MINUTE_MS),
    ).fetchone()
    return Rates(files_per_minute=row[0], bytes_per_second=row[1] // 60)


def _steps(connection: sqlite3.Connection) -> tuple[Steps, ...]:
    counts = jobs.counts(connection)
    steps = sorted({step for step, _ in counts})
    return tuple(
        Steps(step=step, ready=counts.get((step, "ready"), 0), failed=counts.get((step, "failed"), 0)) for step in steps
    )


def _quarantined(connection: sqlite3.Connection) -> tuple[Named, ...]:
    rows = connection.execute(
        "SELECT name, remote_id, reason FROM resource WHERE state = 'quarantined' ORDER BY id DESC LIMIT ?", (SHOWN,)
    )
    return tuple(Named(name=name, remote_id=remote_id, reason=reason or "") for name, remote_id, reason in rows)


def _damaged(connection: sqlite3.Connection) -> tuple[Named, ...]:
    rows = connection.execute(
        "SELECT name, remote_id, damage FROM facts JOIN resource ON resource.id = resource_id "
        "WHERE damage IS NOT NULL ORDER BY resource_id DESC LIMIT ?",
        (SHOWN,),
    )
    return tuple(Named(name=name, remote_id=remote_id, reason=damage) for name, remote_id, damage in rows)


def soundness(connection: sqlite3.Connection, *, with_indexes: bool = False) -> str:
    """SQLite's quick check: 'ok', or the first thing wrong. `with_indexes`: also what these hold, 5 times slower."""
    check = "integrity_check" if with_indexes else "quick_check"
    return str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])


def _count(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
