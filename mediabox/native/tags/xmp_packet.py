"""Parse an XMP packet into its properties (ISO 16684-1, section 7), however they are written.

The packet is parsed only when it holds a word we know, by a parser that refuses
document types, so that no entity can be defined, let alone expanded.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mediabox.native.boxes import Malformed
from mediabox.native.tags.findings import clean

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_PACKET_BYTES = 2 * 1024 * 1024
MAX_TAGS = 100_000  # a tree takes a hundred bytes for each; a heavily edited picture's history has thousands
_LOOKED_AT_BYTES = 8 * 1024  # at either end of a longer packet: in between lies a maker's log or depth map

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LISTS = (_RDF + "Bag", _RDF + "Seq", _RDF + "Alt")
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_KNOWN = (  # looked for one by one: a regular expression of them all takes ten times as long
    b"Rating", b"dc:subject", b"dc:title", b"dc:description", b"DateCreated", b"CreateDate", b"DateTimeOriginal",
    b"GPSL", b"GPSTimeStamp", b"GPSDateTime", b"PersonInImage", b"mwg-rs", b"PersonDisplayName", b"MicroVideo",
    b"MotionPhoto",
)  # fmt: skip

_FORMS = (  # the longer marks first: UTF-32's begins like UTF-16's
    (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
)  # fmt: skip
_DECLARATION = re.compile(r"<\?xml .{0,200}?\?>", re.DOTALL)  # would name the encoding it had
_WRAPPER = re.compile(rb"<(\w{1,20}:x[am]pmeta)[\s>]")  # `xapmeta` until 2004
_RDF_ELEMENT = re.compile(rb"<(\w{1,20}:RDF)[\s>]")


class Packet:
    """The properties of one packet by `{namespace}name`, whether written as attributes or as elements."""

    def __init__(self, root: "Element") -> None:
        self._values: dict[str, str] = {}
        self._elements: dict[str, Element] = {}
        for description in (each for rdf in root.iter(_RDF + "RDF") for each in rdf):
            for name, value in description.attrib.items():
                self._values.setdefault(name, value)
            for child in description:
                self._elements.setdefault(child.tag, child)

    def texts(self, name: str) -> list[str]:
        """All values of a property: a list's, or the only one."""
        if name in self._values:
            return [self._values[name]]
        element = self._elements.get(name)
        if element is None:
            return []
        entries = [entry.text or "" for entry in element.iter(_RDF + "li")]
        return entries or ([element.text] if element.text else [])

    def text(self, name: str) -> str | None:
        """The default language's value of a property, else its first."""
        element = self._elements.get(name)
        for entry in () if element is None else element.iter(_RDF + "li"):
            if entry.get(_XML_LANG) == "x-default" and entry.text:
                return clean(entry.text)
        return next((tidy for text in self.texts(name) if (tidy := clean(text))), None)

    def number(self, name: str) -> int | None:
        """A property that is a whole number, or None."""
        text = self.text(name)
        return int(text) if text and re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None

    def structures(self, name: str) -> Iterator[dict[str, str]]:
        """The fields of each structure in the list a property holds, nested ones flattened into it.

        Only the outermost list is gone through: lists within lists would be read once for each level.
        """
        element = self._elements.get(name)
        outermost = None if element is None else next((each for each in element.iter() if each.tag in _LISTS), None)
        for entry in () if outermost is None else outermost:
            fields: dict[str, str] = {}
            for node in entry.iter():
                fields.update(node.attrib)
                if node.text and node.text.strip():
                    fields[node.tag] = node.text.strip()
            yield fields


def parse(packet: bytes) -> Packet | None:
    """The packet's properties; None when it holds nothing we know, or is too long.

    Raises Malformed for what is not XML, for XML with a document type, and for a forest of tags.
    """
    if not packet or len(packet) > MAX_PACKET_BYTES:
        return None
    packet = as_utf8(packet)
    if not _is_wanted(packet):
        return None
    if packet.count(b"<") > MAX_TAGS:
        raise Malformed(f"XMP of more than {MAX_TAGS:,} tags")
    from xml.etree.ElementTree import ParseError  # two thirds of all files need neither

    from defusedxml.ElementTree import fromstring

    try:
        try:
            return Packet(fromstring(packet.strip(b"\0 \t\r\n"), forbid_dtd=True))
        except ParseError:
            return Packet(fromstring(innermost(packet), forbid_dtd=True))
    except (ParseError, ValueError, LookupError) as err:  # defusedxml's refusals; an encoding nobody knows
        raise Malformed(f"XMP that is not: {type(err).__name__}") from err


def as_utf8(packet: bytes) -> bytes:
    """The packet in UTF-8: it may be UTF-16 or UTF-32, with or without a mark (ISO 16684-1, 7.3.2)."""
    start = packet[:4]
    form = next((form for mark, form in _FORMS if start.startswith(mark)), None)
    if form is None:
        return packet
    text = packet.decode(form, "replace").lstrip("\ufeff")
    return _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")


def innermost(packet: bytes) -> bytes:
    """`x:xmpmeta` alone, or `rdf:RDF`: a shorter packet leaves the old one's end behind. Raises Malformed."""
    for start in filter(None, (_WRAPPER.search(packet), _RDF_ELEMENT.search(packet))):
        closing = b"</" + start[1] + b">"
        end = packet.find(closing, start.end())
        if end >= 0:
            return packet[start.start() : end + len(closing)]
    raise Malformed("XMP without its outermost element")


def _is_wanted(packet: bytes) -> bool:
    if len(packet) > 2 * _LOOKED_AT_BYTES:
        packet = packet[:_LOOKED_AT_BYTES] + packet[-_LOOKED_AT_BYTES:]
    return any(word in packet for word in _KNOWN)
