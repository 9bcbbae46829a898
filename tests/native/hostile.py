"""Files nobody would send kindly: small valid ones, bent in many ways, and bombs made by hand. All of it seeded."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator

import av
import numpy as np
import piexif
import pillow_heif
from PIL import Image

Named = tuple[str, bytes]


def scene(width: int = 96, height: int = 64) -> Image.Image:
    """A picture with edges, gradients and noise, always the same."""
    noise = np.random.default_rng(7).integers(0, 40, (height, width, 3), dtype=np.uint8)
    ramp = np.linspace(0, 200, width, dtype=np.uint8)[None, :, None]
    return Image.fromarray(noise + ramp)


def seeds() -> list[Named]:
    """A small valid file of each kind."""
    exif = piexif.dump(
        {
            "0th": {piexif.ImageIFD.Make: b"Maker", piexif.ImageIFD.Orientation: 6},
            "Exif": {piexif.ExifIFD.DateTimeOriginal: b"2024:05:12 18:03:22", piexif.ExifIFD.MakerNote: bytes(200)},
            "GPS": {piexif.GPSIFD.GPSLatitudeRef: b"N", piexif.GPSIFD.GPSLatitude: ((48, 1), (8, 1), (0, 1))},
        }
    )
    return [
        ("photo.jpg", _saved("JPEG", exif=exif, quality=90)),
        ("progressive.jpg", _saved("JPEG", exif=exif, progressive=True, subsampling=0)),
        ("picture.png", _saved("PNG")),
        ("picture.webp", _saved("WEBP", exif=exif)),
        ("moving.gif", _saved("GIF", save_all=True, append_images=[scene(), scene()])),
        ("scan.tif", _saved("TIFF", compression="tiff_lzw")),
        ("scan.bmp", _saved("BMP")),
        ("photo.heic", _heic()),
        ("clip.mp4", clip("mp4")),
        ("clip.mov", clip("mov")),
        ("clip.mkv", clip("matroska")),
        ("clip.wmv", clip("asf")),
        ("clip.flv", clip("flv", codec="flv1")),
    ]


def mutants(each: int, *, seed: int) -> Iterator[Named]:
    """Every seed bent `each` times: cut, flipped, overwritten, spliced, stretched."""
    chance = random.Random(seed)
    valid = seeds()
    for name, content in valid:
        for turn in range(each):
            bend = chance.choice(_BENDS)
            yield f"{bend.__name__[1:]}-{turn}-{name}", bend(chance, bytearray(content), chance.choice(valid)[1])


def bombs() -> Iterator[Named]:
    """Small files that ask for a great deal."""
    yield "size.png", _png(60_000, 60_000, b"\0" * 1000)
    yield "profile.png", _png(8, 8, bytes(8 * 25), (b"iCCP", b"x\0\0" + zlib.compress(bytes(200 << 20), 1)))
    xmp = b"XML:com.adobe.xmp\0\0" + zlib.compress(bytes(100 << 20), 1)
    yield "text.png", _png(8, 8, bytes(8 * 25), (b"zTXt", xmp))
    yield "wide.jpg", _resized_jpeg(65_500, 65_500)
    yield "frames.gif", _gif_of_frames(20_000)
    yield "size.gif", b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(6) + b"\x2c" + bytes(40)
    yield "loop.tif", _tiff_loop(b"II*\0")
    yield "loop.jpg", _jpeg_with_exif(_tiff_loop(b"MM\0*"))
    yield "chain.tif", _tiff_chain(5000)
    yield "size.tif", _tiff_size(100_000, 100_000)
    yield "raw-loop.nef", _tiff_loop(b"II*\0", sub_directories=True)
    yield "nested.mp4", _box(b"ftyp", b"isom\0\0\0\0isom") + _nested(b"moov", 3000)
    yield "counts.mp4", _box(b"ftyp", b"isom\0\0\0\0isom") + _box(b"moov", _box(b"trak", _box(b"stsz", b"\xff" * 64)))
    yield "zero-boxes.mov", _box(b"ftyp", b"qt  \0\0\0\0qt  ") + struct.pack(">I4s", 1, b"moov") + bytes(8) * 1000
    yield "items.heic", _heic_of_claims()
    yield "entities.xmp", _entities()
    yield "deep.xmp", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b"<a>" * 200_000
    yield "deep.aae", b"<?xml version='1.0'?><plist><dict><key>adjustmentFormatIdentifier</key>" + b"<array>" * 100_000
    yield "deep.json", b'{"photoTakenTime":' + b"[" * 200_000
    yield "archive.jpg", b"PK\x03\x04" + bytes(26) + b"a" * 4000
    yield "packed.jpg", b"\x1f\x8b\x08\0" + zlib.compress(bytes(10 << 20))
    yield "list.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"
    yield "playlist.ts", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n" * 50
    yield "empty.jpg", b""
    yield "one.heic", b"\0"


def clip(container: str, *, frames: int = 4, codec: str = "mpeg4") -> bytes:
    """A short video without sound."""
    held = io.BytesIO()
    with av.open(held, "w", format=container) as film:
        stream = film.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(frames):
            film.mux(stream.encode(av.VideoFrame.from_image(scene())))
        film.mux(stream.encode(None))
    return held.getvalue()


def _saved(kind: str, **options: object) -> bytes:
    held = io.BytesIO()
    scene().save(held, kind, **options)
    return held.getvalue()


def _heic() -> bytes:
    held = io.BytesIO()
    pillow_heif.from_pillow(scene()).save(held, quality=60)
    return held.getvalue()


# ---------------------------------------------------------------- bends


def _cut(chance: random.Random, content: bytearray, _: bytes) -> bytes:
    return bytes(content[: chance.randrange(len(content))])


def _flip(chance: random.Random, content: bytearray, _: bytes) -> bytes:
    for _turn in range(chance.choice((1, 1, 4, 64))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def _flip_head(chance: random.Random, content: bytearray, _: bytes) -> bytes:
    for _turn in range(chance.choice((1, 3, 9))):
        content[chance.randrange(min(len(content), 400))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(content)


def _splice(chance: random.Random, content: bytearray, other: bytes) -> bytes:
    at = chance.randrange(len(content))
    return bytes(content[:at]) + other[chance.randrange(len(other)) :]


def _stretch(chance: random.Random, content: bytearray, _: bytes) -> bytes:
    at = chance.randrange(len(content))
    end = min(len(content), at + chance.randrange(1, 200))
    return bytes(content[:at]) + bytes(content[at:end]) * chance.randrange(2, 50) + bytes(content[end:])


def _erase(chance: random.Random, content: bytearray, _: bytes) -> bytes:
    at = chance.randrange(len(content))
    length = min(chance.randrange(1, 2000), len(content) - at)
    content[at : at + length] = bytes([chance.choice((0, 0xFF))]) * length
    return bytes(content)


def _huge(chance: random.Random, content: bytearray, _: bytes) -> bytes:
    """Some aligned number says four thousand million."""
    at = chance.randrange(0, max(1, len(content) - 4), 2)
    content[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
    return bytes(content)


_BENDS: tuple[Callable[[random.Random, bytearray, bytes], bytes], ...] = (
    _cut, _flip, _flip_head, _splice, _stretch, _erase, _huge,
)  # fmt: skip


# ---------------------------------------------------------------- bombs


def _png(width: int, height: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    parts = (header, *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def _resized_jpeg(width: int, height: int) -> bytes:
    """The frame header lies; progressive, so that a decoder wants to keep all coefficients."""
    content = bytearray(_saved("JPEG", progressive=True))
    at = content.index(b"\xff\xc2")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _jpeg_with_exif(tiff: bytes) -> bytes:
    block = b"Exif\0\0" + tiff
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block + _saved("JPEG")[2:]


def _gif_of_frames(count: int) -> bytes:
    frame = b"\x21\xf9\x04\x04\x01\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 64, 64, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0x80, 0, 0) + bytes(6) + frame * count + b"\x3b"


def _tiff_loop(magic: bytes, *, sub_directories: bool = False) -> bytes:
    """A directory whose next one, Exif and GPS directories are all itself."""
    order = "<" if magic.startswith(b"II") else ">"
    tags = [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)] + [(0x014A, 4, 1, 8)] * sub_directories
    entries = b"".join(struct.pack(order + "HHII", *tag) for tag in sorted(tags))
    return magic + struct.pack(order + "IH", 8, len(tags)) + entries + struct.pack(order + "I", 8)


def _tiff_chain(count: int) -> bytes:
    directories = b"".join(struct.pack("<HHHIII", 1, 0x0100, 4, 1, 64, 8 + 18 * (index + 1)) for index in range(count))
    return b"II*\0" + struct.pack("<I", 8) + directories


def _tiff_size(width: int, height: int) -> bytes:
    tags = ((0x100, 4, 1, width), (0x101, 4, 1, height), (0x102, 3, 1, 8), (0x103, 3, 1, 8), (0x106, 3, 1, 1),
            (0x111, 4, 1, 200), (0x115, 3, 1, 1), (0x116, 4, 1, height), (0x117, 4, 1, 100))  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return (b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)).ljust(200, b"\0") + bytes(100)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def _nested(kind: bytes, depth: int) -> bytes:
    payload = b""
    for _ in range(depth):
        payload = _box(kind, payload)
    return payload


def _heic_of_claims() -> bytes:
    """65,535 places for pictures that are not there, and a grid of 256 x 256 of them."""
    places = struct.pack(">IBBH", 0, 0x44, 0x00, 0xFFFF) + struct.pack(">HHHII", 1, 0, 1, 0, 0xFFFF_FFFF) * 2000
    meta = bytes(4) + _box(b"pitm", bytes(4) + b"\0\1") + _box(b"iloc", places)
    meta += _box(b"iinf", bytes(4) + b"\xff\xff") + _box(b"idat", b"\0\1\xff\xff" + b"\xff" * 8)
    return _box(b"ftyp", b"heic\0\0\0\0mif1heic") + _box(b"meta", meta)


def _entities() -> bytes:
    """A billion laughs."""
    lines = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{lines}]>'
    return (text + "<x:xmpmeta xmlns:x='adobe:ns:meta/'>&e9;</x:xmpmeta>").encode()
