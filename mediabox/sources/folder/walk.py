"""Walk one tree: every file at rest once, folder by folder, names sorted, little memory.

A folder's names are held while it is read (about 70 bytes each), never its files'
status; sub-folders wait as relative paths. One stat a file is the cost floor.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Generator, Iterator, Sequence

import msgspec

from mediabox.contracts import Complaint
from mediabox.model.asset import RemoteResource
from mediabox.model.signature import kind_of_name
from mediabox.sources.folder import names
from mediabox.sources.folder.settle import Settling
from mediabox.sources.folder.tree import Tree, identity_of, remedy, version_of

MAX_COMPLAINTS = 20  # of one listing: a thousand closed folders have one cause

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class Forbidden(msgspec.Struct, frozen=True, kw_only=True):
    """Folders that are never entered: archive and home, and trees walked on their own.

    By resolved path and by identity (st_dev, st_ino): a bind mount has another path, a
    folder whose disk is away has no identity.
    """

    paths: frozenset[str]
    identities: frozenset[tuple[int, int]]

    @classmethod
    def of(cls, folders: Sequence[str]) -> "Forbidden":
        paths = frozenset(map(os.path.realpath, folders))
        identities = frozenset(found for path in paths if (found := identity_of(path)) is not None)
        return cls(paths=paths, identities=identities)

    def __or__(self, other: "Forbidden") -> "Forbidden":
        return Forbidden(paths=self.paths | other.paths, identities=self.identities | other.identities)

    def covers(self, path: str) -> bool:
        """Whether `path` is one of them or below one."""
        real = os.path.realpath(path)
        below = any(real == root or real.startswith(root.rstrip("/") + "/") for root in self.paths)
        return below or identity_of(real) in self.identities


class Findings:
    """What a listing met besides the files it yields. Counts in = counts out (I11)."""

    def __init__(self) -> None:
        self.listed = 0
        self.links = 0  # symbolic links, not followed
        self.special = 0  # pipes, sockets, devices
        self.excluded = 0  # left out by name, or a forbidden folder
        self.unreadable = 0  # folders
        self.complaints: list[Complaint] = []


class Walk:
    """One pass over one tree."""

    def __init__(
        self,
        tree: Tree,
        *,
        exclude: re.Pattern[str],
        forbidden: Forbidden,
        settling: Settling,
        findings: Findings,
        entered: Callable[[Tree, str], None],
    ) -> None:
        self._tree = tree
        self._exclude = exclude
        self._forbidden = forbidden
        self._settling = settling
        self._findings = findings
        self._entered = entered
        self._real = os.path.realpath(tree.path)
        self._devices: dict[str, int] = {}

    def resources(self) -> Generator[RemoteResource | None, None, None]:
        """Each file; None where there was none to yield, so that the caller may pause. Raises Away, PermissionError."""
        listed_before = self._findings.listed
        root = self._tree.open()
        try:
            pending: list[tuple[str, int]] = [("", -1)]  # relative path, device of the folder above
            while pending:
                folder, device_above = pending.pop()
                yield None
                try:
                    yield from self._folder(root, folder, device_above, pending)
                except OSError as err:
                    self._fault(folder, err)
        finally:
            os.close(root)
        if self._findings.listed > listed_before:
            self._tree.remember(self._devices)

    def _folder(
        self, root: int, folder: str, device_above: int, pending: list[tuple[str, int]]
    ) -> Iterator[RemoteResource | None]:
        descriptor = os.open(folder or ".", _OPEN, dir_fd=root)
        try:
            status = os.fstat(descriptor)
            if folder and self._is_forbidden(folder, status):
                self._findings.excluded += 1
                return
            if status.st_dev != device_above:
                self._devices[folder] = status.st_dev
            # Watched before it is read: what comes in between is told, not missed.
            self._entered(self._tree, folder)
            files, folders = self._names(descriptor)
            below = f"{folder}/" if folder else ""
            pending.extend((below + name, status.st_dev) for name in sorted(folders, reverse=True))
            prefix = "/".join([self._tree.key, *map(names.encode, below.split("/"))])
            for name in files:
                yield self._resource(descriptor, prefix, name)
        finally:
            os.close(descriptor)

    def _names(self, descriptor: int) -> tuple[list[str], list[str]]:
        """The folder's file names, sorted, and its sub-folders'. No stat where the file system tells types."""
        files: list[str] = []
        folders: list[str] = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if self._exclude.match(entry.name):
                    self._findings.excluded += 1
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_symlink():
                    self._findings.links += 1
                else:
                    self._findings.special += 1
        files.sort()
        return files, folders

    def _resource(self, folder: int, prefix: str, name: str) -> RemoteResource | None:
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:  # renamed or removed since its folder was read
            return None
        if not stat.S_ISREG(status.st_mode):
            self._findings.special += 1
            return None
        remote_id = prefix + names.encode(name)
        version = version_of(status)
        if not self._settling.is_settled(remote_id, version, changed_ns=max(status.st_mtime_ns, status.st_ctime_ns)):
            return None
        self._findings.listed += 1
        return RemoteResource(
            remote_id=remote_id,
            version=version,
            name=names.display(name),
            kind=kind_of_name(name),
            size_bytes=status.st_size,
            modified_at_ms=status.st_mtime_ns // 1_000_000,
        )

    def _is_forbidden(self, folder: str, status: os.stat_result) -> bool:
        identity = (status.st_dev, status.st_ino)
        return identity in self._forbidden.identities or os.path.join(self._real, folder) in self._forbidden.paths

    def _fault(self, folder: str, err: OSError) -> None:
        """Go on past a folder that cannot be read, aloud; stop when the whole disk is away."""
        if err.errno in _VANISHED:
            return
        if self._tree.is_disk_away(err):
            raise self._tree.away(os.strerror(err.errno or 0)) from err
        self._findings.unreadable += 1
        if self._findings.unreadable <= MAX_COMPLAINTS:
            self._findings.complaints.append(unreadable(os.path.join(self._tree.path, folder), err))


def unreadable(path: str, err: OSError) -> Complaint:
    """The complaint about a folder that cannot be listed."""
    shown, why = names.display(path), os.strerror(err.errno or 0)
    denied = err.errno in {errno.EACCES, errno.EPERM}
    return Complaint(
        key="source.unreadable",
        subject=shown,
        message=f"The folder {shown} could not be listed: {why}. What is in it is not backed up.",
        remedy=remedy(path) if denied else "Check the disk and its cable; the system's log (dmesg) says more.",
    )
