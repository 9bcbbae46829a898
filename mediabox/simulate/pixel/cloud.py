"""Everything the account has in Google Photos: one JSON line for each upload, in the order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.simulate.pixel.generation import Quality

if TYPE_CHECKING:
    from pathlib import Path


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the phone that was backed up. Times in Unix ms of the phone's own clock."""

    name: str  # on the phone
    digest: str  # SHA-256 of what was sent
    size_bytes: int
    at_ms: int
    media_type: str
    quality: Quality
    is_reduced: bool  # Google keeps less than was sent
    counts_quota: bool
    is_again: bool  # the account had these very bytes: recognised, not kept twice
    changed_at_ns: int  # which version of the file


class Cloud:
    """Kept in a file, so that it outlives the phone. Blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._backups = self._read()
        self._digests = {backup.digest for backup in self._backups}
        self._versions = {(backup.name, backup.changed_at_ns) for backup in self._backups}

    def backups(self) -> list[Backup]:
        return list(self._backups)

    def has(self, digest: str) -> bool:
        return digest in self._digests

    def has_version(self, name: str, changed_at_ns: int) -> bool:
        """Whether this version of this file is backed up."""
        return (name, changed_at_ns) in self._versions

    def add(self, backup: Backup) -> None:
        with self._path.open("ab") as file:  # one write: a line is there, or it is not
            file.write(msgspec.json.encode(backup) + b"\n")
        self._backups.append(backup)
        self._digests.add(backup.digest)
        self._versions.add((backup.name, backup.changed_at_ns))

    def _read(self) -> list[Backup]:
        """A last line that was cut short never happened."""
        try:
            with self._path.open("r+b") as file:
                content = file.read()
                whole = content[: content.rfind(b"\n") + 1]
                file.truncate(len(whole))
        except FileNotFoundError:
            return []
        return [msgspec.json.decode(line, type=Backup) for line in whole.splitlines()]
