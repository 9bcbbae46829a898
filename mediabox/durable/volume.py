"""A disk we keep copies on, known by a marker of ours and never taken for another.

After `umount -l`, or when a disk is unplugged, its mount point is an empty directory
on the system disk that takes every write, and descriptors opened before go on
"succeeding". So everything goes through one descriptor of the volume's root, and
`prove` shows, before each batch of writes, that path, descriptor and marker are still
the same place (invariant I5). A marker is written once, by `enroll`, and never again.
"""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from mediabox.durable.descriptors import DIRECTORY, READ, open_descriptor, sync_folder
from mediabox.durable.filesystem import missing_mount
from mediabox.durable.marker import (
    FOLDER,
    MARKER,
    Identity,
    away,
    created,
    expected_marker,
    foreign,
    opened,
    read_marker,
    refuse_system_folder,
    write_marker,
)
from mediabox.durable.refusal import refusal
from mediabox.durable.temporary import is_temporary
from mediabox.errors import MediaboxError, NeedsHuman
from mediabox.message import message

__all__ = ["FOLDER", "MARKER", "Identity", "Volume", "inside"]

RESERVE_PERCENT = 2.0
_RESERVE_BYTES = 512_000_000  # room for journal and recovery; on a volume under 8 GB it would be too much to ask
_SMALL_VOLUME_BYTES = 8_000_000_000


