"""A camera raw file is shown by the JPEG inside it, wherever its maker puts that."""

import random
import struct

import pytest
from scenes import box, corner_colours, corners, facts, written

from mediabox.native import raw
from mediabox.native.boxes import Held
from mediabox.native.decoded import NoPicture, Unreadable

PREVIEW = written(corners(640, 480), "JPEG")
SMALL = written(corners(64, 48), "JPEG")


def tiff(
    order: str, *directories: dict[int, tuple[int, int, int | tuple[int, ...]]], body: bytes = b"", magic: int = 42
) -> bytes:
    """IFDs one after the other; each value is (type, count, value or offset). `body` starts at offset 2048."""
    data = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", magic, 8)
    at = 8
    for index, entries in enumerate(directories):
        after = at + 2 + 12 * len(entries) + 4
        data += struct.pack(order + "H", len(entries))
        for tag, (kind, count, value) in sorted(entries.items()):
            data += struct.pack(order + "HHII", tag, kind, count, value)
        data += struct.pack(order + "I", after if index + 1 < len(directories) else 0)
        at = after
    return data.ljust(2048, b"\0") + body


@pytest.mark.parametrize("order", ["<", ">"])
def test_finds_the_preview_of_any_ifd(order: str) -> None:
    entries = {0x0201: (4, 1, 2048), 0x0202: (4, 1, len(PREVIEW))}
    data = tiff(order, {0x0100: (4, 1, 6000)}, entries, body=PREVIEW)

    found = raw.decode(Held(data), facts("image/x-nikon-nef", width=6000, height=4000))

    assert corner_colours(found.image) == (0, 1, 2, 3)
    assert (found.width, found.height) == (6000, 4000)


def test_finds_the_preview_of_a_sub_ifd_stored_as_one_strip() -> None:
    sub = 1024
    strip = struct.pack("<H", 3) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value)
        for tag, kind, value in ((0x0103, 3, 7), (0x0111, 4, 2048), (0x0117, 4, len(PREVIEW)))
    ) + bytes(4)  # fmt: skip
    data = bytearray(tiff("<", {0x014A: (4, 1, sub)}, body=PREVIEW))
    data[sub : sub + len(strip)] = strip

    found = raw.decode(Held(bytes(data)), facts("image/x-adobe-dng"))

    assert found.image.size == (640, 480)


def test_takes_the_largest_and_turns_it_as_the_raw_file_says() -> None:
    body = SMALL + PREVIEW
    data = tiff(
        "<",
        {0x0201: (4, 1, 2048), 0x0202: (4, 1, len(SMALL))},
        {0x0201: (4, 1, 2048 + len(SMALL)), 0x0202: (4, 1, len(PREVIEW))},
        body=body,
    )

    found = raw.decode(Held(data), facts("image/x-sony-arw", orientation=6))

    assert (found.image.size, found.orientation, found.width, found.height) == ((640, 480), 6, 480, 640)


def test_panasonic_keeps_it_in_the_entry() -> None:
    data = tiff("<", {0x002E: (7, len(PREVIEW), 2048)}, body=PREVIEW, magic=0x55)

    assert raw.decode(Held(data), facts("image/x-panasonic-rw2")).image.size == (640, 480)


@pytest.mark.parametrize("name", [b"OLYMPUS\0II\3\0", b"OM SYSTEM\0\0\0II\4\0"])
def test_olympus_hides_it_in_the_maker_note(name: bytes) -> None:
    def directory(*entries: tuple[int, int, int, int]) -> bytes:
        return struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one) for one in entries) + bytes(4)

    settings = len(name) + 18
    note = name + directory((0x2020, 13, 1, settings))
    note += directory((0x0101, 4, 1, 400), (0x0102, 4, 1, len(PREVIEW)))
    note = note.ljust(400, b"\0") + PREVIEW
    exif = directory((0x927C, 7, len(note), 2048))
    data = bytearray(tiff("<", {0x8769: (4, 1, 1024)}, body=note, magic=0x4F52))
    data[1024 : 1024 + len(exif)] = exif

    assert raw.decode(Held(bytes(data)), facts("image/x-olympus-orf")).image.size == (640, 480)


