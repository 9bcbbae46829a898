"""Where made files go, and what is written down about each of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a test may rely on. The words are those of `mediabox.model.facts.Facts`; empty means the file does not say.

    `kind` is `none` for a file that is no photo and must be left alone. `taken` is local wall
    clock, ISO 8601; `offset_min` minutes east of UTC; `more` further facts as `name=value; ...`.
    """

    what: str
    kind: str = "picture"
    media_type: str = "image/jpeg"
    width: int | None = None
    height: int | None = None
    taken: str = ""
    offset_min: int | None = None
    time_source: str = ""
    latitude: float | None = None
    longitude: float | None = None
    more: str = ""


class Shelf:
    """Collects the files under one root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries: dict[str, Entry] = {}

    def put(self, path: str, content: bytes, entry: Entry) -> bytes:
        """Write one file; return its content, for those made from it."""
        if path in self._entries:
            raise ValueError(f"{path} is made twice")
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self._entries[path] = entry
        return content

    def manifest(self) -> str:
        """Tab-separated, one line a file, sorted by path."""
        table = io.StringIO()
        writer = csv.writer(table, dialect="excel-tab", lineterminator="\n")
        writer.writerow(("file", *Entry.__struct_fields__))
        for path, entry in sorted(self._entries.items()):
            writer.writerow((path, *("" if value is None else value for value in msgspec.structs.astuple(entry))))
        return table.getvalue()

    def size_bytes(self) -> int:
        return sum((self.root / path).stat().st_size for path in self._entries)
