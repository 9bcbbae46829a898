"""Counts and lists for people: accounting, rates, what is flagged."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import msgspec

from mediabox.message import from_stored
from mediabox.model.asset import ResourceState
from mediabox.model.status import Accounting, Adoption, Bytes, Calls, Named, Rates, Road, Status, Steps
from mediabox.store import asset_index, deliveries, issues, jobs, listings, volumes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SHOWN = 50  # names in a list; the count beside it is of all
RECENT_ROWS = 5_000  # of the journal, looked through for the last minute's rate
MINUTE_MS = 60_000
NONE = (0, 0)
PENDING = (ResourceState.SEEN, ResourceState.STAGED, ResourceState.FILING)
WAITS = "waits:"  # and a destination's name: the switch that says why nothing is sent there now
_CALLS = "calls"  # the switch that keeps what the daemon counted


def status(connection: sqlite3.Connection, *, now_ms: int) -> Status:
    """Everything the catalogue knows of how things stand."""
    counts = _counts(connection)
    return Status(
        at_ms=now_ms,
        accounting=accounting(connection),
        assets=counts.get("asset", NONE)[0],
        companions=counts.get("companion", NONE)[0],
        similar=_count(connection, "SELECT count(DISTINCT resource_id) FROM similar"),
        ignored=_count(connection, "SELECT count(*) FROM ignored"),
        flagged=_count(connection, "SELECT count(*) FROM facts WHERE damage IS NOT NULL"),
        bytes=byte_totals(connection),
        rates=_rates(connection, now_ms),
        adoption=_adoption(counts),
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


def _counts(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """How many there are and their bytes, by name: kept by triggers (migrations/0018_figures.sql)."""
    return {name: (count, size) for name, count, size in connection.execute("SELECT * FROM figure WHERE count > 0")}


def _adoption(counts: dict[str, tuple[int, int]]) -> Adoption:
    """How many files of older backups are on offer, and what they saved."""
    adopted, size_bytes = counts.get("adopted", NONE)
    return Adoption(offered=counts.get("offered", NONE)[0], adopted=adopted, bytes=size_bytes)


def roads(connection: sqlite3.Connection) -> tuple[Road, ...]:
    """How far each destination is, and why it waits."""
    return tuple(
        msgspec.structs.replace(road, waiting_for=volumes.switch(connection, WAITS + road.destination))
        for road in deliveries.roads(connection, _counts(connection))
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
    count = {state: number for state, (number, _) in _files(connection).items()}
    return Accounting(
        taken_in=_count(connection, "SELECT count(*) FROM resource"),
        archived=count["archived"] + count["trashed"],
        trashed=count["trashed"],
        duplicate=count["duplicate"],
        quarantined=count["quarantined"],
        removed=count["removed"],
        pending=sum(count[state] for state in PENDING),
    )


def byte_totals(connection: sqlite3.Connection) -> Bytes:
    """Of what is archived, its trash included, and of what is still to come."""
    size = {state: size_bytes for state, (_, size_bytes) in _files(connection).items()}
    return Bytes(archived=size["archived"] + size["trashed"], pending=sum(size[state] for state in PENDING))


def _files(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Count and bytes of files, by state."""
    counts = _counts(connection)
    return {state: counts.get(f"file:{state}", NONE) for state in ResourceState}


def _rates(connection: sqlite3.Connection, now_ms: int) -> Rates:
    """Reads the journal back to a minute ago, and no further."""
    rows = connection.execute("SELECT event, at_ms, resource_id FROM journal ORDER BY seq DESC LIMIT ?", (RECENT_ROWS,))
    lately = takewhile(lambda row: row[1] > now_ms - MINUTE_MS, rows)
    ids = [resource_id for event, _, resource_id in lately if event == "archived"]
    size_bytes = connection.execute(
        "SELECT coalesce(sum(size_bytes), 0) FROM resource WHERE id IN (SELECT value FROM json_each(?))", (str(ids),)
    ).fetchone()[0]
    return Rates(files_per_minute=len(ids), bytes_per_second=size_bytes // 60)


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
    return tuple(
        Named(name=name, remote_id=remote_id, reason=from_stored(reason or "")) for name, remote_id, reason in rows
    )


def _damaged(connection: sqlite3.Connection) -> tuple[Named, ...]:
    rows = connection.execute(
        "SELECT name, remote_id, damage FROM facts JOIN resource ON resource.id = resource_id "
        "WHERE damage IS NOT NULL ORDER BY resource_id DESC LIMIT ?",
        (SHOWN,),
    )
    return tuple(Named(name=name, remote_id=remote_id, reason=from_stored(damage)) for name, remote_id, damage in rows)


def soundness(connection: sqlite3.Connection, *, with_indexes: bool = False) -> str:
    """SQLite's quick check: 'ok', or the first thing wrong. `with_indexes`: also what these hold, 5 times slower."""
    check = "integrity_check" if with_indexes else "quick_check"
    return str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])


def _count(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
