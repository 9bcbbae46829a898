"""Conditions of the moment in words, as the issues `status` shows."""

from __future__ import annotations

from typing import assert_never

from mediabox.core.queries.conditions import Condition, ConditionReason
from mediabox.message import Text, message
from mediabox.model.issue import Issue, Severity

PLUG_IN = message(
    "Reconnect or mount it. Nothing is lost; work resumes automatically. If it is connected, run `mediabox doctor`."
)
CLOCK_REMEDY = message(
    "Connect the network so that the clock can be set (`timedatectl` shows its state). Nothing expires until then."
)
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


def words(one: Condition) -> tuple[Text, Text]:
    """What is wrong, and what to do."""
    match one.reason:
        case ConditionReason.CONFIG_INVALID | ConditionReason.UNPROVED:
            text = "; ".join(map(str.strip, str(one.error).splitlines()))
            is_config = one.reason is ConditionReason.CONFIG_INVALID
            reason = text if is_config else message("Removal from iCloud is blocked: {reason}.", reason=text)
            return reason, one.error.remedy if one.error else ""
        case ConditionReason.ARCHIVE_ABSENT | ConditionReason.ARCHIVE_UNMARKED:
            return absence(one), PLUG_IN
        case ConditionReason.CLOCK_UNSET:
            return message(
                "The system clock is before 2025: it has not been set since the box was started"
            ), CLOCK_REMEDY
        case ConditionReason.STUCK:
            return _stuck(one)
        case ConditionReason.HOME_FULL:
            return (
                message(
                    "Only {free:bytes} free on the disk of the home folder {path}: no photos are taken in",
                    free=one.free_bytes,
                    path=one.path,
                ),
                message("Free up space on that disk; work resumes automatically."),
            )
        case ConditionReason.CATALOGUE_EMPTY | ConditionReason.CATALOGUE_HALF_MADE:
            return _uncatalogued(one), message("Run `mediabox rebuild`.")
        case _:
            assert_never(one.reason)


def _stuck(one: Condition) -> tuple[Text, Text]:
    return (
        message(
            "mediabox is running (process {pid}) but has not responded for {silent:duration}",
            pid=str(one.pid),
            silent=one.silent_s,
        ),
        message(
            "Check for a disk or network share that does not respond. If that does not help, restart mediabox: "
            "`systemctl restart mediabox`, or `kill -9 {pid}`. Nothing is lost.",
            pid=str(one.pid),
        ),
    )


def _uncatalogued(one: Condition) -> Text:
    if one.reason is ConditionReason.CATALOGUE_EMPTY:
        what = message("The catalogue is empty but there is an archive: it was lost, or a rebuild was interrupted")
    else:
        what = message("The catalogue is incomplete: a rebuild was interrupted")
    return message("{what} (the previous catalogue is kept as {path})", what=what, path=one.path) if one.path else what


def absence(one: Condition) -> Text:
    """Of an archive that is not where the configuration says."""
    if one.reason is ConditionReason.ARCHIVE_ABSENT:
        return message("The archive {path} is missing", path=one.path)
    return message("The archive {path} has no mediabox marker: an empty mount point, or another disk", path=one.path)
