"""EXIF, XMP and Apple maker notes as cameras write them."""

from __future__ import annotations

import struct

import msgspec

from .boxes import Directory, Tag, long, short, text, tiff


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """What one invented picture says about itself. `taken` as EXIF writes it: `2024:05:12 18:03:22`."""

    make: str = "Apple"
    model: str = "iPhone 15"
    lens: str = ""
    software: str = ""
    taken: str = ""
    fraction: str = ""
    offset: str = ""
    modified: str = ""
    orientation: int = 1
    width: int = 0
    height: int = 0
    place: tuple[float, float, float] | None = None
    gps_time: str = ""  # UTC, as `taken`
    maker_note: bytes = b""


def _degrees(value: float) -> tuple[tuple[int, int], ...]:
    hundredths = round(abs(value) * 360_000)
    return (hundredths // 360_000, 1), (hundredths // 6_000 % 60, 1), (hundredths % 6_000, 100)


def exif_directory(camera: Camera) -> Directory:
    """EXIF 2.32, 4.6.5."""
    tags = [
        Tag(0x829A, 5, ((1, 250),)),
        Tag(0x829D, 5, ((178, 100),)),
        short(0x8827, 100),
        Tag(0x9000, 7, b"0232"),
        Tag(0x9101, 7, b"\1\2\3\0"),
        Tag(0xA000, 7, b"0100"),
        Tag(0x920A, 5, ((686, 100),)),
        short(0xA001, 1),
    ]
    if camera.taken:
        tags += [text(0x9003, camera.taken), text(0x9004, camera.taken)]
    if camera.offset:
        tags += [text(number, camera.offset) for number in (0x9010, 0x9011, 0x9012)]
    if camera.fraction:
        tags += [text(0x9291, camera.fraction), text(0x9292, camera.fraction)]
    if camera.maker_note:
        tags.append(Tag(0x927C, 7, camera.maker_note))
    if camera.width:
        tags += [long(0xA002, camera.width), long(0xA003, camera.height)]
    if camera.lens:
        tags.append(text(0xA434, camera.lens))
    return Directory(tuple(tags))


def gps_directory(camera: Camera) -> Directory:
    """EXIF 2.32, 4.6.6."""
    tags = [Tag(0x0000, 1, (2, 3, 0, 0))]
    if camera.place:
        latitude, longitude, altitude = camera.place
        tags += [
            text(0x0001, "N" if latitude >= 0 else "S"),
            Tag(0x0002, 5, _degrees(latitude)),
            text(0x0003, "E" if longitude >= 0 else "W"),
            Tag(0x0004, 5, _degrees(longitude)),
            Tag(0x0005, 1, (int(altitude < 0),)),
            Tag(0x0006, 5, ((round(abs(altitude) * 100), 100),)),
        ]
    if camera.gps_time:
        date, time = camera.gps_time.split(" ")
        tags.append(Tag(0x0007, 5, tuple((int(part), 1) for part in time.split(":"))))
        tags.append(text(0x001D, date))
    return Directory(tuple(tags))


def directory(camera: Camera, *more: Tag) -> Directory:
    """IFD0 with its EXIF and GPS directories."""
    tags = [
        Tag(0x8769, 4, (exif_directory(camera),)),
        short(0x0112, camera.orientation),
        Tag(0x011A, 5, ((72, 1),)),
        Tag(0x011B, 5, ((72, 1),)),
        short(0x0128, 2),
        short(0x0213, 1),
        *more,
    ]
    tags += [text(0x010F, camera.make)] if camera.make else []
    tags += [text(0x0110, camera.model)] if camera.model else []
    tags += [text(0x0131, camera.software)] if camera.software else []
    tags += [text(0x0132, camera.modified)] if camera.modified else []
    if camera.place or camera.gps_time:
        tags.append(Tag(0x8825, 4, (gps_directory(camera),)))
    return Directory(tuple(tags))


def exif(camera: Camera, *, order: str = ">") -> bytes:
    """A TIFF block for JPEG (after `Exif\\0\\0`), HEIC, PNG `eXIf`."""
    return tiff([directory(camera)], order=order)


def apple_note(*, content_identifier: str = "", burst: str = "") -> bytes:
    """Apple's maker note: big-endian, offsets from its own start (as ExifTool's Apple.pm documents it)."""
    values = [(number, value) for number, value in ((0x000B, burst), (0x0011, content_identifier)) if value]
    head = b"Apple iOS\0\0\x01MM"
    at = len(head) + 2 + 12 * (len(values) + 1) + 4
    entries, tail = struct.pack(">HHIi", 0x0001, 9, 1, 14), b""
    for number, value in values:
        content = value.encode() + b"\0"
        entries += struct.pack(">HHII", number, 2, len(content), at + len(tail))
        tail += content
    return head + struct.pack(">H", len(values) + 1) + entries + b"\0\0\0\0" + tail


NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "darktable": "http://darktable.sf.net/",
    "garden": "https://example.org/garden/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}


def xmp(attributes: dict[str, str], inner: str = "") -> bytes:
    """An XMP packet with one description: simple properties as attributes, the rest as elements."""
    used = {name.partition(":")[0] for name in attributes} | {name for name in NAMESPACES if f"<{name}:" in inner}
    used |= {name for name in NAMESPACES if f" {name}:" in inner}
    spaces = "".join(f'\n    xmlns:{name}="{NAMESPACES[name]}"' for name in sorted(used))
    values = "".join(f'\n    {name}="{value}"' for name, value in attributes.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about=""{spaces}{values}>\n{inner}\n  </rdf:Description>\n'
        " </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def bag(name: str, *values: str, form: str = "Bag") -> str:
    inside = "".join(f"<rdf:li>{value}</rdf:li>" for value in values)
    return f"   <{name}><rdf:{form}>{inside}</rdf:{form}></{name}>"


def language(name: str, value: str) -> str:
    return f'   <{name}><rdf:Alt><rdf:li xml:lang="x-default">{value}</rdf:li></rdf:Alt></{name}>'


def items(*entries: str) -> str:
    """Container:Directory of a motion photo or Ultra HDR picture; each entry is a list of Item attributes."""
    inside = "".join(f'<rdf:li rdf:parseType="Resource"><Container:Item {entry}/></rdf:li>' for entry in entries)
    return f"   <Container:Directory><rdf:Seq>{inside}</rdf:Seq></Container:Directory>"
