"""The XMP that makes a still with a clip behind it a Motion Photo, and one with a gain map Ultra HDR.

developer.android.com/media/platform/motion-photo-format (1.0) and .../hdr-image-format
(1.1), seen November 2026. The older MicroVideo words are written as well, for readers of
before 2020; the specification has today's readers ignore them.

Android's MediaProvider (SpecialFormatDetector) and media3 (XmpMotionPhotoDescriptionParser, seen November 2026)
compare names with their prefixes, want `x:xmpmeta` as the root, and stop at the first `rdf:Description` without
the flag, be it another one at the top or a structure's. So the descriptions of a picture become one, a
structure written as a description becomes `rdf:parseType="Resource"`, which says the same (RDF/XML, 2.5, 7.2.18;
ISO 16684-1, 7.9.2.5), and known namespaces get their usual prefixes. Values and their order stay as they are.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement

import msgspec

from mediabox.native.xmp.edit import ABOUT, EditablePacket
from mediabox.native.xmp.names import NAMESPACES, qualified
from mediabox.native.xmp.packet import DESCRIPTION, ITEM, RDF
from mediabox.native.xmp.writer import wrapped

_UNKNOWN_US: Final = -1
_EMPTY: Final = f'<rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}"/>'.encode()
_USUAL: Final = {NAMESPACES[prefix]: prefix for prefix in ("x", "rdf", "Container", "Item", "GCamera", "hdrgm")}
_DIRECTORY: Final = "Container:Directory"
_HDR_VERSION: Final = "hdrgm:Version"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One file within the file. `padding`: bytes between its end and the next one's start; of the first only."""

    semantic: str  # Primary, GainMap, MotionPhoto
    mime: str
    length: int = 0  # bytes; 0 for the first, which says itself where it ends
    padding: int = 0

    @property
    def is_clip(self) -> bool:
        return self.semantic == "MotionPhoto" or self.mime.startswith("video/")


def with_motion(
    packet: bytes,
    items: Sequence[Item],
    *,
    still_at_us: int | None,
    says_ultra_hdr: bool = False,
    is_directory_new: bool = False,
) -> bytes:
    """The packet (b"" for none) telling of `items`, the last of which is the clip at the file's very end.

    It comes back as one description in the form that Google's readers take. A directory that lists the other
    items already is kept and added to; any other is replaced, or each one with `is_directory_new`.
    `says_ultra_hdr` is for a gain map made by us: the directory is ours, too, and readers are told.
    Raises Malformed for what is no XMP.
    """
    read = EditablePacket(packet or _EMPTY)
    description = _as_one_description(read)
    words = _words(items[-1].length, still_at_us) | ({_HDR_VERSION: "1.0"} if says_ultra_hdr else {})
    for name, text in words.items():
        read.remove(name)
        description.set(qualified(name), text)
    directory = read.element(_DIRECTORY)
    is_kept = directory is not None and not says_ultra_hdr and not is_directory_new
    if directory is not None and is_kept and _lists(directory, items[:-1]):
        _extend(directory[0], items[-1])
    else:
        read.remove(_DIRECTORY)
        description.insert(0, _new_directory(items))
    return _written(read)


def as_one_description(packet: bytes) -> bytes:
    """The packet with one description and the usual prefixes. Raises Malformed."""
    read = EditablePacket(packet)
    _as_one_description(read)
    return _written(read)


def listed(packet: bytes) -> list[Item]:
    """What the packet's directory tells. Raises Malformed."""
    directory = EditablePacket(packet or _EMPTY).element(_DIRECTORY)
    return [] if directory is None or not len(directory) else list(map(_read_item, directory[0]))


def _written(packet: EditablePacket) -> bytes:
    root = Element(qualified("x:xmpmeta"))
    root.append(packet.rdf)
    others = {namespace: prefix for namespace, prefix in packet.prefixes.items() if prefix not in _USUAL.values()}
    return wrapped(root, others | _USUAL)


