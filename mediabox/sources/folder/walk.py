"""Walk one tree: every file at rest once, folder by folder, names sorted, little memory.

A folder's names are held while it is read (about 70 bytes each), never its files'
status; sub-folders wait as relative paths. One stat a file is the cost floor.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cache

import msgspec

from mediabox.message import message
from mediabox.model.asset import Kind, RemoteResource, Role
from mediabox.model.companions import companions_among
from mediabox.model.issue import Issue
from mediabox.model.layouts import Layouts, Reason
from mediabox.model.signature import kind_of_name
from mediabox.model.survey import SHOWN, LeftOut, Survey
from mediabox.sources.folder import names
from mediabox.sources.folder.remedies import listing_remedy
from mediabox.sources.folder.settle import Settling
from mediabox.sources.folder.tree import Tree, identity_of, version_of

MAX_COMPLAINTS = 20  # of one listing: a thousand closed folders have one cause

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FILE, _FOLDER, _LINK, _SPECIAL = "file", "folder", "link", "special"
_REASONS = {_LINK: Reason.LINK, _SPECIAL: Reason.SPECIAL}
_ARIA2 = ".aria2"  # beside a half download that has its final name already
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


class WalkFindings:
    """What a listing met besides the files it yields. Counts in = counts out (I11)."""

    def __init__(self, *, note: Callable[[Reason, str], None] | None = None) -> None:
        """`note` is given each name left out, with its path below the tree; the first few are kept."""
        self.listed = 0
        self.unreadable = 0  # folders
        self.complaints: list[Issue] = []
        self.counts: Counter[Reason] = Counter()
        self._names: dict[Reason, list[str]] = {}
        self._note = note

    def leave(self, reason: Reason, path: str) -> None:
        """Count a name that is not taken in."""
        self.counts[reason] += 1
        if self.counts[reason] <= SHOWN:
            self._names.setdefault(reason, []).append(names.display(path))
        if self._note is not None:
            self._note(reason, path)

    def survey(self) -> Survey:
        """Every name met so far."""
        left_out = [
            LeftOut(reason=reason, count=count, names=tuple(self._names[reason]))
            for reason, count in sorted(self.counts.items())
        ]
        return Survey(listed=self.listed, left_out=tuple(left_out))


class _Folder(msgspec.Struct, frozen=True):
    """A folder still to be read. With a `reason` its names are only counted."""

    path: str  # relative to the tree
    device_above: int
    reason: Reason | None = None


class Walk:
    """One pass over one tree."""

    def __init__(
        self,
        tree: Tree,
        *,
        layouts: Layouts,
        forbidden: Forbidden,
        settling: Settling,
        findings: WalkFindings,
        entered: Callable[[Tree, str], None],
    ) -> None:
        self._tree = tree
        self._layouts = layouts
        self._forbidden = forbidden
        self._settling = settling
        self._findings = findings
        self._entered = entered
        self._real = os.path.realpath(tree.path)
        self._devices: dict[str, int] = {}
        self._prefix = ""  # of the remote ids of the folder being read

    def resources(self) -> Generator[RemoteResource | None, None, None]:
        """Each file; None where there was none to yield, so that the caller may pause. Raises Away, PermissionError."""
        listed_before = self._findings.listed
        root = self._tree.open()
        try:
            pending = [_Folder("", -1)]
            while pending:
                folder = pending.pop()
                yield None
                try:
                    yield from self._read(root, folder, pending)
                except OSError as err:
                    self._fault(folder.path, err)
        finally:
            os.close(root)
        if self._findings.listed > listed_before:
            self._tree.remember(self._devices)

    def _read(self, root: int, folder: _Folder, pending: list[_Folder]) -> Iterator[RemoteResource | None]:
        descriptor = os.open(folder.path or ".", _OPEN, dir_fd=root)
        try:
            status = os.fstat(descriptor)
            if folder.path and self._is_forbidden(folder.path, status):
                self._findings.leave(Reason.ARCHIVE, folder.path)
                return
            if folder.reason is None:
                self._enter(folder, status)
            files, folders = self._names(descriptor, folder)
            pending.extend(_Folder(path, status.st_dev, reason) for path, reason in reversed(folders))
            companions = companions_among(files)
            for name in files:
                yield self._resource(descriptor, folder.path, name, is_companion=name in companions)
        finally:
            os.close(descriptor)

    def _enter(self, folder: _Folder, status: os.stat_result) -> None:
        """Watched before it is read: what comes in between is told, not missed."""
        if status.st_dev != folder.device_above:
            self._devices[folder.path] = status.st_dev
        self._entered(self._tree, folder.path)
        self._prefix = "/".join([self._tree.key, *map(names.encode, below(folder.path, "").split("/"))])

    def _names(self, descriptor: int, folder: _Folder) -> tuple[list[str], list[tuple[str, Reason | None]]]:
        """The folder's files to take in, sorted, and its sub-folders. No stat where the file system tells types."""
        with os.scandir(descriptor) as entries:
            found = sorted((entry.name, _type_of(entry)) for entry in entries)
        beside = cache(lambda: frozenset(name.casefold() for name, _ in found))
        above = (*self._real.split("/"), *folder.path.split("/")) if folder.path else self._real.split("/")
        half = {name.removesuffix(_ARIA2) for name, _ in found if name.endswith(_ARIA2)}
        files: list[str] = []
        folders: list[tuple[str, Reason | None]] = []
        for name, kind in found:
            is_folder = kind == _FOLDER
            reason = folder.reason or _REASONS.get(kind)
            reason = reason or self._layouts.reason(name, above, beside, is_folder=is_folder)
            if is_folder and not (reason and reason.is_folder):
                folders.append((below(folder.path, name), reason))
            elif reason or name in half:
                self._findings.leave(reason or Reason.UNFINISHED, below(folder.path, name))
            else:
                files.append(name)
        return files, folders

    def _resource(self, descriptor: int, folder: str, name: str, *, is_companion: bool) -> RemoteResource | None:
        try:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except FileNotFoundError:  # renamed or removed since its folder was read
            return None
        if not stat.S_ISREG(status.st_mode):
            self._findings.leave(Reason.SPECIAL, below(folder, name))
            return None
        remote_id = self._prefix + names.encode(name)
        version = version_of(status)
        if not self._settling.is_settled(remote_id, version, changed_ns=max(status.st_mtime_ns, status.st_ctime_ns)):
            self._findings.leave(Reason.CHANGING, below(folder, name))
            return None
        self._findings.listed += 1
        return RemoteResource(
            remote_id=remote_id,
            version=version,
            name=names.display(name),
            kind=Kind.SIDECAR if is_companion else kind_of_name(name),
            role=Role.COMPANION if is_companion else Role.ORIGINAL,
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


def below(folder: str, name: str) -> str:
    """The path of a name in a folder, both relative to the tree."""
    return f"{folder}/{name}" if folder else name


def _type_of(entry: os.DirEntry[str]) -> str:
    if entry.is_file(follow_symlinks=False):
        return _FILE
    if entry.is_dir(follow_symlinks=False):
        return _FOLDER
    return _LINK if entry.is_symlink() else _SPECIAL


def unreadable(path: str, err: OSError) -> Issue:
    """The complaint about a folder that cannot be listed."""
    shown, why = names.display(path), os.strerror(err.errno or 0)
    return Issue(
        key="source.unreadable",
        subject=shown,
        message=message(
            "The folder {path} is not readable: {reason}. Its content is not backed up.", path=shown, reason=why
        ),
        remedy=listing_remedy(path, err),
    )
