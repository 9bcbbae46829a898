"""The disk behind `forgetful`: kept in memory, twice. What programs see, and what a power cut leaves.

A file's bytes are durable after fsync(file); a name, and its file's mode and time, only
after fsync(folder), which is all that POSIX promises. A cut draws lots for the rest:
with probability `luck` an unsynced change reached the disk anyway, each on its own
(so both names of an unsynced rename may be there, or neither: harsher than ext4).
"""

import errno
import os
import pickle
import random
import stat
import sys
import threading
import time
from multiprocessing.connection import Listener
from pathlib import Path

import mfusepy

_CAPACITY_BLOCKS = 1 << 18
_BLOCK_BYTES = 4096
_SPACE_TAKERS = frozenset(("write", "create", "mkdir", "link", "truncate"))


class Node:
    """A file, or a folder when `names` is not None. Trailing underscores: what is on the disk."""

    def __init__(self, ino: int, mode: int) -> None:
        self.ino, self.mode, self.mtime_ns = ino, mode, time.time_ns()
        self.mode_, self.mtime_ns_ = self.mode, self.mtime_ns
        self.content = bytearray()
        self.content_: bytes | None = None
        self.names: dict[str, Node] | None = {} if stat.S_ISDIR(mode) else None
        self.names_: dict[str, Node] = {}
        self.links = 0

    def keep_metadata(self) -> None:
        self.mode_, self.mtime_ns_ = self.mode, self.mtime_ns

    def keep(self) -> None:
        """What fsync does."""
        self.keep_metadata()
        if self.names is None:
            self.content_ = bytes(self.content)
            return
        self.names_ = dict(self.names)
        for node in self.names.values():
            node.keep_metadata()


def after_cut(root: Node, *, luck: float, seed: int) -> Node:
    """The tree as the next start finds it. Synced state always survives; `luck` 0 keeps nothing else."""
    lots = random.Random(seed)
    met: set[int] = set()

    def forget(node: Node) -> None:
        if node.ino in met:
            return
        met.add(node.ino)
        node.mode, node.mtime_ns, node.links = node.mode_, node.mtime_ns_, 0
        if node.names is None:
            if lots.random() >= luck or node.content_ is not None:
                node.content = bytearray(node.content_ or b"")
            else:  # written back in part
                del node.content[lots.randint(0, len(node.content)) :]
            node.content_ = bytes(node.content)
            return
        survivors = {}
        for name in sorted(node.names.keys() | node.names_.keys()):
            seen, kept = node.names.get(name), node.names_.get(name)
            chosen = seen if seen is kept or lots.random() < luck else kept
            if chosen is not None:
                survivors[name] = chosen
        node.names, node.names_ = survivors, dict(survivors)
        for child in survivors.values():
            forget(child)
            child.links += 1

    forget(root)
    return root


