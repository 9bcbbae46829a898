"""An XMP packet as a tree that is changed property by property; everything else in it stays as it is.

Reads the forms RDF allows for one and the same property (XMP Part 1, 7): attribute or
element, text or `rdf:value`, arrays, `rdf:resource`. Prefixes are kept, for people
and for programs that look for them. Foreign bytes: `load` only in a sandboxed child.
"""

from __future__ import annotations

import copy
import re
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, SubElement, indent

from mediabox.errors import Permanent
from mediabox.native.boxes import Malformed
from mediabox.native.tags.xmp_packet import as_utf8, innermost
from mediabox.native.xmp_values import NAMESPACES, Form, escape

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

RDF = NAMESPACES["rdf"]
_META = "adobe:ns:meta/"
_XML = "http://www.w3.org/XML/1998/namespace"
_LANGUAGE = f"{{{_XML}}}lang"
_DESCRIPTION, _ABOUT, _ITEM, _VALUE = (f"{{{RDF}}}{word}" for word in ("Description", "about", "li", "value"))
_ARRAYS = frozenset(f"{{{RDF}}}{form}" for form in ("Bag", "Seq", "Alt"))
MOST_DEPTH = 100  # XMP in the wild nests about ten deep

_OWN = f"{{{NAMESPACES['mediabox']}}}"
_NO_PROPERTIES = (f"{{{RDF}}}", f"{{{_XML}}}", _OWN)
_PREFIX = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


