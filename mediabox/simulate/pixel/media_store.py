"""Android's media scanner: what the phone knows of its own files, and with it every app on it.

On Android 14 and later files that Syncthing writes may stay unknown until something asks for a scan
(syncthing-android #2101): `is_stalled`. A file's disappearance is always noticed, its change in place is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.signature import HEAD_BYTES, claimed_kind, kind_of_type, media_type_of, media_type_of_name
from mediabox.native.tags import Reader, read_tags

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one file. `media_type` is None when name and content do not agree on a picture or video."""

    name: str
    size_bytes: int
    modified_at_ns: int
    changed_at_ns: int  # ctime: a file delivered again is another one, whatever its times say
    media_type: str | None
    sides: tuple[int, int] | None = None  # width and height in pixels, where the headers say them

    @property
    def kind(self) -> Kind:
        return (kind_of_type(self.media_type) if self.media_type else None) or Kind.PICTURE


class MediaStore:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, Known] = {}
        self.is_stalled = False

    def known(self) -> list[Known]:
        return list(self._known.values())

    def notice(self, files: Mapping[str, os.stat_result]) -> None:
        """What it does by itself as time passes."""
        self._known = {name: known for name, known in self._known.items() if name in files}
        if not self.is_stalled:
            self.scan(files)

    def scan(self, files: Mapping[str, os.stat_result]) -> int:
        """Look at everything, as an app or a reboot orders it. How many versions were new."""
        new = [name for name, status in files.items() if not self._has(name, status)]
        for name in new:
            self._take_in(name, files[name])
        return len(new)

    def _has(self, name: str, status: os.stat_result) -> bool:
        known = self._known.get(name)
        return known is not None and known.changed_at_ns == status.st_ctime_ns and known.size_bytes == status.st_size

    def _take_in(self, name: str, status: os.stat_result) -> None:
        try:
            with (self._root / name).open("rb") as file:
                media_type = _agreed(name, file.read(HEAD_BYTES))
                sides = _sides(file, name, status.st_size) if media_type else None
        except FileNotFoundError:  # gone since: nothing to know
            return
        self._known[name] = Known(
            name=name,
            size_bytes=status.st_size,
            modified_at_ns=status.st_mtime_ns,
            changed_at_ns=status.st_ctime_ns,
            media_type=media_type,
            sides=sides,
        )


def _agreed(name: str, head: bytes) -> str | None:
    """The extension decides what Android takes a file for; content of another kind makes it no picture."""
    by_name, by_content = media_type_of_name(name), media_type_of(head)
    if by_name is None or by_content is None or kind_of_type(by_name) is not kind_of_type(by_content):
        return None
    return by_content if by_content.startswith(("image/", "video/")) else None


def _sides(file: BinaryIO, name: str, size_bytes: int) -> tuple[int, int] | None:
    kind = claimed_kind(name) or Kind.PICTURE
    request = ExamineRequest(name=name, kind=kind, size_bytes=size_bytes, renditions=False)
    facts = read_tags(Reader(file.fileno()), request)
    return (facts.width, facts.height) if facts.width and facts.height else None
