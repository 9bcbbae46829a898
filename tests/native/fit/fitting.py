"""Put recipes together as the outbox does, and build stills as an iPhone writes them."""

import io
import os
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from mediabox.model.facts import Facts
from mediabox.model.recipe import FitRequest, Insert, Part, Recipe
from mediabox.native.boxes import Held, boxes
from mediabox.native.fit import check, fit
from mediabox.native.tags.reader import Reader

SHARED = "library/Shared/"
PAIR = (SHARED + "beach day.jpg", SHARED + "IMG_7731.MOV")


PREVIEW = b"\0\0\0\x08pnot"  # QuickTime's own: a clip with it stays as it is


def assert_has_clip(recipe: Recipe, made: bytes, clip: bytes) -> None:
    """Behind the still is the clip: whole, or told as MP4 with every byte of its data where it was."""
    assert recipe.clip_offset is not None
    there = made[recipe.clip_offset : recipe.clip_offset + len(clip)]
    if recipe.edits_clip:
        data = [box for box in boxes(Held(clip)) if box.type == b"mdat"]
        assert data
        assert [there[box.start : box.end] for box in data] == [clip[box.start : box.end] for box in data]
    else:
        assert there == clip


class Open:
    """Files as readers, for as long as a test needs them."""

    def __init__(self) -> None:
        self._descriptors: list[int] = []

    def __call__(self, path: Path) -> Reader:
        self._descriptors.append(os.open(path, os.O_RDONLY))
        return Reader(self._descriptors[-1])

    def close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


def put_together(recipe: Recipe, first: bytes, clip: bytes = b"") -> bytes:
    files = {Part.FIRST: first, Part.CLIP: clip}
    made = b""
    for piece in recipe.pieces:
        if isinstance(piece, Insert):
            made += piece.content
        else:
            span = files[piece.part][piece.offset : piece.offset + piece.length]
            assert len(span) == piece.length
            made += span
    assert len(made) == recipe.size_bytes
    return made


def request(first: bytes, clip: bytes | None = None, *, media_type: str = "image/jpeg", **wanted: object) -> FitRequest:
    length = None if clip is None else len(clip)
    return FitRequest(name="photo", media_type=media_type, size_bytes=len(first), clip_bytes=length, **wanted)  # type: ignore[arg-type]


def fitted(
    first: bytes, clip: bytes | None = None, *, media_type: str = "image/jpeg", **wanted: object
) -> tuple[bytes, Recipe, Facts]:
    """The made file, how it was made, and what it says once its picture is proved."""
    source = None if clip is None else Held(clip)
    recipe = fit(Held(first), source, request(first, clip, media_type=media_type, **wanted))
    made = put_together(recipe, first, clip or b"")
    facts = check(Held(made), Held(first), media_type=media_type, name="photo")
    return made, recipe, facts


# ---------------------------------------------------------------- stills


def picture(width: int = 96, height: int = 64, *, mode: str = "RGB", seed: int = 4) -> Image.Image:
    """Soft colours with a little grain."""
    random = np.random.default_rng(seed)
    across = np.linspace(0.1, 0.9, width)[None, :] * np.linspace(0.4, 1.0, height)[:, None]
    planes = [np.roll(across, shift, axis=1) for shift in (0, 7, 19)]
    grain = random.normal(0, 0.004, (height, width, 3))
    image = Image.fromarray(np.uint8(np.clip(np.stack(planes, axis=2) + grain, 0, 1) * 255))
    return image.convert(mode)


def jpeg(image: Image.Image, *segments: bytes, **options: object) -> bytes:
    held = io.BytesIO()
    image.save(held, "JPEG", **{"quality": 90, **options})
    content = held.getvalue()
    return content[:20] + b"".join(segments) + content[20:]  # behind SOI and JFIF's segment


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def xmp_segment(packet: bytes) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def apple_exif(brightness: float | None, gain: float | None) -> bytes:
    """An Exif segment whose maker note, big-endian as Apple's, tells the two numbers of the headroom."""
    told = {tag: value for tag, value in ((0x21, brightness), (0x30, gain)) if value is not None}
    values_at = 14 + 2 + 12 * len(told) + 4
    rows = b"".join(struct.pack(">HHII", tag, 10, 1, values_at + 8 * number) for number, tag in enumerate(sorted(told)))
    values = b"".join(struct.pack(">ii", round(told[tag] * 100_000), 100_000) for tag in sorted(told))
    note = b"Apple iOS\0\0\x01MM" + struct.pack(">H", len(told)) + rows + bytes(4) + values
    exif_at = 8 + 2 + 2 * 12 + 4 + 6
    make = struct.pack(">HHII", 0x010F, 2, 6, exif_at - 6)
    main = struct.pack(">H", 2) + make + struct.pack(">HHII", 0x8769, 4, 1, exif_at) + bytes(4) + b"Apple\0"
    note_at = exif_at + 2 + 12 + 4
    exif = struct.pack(">H", 1) + struct.pack(">HHII", 0x927C, 7, len(note), note_at) + bytes(4)
    return segment(0xE1, b"Exif\0\0MM\0*" + struct.pack(">I", 8) + main + exif + note)


APPLE_MAP_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"'
    b' xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/">'
    b"<apdi:AuxiliaryImageType>urn:com:apple:photo:2020:aux:hdrgainmap</apdi:AuxiliaryImageType>%s"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def apple_map(image: Image.Image, *, words: bytes = b"", quality: int = 90) -> bytes:
    return jpeg(image, xmp_segment(APPLE_MAP_XMP % words), quality=quality)


def with_pictures(first: bytes, *others: bytes, lie_bytes: int = 0) -> bytes:
    """The first picture with others behind it and their table (CIPA DC-007). iOS's table lies by some bytes."""
    count = 1 + len(others)
    table_at = 8 + 2 + 3 * 12 + 4
    added = 4 + 4 + table_at + 16 * count
    base = 20 + 4 + 4
    sizes = [len(first) + added, *map(len, others)]
    rows = b""
    for number, size in enumerate(sizes):
        offset = sum(sizes[:number]) - base if number else 0
        rows += struct.pack(">IIIHH", 0x030000 if not number else 0, size + (0 if number else lie_bytes), offset, 0, 0)
    tags = struct.pack(">H", 3) + struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    tags += struct.pack(">HHII", 0xB001, 4, 1, count) + struct.pack(">HHII", 0xB002, 7, 16 * count, table_at)
    mpf = segment(0xE2, b"MPF\0MM\0*" + struct.pack(">I", 8) + tags + bytes(4) + rows)
    return first[:20] + mpf + first[20:] + b"".join(others)


def apple_still(*others: bytes, brightness: float | None = 1.0, gain: float | None = 0.0, words: bytes = b"") -> bytes:
    """An iPhone's JPEG: maker note, table of pictures, gain map and `others` behind it."""
    first = jpeg(picture(), apple_exif(brightness, gain))
    gain_map = apple_map(picture(48, 32, mode="L", seed=9), words=words)
    return with_pictures(first, gain_map, *others, lie_bytes=70)
