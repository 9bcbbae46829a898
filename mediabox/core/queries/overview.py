"""How the whole box stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core import switches
from mediabox.core.queries.conditions import Condition, conditions
from mediabox.model.status import Status
from mediabox.store import figures

if TYPE_CHECKING:
    import sqlite3

    from mediabox.core.surroundings import Surroundings


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """`status` has what the catalogue knows, its open issues too; `conditions` hold beside them."""

    status: Status
    conditions: tuple[Condition, ...]
    is_paused: bool  # by a person
    paused_until_ms: int | None = None


def overview(connection: sqlite3.Connection, around: Surroundings) -> Overview:
    """From the catalogue, and a look at the box."""
    found, life = figures.status(connection, now_ms=around.at_ms), around.life
    rest = switches.rest_at(connection, now_ms=around.at_ms)
    return Overview(
        status=msgspec.structs.replace(
            found,
            pid=around.pid,
            is_running=around.pid is not None,
            stuck_s=life.stuck_s if life else None,
            waiting_for=life.waiting_for if life else None,
            bytes=msgspec.structs.replace(found.bytes, archive_free=around.archive_free),
        ),
        conditions=conditions(connection, around),
        is_paused=rest is not None,
        paused_until_ms=rest.until_ms if rest else None,
    )
