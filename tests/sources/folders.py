"""A folder on disk behind a folder source, and a clock a test moves by hand."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mediabox.durable.publish import remove_at
from mediabox.sources.folder import Folder, Settings


class FakeClock:
    """Both hands stand still until a test moves them."""

    def __init__(self, *, wall_s: float = 2_000_000_000, monotonic_s: float = 1000) -> None:
        self.wall_s = wall_s
        self.at_s = monotonic_s

    def wall_ms(self) -> int:
        return int(self.wall_s * 1000)

    def monotonic_s(self) -> float:
        return self.at_s

    def advance(self, seconds: float) -> None:
        self.wall_s += seconds
        self.at_s += seconds


class FolderPlace:
    """A real folder. It goes away as a pulled card does: the path ends in nothing."""

    def __init__(self, root: Path) -> None:
        self.tree = root / "tree"
        self.tree.mkdir()
        self._aside = root / "aside"
        self._made = 0
        self.source = folder(self.tree)

    def put(self, path: bytes, content: bytes) -> None:
        target = os.path.join(os.fsencode(self.tree), path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
        self._made += 1  # two writes within one tick of the file system's clock are still two versions
        os.utime(target, ns=(10**18, 10**18 + self._made))

    def drop(self, path: bytes) -> None:
        os.unlink(os.path.join(os.fsencode(self.tree), path))

    def has(self, path: bytes) -> bool:
        return os.path.lexists(os.path.join(os.fsencode(self.tree), path))

    def leave(self) -> None:
        shutil.move(self.tree, self._aside)

    def come_back(self) -> None:
        shutil.move(self._aside, self.tree)


def folder(*trees: Path, clock: FakeClock | None = None, excluded: tuple[Path, ...] = (), **settings: object) -> Folder:
    """A source over real folders that takes files at once and polls, unless told otherwise."""
    given = {"settle_s": 0.0, "watch": "poll", "mode": "move", **settings}
    return Folder(
        Settings(trees=tuple(map(str, trees)), **given),
        name="pictures",
        excluded_roots=excluded,
        clock=clock or FakeClock(),
        remover=remove_at,
    )


def touch(path: Path, content: bytes = b"x", *, mtime_s: float | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if mtime_s is not None:
        os.utime(path, (mtime_s, mtime_s))
    return path


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run as nobody when we are root, who may read everything; all threads of the process follow (setresuid(2))."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
