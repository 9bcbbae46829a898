"""The picture files on the phone. Names are relative to its shared storage, `DCIM/mediabox/IMG_0001.JPG`.

What starts with a dot is nobody's picture: Syncthing's marker and files on their way, and what is in the bin (`bin`).
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from mediabox.durable.publish import seal, set_aside
from mediabox.durable.temporary import unlink_quietly
from mediabox.simulate.pixel.names import free_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CAMERA = "DCIM"
_JPEG_START, _JPEG_COMMENT = b"\xff\xd8", b"\xff\xfe"
_NOTE = b"edited on the phone"
_PICTURE = base64.b64decode(  # PNG, one grey pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
)


class CameraRoll:
    """Everything under the camera folder. All methods block."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / CAMERA).mkdir(parents=True, exist_ok=True)

    def files(self) -> dict[str, os.stat_result]:
        """Every picture file as it is now."""
        return {name: status for name, status in self._walk() if not _is_hidden(name)}

    def used_bytes(self) -> int:
        """Without what is still on its way: Syncthing itself holds that against the disk's free space."""
        return sum(status.st_size for status in self.files().values())

    def delete(self, names: Iterable[str]) -> list[str]:
        """Remove these for good, as the phone's own apps do; those that were there."""
        return [name for name in names if self._unlink(name)]

    def wipe(self, *, folders: bool) -> list[str]:
        """Remove every picture; with `folders` the folders too and Syncthing's markers in them.

        They are only renamed: pictures have to be seen to be gone, not to be unlinked.
        """
        gone = self.delete(list(self.files()))
        for folder in list((self.root / CAMERA).iterdir()) if folders else ():
            set_aside(folder)
        return gone

    def edit(self, name: str) -> None:
        """Change a file in place so that it stays a picture. Raises OSError."""
        path = self.root / name
        content = path.read_bytes()
        with path.open("r+b") as file:
            file.write(_edited(content))
            file.truncate()

    def rename(self, name: str, to: str) -> str:
        """Another name, or another folder. Where that name is taken, the next free one; which. Raises OSError."""
        path = free_name(self.root / to)
        path.parent.mkdir(parents=True, exist_ok=True)
        seal(self.root / name, path)
        return path.relative_to(self.root).as_posix()

    def copy(self, name: str) -> str:
        """Save an edited copy beside it, `NAME~2.jpg` as Google Photos names it; which. Raises OSError."""
        path = self.root / name
        copy = free_name(path.with_stem(f"{path.stem}~2"))
        copy.write_bytes(_edited(path.read_bytes()))
        return copy.relative_to(self.root).as_posix()

    def add(self, name: str) -> None:
        """A new picture of another app's. Raises OSError."""
        (self.root / name).write_bytes(_PICTURE)

    def _walk(self) -> Iterator[tuple[str, os.stat_result]]:
        for folder, _, files in os.walk(self.root / CAMERA):
            for file in files:
                path = os.path.join(folder, file)
                try:
                    status = os.stat(path)
                except FileNotFoundError:  # Syncthing renames and removes meanwhile
                    continue
                yield os.path.relpath(path, self.root), status

    def _unlink(self, name: str) -> bool:
        path = self.root / name
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return unlink_quietly(path.name, dir_fd=descriptor)
        finally:
            os.close(descriptor)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split(os.sep))


def _edited(content: bytes) -> bytes:
    """A comment more: behind a JPEG's start (ISO/IEC 10918-1, B.2.4.5), else at the end, as a free box would be."""
    if content.startswith(_JPEG_START):
        segment = _JPEG_COMMENT + (len(_NOTE) + 2).to_bytes(2, "big") + _NOTE
        return content[:2] + segment + content[2:]
    return content + (8 + len(_NOTE)).to_bytes(4, "big") + b"free" + _NOTE