class Volume:
    """An open, proven volume. Paths given to it are relative to its root, '/'-separated. Safe to share between threads.

    `root` is where people find it, `name` what messages call it. Methods raise Away
    when it is not there, NeedsHuman when only a person can help.
    """

    def __init__(self, root: Path, identity: Identity, *, fd: int, name: str, reserve_percent: float) -> None:
        """Used by `enroll` and `open`. `fd` is a descriptor of the root, owned from now on.

        `reserve_percent` of the volume stays free, at least 512 MB where it holds 8 GB and more; 0: no reserve.
        """
        self.root = root
        self._path = str(root)  # a Path costs 1 µs more at each stat
        self.identity = identity
        self.name = name
        self.fd = fd
        self._reserve_percent = reserve_percent
        self.needs_placeholders = False  # it can neither link nor rename without overwriting: see `names`
        try:
            self._place = _place_of(os.fstat(fd))
            self._marker = _version_of(os.stat(MARKER, dir_fd=fd))
        except OSError as err:  # pulled between reading the marker and here
            raise away(root, name, err.strerror or message("its marker disappeared")) from err
        self.epoch = 0  # how often the volume was taken up again; see `prove`
        self._durable: dict[str, int] = {}  # directory -> inode, of those whose name is known to be on disk
        self._lock = threading.Lock()

    @classmethod
    def enroll(
        cls, root: Path, *, now_ms: int, name: str = "archive", reserve_percent: float = RESERVE_PERCENT
    ) -> Self:
        """Put a marker on a volume never used before, or adopt the one that is there.

        Creates `root` when its parent exists. Raises Away when the disk that should be
        there is not mounted, NeedsHuman `volume.foreign` for a system folder, a folder
        that is not writable, and a volume of ours whose marker was removed.
        """
        root = root.resolve()
        refuse_system_folder(root, name)
        if (absent := missing_mount(root)) is not None:
            raise away(
                root,
                name,
                message("{path} is a mount point in /etc/fstab, and nothing is mounted there", path=str(absent)),
            )
        descriptor = created(root, name)
        try:
            identity = read_marker(descriptor, root, name)
            if identity is None:
                identity = write_marker(descriptor, root, name, now_ms=now_ms)
            return cls(root, identity, fd=descriptor, name=name, reserve_percent=reserve_percent)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def open(
        cls, root: Path, *, expected: Identity, name: str = "archive", reserve_percent: float = RESERVE_PERCENT
    ) -> Self:
        """Open a volume enrolled before. Never writes.

        Raises Away when root or marker is missing (an unplugged disk leaves an empty
        mount point), NeedsHuman `volume.foreign` when another volume is in its place.
        """
        root = root.resolve()
        descriptor = opened(root, name)
        try:
            identity = expected_marker(descriptor, root, name, expected=expected)
            return cls(root, identity, fd=descriptor, name=name, reserve_percent=reserve_percent)
        except BaseException:
            os.close(descriptor)
            raise

    def close(self) -> None:
        """Let go of the root. May be repeated."""
        with self._lock:
            if self.fd >= 0:
                os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ is it there, is there room

    def prove(self, *, since: int | None = None) -> None:
        """Show that path, descriptor and marker are still this volume: two stat calls, about 2 µs.

        A volume that came back at the same path is taken up again, keeping the
        descriptor's number. What was seen or written before that may have been on
        another mount: pass the `epoch` read before it as `since`, and Away is raised.
        Raises Away, or NeedsHuman `volume.foreign`.
        """
        try:
            place: tuple[int, int] | None = _place_of(os.stat(self._path))
            marker = _version_of(os.stat(MARKER, dir_fd=self.fd)) if place == self._place else None
        except OSError:  # whichever of the two is gone, `_prove_again` finds out and says so
            place = marker = None
        if place != self._place or marker != self._marker:
            self._prove_again()
        if since is not None and since != self.epoch:
            raise away(self.root, self.name, message("it was disconnected and reconnected in the meantime"))

    def _prove_again(self) -> None:
        """The slow way: open the path anew and read the marker. Invariant: `fd` changes only to a proven root."""
        with self._lock:
            descriptor = opened(self.root, self.name)
            try:
                identity = expected_marker(descriptor, self.root, self.name, expected=self.identity)
                if identity != self.identity:
                    raise foreign(self.root, self.name, message("its marker is from another setup of the same disk"))
                place = _place_of(os.fstat(descriptor))
                if place != self._place:
                    os.dup2(descriptor, self.fd, inheritable=False)
                    self._durable.clear()
                    self.epoch += 1  # before `_place`: whoever finds the new place also finds the new epoch
                self._place, self._marker = place, _version_of(os.stat(MARKER, dir_fd=descriptor))
            except OSError as err:
                raise away(self.root, self.name, err.strerror or message("its marker disappeared")) from err
            finally:
                os.close(descriptor)

    def ensure_room(self, wanted_bytes: int) -> None:
        """Raise NeedsHuman `volume.full` unless `wanted_bytes` fit and the reserve stays free (invariant I21)."""
        with self.refusals("measure free space"):
            room = os.fstatvfs(self.fd)
        free_bytes = room.f_bavail * room.f_frsize
        reserve_bytes = self._reserve_of(room.f_blocks * room.f_frsize)
        if free_bytes - wanted_bytes < reserve_bytes:
            lack = message(
                "{wanted:bytes} needed, {free:bytes} free, of which {reserve:bytes} stay free",
                wanted=wanted_bytes,
                free=free_bytes,
                reserve=reserve_bytes,
            )
        elif room.f_files and not room.f_favail:  # file systems without a fixed inode table report 0 files
            lack = message("no free inode for another file")
        else:
            return
        what = message(
            "the disk of the {volume} ({root}) is full: {lack}", volume=self.name, root=str(self.root), lack=lack
        )
        is_kept_back = self._reserve_percent != RESERVE_PERCENT and free_bytes >= wanted_bytes
        remedy = (
            message("Free up space, move the archive to a larger disk, or lower reserve_percent in [archive].")
            if is_kept_back
            else message("Free up space, or move the archive to a larger disk.")
        )
        raise NeedsHuman(what, issue="volume.full", subject=self.name, remedy=remedy)

    def _reserve_of(self, total_bytes: int) -> int:
        share = int(total_bytes * self._reserve_percent / 100)
        return max(share, _RESERVE_BYTES) if share and total_bytes >= _SMALL_VOLUME_BYTES else share

    @contextmanager
    def refusals(self, attempt: str) -> Iterator[None]:
        """Translate OSError inside the block; FileExistsError passes, because callers decide on it."""
        try:
            yield
        except FileExistsError:
            raise
        except OSError as err:
            raise self.refused(err, attempt) from err

    def refused(self, err: OSError, attempt: str) -> MediaboxError | OSError:
        """What to raise for `err`. Raises Away itself when the volume turns out to be gone: that explains any error."""
        if err.errno not in (errno.ENOSPC, errno.EDQUOT):
            self.prove()
        return refusal(err, volume=self.name, place=str(self.root), attempt=attempt) or err

    # ------------------------------------------------------------ names below the root

    def makedirs(self, relative: str) -> None:
        """Make a directory and its parents, each one's name durable. May be repeated.

        A directory that exists may still be known to the page cache alone (a process
        killed between mkdir and fsync), so the first meeting with each syncs its parent.
        """
        if not relative or self._is_durable(relative):
            return
        parent = inside(relative).rpartition("/")[0]
        self.makedirs(parent)
        with self.refusals(f"create folder {relative}"):
            try:
                os.mkdir(relative, 0o755, dir_fd=self.fd)
            except FileExistsError:
                self._require_directory(relative)
            self.sync_directory(parent)
            self._durable[relative] = os.stat(relative, dir_fd=self.fd, follow_symlinks=False).st_ino

    def _is_durable(self, relative: str) -> bool:
        known = self._durable.get(relative)
        if known is None:
            return False
        try:
            return os.stat(relative, dir_fd=self.fd, follow_symlinks=False).st_ino == known
        except OSError:  # removed by hand meanwhile, or gone: the way through mkdir tells which
            return False

    def _require_directory(self, relative: str) -> None:
        if not stat.S_ISDIR(os.stat(relative, dir_fd=self.fd, follow_symlinks=False).st_mode):
            raise NeedsHuman(
                message("{path} in {root} is not a folder", path=relative, root=str(self.root)),
                issue="volume.obstructed",
                subject=self.name,
                remedy=message("Move that file elsewhere; mediabox needs a folder of this name."),
            )

    def sync_directory(self, relative: str) -> None:
        """Make the names in one directory durable. Raises OSError; `DirectorySync` is the way for many threads."""
        sync_folder(relative or ".", dir_fd=self.fd)

    def stat(self, relative: str) -> os.stat_result:
        """Of the name itself, links not followed. Raises FileNotFoundError on a proven volume only, else Away."""
        epoch = self.epoch
        try:
            return os.stat(inside(relative), dir_fd=self.fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError) as err:
            self.prove(since=epoch)
            raise FileNotFoundError(errno.ENOENT, "no such file", relative) from err
        except OSError as err:
            raise self.refused(err, f"look at {relative}") from err

    def exists(self, relative: str) -> bool:
        """Whether there is such a name. False is evidence: the volume was proven (I5)."""
        try:
            self.stat(relative)
        except FileNotFoundError:
            return False
        return True

    def walk(self, relative: str = "") -> Iterator[tuple[str, os.stat_result]]:
        """Every regular file with its stat, by name, without our own folder and temps. Links are not followed.

        A walk that ends without an error is complete, and the volume was proven after it.
        """
        epoch, folders = self.epoch, [relative]
        while folders:
            folder = folders.pop()
            below: list[str] = []
            for name, status in self._entries(folder):
                path = f"{folder}/{name}" if folder else name
                if stat.S_ISDIR(status.st_mode):
                    below.append(path)
                elif stat.S_ISREG(status.st_mode) and not is_temporary(name):
                    yield path, status
            folders += [path for path in reversed(below) if path != FOLDER]
        self.prove(since=epoch)

    def _entries(self, folder: str) -> list[tuple[str, os.stat_result]]:
        attempt = f"list folder {folder or '.'}"
        with self.opened(folder, attempt, DIRECTORY | os.O_NOFOLLOW) as descriptor, os.scandir(descriptor) as entries:
            return sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)

    @contextmanager
    def opened(self, relative: str, attempt: str, flags: int = READ) -> Iterator[int]:
        """A descriptor of a file, or of a folder, for as long as the block lasts. OSError in it as in `refusals`."""
        with self.refusals(attempt), open_descriptor(relative or ".", flags, dir_fd=self.fd) as descriptor:
            yield descriptor

    def open_file(self, relative: str) -> int:
        """A read-only descriptor of a file, the caller closes it. Raises Away, NeedsHuman; Retryable: lost."""
        with self.refusals(f"open {relative}"):
            return os.open(relative, READ, dir_fd=self.fd)

    def read(self, relative: str, most_bytes: int = -1) -> bytes:
        """The first bytes of a file, all if not said how many. Raises as `open_file`."""
        with self.refusals(f"read {relative}"), open(self.open_file(relative), "rb") as file:
            return file.read(most_bytes)


def inside(relative: str) -> str:
    """The path itself when it stays below the root. Raises ValueError: a path from outside reached us (I15)."""
    if "\0" not in relative and not {"", ".", ".."} & set(relative.split("/")):  # "" also stands for a leading slash
        return relative
    message = f"not a path below a volume's root: {relative!r}"
    raise ValueError(message)


def _place_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _version_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino, status.st_mtime_ns