class Disk(mfusepy.Operations):
    """The file system as FUSE asks for it. `mode`: ok, enospc, eio, fsync-eio, gone, hang, no-links,

    plain-rename (neither links nor flags of renameat2, as exFAT through FUSE), no-rename.
    """

    use_ns = True

    def __init__(self, root: Node, next_ino: int) -> None:
        self.root = root
        self.next_ino = next_ino
        self._mutex = threading.RLock()
        self.handles: dict[int, Node] = {}
        self.next_handle = 1
        self.mode = "ok"
        self.awake = threading.Event()
        self.awake.set()

    def set_mode(self, mode: str) -> None:
        self.mode = mode
        (self.awake.clear if mode == "hang" else self.awake.set)()

    def _meet(self, operation: str) -> None:
        self.awake.wait()
        match self.mode:
            case "gone":
                raise mfusepy.FuseOSError(errno.ENOTCONN)
            case "eio":
                raise mfusepy.FuseOSError(errno.EIO)
            case "fsync-eio" if operation == "fsync":
                raise mfusepy.FuseOSError(errno.EIO)
            case "enospc" if operation in _SPACE_TAKERS:
                raise mfusepy.FuseOSError(errno.ENOSPC)
            case "no-links" | "plain-rename" | "no-rename" if operation == "link":
                raise mfusepy.FuseOSError(errno.EPERM)
            case "plain-rename" if operation == "rename with flags":
                raise mfusepy.FuseOSError(errno.EINVAL)
            case "no-rename" if operation.startswith("rename"):
                raise mfusepy.FuseOSError(errno.ENOSYS)

    # ---------------------------------------------------------------- paths

    def _find(self, path: str) -> Node:
        node = self.root
        for name in path.split("/"):
            if not name:
                continue
            if node.names is None:
                raise mfusepy.FuseOSError(errno.ENOTDIR)
            if name not in node.names:
                raise mfusepy.FuseOSError(errno.ENOENT)
            node = node.names[name]
        return node

    def _names(self, path: str) -> tuple[dict[str, Node], str]:
        """The folder a path's last name is in, as a dict to change, and that name."""
        parent, _, name = path.rpartition("/")
        folder = self._find(parent)
        if folder.names is None:
            raise mfusepy.FuseOSError(errno.ENOTDIR)
        folder.mtime_ns = time.time_ns()
        return folder.names, name

    def _new(self, path: str, mode: int) -> Node:
        names, name = self._names(path)
        node = names[name] = Node(self.next_ino, mode)
        self.next_ino += 1
        node.links = 1
        return node

    def _handle(self, node: Node) -> int:
        self.next_handle += 1
        self.handles[self.next_handle] = node
        return self.next_handle

    def _node(self, path: str | None, fh: int | None) -> Node:
        return self.handles[fh] if fh in self.handles else self._find(path or "")

    # ---------------------------------------------------------------- operations

    def getattr(self, path, fh=None):
        self._meet("getattr")
        with self._mutex:
            node = self._node(path, fh)
            times = dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), node.mtime_ns)
            links = 2 if node.names is not None else node.links
            owner = {"st_uid": os.geteuid(), "st_gid": os.getegid()}
            return (
                times
                | owner
                | {
                    "st_mode": node.mode,
                    "st_nlink": links,
                    "st_size": len(node.content),
                    "st_ino": node.ino,
                }
            )

    def readdir(self, path, fh):
        self._meet("readdir")
        with self._mutex:
            folder = self._find(path)
            entries = {".": folder, "..": folder} | (folder.names or {})
            # readdir(3) leaves out entries without an inode number, so each needs its own.
            return [(name, {"st_mode": node.mode, "st_ino": node.ino}, 0) for name, node in entries.items()]

    def create(self, path, mode, fi=None):
        self._meet("create")
        with self._mutex:
            return self._handle(self._new(path, stat.S_IFREG | stat.S_IMODE(mode)))

    def open(self, path, flags):
        self._meet("open")
        with self._mutex:
            return self._handle(self._find(path))

    def opendir(self, path):
        self._meet("open")
        with self._mutex:
            return self._handle(self._find(path))

    def release(self, path, fh):
        with self._mutex:
            self.handles.pop(fh, None)
        return 0

    releasedir = release

    def read(self, path, size, offset, fh):
        self._meet("read")
        with self._mutex:
            return bytes(self._node(path, fh).content[offset : offset + size])

    def write(self, path, data, offset, fh):
        self._meet("write")
        with self._mutex:
            node = self._node(path, fh)
            node.content.extend(bytes(max(0, offset - len(node.content))))
            node.content[offset : offset + len(data)] = data
            node.mtime_ns = time.time_ns()
        return len(data)

    def truncate(self, path, length, fh=None):
        self._meet("truncate")
        with self._mutex:
            node = self._node(path, fh)
            del node.content[length:]
            node.content.extend(bytes(length - len(node.content)))
        return 0

    def flush(self, path, fh):
        return 0

    def fsync(self, path, datasync, fh):
        self._meet("fsync")
        with self._mutex:
            self._node(path, fh).keep()
        return 0

    fsyncdir = fsync

    def rename(self, old, new):
        self._meet("rename")
        with self._mutex:
            names, name = self._names(old)
            new_names, new_name = self._names(new)
            over = new_names.get(new_name)
            if over is not None and over.names:
                raise mfusepy.FuseOSError(errno.ENOTEMPTY)
            if over is not None:
                over.links -= 1
            new_names[new_name] = names.pop(name)
        return 0

    def link(self, target, source):
        self._meet("link")
        with self._mutex:
            node = self._find(source)
            names, name = self._names(target)
            names[name] = node
            node.links += 1
        return 0

    def unlink(self, path):
        self._meet("unlink")
        with self._mutex:
            names, name = self._names(path)
            names.pop(name).links -= 1
        return 0

    def mkdir(self, path, mode):
        self._meet("mkdir")
        with self._mutex:
            self._new(path, stat.S_IFDIR | stat.S_IMODE(mode))
        return 0

    def rmdir(self, path):
        self._meet("unlink")
        with self._mutex:
            names, name = self._names(path)
            if names[name].names:
                raise mfusepy.FuseOSError(errno.ENOTEMPTY)
            del names[name]
        return 0

    def chmod(self, path, mode):
        self._meet("chmod")
        with self._mutex:
            node = self._find(path)
            node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        return 0

    def chown(self, path, uid, gid):
        return 0

    def utimens(self, path, times=None):
        self._meet("chmod")
        with self._mutex:
            self._find(path).mtime_ns = int(times[1]) if times else time.time_ns()
        return 0

    def statfs(self, path):
        self._meet("statfs")
        sizes = {"f_bsize": _BLOCK_BYTES, "f_frsize": _BLOCK_BYTES, "f_blocks": _CAPACITY_BLOCKS, "f_namemax": 255}
        return sizes | {"f_bfree": _CAPACITY_BLOCKS // 2, "f_bavail": _CAPACITY_BLOCKS // 2}


class Mount(mfusepy.FUSE):
    """mfusepy drops the flags of renameat2(2); they decide here."""

    def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
        if flags:
            self.operations._meet("rename with flags")
        return super().rename_fuse_3(old, new, flags)


def serve(mountpoint: str, state: Path, address: str) -> None:
    """Mount, and obey the pipe at `address`: ("mode", name), ("cut", luck, seed)."""
    root, next_ino = pickle.loads(state.read_bytes()) if state.exists() else (Node(1, stat.S_IFDIR | 0o755), 2)
    disk = Disk(root, next_ino)
    threading.Thread(target=_obey, args=(disk, state, address), daemon=True).start()
    # hard_remove: an unlinked open file is gone, not renamed; zero time-outs: the kernel asks us each time.
    Mount(
        disk,
        mountpoint,
        foreground=True,
        fsname="forgetful",
        subtype="forgetful",
        default_permissions=True,
        use_ino=True,
        hard_remove=True,
        attr_timeout=0,
        entry_timeout=0,
        negative_timeout=0,
    )


def _obey(disk: Disk, state: Path, address: str) -> None:
    with Listener(address, "AF_UNIX") as listener:
        while True:
            with listener.accept() as connection:
                match connection.recv():
                    case ("mode", str(mode)):
                        disk.set_mode(mode)
                        connection.send("done")
                    case ("cut", luck, seed):
                        disk._mutex.acquire()  # never released: no operation comes after a power cut
                        root = after_cut(disk.root, luck=luck, seed=seed)
                        state.write_bytes(pickle.dumps((root, disk.next_ino)))
                        connection.send("done")
                        os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
