"""An XMP packet changed property by property; everything else in it stays as it is."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent

from mediabox.native.xmp.names import NAMESPACES, qualified, short
from mediabox.native.xmp.packet import ARRAYS, DESCRIPTION, ITEM, LANGUAGE, RDF, Packet, text_of
from mediabox.native.xmp.values import XmpForm
from mediabox.native.xmp.writer import wrapped

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

ABOUT = RDF + "about"
META = f"{{{NAMESPACES['x']}}}"
_OWN = f"{{{NAMESPACES['mediabox']}}}"
_NO_PROPERTIES = (RDF, LANGUAGE, _OWN)


class EditablePacket(Packet):
    """A packet whose properties can be changed. Raises Malformed when it is no XMP, or something else comes first."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content, is_whole=True)

    def read(self, name: str) -> tuple[str, ...]:
        """A property's values: one of a text, all of an array, the default language's; () when it is absent."""
        texts, element = self.texts(name), self.element(name)
        return texts[:1] if element is not None and element.find(RDF + "Alt") is not None else texts

    def write(self, name: str, form: XmpForm, values: tuple[str, ...]) -> None:
        """Give a property these values; array members and languages that stay are not touched."""
        if self.read(name) == values:
            return
        element = self.element(name)
        array = next((child for child in element if child.tag in ARRAYS), None) if element is not None else None
        if array is None or not values or form not in (XmpForm.SET, XmpForm.LANGUAGES):
            self.remove(name)
            if values:
                _fill(self.add(name), form, values)
        elif form is XmpForm.SET:
            _update_set(array, values)
        else:
            _update_default(array, values[0])

    def add(self, name: str) -> Element:
        """An empty element for property `name`."""
        return SubElement(self._description(), qualified(name))

    def remove(self, name: str) -> None:
        """Take a property away in whatever form it is there."""
        tag = qualified(name)
        for description in self.rdf:
            description.attrib.pop(tag, None)
            for element in description.findall(tag):
                description.remove(element)

    def remove_namespace(self, prefix: str) -> None:
        """Take away every property of a namespace."""
        for tag in {tag for tag in self._tags() if tag.startswith(qualified(f"{prefix}:"))}:
            self.remove(short(tag))

    def adopt(self, other: Packet, *, besides: Container[str]) -> None:
        """Take over each property of `other` that is absent here and not one of `besides`, nor of our namespace."""
        here = set(self._tags())
        for description in other.rdf:
            for tag, text in description.attrib.items():
                if tag not in here and short(tag) not in besides and not tag.startswith(_NO_PROPERTIES):
                    self._description().set(tag, text)
            for child in description:
                if child.tag not in here and short(child.tag) not in besides and not child.tag.startswith(_OWN):
                    self._description().append(copy.deepcopy(child))
        for namespace, prefix in other.prefixes.items():
            self.prefixes.setdefault(namespace, prefix)

    def to_bytes(self, toolkit: str) -> bytes:
        """The packet as UTF-8, wrapped as XMP Part 1, 7.3 asks, signed by `toolkit`."""
        root = self.root
        if root is self.rdf:
            root = Element(META + "xmpmeta")
            root.append(self.rdf)
        root.set(META + "xmptk", toolkit)
        indent(root, space=" ")
        return wrapped(root, self.prefixes)

    def _description(self) -> Element:
        found = self.rdf.find(DESCRIPTION)
        return found if found is not None else SubElement(self.rdf, DESCRIPTION, {ABOUT: ""})

    def _tags(self) -> Iterator[str]:
        for description in self.rdf:
            yield from description.attrib
            yield from (child.tag for child in description)


def _fill(element: Element, form: XmpForm, values: tuple[str, ...]) -> None:
    if form is XmpForm.TEXT:
        element.text = values[0]
        return
    array = SubElement(element, RDF + form)
    for value in values:
        SubElement(array, ITEM, {LANGUAGE: "x-default"} if form is XmpForm.LANGUAGES else {}).text = value


def _update_set(array: Element, values: tuple[str, ...]) -> None:
    for item in [item for item in array if text_of(item) not in values]:
        array.remove(item)
    present = {text_of(item) for item in array}
    for value in values:
        if value not in present:
            SubElement(array, ITEM).text = value


def _update_default(array: Element, value: str) -> None:
    default = next((item for item in array if item.get(LANGUAGE) == "x-default"), None)
    if default is None:  # the default comes first (XMP Part 1, 8.2.2.4)
        default = Element(ITEM)
        array.insert(0, default)
    default.clear()
    default.set(LANGUAGE, "x-default")
    default.text = value
