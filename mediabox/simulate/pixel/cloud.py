"""Everything that arrived in the account's Google Photos: one JSON line for each upload, in that order.

What was deleted there since is in a file beside it: one line for each time something went into the bin or came back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from mediabox.simulate.pixel.generation import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Line = TypeVar("Line", bound=msgspec.Struct)


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


class _Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Into the account's bin, or out of it again."""

    digest: str
    is_binned: bool


class Cloud:
    """Kept in files, so that it outlives the phone. Blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._moves_path = path.with_suffix(".bin.jsonl")
        self._backups = _lines(path, Backup)
        self._binned = {move.digest for move in self._moves() if move.is_binned}
        self._digests = {backup.digest for backup in self._backups}
        self._versions = {(backup.name, backup.changed_at_ns) for backup in self._backups}

    def backups(self) -> list[Backup]:
        return list(self._backups)

    def kept(self) -> list[Backup]:
        """Without what is in the account's bin, or has been emptied from it."""
        return [backup for backup in self._backups if backup.digest not in self._binned]

    def move(self, digest: str, *, is_binned: bool) -> None:
        """Into the bin, or out of it."""
        _add_line(self._moves_path, _Moved(digest=digest, is_binned=is_binned))
        (self._binned.add if is_binned else self._binned.discard)(digest)

    def has(self, digest: str) -> bool:
        return digest in self._digests

    def has_version(self, name: str, changed_at_ns: int) -> bool:
        """Whether this version of this file is backed up."""
        return (name, changed_at_ns) in self._versions

    def version(self, name: str, changed_at_ns: int) -> Backup | None:
        """The upload of this version of this file."""
        found = (one for one in self._backups if (one.name, one.changed_at_ns) == (name, changed_at_ns))
        return next(found, None)

    def add(self, backup: Backup) -> None:
        """What is uploaded again comes out of the bin, too."""
        _add_line(self._path, backup)
        if backup.digest in self._binned:
            self.move(backup.digest, is_binned=False)
        self._backups.append(backup)
        self._digests.add(backup.digest)
        self._versions.add((backup.name, backup.changed_at_ns))

    def _moves(self) -> Iterable[_Moved]:
        """The last of each picture."""
        return {move.digest: move for move in _lines(self._moves_path, _Moved)}.values()


def _add_line(path: Path, value: msgspec.Struct) -> None:
    with path.open("ab") as file:  # one write: a line is there, or it is not
        file.write(msgspec.json.encode(value) + b"\n")


def _lines(path: Path, kind: type[Line]) -> list[Line]:
    """A last line that was cut short never happened."""
    try:
        with path.open("r+b") as file:
            content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            file.truncate(len(whole))
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=kind) for line in whole.splitlines()]