@pytest.mark.parametrize("broken", [{0x8769: (4, 2, 1 << 30)}, {0x927C: (7, 400, 1 << 30)}, {0x014A: (4, 9, 1 << 30)}])
def test_one_broken_tag_hides_no_preview(broken: dict[int, tuple[int, int, int | tuple[int, ...]]]) -> None:
    data = tiff("<", {0x0201: (4, 1, 2048), 0x0202: (4, 1, len(PREVIEW)), **broken}, body=PREVIEW)

    assert raw.decode(Held(data), facts("image/x-nikon-nef")).image.size == (640, 480)


def test_fujifilm_says_it_in_the_header() -> None:
    data = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 148, len(PREVIEW))

    assert raw.decode(Held(data.ljust(148, b"\0") + PREVIEW), facts("image/x-fujifilm-raf")).image.size == (640, 480)


def test_canon_cr3_keeps_it_in_a_box_of_its_own() -> None:
    name = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
    prvw = box(b"PRVW", bytes(16), PREVIEW)
    data = box(b"ftyp", b"crx ") + box(b"moov") + box(b"uuid", name, bytes(8), prvw)

    assert raw.decode(Held(data), facts("image/x-canon-cr3")).image.size == (640, 480)


def test_canon_crw_keeps_it_in_its_heap() -> None:
    heap = (
        PREVIEW + struct.pack("<H", 1) + struct.pack("<HII", 0x2007, len(PREVIEW), 0) + struct.pack("<I", len(PREVIEW))
    )
    data = b"II" + struct.pack("<I", 26) + b"HEAPCCDR".ljust(20, b"\0") + heap

    assert raw.decode(Held(data), facts("image/x-canon-crw")).image.size == (640, 480)


def test_a_raw_file_without_preview_is_not_called_damaged() -> None:
    with pytest.raises(NoPicture):
        raw.decode(Held(tiff("<", {0x0100: (4, 1, 10)})), facts("image/x-adobe-dng"))
    with pytest.raises(NoPicture):
        raw.decode(Held(b"8BPS\0\1" + bytes(40)), facts("image/vnd.adobe.photoshop"))


def test_lossless_jpeg_sensor_data_is_passed_over_for_the_preview() -> None:
    sensor = b"\xff\xd8\xff\xc3" + bytes(50_000)  # SOF3, larger than the preview
    data = tiff(
        "<",
        {0x0103: (3, 1, 6), 0x0111: (4, 1, 2048 + len(PREVIEW)), 0x0117: (4, 1, len(sensor))},
        {0x0201: (4, 1, 2048), 0x0202: (4, 1, len(PREVIEW))},
        body=PREVIEW + sensor,
    )

    assert raw.decode(Held(data), facts("image/x-canon-cr2")).image.size == (640, 480)


def test_directories_in_a_circle_end() -> None:
    data = bytearray(tiff("<", {0x014A: (4, 1, 8)}))
    data[8 + 2 + 12 : 8 + 2 + 16] = struct.pack("<I", 8)

    assert raw.previews(Held(bytes(data))) == []


@pytest.mark.parametrize("seed", range(150))
def test_changed_bytes_never_raise_anything_else(seed: int) -> None:
    dice = random.Random(seed)
    name = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
    whole = dice.choice(
        [
            tiff("<", {0x014A: (4, 2, 8), 0x0201: (4, 1, 2048), 0x0202: (4, 1, len(SMALL))}, body=SMALL),
            box(b"ftyp", b"crx ") + box(b"uuid", name, bytes(8), box(b"PRVW", bytes(16), SMALL)),
            b"II"
            + struct.pack("<I", 26)
            + b"HEAPCCDR".ljust(20, b"\0")
            + SMALL
            + struct.pack("<HHIII", 1, 0x2807, 90, 0, 0),
        ]
    )
    data = bytearray(whole)
    for _ in range(8):
        data[dice.randrange(min(len(data), 120))] = dice.randrange(256)

    try:
        raw.decode(Held(bytes(data[: dice.randrange(8, len(data) + 1)])), facts("image/x-raw"))
    except Unreadable:
        return