def _words(clip_bytes: int, still_at_us: int | None) -> dict[str, str]:
    shown_at = str(_UNKNOWN_US if still_at_us is None else still_at_us)
    return {
        "GCamera:MotionPhoto": "1",
        "GCamera:MotionPhotoVersion": "1",
        "GCamera:MotionPhotoPresentationTimestampUs": shown_at,
        "GCamera:MicroVideo": "1",
        "GCamera:MicroVideoVersion": "1",
        "GCamera:MicroVideoOffset": str(clip_bytes),
        "GCamera:MicroVideoPresentationTimestampUs": shown_at,
    }


# ---------------------------------------------------------------- one description


def _as_one_description(packet: EditablePacket) -> Element:
    descriptions = packet.rdf.findall(DESCRIPTION)
    about = next(filter(None, map(_about, descriptions)), "")
    one = Element(DESCRIPTION, {ABOUT: about})
    for description in descriptions:
        for tag, text in _said_in_attributes(description):
            if tag in one.attrib:  # two descriptions say it, and an element may not have an attribute twice
                SubElement(one, tag).text = text
            one.attrib.setdefault(tag, text)
        one.extend(description)
        packet.rdf.remove(description)
    packet.rdf.insert(0, one)
    for element in list(one.iter()):
        _make_structure(element)
    return one


def _about(description: Element) -> str:
    return description.get(ABOUT) or description.get("about") or ""


def _said_in_attributes(description: Element) -> Iterator[tuple[str, str]]:
    """Properties only, not what RDF says of the description itself."""
    properties = ((tag, text) for tag, text in description.attrib.items() if tag.startswith("{"))
    nodes = (ABOUT, RDF + "ID", RDF + "nodeID")
    return (
        (tag, text) for tag, text in properties if tag not in nodes and not tag.startswith("{http://www.w3.org/XML/")
    )


def _make_structure(element: Element) -> None:
    """A property whose value is written as a description becomes one that is a structure itself."""
    if len(element) != 1 or element[0].tag != DESCRIPTION or any(tag.startswith(RDF) for tag in element.attrib):
        return
    value = element[0]
    if _about(value) or (element.text or "").strip() or (value.tail or "").strip():
        return
    element.set(RDF + "parseType", "Resource")
    element.remove(value)
    for tag, text in _said_in_attributes(value):
        SubElement(element, tag).text = text
    element.extend(value)


# ---------------------------------------------------------------- the container directory


def _lists(directory: Element, others: Sequence[Item]) -> bool:
    """Whether a directory can stay: it lists these, and maybe more of the still's own, such as depth."""
    told = [_read_item(entry).semantic for entry in directory[0]] if len(directory) else []
    return told[:1] == ["Primary"] and "" not in told and {item.semantic for item in others} <= set(told)


def _extend(entries: Element, clip: Item) -> None:
    """Make the clip the last item; one that is not there any more goes."""
    for entry in [entry for entry in entries if _read_item(entry).is_clip]:
        entries.remove(entry)
    entries.append(_entry(clip))


def _read_item(entry: Element) -> Item:
    """Attributes only, as Google's readers do: a directory in another form is written anew."""
    said = {tag: text for node in entry.iter() for tag, text in node.attrib.items()}
    length = said.get(qualified("Item:Length"), "0").strip()
    return Item(
        semantic=said.get(qualified("Item:Semantic"), ""),
        mime=said.get(qualified("Item:Mime"), ""),
        length=int(length) if length.isascii() and length.isdigit() and len(length) < 16 else 0,
    )


def _new_directory(items: Sequence[Item]) -> Element:
    directory = Element(qualified(_DIRECTORY))
    SubElement(directory, RDF + "Seq").extend(map(_entry, items))
    return directory


def _entry(item: Item) -> Element:
    entry = Element(ITEM, {RDF + "parseType": "Resource"})
    said = {"Mime": item.mime, "Semantic": item.semantic, "Length": str(item.length), "Padding": str(item.padding)}
    SubElement(entry, qualified("Container:Item"), {qualified(f"Item:{name}"): text for name, text in said.items()})
    return entry
