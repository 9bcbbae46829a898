"""Change a few things in an XMP packet and leave every other byte of it as it was.

A parser says where things lie, and bytes are cut out and put in there.
Form: ISO 16684-1, section 7. The container directory: developer.android.com, Ultra HDR 1.1
and Motion Photo 1.0.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

import msgspec

from mediabox.native.boxes import Malformed
from mediabox.native.tags.xmp_packet import MAX_TAGS

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CONTAINER: Final = "http://ns.google.com/photos/1.0/container/"
ITEM: Final = "http://ns.google.com/photos/1.0/container/item/"

MAX_DEPTH: Final = 100
_PADDING = b"\0 \t\r\n"
_TAG = re.compile(rb"""<[^\s/>]+(?:\s+[^\s=>]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=>]+)\s*=\s*(?:"[^"]*"|'[^']*')""")


class Cut(msgspec.Struct, frozen=True):
    """Bytes from `start` to `end` of a packet become `content`."""

    start: int
    end: int
    content: bytes = b""


class Listed(msgspec.Struct, kw_only=True):
    """One item of a container directory and where its list entry lies."""

    start: int
    end: int = 0
    semantic: str = ""
    mime: str = ""


class Layout(msgspec.Struct, kw_only=True):
    """Where things lie in a packet. Offsets in bytes."""

    about: str = ""  # what its descriptions are about; a new one must say the same
    rdf_end: int = -1  # where the closing tag of rdf:RDF begins
    description: int = -1  # where the tag of the first description ends: behind its last attribute
    stale: list[Cut] = []  # the properties that were asked for, ready to be cut out
    directory: tuple[int, int] | None = None  # the whole property
    list_end: int = -1  # where the closing tag of the directory's list begins
    items: list[Listed] = []


def locate(packet: bytes, stale: frozenset[str]) -> Layout:
    """Where things lie. `stale`: properties to be cut out, as `namespace local`. Raises Malformed when it is no XMP."""
    content = packet.rstrip(_PADDING)
    if content.count(b"<") > MAX_TAGS:
        raise Malformed(f"XMP of more than {MAX_TAGS:,} tags")
    parser = expat.ParserCreate(namespace_separator=" ")
    finder = _Finder(parser, content, stale)
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as err:
        raise Malformed(f"XMP that is not: {err}") from err
    if finder.layout.rdf_end < 0:
        raise Malformed("XML that holds no XMP")
    return finder.layout


def spliced(packet: bytes, cuts: Iterable[Cut]) -> bytes:
    """The packet with all cuts made; they do not overlap."""
    parts, at = [], 0
    for cut in sorted(cuts, key=lambda cut: (cut.start, cut.end)):
        parts += [packet[at : cut.start], cut.content]
        at = cut.end
    return b"".join((*parts, packet[at:]))


class _Open(msgspec.Struct):
    """An element that is not closed yet."""

    name: str
    start: int
    tag_end: int
    is_empty: bool


class _Finder:
    """Follows the parser through a packet and fills `layout`."""

    def __init__(self, parser: "XMLParserType", content: bytes, stale: frozenset[str]) -> None:
        self.layout = Layout()
        self._parser = parser
        self._content = content
        self._stale = stale
        self._open: list[_Open] = []
        self._prefixes: dict[str, set[bytes]] = {}
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartDoctypeDeclHandler = _refuse

    def _declare(self, prefix: str | None, namespace: str) -> None:
        self._prefixes.setdefault(namespace, set()).add((prefix or "").encode())

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        tag = _TAG.match(self._content, at)
        if tag is None or len(self._open) >= MAX_DEPTH:
            raise Malformed(f"XMP that cannot be followed at byte {at}")
        element = _Open(name, at, tag.end(), tag[0].endswith(b"/>"))
        self._note(element, attributes)
        self._open.append(element)

    def _end(self, _: str) -> None:
        element = self._open.pop()
        closing = self._parser.CurrentByteIndex  # of an empty element, anything
        end = element.tag_end if element.is_empty else self._content.index(b">", closing) + 1
        path = self._path()
        layout = self.layout
        if element.name == f"{RDF} RDF" and not element.is_empty and layout.rdf_end < 0:
            layout.rdf_end = closing
        elif _is_property(path) and element.name in self._stale:
            layout.stale.append(Cut(element.start, end))
        elif _is_property(path) and element.name == f"{CONTAINER} Directory" and layout.directory is None:
            layout.directory = (element.start, end)
        elif self._is_list(path) and not element.is_empty:
            layout.list_end = closing
        elif self._is_list(path[:-1]) and layout.items:
            layout.items[-1].end = end

    def _note(self, element: _Open, attributes: dict[str, str]) -> None:
        path, layout = self._path(), self.layout
        if path[-1:] == [f"{RDF} RDF"]:
            if layout.description < 0 and element.name == f"{RDF} Description":
                layout.description = element.tag_end - 1 - element.is_empty
            layout.about = layout.about or attributes.get(f"{RDF} about", attributes.get("about", ""))
            for name in self._stale & attributes.keys():
                layout.stale.append(self._attribute(element, name))
        elif self._is_list(path[:-1]):
            layout.items.append(Listed(start=element.start))
        if f"{CONTAINER} Directory" in path and layout.items and layout.directory is None:
            layout.items[-1].semantic = attributes.get(f"{ITEM} Semantic", layout.items[-1].semantic)
            layout.items[-1].mime = attributes.get(f"{ITEM} Mime", layout.items[-1].mime)

    def _attribute(self, element: _Open, name: str) -> Cut:
        """Where an attribute lies within its tag."""
        namespace, _, local = name.partition(" ")
        written = {prefix + b":" + local.encode() for prefix in self._prefixes.get(namespace, ())}
        name_end = element.start + len(self._content[element.start : element.tag_end].split(None, 1)[0])
        for found in _ATTRIBUTE.finditer(self._content, name_end, element.tag_end):
            if found[1] in written:
                return Cut(found.start(), found.end())
        raise Malformed(f"XMP whose attribute {local} cannot be found again")

    def _path(self) -> list[str]:
        return [element.name for element in self._open]

    def _is_list(self, path: list[str]) -> bool:
        """Whether an element at this path is the first container directory's list of items."""
        return path[-1:] == [f"{CONTAINER} Directory"] and _is_property(path[:-1]) and self.layout.directory is None


def _is_property(path: list[str]) -> bool:
    """Whether an element at this path is a property of the picture."""
    return path[-2:] == [f"{RDF} RDF", f"{RDF} Description"]


def _refuse(*_: object) -> None:
    raise Malformed("XMP with a document type")
