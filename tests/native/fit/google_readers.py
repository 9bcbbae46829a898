"""What Android's MediaProvider and media3 make of a picture's XMP, after their sources (November 2026).

MediaProvider: util/SpecialFormatDetector.java. media3: extractor/jpeg/XmpMotionPhotoDescriptionParser.java. Both pull
tags without looking at namespaces, which expat without a separator does as well.
"""

from collections.abc import Iterator
from xml.parsers import expat

FLAGS = ("Camera:MotionPhoto", "GCamera:MotionPhoto", "Camera:MicroVideo", "GCamera:MicroVideo")
DIRECTORIES = {
    "Container:Directory": ("Container:Item", "Item"),
    "GContainer:Directory": ("GContainer:Item", "GContainerItem"),
}
Tag = tuple[str, str, dict[str, str]]  # "start" or "end", name, attributes


def tags(packet: bytes) -> list[Tag]:
    found: list[Tag] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append(("start", name, attributes))
    parser.EndElementHandler = lambda name: found.append(("end", name, {}))
    parser.Parse(packet.rstrip(b"\0 \t\r\n"), True)
    return found


def is_flagged(attributes: dict[str, str]) -> bool:
    """The first of the four that is there decides."""
    return next((int(attributes[name]) == 1 for name in FLAGS if name in attributes), False)


def media3_items(packet: bytes) -> list[tuple[str, str, int, int]] | None:
    """(mime, semantic, length, padding) of each item; None for what is no Motion Photo to it."""
    pulled = iter(tags(packet))
    if next(pulled)[:2] != ("start", "x:xmpmeta"):
        return None
    items: list[tuple[str, str, int, int]] = []
    for event, name, attributes in pulled:
        if event == "start" and name == "rdf:Description":
            if not is_flagged(attributes):
                return None
            items = []
            if (offset := attributes.get("GCamera:MicroVideoOffset")) is not None:
                items = [("image/jpeg", "Primary", 0, 0), ("video/mp4", "MotionPhoto", int(offset), 0)]
        elif event == "start" and name in DIRECTORIES:
            items = list(_listed(pulled, name))
        elif (event, name) == ("end", "x:xmpmeta"):
            break
    return items or None


def media3_places(packet: bytes, file_bytes: int) -> tuple[int, int]:
    """Where the photo ends and the video begins: MotionPhotoDescription.getMotionPhotoMetadata, from the file's end."""
    items = media3_items(packet)
    assert items is not None
    begin, video = file_bytes, -1
    for mime, _, length, _ in reversed(items[1:]):
        begin -= length
        if mime in ("video/mp4", "video/quicktime") and length:
            video = begin
    return begin - items[0][3], video


def _listed(pulled: Iterator[Tag], directory: str) -> Iterator[tuple[str, str, int, int]]:
    item, prefix = DIRECTORIES[directory]
    for event, name, attributes in pulled:
        if (event, name) == ("end", directory):
            return
        if (event, name) == ("start", item):
            words = (attributes[f"{prefix}:Mime"], attributes[f"{prefix}:Semantic"])
            yield (*words, int(attributes.get(f"{prefix}:Length", 0)), int(attributes.get(f"{prefix}:Padding", 0)))


def is_motion_photo_to_android(packet: bytes) -> bool:
    """MediaProvider's verdict: flagged in the first description, and a clip with a length in it or in a directory."""
    pulled = iter(tags(packet))
    if next(pulled)[:2] != ("start", "x:xmpmeta"):
        return False
    for event, name, attributes in pulled:
        if event == "start" and name == "rdf:Description":
            if not is_flagged(attributes):
                return False
            if int(attributes.get("GCamera:MicroVideoOffset", 0)) > 0:
                return True
        elif event == "start" and name in DIRECTORIES:
            listed = {semantic: length for _, semantic, length, _ in _listed(pulled, name)}
            if "Primary" in listed and listed.get("MotionPhoto", 0) > 0:
                return True
    return False
