"""What one decoder cannot read is shown to another before anybody calls the file damaged."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from scenes import facts, scene, written

os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")
pytest.importorskip("pyvips")

import pyvips

from mediabox.model.asset import Kind
from mediabox.native import picture
from mediabox.native.boxes import Held
from mediabox.native.decoded import NoPicture, Unreadable
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.png import read_png

WIDTH, HEIGHT = 64, 48


def bigtiff(endian: str) -> bytes:
    """A grey ramp as BigTIFF has it (bigtiff.org): 8-byte offsets, version 43, in either byte order."""
    pixels = bytes(column * 4 for column in range(WIDTH)) * HEIGHT
    at = 16
    entries = [
        (256, 4, WIDTH), (257, 4, HEIGHT), (258, 3, 8), (259, 3, 1), (262, 3, 1),
        (273, 16, at), (277, 3, 1), (278, 4, HEIGHT), (279, 16, len(pixels)),
    ]  # fmt: skip
    letters = {3: "H6x", 4: "I4x", 16: "Q"}
    rows = b"".join(struct.pack(f"{endian}HHQ{letters[form]}", tag, form, 1, value) for tag, form, value in entries)
    header = (b"II" if endian == "<" else b"MM") + struct.pack(endian + "HHHQ", 43, 8, 0, at + len(pixels))
    return header + pixels + struct.pack(endian + "Q", len(entries)) + rows + bytes(8)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(extra: bytes) -> bytes:
    """A picture with one more chunk behind its header."""
    data = written(scene(WIDTH, HEIGHT), "PNG")
    return data[:33] + extra + data[33:]


def tiff(image: pyvips.Image, **options: object) -> bytes:
    return bytes(image.tiffsave_buffer(**options))


def ramp() -> pyvips.Image:
    return pyvips.Image.xyz(WIDTH, HEIGHT)[0]


@pytest.mark.parametrize("endian", ["<", ">"])
def test_bigtiff_of_either_byte_order_is_whole(endian: str) -> None:
    found = picture.decode(Held(bigtiff(endian)), facts("image/tiff"))

    luma = np.asarray(found.image.convert("L"))
    assert found.damage is None
    assert (found.width, found.height) == (WIDTH, HEIGHT)
    assert [int(luma[20, column]) for column in (0, 32, 63)] == [0, 128, 252]


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"tEXt", b"Comment\0hello")[:-1] + b"\0",  # a wrong checksum where no pixel depends on it
        chunk(b"zTXt", b"Raw profile\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"pHYs", b"\0"),
        chunk(b"gAMA", b"\0"),
        chunk(b"tRNS", b"\0\0\0"),
        chunk(b"acTL", b"\0"),
    ],
)
def test_a_png_whose_pixels_are_all_there_is_not_damaged(extra: bytes) -> None:
    data = png_with(extra)

    found = picture.decode(Held(data), facts("image/png"))

    assert found.damage is None
    assert np.array_equal(np.asarray(found.image), np.asarray(Image.open(io.BytesIO(png_with(b""))).convert("RGB")))


@pytest.mark.parametrize(
    "data",
    [
        tiff(ramp().cast("float") / 64),
        tiff(ramp().cast("ushort").bandjoin([ramp().cast("ushort")] * 2) * 1024),
        tiff(ramp().cast("int") * 1_000_000),
    ],
)
def test_measurements_in_a_tiff_are_shown_from_dark_to_bright(data: bytes) -> None:
    luma = np.asarray(picture.decode(Held(data), facts("image/tiff")).image.convert("L"))

    assert luma[:, :4].mean() < 20
    assert luma[:, -4:].mean() > 220


def test_a_way_of_coding_nobody_here_knows_is_no_damage() -> None:
    data = bytearray(bigtiff(">"))
    at = data.index(struct.pack(">HHQH", 259, 3, 1, 1))
    data[at + 12 : at + 14] = struct.pack(">H", 34712)  # JPEG 2000 in TIFF: libtiff has no decoder for it

    with pytest.raises(NoPicture):
        picture.decode(Held(bytes(data)), facts("image/tiff"))


def test_a_bitmap_that_holds_a_jpeg_is_no_damage() -> None:
    """BI_JPEG (Windows GDI, BITMAPINFOHEADER): for printers; Pillow has no decoder for it."""
    header = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 0, 4, 100, 0, 0, 0, 0)
    data = b"BM" + struct.pack("<IHHI", 154, 0, 0, 54) + header + bytes(100)

    with pytest.raises(NoPicture):
        picture.decode(Held(data), facts("image/bmp"))


@pytest.mark.parametrize(("media_type", "kind"), [("image/png", "PNG"), ("image/tiff", "TIFF")])
def test_what_is_cut_stays_damaged_whoever_looks(media_type: str, kind: str) -> None:
    data = written(scene(WIDTH, HEIGHT), kind)
    cut = data[: len(data) // 2]
    if kind == "TIFF":  # Pillow writes the directory in front: half of the strip is missing
        assert len(cut) > 200

    try:
        damage = picture.decode(Held(cut), facts(media_type)).damage
    except NoPicture:
        raise
    except Unreadable as err:
        damage = str(err)
    assert damage


def test_the_end_of_a_png_is_found_however_much_follows_it() -> None:
    data = written(scene(WIDTH, HEIGHT), "PNG")
    header, pixels = data[:33], zlib.compress(bytes((WIDTH * 3 + 1) * HEIGHT), 0)
    many = b"".join(chunk(b"IDAT", pixels[at : at + 90]) for at in range(0, len(pixels), 90))
    whole = header + many + chunk(b"IEND", b"")

    for held, is_whole in ((whole + b"notes" * 10_000, True), (whole, True), (header + many, False)):
        found = Findings("image/png", Kind.PICTURE)
        read_png(Held(held), found)
        assert (found.damage == []) is is_whole
