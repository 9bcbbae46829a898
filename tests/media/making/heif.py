"""HEIC built box by box (ISO/IEC 23008-12), because a phone's files are grids and encoders write single pictures."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from typing import Any

import av
import msgspec
import numpy as np
import pillow_heif
from PIL import Image

from .boxes import box, full_box
from .exif import Camera, apple_note, exif
from .pictures import ANDROID, PHONE, coded, display_p3
from .scene import landscape
from .shelf import Entry, Shelf

TILE = 128


class Coded(msgspec.Struct, frozen=True):
    """Pictures of one size: the decoder's configuration (`hvcC` content) and one sample each."""

    configuration: bytes
    samples: tuple[bytes, ...]


def hevc(pictures: list[Image.Image], *, pixel_format: str = "yuvj420p", quality: int = 26) -> Coded:
    """Code each picture alone, full range, BT.601 matrix, as phones do."""
    store = io.BytesIO()
    options = {
        "preset": "veryfast",
        "crf": str(quality),
        "x265-params": "keyint=1:info=0:pools=none:frame-threads=1:log-level=none:colormatrix=smpte170m:range=full",
    }
    with av.open(store, "w", format="mp4", options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream("libx265", rate=10, options=options)
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = Fraction(1, 10)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), format="rgb24")
            frame.pts = number
            converted = frame.reformat(format=pixel_format, dst_colorspace="ITU601", dst_color_range="JPEG")
            file.mux(stream.encode(converted))
        file.mux(stream.encode())
    store.seek(0)
    with av.open(store, "r") as written:
        track = written.streams.video[0]
        configuration = bytes(track.codec_context.extradata or b"")
        samples = tuple(bytes(packet) for packet in written.demux(track) if packet.size)
    return Coded(configuration, samples)


class Heif:
    """A file being put together. Items are numbered from 1; properties are shared by equality."""

    def __init__(self) -> None:
        self._items: list[tuple[int, bytes, bytes, bool]] = []  # id, type, content, hidden
        self._properties: list[bytes] = []
        self._associations: dict[int, list[int]] = {}
        self._references: list[tuple[bytes, int, tuple[int, ...]]] = []
        self.primary = 0

    def item(self, kind: bytes, content: bytes, *properties: bytes, hidden: bool = False) -> int:
        number = len(self._items) + 1
        self._items.append((number, kind, content, hidden))
        for content_of in properties:
            if content_of not in self._properties:
                self._properties.append(content_of)
        self._associations[number] = [self._properties.index(one) + 1 for one in properties]
        return number

    def refer(self, kind: bytes, source: int, *targets: int) -> None:
        self._references.append((kind, source, targets))

    def coded(self, pictures: Coded, width: int, height: int, *properties: bytes, hidden: bool = False) -> list[int]:
        shared = (box(b"hvcC", pictures.configuration), extent(width, height), *properties)
        return [self.item(b"hvc1", sample, *shared, hidden=hidden) for sample in pictures.samples]

    def grid(self, picture: Image.Image, *properties: bytes, quality: int = 26) -> int:
        """The picture in tiles, the last column and row padded, as a derived `grid` item."""
        columns, rows = -(-picture.width // TILE), -(-picture.height // TILE)
        padded = np.pad(
            np.asarray(picture),
            ((0, rows * TILE - picture.height), (0, columns * TILE - picture.width), (0, 0)),
            mode="edge",
        )
        tiles = [
            Image.fromarray(padded[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE])
            for row in range(rows)
            for column in range(columns)
        ]
        parts = self.coded(hevc(tiles, quality=quality), TILE, TILE, *properties[:1], hidden=True)
        description = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, picture.width, picture.height)
        number = self.item(b"grid", description, extent(picture.width, picture.height), *properties)
        self.refer(b"dimg", number, *parts)
        return number

    def build(self, brand: bytes = b"heic") -> bytes:
        """The file: `ftyp`, `meta`, `mdat` with every item's bytes in order."""
        head = box(b"ftyp", brand, struct.pack(">I", 0), b"mif1", brand, b"MiHB" if brand == b"heic" else b"")
        meta = self._meta(0)
        meta = self._meta(len(head) + len(meta) + 8)
        return head + meta + box(b"mdat", b"".join(content for _, _, content, _ in self._items))

    def _meta(self, data_at: int) -> bytes:
        infos = [
            full_box(b"infe", 2, int(hidden), struct.pack(">HH", number, 0), kind, b"\0")
            for number, kind, _, hidden in self._items
        ]
        places, at = b"", data_at
        for number, _, content, _ in self._items:
            places += struct.pack(">HHHII", number, 0, 1, at, len(content))
            at += len(content)
        maps = b"".join(
            struct.pack(f">HB{len(indexes)}B", number, len(indexes), *(index | 0x80 for index in indexes))
            for number, indexes in self._associations.items()
            if indexes
        )
        mapped = sum(1 for indexes in self._associations.values() if indexes)
        references = [
            box(kind, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))
            for kind, source, targets in self._references
        ]
        return full_box(
            b"meta",
            0,
            0,
            full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"pict"), b"\0"),
            full_box(b"pitm", 0, 0, struct.pack(">H", self.primary)),
            full_box(b"iinf", 0, 0, struct.pack(">H", len(infos)), *infos),
            full_box(b"iref", 0, 0, *references),
            box(
                b"iprp",
                box(b"ipco", *self._properties),
                full_box(b"ipma", 0, 0, struct.pack(">I", mapped), maps),
            ),
            full_box(b"iloc", 0, 0, struct.pack(">BBH", 0x44, 0, len(self._items)), places),
        )


