"""What one look at the box tells that is in no catalogue: its disks, its clock, its configuration, its process."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediabox.config.load import Config, load
from mediabox.config.problems import ConfigInvalid
from mediabox.core.home import archive_of, catalogue_before, running
from mediabox.heartbeat import Life, life_of

if TYPE_CHECKING:
    from mediabox.clock import Clock

MARKER = Path(".mediabox", "volume.json")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """At one time. `None` for room that cannot be read, and for a process that does not run or shows nothing."""

    home: Path
    at_ms: int
    is_clock_set: bool
    config: Config | None
    problem: ConfigInvalid | None  # why there is no configuration
    pid: int | None
    life: Life | None
    home_free: int | None
    archive_free: int | None
    is_archive_there: bool
    is_archive_marked: bool
    has_archived: bool  # something was archived there once
    catalogue_before: Path | None  # kept by a rebuild

    @property
    def archive(self) -> Path | None:
        """Where it is to be by the configuration."""
        return None if self.config is None else self.config.path(self.config.archive.path)


def look_around(home: Path, clock: Clock) -> Surroundings:
    config = _config(home)
    archive = None if isinstance(config, ConfigInvalid) else config.path(config.archive.path)
    pid = running(home)
    return Surroundings(
        home=home,
        at_ms=clock.wall_ms(),
        is_clock_set=clock.is_trusted(),
        config=None if isinstance(config, ConfigInvalid) else config,
        problem=config if isinstance(config, ConfigInvalid) else None,
        pid=pid,
        life=life_of(pid) if pid is not None else None,
        home_free=free_bytes(home),
        archive_free=free_bytes(archive) if archive else None,
        is_archive_there=archive is not None and archive.is_dir(),
        is_archive_marked=archive is not None and (archive / MARKER).exists(),
        has_archived=archive_of(home) is not None,
        catalogue_before=catalogue_before(home),
    )


def _config(home: Path) -> Config | ConfigInvalid:
    try:
        return load(home)
    except ConfigInvalid as error:
        return error


def free_bytes(folder: Path) -> int | None:
    """Bytes free for us on the disk of a folder; None when it cannot be read."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
