"""Where pictures go that somebody deletes in Google Photos, and how long they stay there.

Android 11 and later have a bin of their own: MediaProvider renames the file where it lies, to
`.trashed-<Unix seconds when it goes>-NAME`, 30 days ahead, cut in the middle to 255 bytes
(`FileUtils.computeDataFromValues`, `computeDateExpires`, `PATTERN_EXPIRES_FILE` of AOSP's
packages/providers/MediaProvider, android11-release and main). Restoring takes the prefix off again, so a name
that was cut comes back cut. Idle maintenance deletes what has expired within a week, and gives what expired
earlier another week (`MediaProvider.deleteOrExtendExpiredItems`). Google Photos uses that bin
(sdmaid #4169, nextcloud/android #13052 and immich-go #287 met its files).

Up to Android 10 Google Photos keeps a bin in its own data, `files/trash_files` with `local_trash.db` (sdmaid
#1276): the file leaves the shared storage, and to Syncthing that is a deletion like any other. What was backed
up stays in it for 60 days, the rest for 30 (support.google.com/photos/answer/6128858, seen 2026-11).

Either way the account's copy goes into the account's bin. "Free up space" and Smart Storage use no bin at all.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mediabox.durable.publish import remove_file, seal
from mediabox.simulate.pixel.camera_roll import CAMERA
from mediabox.simulate.pixel.names import free_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mediabox.simulate.pixel.cloud import Cloud

FIRST_WITH_BIN = 11  # Android
_EXPIRES = re.compile(r"\.(pending|trashed)-(\d+)-([^/]+)", re.IGNORECASE)  # PATTERN_EXPIRES_FILE
_MOST_NAME_BYTES = 255
_DAY_S, _WEEK_S = 86_400, 7 * 86_400
_KEPT_DAYS, _KEPT_BACKED_UP_DAYS = 30, 60


class Binned(NamedTuple):
    """One picture in the bin. `name`: where it was, relative to the shared storage. `expires_s`: Unix seconds."""

    name: str
    path: Path
    expires_s: int


class Bin:
    """The bin of one phone, and with it the account's. Blocking; raises OSError."""

    def __init__(self, root: Path, own: Path, cloud: Cloud, *, android: int, now_ms: Callable[[], int]) -> None:
        """`root`: the shared storage. `own`: of Google Photos, where no other app looks."""
        self._root, self._own, self._cloud = root, own, cloud
        self._is_in_place = android >= FIRST_WITH_BIN
        self._now_ms = now_ms

    def put(self, name: str) -> None:
        """Delete a picture as Google Photos does. Raises FileNotFoundError."""
        backup = self._cloud.version(name, (self._root / name).stat().st_ctime_ns)
        if backup is not None:
            self._cloud.move(backup.digest, is_binned=True)
        days = _KEPT_DAYS if backup is None or self._is_in_place else _KEPT_BACKED_UP_DAYS
        expires_s = self._now_ms() // 1000 + days * _DAY_S
        _move(self._root / name, self._place(name, expires_s))

    def pictures(self) -> list[Binned]:
        """What is in it, by where it was."""
        found = self._in_place() if self._is_in_place else self._in_own()
        return sorted(found, key=lambda one: (one.name, one.expires_s))

    def restore(self, one: Binned) -> str:
        """Put it back; its name now, which is another one where the old one is taken.

        The file has another ctime then, so that this phone sends it again; the account knows its bytes.
        """
        with one.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if self._cloud.has(digest):
            self._cloud.move(digest, is_binned=False)
        path = free_name(self._root / one.name)
        _move(one.path, path)
        return path.relative_to(self._root).as_posix()

    def empty(self) -> list[str]:
        """Delete for good what is in it."""
        gone = self.pictures()
        for one in gone:
            remove_file(one.path)
        return [one.name for one in gone]

    def maintain(self, passed_s: float) -> None:
        """What Android does at night with what has expired. `passed_s`: since the last time."""
        now_s = self._now_ms() // 1000
        for one in self.pictures():
            if one.expires_s >= now_s:
                continue
            if not self._is_in_place or one.expires_s > now_s - passed_s - _WEEK_S:
                remove_file(one.path)
            else:  # the clock may be wrong
                _move(one.path, self._place(one.name, now_s + _WEEK_S))

    def used_bytes(self) -> int:
        return sum(one.path.stat().st_size for one in self.pictures())

    def _place(self, name: str, expires_s: int) -> Path:
        if not self._is_in_place:
            return self._own / str(expires_s) / name
        path = self._root / name
        return path.with_name(_cut(f".trashed-{expires_s}-{path.name}"))

    def _in_place(self) -> Iterator[Binned]:
        for path in _files(self._root / CAMERA):
            match = _EXPIRES.fullmatch(path.name)
            if match is not None and match[1].lower() == "trashed":
                name = path.with_name(match[3]).relative_to(self._root).as_posix()
                yield Binned(name, path, int(match[2]))

    def _in_own(self) -> Iterator[Binned]:
        for path in _files(self._own):
            expires, _, name = path.relative_to(self._own).as_posix().partition("/")
            yield Binned(name, path, int(expires))


def _move(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    seal(path, to)


def _files(root: Path) -> Iterable[Path]:
    return [Path(folder, name) for folder, _, names in os.walk(root) for name in names]


def _cut(name: str) -> str:
    """Characters out of the middle, three dots instead (`FileUtils.trimFilename`)."""
    if len(name.encode()) <= _MOST_NAME_BYTES:
        return name
    while len(name.encode()) > _MOST_NAME_BYTES - 3:
        name = name[: len(name) // 2] + name[len(name) // 2 + 1 :]
    return f"{name[: len(name) // 2]}...{name[len(name) // 2 :]}"
