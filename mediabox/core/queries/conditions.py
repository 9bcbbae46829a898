"""What is wrong at this moment, and would be in no catalogue: nobody may be running who could write it down."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from mediabox.core import soundness
from mediabox.core.enrolment import rebuilding
from mediabox.core.governor import HOME_RESERVE_BYTES
from mediabox.store import journal, volumes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from mediabox.core.surroundings import Surroundings
    from mediabox.errors import NeedsHuman


class ConditionReason(StrEnum):
    CONFIG_INVALID = "config_invalid"
    ARCHIVE_ABSENT = "archive_absent"
    ARCHIVE_UNMARKED = "archive_unmarked"  # an empty mount point, or another disk
    CLOCK_UNSET = "clock_unset"
    STUCK = "stuck"  # it runs, and its loop does not turn
    HOME_FULL = "home_full"
    CATALOGUE_EMPTY = "catalogue_empty"  # beside an archive
    CATALOGUE_HALF_MADE = "catalogue_half_made"  # by a rebuild that was cut short
    UNPROVED = "unproved"  # nothing is freed until everything was proved once


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, with what its words need. `error`: where a part of the box says it in words of its own."""

    reason: ConditionReason
    path: str = ""
    free_bytes: int = 0
    pid: int = 0
    silent_s: float = 0.0
    error: NeedsHuman | None = None


def conditions(connection: sqlite3.Connection | None, around: Surroundings) -> tuple[Condition, ...]:
    """All that hold now. `connection`: None where there is no catalogue to ask."""
    found = [*archive_conditions(connection, around)] if around.problem is None else [_invalid(around.problem)]
    if not around.is_clock_set:
        found.append(Condition(reason=ConditionReason.CLOCK_UNSET))
    if around.pid is not None and around.life is not None and around.life.stuck_s is not None:
        found.append(Condition(reason=ConditionReason.STUCK, pid=around.pid, silent_s=around.life.stuck_s))
    if around.home_free is not None and around.home_free < HOME_RESERVE_BYTES:
        found.append(Condition(reason=ConditionReason.HOME_FULL, path=str(around.home), free_bytes=around.home_free))
    return (*catalogue_conditions(connection, around), *found)


def _invalid(error: NeedsHuman) -> Condition:
    return Condition(reason=ConditionReason.CONFIG_INVALID, error=error)


def archive_conditions(connection: sqlite3.Connection | None, around: Surroundings) -> Iterator[Condition]:
    """Why the archive cannot be where the configuration says, as far as one look tells, once the catalogue knows it."""
    if connection is None or volumes.enrolled(connection, "archive") is None:
        return
    if not around.is_archive_there:
        yield Condition(reason=ConditionReason.ARCHIVE_ABSENT, path=str(around.archive))
    elif not around.is_archive_marked:
        yield Condition(reason=ConditionReason.ARCHIVE_UNMARKED, path=str(around.archive))


def catalogue_conditions(connection: sqlite3.Connection | None, around: Surroundings) -> Iterator[Condition]:
    """A catalogue that a rebuild left unfinished, or empty beside an archive; one nothing may be freed by yet."""
    if connection is None:
        return
    kept = str(around.catalogue_before or "")
    if around.pid is None and volumes.enrolled(connection, "archive") is None and around.has_archived:
        yield Condition(reason=ConditionReason.CATALOGUE_EMPTY, path=kept)
    elif around.pid is None and rebuilding(connection):
        yield Condition(reason=ConditionReason.CATALOGUE_HALF_MADE, path=kept)
    if around.config is not None and around.config.release.enabled and journal.is_unsigned(connection):
        yield Condition(reason=ConditionReason.UNPROVED, error=soundness.unsigned(connection))
