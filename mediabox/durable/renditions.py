"""Thumbnails and previews on disk, named by the digest of the original they show."""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Literal

from mediabox.contracts import Examination
from mediabox.durable.publish import write_derived
from mediabox.durable.temporary import unlink_quietly

RenditionName = Literal["thumb.webp", "preview.jpg"]
_NAMES: tuple[RenditionName, ...] = ("thumb.webp", "preview.jpg")
_DIGEST_DIGITS = 64  # SHA-256 in hexadecimal


class RenditionFolder:
    """Files `ab/<digest>-thumb.webp` below `root`. Expendable: they can be made again from the originals."""

    def __init__(self, root: Path, wanted: Collection[RenditionName] = _NAMES) -> None:
        self.root, self.wanted = root, wanted

    def keep(self, digest: str, seen: Examination) -> None:
        """Put what an examination made and the owner wants; no preview of a file that serves as one. Raises OSError."""
        preview = None if seen.facts.serves_as_preview else seen.preview
        for name, content in zip(_NAMES, (seen.thumbnail, preview), strict=True):
            if content and name in self.wanted:
                self.put(digest, name, content)

    def put(self, digest: str, name: RenditionName, content: bytes) -> None:
        """Write or replace one rendition, where it is already or in its new place; not synced. Raises OSError."""
        place, earlier = _places(digest, name)
        write_derived(self.root, earlier if (self.root / earlier).exists() else place, content)

    def path(self, digest: str, name: RenditionName) -> Path | None:
        """Where it is; None when it must be made (again). A power cut leaves unsynced files empty: as good as none.

        Before a preview ask the facts: where the original `serves_as_preview`, none was ever kept.
        """
        for path in (self.root / place for place in _places(digest, name)):
            with suppress(FileNotFoundError, NotADirectoryError):
                if os.stat(path).st_size:
                    return path
        return None

    def discard(self, digest: str) -> None:
        """Remove all renditions of one original; not synced, may be repeated. Raises OSError."""
        names = [place for name in _NAMES for place in _places(digest, name)]
        try:
            folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            for name in names:
                unlink_quietly(name, dir_fd=folder)
        finally:
            os.close(folder)


def _places(digest: str, name: RenditionName) -> tuple[str, str]:
    """Where it is put, one of 256 folders, and where versions before put it: almost every file in a folder of its own.

    Raises ValueError for anything but a SHA-256: it becomes a path (I15).
    """
    if len(digest) != _DIGEST_DIGITS or not set(digest) <= set("0123456789abcdef") or name not in _NAMES:
        message = f"not a rendition of a digest: {digest!r} {name!r}"
        raise ValueError(message)
    return f"{digest[:2]}/{digest}-{name}", f"{digest[:2]}/{digest[2:4]}/{digest}-{name}"
