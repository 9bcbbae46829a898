"""Write a tree as an XMP packet, with all its namespaces declared at the root, under the prefixes asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mediabox.native.xmp.names import NAMESPACES
from mediabox.native.xmp.values import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

_XML = "http://www.w3.org/XML/1998/namespace"
_PREFIX = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


def wrapped(root: Element, prefixes: Mapping[str, str]) -> bytes:
    """The packet as UTF-8 (XMP Part 1, 7.3). `prefixes`: wanted ones by namespace; else the usual, else any."""
    text = _Writer(root, prefixes).text()
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{text}\n<?xpacket end="w"?>\n'.encode()


class _Writer:
    def __init__(self, root: Element, prefixes: Mapping[str, str]) -> None:
        self._root = root
        self._prefixes: dict[str, str] = {_XML: "xml"}
        usual = {namespace: prefix for prefix, namespace in NAMESPACES.items()}
        for element in root.iter():
            for tag in (element.tag, *element.attrib):
                namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
                if namespace and namespace not in self._prefixes:
                    self._declare(namespace, prefixes.get(namespace) or usual.get(namespace, ""))

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