def qualified(name: str) -> str:
    """`xmp:Rating` as ElementTree writes it: `{http://ns.adobe.com/xap/1.0/}Rating`."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _name(tag: str) -> str:
    """The opposite of `qualified`; "" for a namespace that is not one of ours."""
    namespace, _, local = tag[1:].partition("}")
    return next((f"{prefix}:{local}" for prefix, known in NAMESPACES.items() if known == namespace), "")


class Packet:
    """One packet. `prefixes` maps namespace to the prefix the document uses."""

    def __init__(self, root: Element, rdf: Element, prefixes: dict[str, str]) -> None:
        self.root, self._rdf, self.prefixes = root, rdf, prefixes

    def read(self, name: str) -> tuple[str, ...]:
        """A property's values: one of a text, all of an array, the default language's; () when it is absent."""
        tag = qualified(name)
        for description in self._descriptions():
            if (text := description.get(tag)) is not None:
                return (text,)
            for element in description.iterfind(tag):
                return tuple(_values(element))
        return ()

    def element(self, name: str) -> Element | None:
        """A property's element, for structures of our own."""
        tag = qualified(name)
        return next((found for description in self._descriptions() for found in description.iterfind(tag)), None)

    def write(self, name: str, form: Form, values: tuple[str, ...]) -> None:
        """Give a property these values; array members and languages that stay are not touched."""
        if self.read(name) == values:
            return
        match form:
            case Form.TEXT | Form.LIST:
                self.remove(name)
                _fill(self.add(name), form, values)
            case Form.SET:
                self._write_set(name, values)
            case Form.LANGUAGES:
                self._write_default(name, values)

    def add(self, name: str) -> Element:
        """An empty element for property `name`."""
        return SubElement(self._description(), qualified(name))

    def remove(self, name: str) -> None:
        """Take a property away in whatever form it is there."""
        tag = qualified(name)
        for description in self._descriptions():
            description.attrib.pop(tag, None)
            for element in description.findall(tag):
                description.remove(element)

    def remove_namespace(self, prefix: str) -> None:
        """Take away every property of a namespace."""
        start = qualified(f"{prefix}:")
        for description in self._descriptions():
            for tag in [tag for tag in description.attrib if tag.startswith(start)]:
                del description.attrib[tag]
            for element in [element for element in description if element.tag.startswith(start)]:
                description.remove(element)

    def adopt(self, other: Packet, *, besides: Container[str]) -> None:
        """Take over each property of `other` that is absent here and not one of `besides`, nor of our namespace."""
        here = set(self._tags()) | {tag for tag in other._tags() if _name(tag) in besides}
        for description in other._descriptions():
            for tag, text in description.attrib.items():
                if tag not in here and not tag.startswith(_NO_PROPERTIES):
                    self._description().set(tag, text)
            fresh = (child for child in description if child.tag not in here and not child.tag.startswith(_OWN))
            self._description().extend(copy.deepcopy(child) for child in fresh)
        for namespace, prefix in other.prefixes.items():
            self.prefixes.setdefault(namespace, prefix)

    def to_bytes(self, toolkit: str) -> bytes:
        """The packet as UTF-8, wrapped as XMP Part 1, 7.3 asks, signed by `toolkit`."""
        root = self.root
        if root is self._rdf:
            root = Element(f"{{{_META}}}xmpmeta")
            root.append(self._rdf)
        root.set(f"{{{_META}}}xmptk", toolkit)
        indent(root, space=" ")
        text = _Writer(root, self.prefixes).text()
        return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{text}\n<?xpacket end="w"?>\n'.encode()

    def _descriptions(self) -> Iterator[Element]:
        return self._rdf.iterfind(_DESCRIPTION)

    def _description(self) -> Element:
        found = self._rdf.find(_DESCRIPTION)
        return found if found is not None else SubElement(self._rdf, _DESCRIPTION, {_ABOUT: ""})

    def _tags(self) -> Iterator[str]:
        for description in self._descriptions():
            yield from description.attrib
            yield from (child.tag for child in description)

    def _write_set(self, name: str, values: tuple[str, ...]) -> None:
        element = self.element(name)
        array = next((child for child in element if child.tag in _ARRAYS), None) if element is not None else None
        if array is None or not values:
            self.remove(name)
            if values:
                _fill(self.add(name), Form.SET, values)
            return
        for item in [item for item in array if _text(item) not in values]:
            array.remove(item)
        present = {_text(item) for item in array}
        for value in values:
            if value not in present:
                SubElement(array, _ITEM).text = value

    def _write_default(self, name: str, values: tuple[str, ...]) -> None:
        element = self.element(name)
        array = next((child for child in element if child.tag in _ARRAYS), None) if element is not None else None
        if array is None or not values:
            self.remove(name)
            if values:
                _fill(self.add(name), Form.LANGUAGES, values)
            return
        default = next((item for item in array if item.get(_LANGUAGE) == "x-default"), None)
        if default is None:  # the default comes first (XMP Part 1, 8.2.2.4)
            default = Element(_ITEM, {_LANGUAGE: "x-default"})
            array.insert(0, default)
        default.clear()
        default.set(_LANGUAGE, "x-default")
        default.text = values[0]


def load(content: bytes) -> Packet:
    """Read a packet in any of Unicode's encodings, whatever lies around it. Raises Permanent when it is no XMP."""
    content = as_utf8(content).strip(b"\0 \t\r\n")
    try:
        return _load(content)
    except Permanent:
        try:
            inner = innermost(content)
        except Malformed as err:
            raise Permanent(f"XMP of {len(content)} bytes cannot be read: {err}") from err
        return _load(content[: content.find(inner) + len(inner)])  # what stands before it counts: a document type, say


def _load(content: bytes) -> Packet:
    from defusedxml import DefusedXmlException  # lazily: the daemon never parses XML
    from defusedxml.ElementTree import iterparse

    prefixes: dict[str, str] = {}
    root, depth = None, 0
    try:
        for event, found in iterparse(BytesIO(content), events=("start-ns", "start", "end"), forbid_dtd=True):
            if event == "start-ns":
                prefixes.setdefault(found[1], found[0])
                continue
            depth += 1 if event == "start" else -1
            if depth > MOST_DEPTH:
                raise Permanent(f"XMP of {len(content)} bytes is nested more than {MOST_DEPTH} deep")
            root = root if root is not None else found
    except (ParseError, DefusedXmlException, LookupError, ValueError) as err:
        raise Permanent(f"XMP of {len(content)} bytes cannot be read: {err}") from err
    rdf = None if root is None else root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
    if root is None or rdf is None:
        raise Permanent(f"{len(content)} bytes of XML hold no XMP")
    return Packet(root, rdf, prefixes)


