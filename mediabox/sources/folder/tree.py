"""One folder of the source: opened by descriptor, never left by name, and never mistaken for an empty mount point."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from mediabox.errors import Away, Gone, MediaboxError, Permanent, Retryable
from mediabox.message import Text, message
from mediabox.sources.folder import names
from mediabox.sources.folder.remedies import permission_remedy

# How the kernel says that a disk, a card or a server went away under an open or known path.
_AWAY = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENOTCONN,  # a FUSE daemon died
        errno.ESTALE,  # an NFS server forgot the handle
        errno.EIO,  # a USB disk was pulled
        errno.ENODEV,
        errno.ENXIO,
        errno.ENOMEDIUM,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ETIMEDOUT,
        errno.ECONNABORTED,
        errno.ECONNRESET,
        errno.ECONNREFUSED,
        errno.ESHUTDOWN,
        errno.EREMOTEIO,
    }
)
RECONNECT = message("Reconnect or mount the disk. Nothing is lost; work resumes automatically.")
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})  # ELOOP: a link stands there now
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK
_STEP = os.O_RDONLY | _FOLDER | os.O_NOFOLLOW  # not O_PATH: who removes a file syncs its folder
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # O_NONBLOCK: a FIFO must not hang us


def version_of(status: os.stat_result) -> str:
    """Size and mtime. No inode: a copy, a restore or a remounted network share renumbers every file."""
    return f"{status.st_size}-{status.st_mtime_ns}"


class Tree:
    """A folder with everything below it. `part` is what is away when it is."""

    def __init__(self, path: str, *, part: str) -> None:
        self.path = os.path.normpath(path)
        self.key = names.tree_key(self.path)
        self.shown = names.display(self.path)
        self.part = part
        # st_dev of the tree ("") and of each disk mounted below it, as of the last listing that found files.
        self._held: dict[str, int] = {}

    def open(self) -> int:
        """A descriptor of the tree's folder. Raises Away when it cannot be the one we know, PermissionError."""
        try:
            root = os.open(self.path, os.O_RDONLY | _FOLDER)
        except PermissionError:
            raise
        except OSError as err:
            raise self.away(os.strerror(err.errno or 0)) from err
        try:
            self._refuse_bare(root)
        except BaseException:
            os.close(root)
            raise
        return root

    def away(self, reason: Text) -> Away:
        return Away(message("{path}: {reason}", path=self.shown, reason=reason), part=self.part, remedy=RECONNECT)

    def remember(self, devices: dict[str, int]) -> None:
        """Files were found on these disks, by their folder's relative path."""
        self._held |= devices

    def identity(self) -> tuple[int, int] | None:
        """Which folder stands at the path now; None for none."""
        return identity_of(self.path)

    @contextmanager
    def folder_of(self, parts: tuple[str, ...]) -> Iterator[int]:
        """A descriptor of the folder that holds the file, for openat. Raises Away, Gone, Permanent, Retryable."""
        folder = self._descend(parts)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def file(self, parts: tuple[str, ...]) -> Iterator[tuple[int, os.stat_result]]:
        """A read-only descriptor of a regular file, and its status. Raises Away, Gone, Permanent, Retryable."""
        with self.folder_of(parts) as folder:
            try:
                descriptor = _open_unseen(parts[-1], folder)
            except OSError as err:
                raise self.translate(err, parts) from err
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Permanent(message("{path} is not a regular file", path=show(parts)))
            yield descriptor, status
        finally:
            os.close(descriptor)

    def translate(self, err: OSError, parts: tuple[str, ...]) -> MediaboxError:
        """What an error met at or on the way to a file means for it."""
        reason = os.strerror(err.errno or 0)
        match err.errno:
            case code if code in _GONE:
                return self._absent(parts)
            case errno.EACCES | errno.EPERM:
                remedy = permission_remedy(os.path.join(self.path, *parts))
                return Permanent(message("{path} is not readable. {remedy}", path=show(parts), remedy=remedy))
            case errno.ENAMETOOLONG:
                return Permanent(
                    message("the path of {path} is too long; shorten the names of its folders", path=show(parts))
                )
            case _ if self.is_disk_away(err):
                return self.away(reason)
            case errno.ENXIO | errno.ENODEV:
                return Permanent(message("{path} is not a regular file", path=show(parts)))
            case _:
                return Retryable(message("{path}: {reason}", path=show(parts), reason=reason))

    def is_disk_away(self, err: OSError) -> bool:
        """Whether an error met below the tree means that its disk or server went away, not that one file is bad."""
        return err.errno in _AWAY - _GONE and _is_empty(self.path)

    def _descend(self, parts: tuple[str, ...]) -> int:
        """Open each component without following links, so that nothing can lead out of the tree."""
        try:
            folder = self.open()
        except PermissionError as err:
            remedy = permission_remedy(self.path)
            raise Permanent(message("{path} is not readable. {remedy}", path=self.shown, remedy=remedy)) from err
        for part in parts[:-1]:
            try:
                deeper = os.open(part, _STEP, dir_fd=folder)
            except OSError as err:
                raise self.translate(err, parts) from err
            finally:
                os.close(folder)
            folder = deeper
        return folder

    def _refuse_bare(self, root: int) -> None:
        """Raise Away when the disk that held the tree's files is not mounted there now (safety model, I5)."""
        held = self._held.get("")
        if held is not None and os.fstat(root).st_dev != held and _is_empty(root):
            raise self.away(message("the folder is empty and on another disk; the disk with the files is not mounted"))

    def _absent(self, parts: tuple[str, ...]) -> MediaboxError:
        """Away unless every disk the path crosses is the one that was listed: only then is absence evidence."""
        if not self._held and _is_empty(self.path):
            return self.away(message("the folder is empty; the disk with the files may not be mounted"))
        relative = "/".join(parts)
        for folder, device in self._held.items():
            if folder and not relative.startswith(folder + "/"):
                continue
            try:
                now = os.stat(os.path.join(self.path, folder)).st_dev
            except OSError as err:
                return self.away(
                    message("{path}: {reason}", path=names.display(folder), reason=os.strerror(err.errno or 0))
                )
            if now != device:
                return self.away(
                    message("another disk is mounted instead of the one with {path}", path=names.display(relative))
                )
        return Gone(message("{path} no longer exists; it was listed earlier", path=show(parts)))


def identity_of(path: str) -> tuple[int, int] | None:
    """Which file or folder stands at `path` (st_dev, st_ino), whatever its name; None for none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def show(parts: tuple[str, ...]) -> str:
    """A file's path below its tree, for a person."""
    return names.display("/".join(parts))


def _is_empty(folder: str | int) -> bool:
    """Whether a folder has no entry, or cannot be read at all for another reason than its permissions."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except PermissionError:
        return False
    except OSError:
        return True


def _open_unseen(name: str, folder: int) -> int:
    """Open without touching the access time, where that is allowed: only the owner and root may (open(2))."""
    try:
        return os.open(name, _FILE | os.O_NOATIME, dir_fd=folder)
    except PermissionError:
        return os.open(name, _FILE, dir_fd=folder)
