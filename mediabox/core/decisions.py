"""What people decided, kept as plain files in the archive: a catalogue made anew has it again.

`.mediabox/decisions/2026-12.jsonl` holds what was decided in that month (UTC), one JSON object
a line (`model.decision.Decision`), oldest first. About one kind and subject the newest line
counts. A command keeps a decision in its transaction (`record`); its line follows as soon
as the archive is there (`write_out`). Lines that nobody understands are left as they are.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from mediabox.durable.publish import replace
from mediabox.durable.volume import FOLDER
from mediabox.errors import Away, NeedsHuman
from mediabox.log import get_logger
from mediabox.model.decision import Decision
from mediabox.model.wall_clock import month_of
from mediabox.store import decisions
from mediabox.store.decisions import put as record  # in a command's transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.durable.volume import Volume
    from mediabox.store.database import Database

__all__ = ["DECISIONS", "keep_written", "read", "record", "restore", "write_out"]

log = get_logger(__name__)

DECISIONS = f"{FOLDER}/decisions"
PAUSE_S = 30.0


async def keep_written(database: Database, volume: Volume) -> None:
    """A service: what commands recorded gets its lines in the archive."""
    while True:
        try:
            await write_out(database, volume)
        except (Away, NeedsHuman) as error:
            log.warning("decisions_wait", reason=str(error))
        await asyncio.sleep(PAUSE_S)


async def write_out(database: Database, volume: Volume) -> int:
    """Write the lines the archive does not have yet; how many. Durable when it returns. Raises Away, NeedsHuman."""
    waiting = await database.read(decisions.unwritten)
    for month, decided in groupby(waiting, key=lambda one: month_of(one.at_ms)):
        some = list(decided)
        await asyncio.to_thread(_add_lines, volume, f"{DECISIONS}/{month}.jsonl", some)
        await database.write(partial(decisions.set_written, written=some))
    return len(waiting)


def read(volume: Volume) -> tuple[list[Decision], list[str]]:
    """Every decision in the archive, oldest first, and where a line is none: `2026-12.jsonl:7`. Blocking."""
    found: list[Decision] = []
    odd: list[str] = []
    if not volume.exists(DECISIONS):
        return found, odd
    for path, _ in volume.walk(DECISIONS):
        for number, line in enumerate(_lines(volume, path), 1):
            try:
                found.append(msgspec.json.decode(line, type=Decision))
            except msgspec.DecodeError:
                odd.append(f"{path.rpartition('/')[2]}:{number}")
    return sorted(found, key=lambda one: one.at_ms), odd


def restore(connection: sqlite3.Connection, found: Iterable[Decision]) -> None:
    """What `read` found, into a catalogue made anew."""
    for one in found:
        decisions.put(connection, one, is_written=True)


def _add_lines(volume: Volume, path: str, decided: Iterable[Decision]) -> None:
    """The whole file anew: whoever reads it sees all of a line or nothing. A line that is there is not repeated."""
    volume.makedirs(DECISIONS)
    lines = _lines(volume, path) if volume.exists(path) else []
    lines += [line for one in decided if (line := msgspec.json.encode(one)) not in lines]
    replace(volume, path, b"".join(line + b"\n" for line in lines))


def _lines(volume: Volume, path: str) -> list[bytes]:
    return [line for line in volume.read(path).split(b"\n") if line.strip()]
