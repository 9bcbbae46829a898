"""Parse an XMP packet and read its properties (ISO 16684-1, section 7), however they are written.

RDF has several forms for one property: attribute or element, text or `rdf:value`,
arrays, `rdf:resource`. Document types are refused, so that no entity can be defined,
let alone expanded. Foreign bytes: only in a sandboxed child.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from mediabox.native.boxes import Malformed
from mediabox.native.xmp.names import NAMESPACES, qualified

MAX_PACKET_BYTES = 2 * 1024 * 1024
MAX_TAGS = 100_000  # a tree takes a hundred bytes for each; a heavily edited picture's history has thousands
MAX_DEPTH = 100  # XMP in the wild nests about ten deep; what writes a tree goes into itself
_LOOKED_AT_BYTES = 8 * 1024  # at either end of a longer packet: in between lies a maker's log or depth map

RDF = f"{{{NAMESPACES['rdf']}}}"
DESCRIPTION, ITEM = RDF + "Description", RDF + "li"
ARRAYS = frozenset({RDF + "Bag", RDF + "Seq", RDF + "Alt"})
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_VALUE, _RESOURCE = RDF + "value", RDF + "resource"
_KNOWN = (  # looked for one by one: a regular expression of them all takes ten times as long
    b"Rating", b"dc:subject", b"dc:title", b"dc:description", b"DateCreated", b"CreateDate", b"DateTimeOriginal",
    b"GPSL", b"GPSTimeStamp", b"GPSDateTime", b"PersonInImage", b"mwg-rs", b"PersonDisplayName", b"MicroVideo",
    b"MotionPhoto", b"DateTimeDigitized", b"dc:date", b"ModifyDate", b"tiff:DateTime", b"MetadataDate",
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
    """The properties of one packet, by names as `xmp:Rating`. `prefixes`: those the document uses, by namespace.

    Raises Malformed when it is no XMP. What lies behind it is passed over, what lies before it unless `is_whole`.
    """

    def __init__(self, content: bytes, *, is_whole: bool = False) -> None:
        self.root, self.prefixes = _parsed(as_utf8(content).strip(b"\0 \t\r\n"), is_whole=is_whole)
        rdf = next(self.root.iter(RDF + "RDF"), None)
        if rdf is None:
            raise Malformed(f"{len(content)} bytes of XML hold no XMP")
        self.rdf = rdf

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a property: the only one, or an array's, the default language's first; () when it is absent."""
        tag = qualified(name)
        for description in self.rdf:
            if (text := description.get(tag)) is not None:
                return (text,)
            if (element := description.find(tag)) is not None:
                members = sorted(element.iter(ITEM), key=lambda item: item.get(LANGUAGE) != "x-default")
                return tuple(map(text_of, members or (element,)))
        return ()

    def text(self, name: str) -> str | None:
        """The default language's value of a property, else its first, without space around; None for none."""
        return next((tidy for text in self.texts(name) if (tidy := text.strip())), None)

    def number(self, name: str) -> int | None:
        """A property that is a whole number, or None."""
        text = self.text(name)
        return int(text) if text and re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None

    def element(self, name: str) -> Element | None:
        """A property's element; None when it is absent, or an attribute."""
        tag = qualified(name)
        return next((found for description in self.rdf if (found := description.find(tag)) is not None), None)

    def structures(self, name: str) -> Iterator[dict[str, str]]:
        """The fields of each structure in the list a property holds, nested ones flattened into it, by qualified name.

        Only the outermost list is gone through: lists within lists would be read once for each level.
        """
        element = self.element(name)
        outermost = None if element is None else next((each for each in element.iter() if each.tag in ARRAYS), None)
        for entry in () if outermost is None else outermost:
            fields: dict[str, str] = {}
            for node in entry.iter():
                fields.update(node.attrib)
                if node.text and node.text.strip(" \t\r\n"):  # what XML calls white space: a no-break space is text
                    fields[node.tag] = node.text
                elif not len(node):
                    fields.setdefault(node.tag, "")
            yield fields


def parse(packet: bytes) -> Packet | None:
    """The packet's properties; None when it holds nothing we know, or is too long. Raises Malformed as it does."""
    if not packet or len(packet) > MAX_PACKET_BYTES:
        return None
    packet = as_utf8(packet)
    return Packet(packet) if _is_wanted(packet) else None


def text_of(element: Element) -> str:
    """An element's text, or that of its `rdf:value` when it has qualifiers."""
    if (resource := element.get(_RESOURCE)) is not None:
        return resource
    for holder in (element, *element.iterfind(DESCRIPTION)) if len(element) else ():
        if (value := holder.get(_VALUE)) is not None:
            return value
        if (child := holder.find(_VALUE)) is not None:
            return child.text or ""
    return element.get(_VALUE) or element.text or ""


def as_utf8(packet: bytes) -> bytes:
    """The packet in UTF-8: it may be UTF-16 or UTF-32, with or without a mark (ISO 16684-1, 7.3.2)."""
    start = packet[:4]
    form = next((form for mark, form in _FORMS if start.startswith(mark)), None)
    if form is None:
        return packet
    text = packet.decode(form, "replace").lstrip("\ufeff")
    return _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")


class _Builder(TreeBuilder):
    """Remembers the first prefix of each namespace, and refuses document types."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: dict[str, str] = {}

    def start_ns(self, prefix: str, namespace: str) -> None:
        self.prefixes.setdefault(namespace, prefix)

    def doctype(self, *_: Any) -> None:
        raise Malformed("XMP with a document type")


def _parsed(content: bytes, *, is_whole: bool) -> tuple[Element, dict[str, str]]:
    if content.count(b"<") > MAX_TAGS:
        raise Malformed(f"XMP of more than {MAX_TAGS:,} tags")
    try:
        try:
            return _tree(content)
        except ParseError:
            start, end = _innermost(content)
            return _tree(content[0 if is_whole else start : end])
    except (ParseError, ValueError, LookupError) as err:  # an encoding nobody knows
        raise Malformed(f"{len(content)} bytes that are no XMP: {err}") from err


def _tree(content: bytes) -> tuple[Element, dict[str, str]]:
    builder = _Builder()
    parser = XMLParser(target=builder)  # noqa: S314 - the builder refuses what may do harm
    parser.feed(content)
    root: Element = parser.close()
    level, depth = [root], 0
    while level:
        level, depth = [child for element in level for child in element], depth + 1
        if depth > MAX_DEPTH:
            raise Malformed(f"XMP nested more than {MAX_DEPTH} deep")
    return root, builder.prefixes


def _innermost(packet: bytes) -> tuple[int, int]:
    """Where `x:xmpmeta` lies, or `rdf:RDF`: a shorter packet leaves the old one's end behind. Raises Malformed."""
    for start in filter(None, (_WRAPPER.search(packet), _RDF_ELEMENT.search(packet))):
        closing = b"</" + start[1] + b">"
        end = packet.find(closing, start.end())
        if end >= 0:
            return start.start(), end + len(closing)
    raise Malformed("XMP without its outermost element")


def _is_wanted(packet: bytes) -> bool:
    if len(packet) > 2 * _LOOKED_AT_BYTES:
        packet = packet[:_LOOKED_AT_BYTES] + packet[-_LOOKED_AT_BYTES:]
    return any(map(packet.__contains__, _KNOWN))
