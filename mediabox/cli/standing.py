"""What is wrong at this moment, and would be in no catalogue: nobody may be running who could write it down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from mediabox.cli.words import bytes_words
from mediabox.clock import Clock
from mediabox.config.problems import ConfigInvalid
from mediabox.core import soundness
from mediabox.core.enrolment import REBUILDING
from mediabox.core.governor import HOME_RESERVE_BYTES
from mediabox.core.home import archive_of, kept_words, running
from mediabox.core.parts import PLUG_IN
from mediabox.model.issue import Issue, Severity
from mediabox.probes.home_room import free_bytes
from mediabox.store import journal, volumes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from mediabox.config.load import Config
    from mediabox.model.status import Status

MARKER = Path(".mediabox", "volume.json")
STUCK_REMEDY = (
    "A disk or share that does not answer can hold it up: check those first. If it stays so, restart it: "
    "`systemctl restart mediabox`, or by hand"
)
CLOCK_REMEDY = "Connect the network so that it can be set (timedatectl shows its state). Nothing expires until then."


def found_now(home: Path, found: Status, config: Config | ConfigInvalid, *, has_archive: bool) -> Iterator[Issue]:
    """Issues of the configuration, the clock, the disks and the process. `has_archive`: the catalogue knows one."""
    now_ms = found.at_ms
    if isinstance(config, ConfigInvalid):
        yield _issue("config.invalid", "; ".join(map(str.strip, str(config).splitlines())), config.remedy, now_ms)
    elif has_archive and (missing := absence(config)) is not None:
        yield _issue(
            "volume.missing", missing, f"{PLUG_IN} If it is there, ask `mediabox doctor`.", now_ms, subject="archive"
        )
    if not Clock().is_trusted():
        what = "The clock is before 2025: it was never set since the box was switched on"
        yield _issue("clock.unset", what, CLOCK_REMEDY, now_ms)
    if (stuck_s := found.stuck_s) is not None:
        what = f"mediabox is running (process {found.pid}) but has not moved for {stuck_s:,.0f} seconds"
        yield _issue("daemon.stuck", what, f"{STUCK_REMEDY} `kill -9 {found.pid}`; nothing is lost.", now_ms)
    free = free_bytes(home)
    if free is not None and free < HOME_RESERVE_BYTES:
        what = f"Only {bytes_words(free)} are free on the disk of the home folder {home}: nothing is taken in"
        yield _issue("home.full", what, "Free space on that disk; the work goes on by itself.", now_ms)


def half_made(home: Path, connection: sqlite3.Connection, now_ms: int) -> Iterator[Issue]:
    """The issue of a catalogue that a rebuild left unfinished, or empty beside an archive."""
    is_empty = volumes.enrolled(connection, "archive") is None and archive_of(home) is not None
    if running(home) or not (is_empty or volumes.switch(connection, REBUILDING)):
        return
    how = "is empty beside an archive: it was lost, or" if is_empty else "is half made:"
    what = f"The catalogue {how} a rebuild was cut short{kept_words(home)}"
    yield _issue("volume.uncatalogued", what, "Run `mediabox rebuild`.", now_ms, subject="archive")


def unproved(config: Config | ConfigInvalid, connection: sqlite3.Connection, now_ms: int) -> Iterator[Issue]:
    """The notice that frees nothing until everything was proved once. None where nothing is ever freed."""
    if not isinstance(config, ConfigInvalid) and config.release.enabled and journal.is_unsigned(connection):
        issue = soundness.issue_of(soundness.unsigned(connection))
        yield structs.replace(issue, severity=Severity.NOTICE, opened_at_ms=now_ms)


def absence(config: Config) -> str | None:
    """Why the archive cannot be where the configuration says, as far as one look tells; None when it can."""
    root = config.path(config.archive.path)
    if not root.is_dir():
        return f"The archive {root} is not there"
    if not (root / MARKER).exists():
        return f"The archive {root} has no marker of ours: an empty mount point, or another disk"
    return None


def _issue(key: str, message: str, remedy: str, now_ms: int, *, subject: str = "") -> Issue:
    return Issue(
        key=key, subject=subject, severity=Severity.WARNING, message=message, remedy=remedy, opened_at_ms=now_ms
    )
