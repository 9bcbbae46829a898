"""An XMP packet as one description in the usual wrapper, under the prefixes that Google's readers look for.

Android's MediaProvider (SpecialFormatDetector) and media3 (XmpMotionPhotoDescriptionParser, seen November 2026)
compare names with their prefixes, want `x:xmpmeta` as the root, and stop at the first `rdf:Description` without
the flag, be it another one at the top or a structure's. So the descriptions of a picture become one, a
structure written as a description becomes `rdf:parseType="Resource"`, which says the same (RDF/XML, 2.5, 7.2.18;
ISO 16684-1, 7.9.2.5), and known namespaces get their usual prefixes. Values and their order stay as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

import msgspec

from mediabox.native.boxes import Malformed
from mediabox.native.fit.xmp_edit import CONTAINER, ITEM, MAX_DEPTH, RDF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_META: Final = "adobe:ns:meta/"
_USUAL: Final = {
    _META: "x", RDF: "rdf", CONTAINER: "Container", ITEM: "Item",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.adobe.com/hdr-gain-map/1.0/": "hdrgm",
}  # fmt: skip
_TOKEN = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?]]>|<\?.*?\?>|</[^>]*>|<(?:[^<>"']|"[^"]*"|'[^']*')*>|[^<]+""", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""([^\s=/<>"']+)\s*=\s*("[^"]*"|'[^']*')""")
_NODE = frozenset({"about", "ID", "nodeID"})  # of RDF: what a description is about


class Element(msgspec.Struct, kw_only=True):
    """Attributes and declarations by name as written, values as written without their quotes; text as written."""

    name: str
    attributes: dict[str, str]
    scope: Mapping[str, str]  # prefix -> namespace, "" for none
    content: list[Element | str] = []

    def namespaced(self, name: str) -> tuple[str, str]:
        """The namespace and local name of an element's or attribute's name. Raises Malformed."""
        prefix, _, local = name.rpartition(":")
        if prefix == "xml":
            return "xml", local
        if prefix and prefix not in self.scope:
            raise Malformed(f"XMP with a prefix that is not declared: {prefix}")
        return self.scope.get(prefix, ""), local

    def is_named(self, namespace: str, local: str) -> bool:
        return self.namespaced(self.name) == (namespace, local)

    def elements(self) -> Iterator[Element]:
        return (each for each in self.content if isinstance(each, Element))


def as_one_description(packet: bytes) -> bytes:
    """The packet, well-formed UTF-8, with one description and the usual prefixes. Raises Malformed."""
    root = _parse(packet.decode("utf-8", "replace").lstrip("\ufeff"))
    rdf = next(_named(root, RDF, "RDF"), None)
    if rdf is None:
        raise Malformed("XML that holds no XMP")
    descriptions = [each for each in rdf.elements() if each.is_named(RDF, "Description")]
    others = [each for each in rdf.elements() if not each.is_named(RDF, "Description")]
    about = next(filter(None, (_about(each) for each in descriptions)), "")
    known = dict(_KNOWN)
    attributes = "".join(f"\n   {words}" for one in descriptions for words in _kept_attributes(one, known))
    properties = "".join(f"   {_written(each, known)}\n" for one in descriptions for each in _properties(one))
    usual = "".join(f" xmlns:{prefix}={quoteattr(namespace)}" for namespace, prefix in _USUAL.items() if prefix != "x")
    beside = "".join(f"  {_written(each, _KNOWN)}\n" for each in others)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="{_META}">\n <rdf:RDF{usual}>\n'
        f'  <rdf:Description rdf:about="{_quoted(about)}"{attributes}>\n{properties}  </rdf:Description>\n{beside}'
        ' </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
    ).encode()


def _parse(text: str) -> Element:
    """The document as a tree. Its well-formedness has been shown by expat before."""
    top = Element(name="", attributes={}, scope={})
    open_ = [top]
    for token in _TOKEN.findall(text):
        if token.startswith("</"):
            open_.pop()
        elif token.startswith(("<!--", "<?")):
            continue
        elif token.startswith("<") and not token.startswith("<!"):
            element = _opened(token, open_[-1].scope)
            open_[-1].content.append(element)
            if not token.endswith("/>"):
                open_.append(element)
        else:
            open_[-1].content.append(token)
        if not open_ or len(open_) > MAX_DEPTH:
            raise Malformed("XMP that cannot be followed")
    return top


def _opened(tag: str, scope: Mapping[str, str]) -> Element:
    name = tag[1:].split(None, 1)[0].rstrip("/>")
    given = {key: value[1:-1] for key, value in _ATTRIBUTE.findall(tag[1 + len(name) :])}
    declared = {key.partition(":")[2]: value for key, value in given.items() if key.partition(":")[0] == "xmlns"}
    attributes = {key: value for key, value in given.items() if key.partition(":")[0] != "xmlns"}
    return Element(name=name, attributes=attributes, scope={**scope, **declared} if declared else scope, content=[])


def _named(element: Element, namespace: str, local: str) -> Iterator[Element]:
    for each in element.elements():
        if each.is_named(namespace, local):
            yield each
        else:
            yield from _named(each, namespace, local)


def _about(description: Element) -> str:
    return next((value for name, value in description.attributes.items() if name.rpartition(":")[2] == "about"), "")


def _kept_attributes(description: Element, known: dict[str, str]) -> Iterator[str]:
    """Properties that can stay attributes, and the declarations they need; the others become elements."""
    for name, value in list(_said_in_attributes(description)):
        namespace, local = description.namespaced(name)
        prefix = _USUAL.get(namespace) or name.rpartition(":")[0]
        if known.get(prefix, namespace) == namespace:
            if prefix not in known:
                yield f'xmlns:{prefix}="{_quoted(namespace)}"'
            known[prefix] = namespace
            yield f'{prefix}:{local}="{_quoted(value)}"'
            del description.attributes[name]


def _said_in_attributes(description: Element) -> Iterator[tuple[str, str]]:
    for name, value in description.attributes.items():
        namespace, local = description.namespaced(name)
        if namespace and namespace != "xml" and (namespace != RDF or local not in _NODE):
            yield name, value


def _properties(description: Element) -> Iterator[Element]:
    """What a description says: its attributes as elements, then its elements."""
    for name, value in _said_in_attributes(description):
        text = re.sub(r"[\t\r\n]", " ", value).replace(">", "&gt;")
        yield Element(name=name, attributes={}, scope=description.scope, content=[text])
    yield from description.elements()


def _structured(element: Element) -> Element:
    """A property whose value is written as a description, as one that is a structure itself."""
    inner = [each for each in element.content if isinstance(each, Element) or each.strip()]
    if len(inner) != 1 or not isinstance(inner[0], Element) or not inner[0].is_named(RDF, "Description"):
        return element
    value = inner[0]
    if _about(value) or any(element.namespaced(name)[0] == RDF for name in element.attributes):
        return element
    scope = {**element.scope, "rdf": RDF}
    attributes = element.attributes | {"rdf:parseType": "Resource"}
    return Element(name=element.name, attributes=attributes, scope=scope, content=list(_properties(value)))


def _written(element: Element, known: Mapping[str, str]) -> str:
    """Markup under the usual prefixes; other ones are declared where they are first needed."""
    element = _structured(element)
    known = dict(known)
    declared: dict[str, str] = {}
    names = [_usual(element, name, known, declared) for name in (element.name, *element.attributes)]
    values = map(_quoted, element.attributes.values())
    said = "".join(f' {name}="{value}"' for name, value in zip(names[1:], values, strict=True))
    spaces = "".join(f' xmlns{":" * bool(prefix)}{prefix}="{_quoted(uri)}"' for prefix, uri in declared.items())
    inner = "".join(each if isinstance(each, str) else _written(each, known) for each in element.content)
    return f"<{names[0]}{spaces}{said}>{inner}</{names[0]}>"


_KNOWN: Final = {prefix: namespace for namespace, prefix in _USUAL.items()}


def _usual(element: Element, name: str, known: dict[str, str], declared: dict[str, str]) -> str:
    """The name to write; what has to be declared for it goes to `declared`. Raises Malformed."""
    namespace, local = element.namespaced(name)
    if namespace in ("", "xml"):
        return name
    prefix = _USUAL.get(namespace) or name.rpartition(":")[0]
    if prefix in _KNOWN and _KNOWN[prefix] != namespace:
        raise Malformed(f"XMP that uses the prefix {prefix} for another namespace")
    if known.get(prefix) != namespace:
        known[prefix] = declared[prefix] = namespace
    return f"{prefix}:{local}" if prefix else local


def _quoted(value: str) -> str:
    return value.replace('"', "&quot;")
