"""Conditions of the moment in words, as the issues `status` shows."""

from __future__ import annotations

from typing import assert_never

from mediabox.cli.words import bytes_words
from mediabox.core.queries.conditions import Condition, ConditionReason
from mediabox.model.issue import Issue, Severity

PLUG_IN = "Plug it in or mount it again; nothing is lost, the work waits and goes on by itself."
STUCK_REMEDY = (
    "A disk or share that does not answer can hold it up: check those first. If it stays so, restart it: "
    "`systemctl restart mediabox`, or by hand"
)
CLOCK_REMEDY = "Connect the network so that it can be set (timedatectl shows its state). Nothing expires until then."
_KEYS = {  # stored words of issues: formats
    ConditionReason.CONFIG_INVALID: "config.invalid",
    ConditionReason.ARCHIVE_ABSENT: "volume.missing",
    ConditionReason.ARCHIVE_UNMARKED: "volume.missing",
    ConditionReason.CLOCK_UNSET: "clock.unset",
    ConditionReason.STUCK: "daemon.stuck",
    ConditionReason.HOME_FULL: "home.full",
    ConditionReason.CATALOGUE_EMPTY: "volume.uncatalogued",
    ConditionReason.CATALOGUE_HALF_MADE: "volume.uncatalogued",
    ConditionReason.UNPROVED: "release.unsound",
}


def issue_of(condition: Condition, *, at_ms: int) -> Issue:
    """It holds now; since when, nobody knows."""
    key, (message, remedy) = _KEYS[condition.reason], words(condition)
    return Issue(
        key=key,
        subject={"volume": "archive", "release": "catalogue"}.get(key.partition(".")[0], ""),
        severity=Severity.NOTICE if condition.reason is ConditionReason.UNPROVED else Severity.WARNING,
        message=message,
        remedy=remedy,
        opened_at_ms=at_ms,
    )


def words(one: Condition) -> tuple[str, str]:
    """What is wrong, and what to do."""
    match one.reason:
        case ConditionReason.CONFIG_INVALID | ConditionReason.UNPROVED:
            text = "; ".join(map(str.strip, str(one.error).splitlines()))
            said = text if one.reason is ConditionReason.CONFIG_INVALID else f"Nothing is freed: {text}."
            return said, one.error.remedy if one.error else ""
        case ConditionReason.ARCHIVE_ABSENT | ConditionReason.ARCHIVE_UNMARKED:
            return absence(one), f"{PLUG_IN} If it is there, ask `mediabox doctor`."
        case ConditionReason.CLOCK_UNSET:
            return "The clock is before 2025: it was never set since the box was switched on", CLOCK_REMEDY
        case ConditionReason.STUCK:
            what = f"mediabox is running (process {one.pid}) but has not moved for {one.silent_s:,.0f} seconds"
            return what, f"{STUCK_REMEDY} `kill -9 {one.pid}`; nothing is lost."
        case ConditionReason.HOME_FULL:
            free = bytes_words(one.free_bytes)
            what = f"Only {free} are free on the disk of the home folder {one.path}: nothing is taken in"
            return what, "Free space on that disk; the work goes on by itself."
        case ConditionReason.CATALOGUE_EMPTY | ConditionReason.CATALOGUE_HALF_MADE:
            is_empty = one.reason is ConditionReason.CATALOGUE_EMPTY
            how = "is empty beside an archive: it was lost, or" if is_empty else "is half made:"
            kept = f" (the catalogue from before is kept as {one.path})" if one.path else ""
            return f"The catalogue {how} a rebuild was cut short{kept}", "Run `mediabox rebuild`."
        case _:
            assert_never(one.reason)


def absence(one: Condition) -> str:
    """Of an archive that is not where the configuration says."""
    if one.reason is ConditionReason.ARCHIVE_ABSENT:
        return f"The archive {one.path} is not there"
    return f"The archive {one.path} has no marker of ours: an empty mount point, or another disk"