# ---------------------------------------------------------------- values


def structure(element: Element) -> dict[str, str]:
    """The text fields of a structure, by qualified name, in any of the forms RDF has for one."""
    fields = {tag: text for tag, text in element.attrib.items() if not tag.startswith(f"{{{RDF}}}")}
    for child in element:
        if child.tag == _DESCRIPTION:
            fields |= structure(child)
        else:
            fields[child.tag] = _text(child)
    return fields


def items(element: Element) -> Iterator[Element]:
    """The members of an array property."""
    for array in element:
        if array.tag in _ARRAYS:
            yield from array.iterfind(_ITEM)


def _values(element: Element) -> Iterator[str]:
    for array in element:
        if array.tag in _ARRAYS:
            listed = list(array.iterfind(_ITEM))
            if array.tag.endswith("}Alt"):
                listed = sorted(listed, key=lambda item: item.get(_LANGUAGE) != "x-default")[:1]
            yield from map(_text, listed)
            return
    yield _text(element)


def _text(element: Element) -> str:
    """An element's text, or that of its `rdf:value` when it has qualifiers."""
    if (resource := element.get(f"{{{RDF}}}resource")) is not None:
        return resource
    for holder in (element, *element.iterfind(_DESCRIPTION)):
        if (value := holder.get(_VALUE)) is not None:
            return value
        if (child := holder.find(_VALUE)) is not None:
            return child.text or ""
    return element.text or ""


def _fill(element: Element, form: Form, values: tuple[str, ...]) -> None:
    if form is Form.TEXT:
        element.text = values[0]
        return
    array = SubElement(element, f"{{{RDF}}}{form}")
    for value in values:
        SubElement(array, _ITEM, {_LANGUAGE: "x-default"} if form is Form.LANGUAGES else {}).text = value


class _Writer:
    """Writes a tree with all its namespaces declared at the root."""

    def __init__(self, root: Element, prefixes: dict[str, str]) -> None:
        self._root = root
        self._prefixes: dict[str, str] = {_XML: "xml"}
        known = {namespace: prefix for prefix, namespace in NAMESPACES.items()} | {_META: "x"}
        for element in root.iter():
            for tag in (element.tag, *element.attrib):
                namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
                if namespace and namespace not in self._prefixes:
                    self._declare(namespace, prefixes.get(namespace) or known.get(namespace, ""))

    def _declare(self, namespace: str, wanted: str) -> None:
        taken = set(self._prefixes.values())
        if wanted in taken or not _PREFIX.fullmatch(wanted) or wanted.lower().startswith("xml"):
            wanted = next(name for number in range(len(taken) + 1) if (name := f"ns{number}") not in taken)
        self._prefixes[namespace] = wanted

    def text(self) -> str:
        declared = "".join(
            f' xmlns:{prefix}="{_attribute(namespace)}"'
            for namespace, prefix in self._prefixes.items()
            if namespace != _XML
        )
        return "".join(self._element(self._root, declared))

    def _element(self, element: Element, declared: str = "") -> Iterator[str]:
        name = self._name(element.tag)
        attributes = "".join(f' {self._name(tag)}="{_attribute(text)}"' for tag, text in element.attrib.items())
        if not len(element) and not element.text:
            yield f"<{name}{declared}{attributes}/>"
        else:
            yield f"<{name}{declared}{attributes}>{escape(element.text or '')}"
            for child in element:
                yield from self._element(child)
                yield escape(child.tail or "")
            yield f"</{name}>"

    def _name(self, tag: str) -> str:
        if not tag.startswith("{"):
            return tag
        namespace, _, local = tag[1:].partition("}")
        return f"{self._prefixes[namespace]}:{local}"


def _attribute(text: str) -> str:
    return escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
