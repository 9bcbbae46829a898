"""Thumbnails and previews on disk, named by the digest of the original they show."""

import os
from pathlib import Path
from typing import Literal

from mediabox.durable.publish import write_derived
from mediabox.durable.temporary import unlink_quietly

RenditionName = Literal["thumb.webp", "preview.jpg"]
_NAMES: tuple[RenditionName, ...] = ("thumb.webp", "preview.jpg")
_DIGEST_DIGITS = 64  # SHA-256 in hexadecimal


class RenditionFolder:
    """Files `ab/cd/<digest>-thumb.webp` below `root`. Expendable: they can be made again from the originals."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, digest: str, name: RenditionName, content: bytes) -> None:
        """Write or replace one rendition; not synced. Raises OSError."""
        write_derived(self.root, _relative(digest, name), content)

    def path(self, digest: str, name: RenditionName) -> Path | None:
        """Where it is; None when it must be made (again). A power cut leaves unsynced files empty: as good as none."""
        path = self.root / _relative(digest, name)
        try:
            return path if os.stat(path).st_size else None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def discard(self, digest: str) -> None:
        """Remove all renditions of one original; not synced, may be repeated. Raises OSError."""
        names = [_relative(digest, name) for name in _NAMES]
        try:
            folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            for name in names:
                unlink_quietly(name, dir_fd=folder)
        finally:
            os.close(folder)


def _relative(digest: str, name: RenditionName) -> str:
    """Two levels of 256 folders. Raises ValueError for anything but a SHA-256: it becomes a path (I15)."""
    if len(digest) != _DIGEST_DIGITS or not set(digest) <= set("0123456789abcdef") or name not in _NAMES:
        message = f"not a rendition of a digest: {digest!r} {name!r}"
        raise ValueError(message)
    return f"{digest[:2]}/{digest[2:4]}/{digest}-{name}"
