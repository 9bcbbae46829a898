"""Hand-built files, as small as their formats allow: each byte is there for a reason a test can name."""

import struct
import zlib
from collections.abc import Mapping

Value = tuple[int, int, bytes]  # TIFF type, count, bytes


def ascii_value(text: str) -> Value:
    raw = text.encode() + b"\0"
    return 2, len(raw), raw


def shorts(*numbers: int, endian: str = "<") -> Value:
    return 3, len(numbers), struct.pack(f"{endian}{len(numbers)}H", *numbers)


def longs(*numbers: int, endian: str = "<") -> Value:
    return 4, len(numbers), struct.pack(f"{endian}{len(numbers)}I", *numbers)


def rationals(*pairs: tuple[int, int], endian: str = "<") -> Value:
    flat = [part for pair in pairs for part in pair]
    return 5, len(pairs), struct.pack(f"{endian}{len(flat)}I", *flat)


def directory(tags: Mapping[int, Value], at: int, endian: str = "<", following: int = 0) -> bytes:
    """One directory to be put at offset `at`, its long values right behind it."""
    values_at = at + 2 + 12 * len(tags) + 4
    rows, values = b"", b""
    for tag, (form, count, raw) in sorted(tags.items()):
        inline = raw.ljust(4, b"\0")
        if len(raw) > 4:
            inline = struct.pack(endian + "I", values_at + len(values))
            values += raw + b"\0" * (len(raw) % 2)
        rows += struct.pack(endian + "HHI", tag, form, count) + inline
    return struct.pack(endian + "H", len(tags)) + rows + struct.pack(endian + "I", following) + values


def tiff(
    main: Mapping[int, Value],
    exif: Mapping[int, Value] | None = None,
    gps: Mapping[int, Value] | None = None,
    endian: str = "<",
) -> bytes:
    """A TIFF structure with a main, an Exif and a GPS directory."""
    head = (b"II*\0" if endian == "<" else b"MM\0*") + struct.pack(endian + "I", 8)
    tags = dict(main)
    subs = {0x8769: exif, 0x8825: gps}
    tags.update({tag: longs(0, endian=endian) for tag, sub in subs.items() if sub is not None})
    at = 8 + len(directory(tags, 8, endian))
    behind = b""
    for tag, sub in subs.items():
        if sub is not None:
            tags[tag] = longs(at + len(behind), endian=endian)
            behind += directory(sub, at + len(behind), endian)
    return head + directory(tags, 8, endian) + behind


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(*segments: bytes, width: int = 40, height: int = 30, end: bytes = b"\xff\xd9") -> bytes:
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0")
    scan = segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\x12\x34\xff\0\x56" * 4
    return b"\xff\xd8" + b"".join(segments) + frame + scan + end


def exif_segment(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def xmp_segment(packet: str) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode())


def iptc_segment(*records: tuple[int, int, bytes]) -> bytes:
    iim = b"".join(
        struct.pack(">BBBH", 0x1C, number, dataset, len(value)) + value for number, dataset, value in records
    )
    return segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iim)) + iim)


SPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
}


def xmp(attributes: str = "", inside: str = "") -> str:
    spaces = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in SPACES.items())
    described = f'<rdf:Description rdf:about="" {attributes}>{inside}</rdf:Description>'
    return f"<x:xmpmeta {spaces}><rdf:RDF>{described}</rdf:RDF></x:xmpmeta>"


def bag(name: str, *values: str) -> str:
    entries = "".join(f"<rdf:li>{value}</rdf:li>" for value in values)
    return f"<{name}><rdf:Bag>{entries}</rdf:Bag></{name}>"


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, *parts: bytes) -> bytes:
    return box(kind, bytes(4), *parts)


IDENTITY = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
QUARTER_TURN = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)  # clockwise


def movie(
    *tags: bytes,
    matrix: tuple[int, ...] = IDENTITY,
    colour: bytes = b"",
    created: int = 0,
    chunk_at: int = 40,
    samples: int = 60,
) -> bytes:
    """A movie of one H.264 track: 640 by 360, two seconds of 600 ticks each, index before the pictures."""
    header = struct.pack(">IIIIIH", created, created, 600, 1200, 0x10000, 0x100) + bytes(74)
    track_header = struct.pack(">IIIII", 0, 0, 1, 0, 1200) + bytes(16) + struct.pack(">9i", *matrix)
    track_header += struct.pack(">II", 640 << 16, 360 << 16)
    entry = bytes(24) + struct.pack(">HH", 640, 360) + bytes(50) + box(b"avcC", b"\x01\x64\0\x1f") + colour
    table = box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1), box(b"avc1", entry)),
        full_box(b"stsz", struct.pack(">II", 0, samples)),
        full_box(b"stco", struct.pack(">II", 1, chunk_at)),
    )
    media = box(
        b"mdia",
        full_box(b"mdhd", struct.pack(">IIII", 0, 0, 600, 1200), bytes(4)),
        full_box(b"hdlr", bytes(4), b"vide", bytes(13)),
        box(b"minf", table),
    )
    track = box(b"trak", box(b"tkhd", b"\0\0\0\x01", track_header), media)
    moov = box(b"moov", full_box(b"mvhd", header), track, *tags)
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + moov + box(b"mdat", bytes(100))


def apple_keys(**values: str) -> bytes:
    """QuickTime metadata: keyword names with `_` for `.`, all of `com.apple.quicktime`."""
    names = [f"com.apple.quicktime.{name.replace('_', '.')}".encode() for name in values]
    keys = full_box(b"keys", struct.pack(">I", len(names)), *(box(b"mdta", name) for name in names))
    entries = [
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", 1, 0), value.encode()))
        for number, value in enumerate(values.values(), start=1)
    ]
    return box(b"meta", full_box(b"hdlr", bytes(4), b"mdta", bytes(13)), keys, box(b"ilst", *entries))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, end: bool = True) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0))
    last = png_chunk(b"IEND", b"") if end else b""
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + last


def riff(kind: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    body = kind + b"".join(
        name + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2) for name, value in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def ebml(number: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    name = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return name + struct.pack(">Q", 1 << 56 | len(body)) + body