def extent(width: int, height: int) -> bytes:
    return full_box(b"ispe", 0, 0, struct.pack(">II", width, height))


def phone_heic(picture: Image.Image, camera: Camera, *, gain_map: bool = False, turned: int = 0) -> bytes:
    """A grid with profile, thumbnail and EXIF; `turned` is `irot`'s count of quarter turns to the left."""
    file = Heif()
    profile = box(b"colr", b"prof", display_p3())
    depth = full_box(b"pixi", 0, 0, b"\3\x08\x08\x08")
    turn = (box(b"irot", bytes([turned])),) if turned else ()
    primary = file.grid(picture, profile, *turn, depth)
    file.primary = primary
    small = picture.resize((picture.width // 4 // 2 * 2, picture.height // 4 // 2 * 2))
    (thumbnail,) = file.coded(hevc([small], quality=30), small.width, small.height, profile, *turn, depth)
    file.refer(b"thmb", thumbnail, primary)
    if gain_map:
        light = picture.convert("L").resize((picture.width // 2, picture.height // 2))
        kind = full_box(b"auxC", 0, 0, b"urn:com:apple:photo:2020:aux:hdrgainmap\0")
        one = full_box(b"pixi", 0, 0, b"\1\x08")
        (aux,) = file.coded(hevc([light], quality=34), light.width, light.height, kind, one, *turn, hidden=True)
        file.refer(b"auxl", aux, primary)
    camera = msgspec.structs.replace(camera, width=picture.width, height=picture.height)
    block = file.item(b"Exif", struct.pack(">I", 6) + b"Exif\0\0" + exif(camera), hidden=True)
    file.refer(b"cdsc", block, primary)
    return file.build()


LIVE_IDENTIFIER = "6C4F5B0E-1D7A-4E0B-9F5C-3A2D8E7B1C40"


def phone(shelf: Shelf) -> None:
    """What an iPhone leaves behind."""
    at: dict[str, Any] = {"make": "Apple", "model": "iPhone 15 Pro", "software": "18.2"}
    live = Camera(
        **at,
        taken="2024:06:20 19:41:07",
        fraction="512",
        offset="+02:00",
        place=(47.8095, 13.0550, 424.0),
        maker_note=apple_note(content_identifier=LIVE_IDENTIFIER),
    )
    shelf.put(
        PHONE + "IMG_0001.HEIC",
        phone_heic(landscape(320, 240, 201), live),
        Entry(
            what="Live Photo, still: grid of tiles, ContentIdentifier in the maker note",
            media_type="image/heic",
            width=320,
            height=240,
            taken="2024-06-20T19:41:07.512",
            offset_min=120,
            time_source="exif_offset",
            latitude=47.8095,
            longitude=13.0550,
            more=f"content_identifier={LIVE_IDENTIFIER}; color_profile=Display P3; altitude_m=424.0",
        ),
    )
    bright = Camera(**at, taken="2024:06:21 08:00:00", offset="+02:00")
    shelf.put(
        PHONE + "IMG_0002.HEIC",
        phone_heic(landscape(320, 240, 202), bright, gain_map=True),
        Entry(
            what="grid with Apple's gain map as auxiliary picture",
            media_type="image/heic",
            width=320,
            height=240,
            taken="2024-06-21T08:00:00",
            offset_min=120,
            time_source="exif_offset",
            more="hdr=apple_gain_map",
        ),
    )
    upright = Camera(**at, taken="2024:06:21 08:05:00", offset="+02:00", orientation=6)
    shelf.put(
        PHONE + "IMG_0003.HEIC",
        phone_heic(landscape(240, 320, 203).transpose(Image.Transpose.ROTATE_90), upright, turned=3),
        Entry(
            what="portrait: stored lying, turned by irot",
            media_type="image/heic",
            width=240,
            height=320,
            taken="2024-06-21T08:05:00",
            offset_min=120,
            time_source="exif_offset",
            more="orientation=6",
        ),
    )


def other_heic(shelf: Shelf) -> None:
    """HEIC as encoders write it: one picture, no tiles."""
    shelf.put(
        PHONE + "IMG_0004.HEIC",
        ten_bit(landscape(160, 120, 204)),
        Entry(
            what="one picture of 10 bits, no EXIF",
            media_type="image/heic",
            width=160,
            height=120,
            time_source="file_modified",
            more="bit_depth=10",
        ),
    )
    samsung = Camera(make="samsung", model="SM-S918B", taken="2023:12:24 18:30:00", offset="+01:00")
    pillow_heif.register_heif_opener()
    shelf.put(
        ANDROID + "20231224_183000.heic",
        coded(landscape(320, 240, 205), "HEIF", quality=60, exif=exif(samsung)),
        Entry(
            what="HEIC of one piece, as encoders write it",
            media_type="image/heic",
            width=320,
            height=240,
            taken="2023-12-24T18:30:00",
            offset_min=60,
            time_source="exif_offset",
            more="make=samsung",
        ),
    )


def ten_bit(picture: Image.Image) -> bytes:
    wide = np.asarray(picture, dtype=np.uint16) * 257
    out = io.BytesIO()
    file = pillow_heif.from_bytes("RGB;16", picture.size, wide.tobytes())
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    file.save(out, quality=60)
    return out.getvalue()
