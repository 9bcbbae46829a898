"""What assets can be searched by: the one table that the reader, the matcher, SQL and help share.

A new field is a line here, a value in `model.indexed.IndexedAsset` and a column in `store/asset_index.py`.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from mediabox.model.asset import Kind
from mediabox.model.indexed import Flag

if TYPE_CHECKING:
    from mediabox.model.indexed import IndexedAsset


class Type(Enum):
    """What values of a field are, and so how they are read and compared."""

    WORDS = auto()
    CHOICE = auto()
    NUMBER = auto()
    BYTES = auto()
    SECONDS = auto()
    PERIOD = auto()
    FLAG = auto()
    PRESENCE = auto()  # whether another field has a value


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """`column`: its name in the asset index, and of its value in `IndexedAsset`."""

    name: str
    type: Type
    column: str
    title: str
    choices: tuple[str, ...] = ()  # none: any


def texts_of(asset: IndexedAsset, field: Field) -> tuple[str, ...]:
    """The values of a field of WORDS."""
    value: str | tuple[str, ...] = getattr(asset, field.column)
    return (value,) if isinstance(value, str) else value


def _field(name: str, kind: Type, title: str, *, column: str = "", choices: tuple[str, ...] = ()) -> Field:
    return Field(name=name, type=kind, column=column or name, title=title, choices=choices)


WORDS = (
    _field("name", Type.WORDS, "file name", column="names"),
    _field("folder", Type.WORDS, "folder in the archive", column="folders"),
    _field("title", Type.WORDS, "title"),
    _field("caption", Type.WORDS, "caption"),
    _field("keyword", Type.WORDS, "keyword", column="keywords"),
    _field("person", Type.WORDS, "person in the picture", column="people"),
    _field("album", Type.WORDS, "album", column="albums"),
    _field("camera", Type.WORDS, "camera"),
    _field("lens", Type.WORDS, "lens"),
    _field("source", Type.WORDS, "source that has it", column="sources"),
)
_OTHERS = (
    _field("kind", Type.CHOICE, "picture or video", choices=(Kind.PICTURE.value, Kind.VIDEO.value)),
    _field("format", Type.CHOICE, "file format, such as jpeg or heic"),
    _field("date", Type.PERIOD, "when it was taken", column="sort_ms"),
    _field("added", Type.PERIOD, "when it was taken in (UTC)", column="added_ms"),
    _field("size", Type.BYTES, "size of all its files", column="size_bytes"),
    _field("width", Type.NUMBER, "width in pixels"),
    _field("height", Type.NUMBER, "height in pixels"),
    _field("duration", Type.SECONDS, "length of a video", column="duration_s"),
    _field("rating", Type.NUMBER, "stars: 0 to 5, -1 is rejected"),
    _field("latitude", Type.NUMBER, "degrees north"),
    _field("longitude", Type.NUMBER, "degrees east"),
    _field("copies", Type.NUMBER, "proved copies (R and V) that each of its files has at least"),
    _field("reread", Type.NUMBER, "likewise, read again by this box (R)"),
    _field("verified", Type.NUMBER, "likewise, hashed by the store that has them (V)"),
    _field("delivered", Type.NUMBER, "likewise, shown by a peer (P)"),
    _field("archived", Type.PERIOD, "since when all its files are archived (UTC)", column="archived_ms"),
    _field("proved", Type.PERIOD, "as of when all its files have a proved copy (UTC)", column="proved_ms"),
    _field("is", Type.FLAG, "what is so of it", column="flags", choices=tuple(flag.value for flag in Flag)),
)
_HAS = _field(
    "has", Type.PRESENCE, "what it has at all", column="", choices=(
        *(each.name for each in WORDS), "date", "width", "duration", "rating", "latitude", "archived", "proved"
    ),
)  # fmt: skip
ANYWHERE = _field("text", Type.WORDS, "words anywhere: in any of the fields of words", column="")
FIELDS = {each.name: each for each in (*WORDS, *_OTHERS, _HAS, ANYWHERE)}
ALIASES = {
    "year": "date", "month": "date", "taken": "date", "people": "person", "tag": "keyword", "from": "source",
    "type": "format", "filename": "name", "stars": "rating", "length": "duration",
}  # fmt: skip
SYNONYMS = {"photo": "picture", "image": "picture", "movie": "video", "favourite": "favorite", "place": "latitude",
            "jpg": "jpeg", "heif": "heic", "mov": "quicktime", "people": "person", "tag": "keyword"}  # fmt: skip
