"""The catalogue of a HEIF file: read right when it is right, bounded and of one mind when it is not."""

import io
import itertools
import struct
from functools import cache

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from scenes import box, corners, scene, written

from mediabox.native.boxes import Held, Malformed
from mediabox.native.heif_items import (
    Item,
    ItemProperty,
    Nclx,
    aux_type_of,
    bit_depth_of,
    grid,
    icc_of,
    item_bytes,
    nclx_of,
    orientation_of,
    read_items,
    size_of,
)


def full(kind: bytes, *payload: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)


def infe(number: int, kind: bytes, *, name: bytes = b"", is_hidden: bool = False, content_type: bytes = b"") -> bytes:
    tail = content_type + b"\0" if kind == b"mime" else b""
    body = struct.pack(">HH4s", number, 0, kind) + name + b"\0" + tail
    return full(b"infe", body, version=2, flags=int(is_hidden))


def two_tile_heif(*, data: bytes = b"TILE-ONETILE-TWO", grid_method: int = 1) -> bytes:
    """A grid of two tiles, laid out by hand: tile data in mdat, the grid in idat, Exif and XMP described."""
    grid_payload = bytes((0, 0, 0, 1)) + struct.pack(">HH", 100, 50)
    iinf = full(
        b"iinf", struct.pack(">H", 5), infe(1, b"grid", name=b"whole"), infe(2, b"hvc1", is_hidden=True),
        infe(3, b"hvc1", is_hidden=True), infe(4, b"Exif"), infe(5, b"mime", content_type=b"application/rdf+xml"),
    )  # fmt: skip
    properties = box(
        b"ipco",
        full(b"ispe", struct.pack(">II", 100, 50)),
        full(b"ispe", struct.pack(">II", 64, 64)),
        box(b"irot", b"\1"),
        box(b"colr", b"nclx", struct.pack(">HHHB", 12, 16, 6, 0x80)),
        box(b"colr", b"prof", b"profile"),
        full(b"pixi", bytes((3, 10, 10, 10))),
    )
    associations = ((1, (1, 3, 4, 5, 6)), (2, (2,)), (3, (0x80 | 2,)))
    ipma = full(
        b"ipma", struct.pack(">I", len(associations)),
        *(struct.pack(">HB", number, len(indices)) + bytes(indices) for number, indices in associations),
    )  # fmt: skip
    iref = full(b"iref", box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 3)), box(b"cdsc", struct.pack(">HHH", 4, 1, 1)))

    def meta(mdat_at: int) -> bytes:
        def place(number: int, method: int, *extents: tuple[int, int]) -> bytes:
            head = struct.pack(">HHHH", number, method, 0, len(extents))
            return head + b"".join(struct.pack(">II", *extent) for extent in extents)

        iloc = full(
            b"iloc", b"\x44\x00", struct.pack(">H", 3), place(1, grid_method, (0, len(grid_payload))),
            place(2, 0, (mdat_at, 8)), place(3, 0, (mdat_at + 8, 4), (mdat_at + 12, 4)), version=1,
        )  # fmt: skip
        pitm = full(b"pitm", struct.pack(">H", 1))
        grpl = box(b"grpl", full(b"altr", struct.pack(">III", 77, 1, 1)))
        return full(b"meta", pitm, iinf, box(b"iprp", properties, ipma), iref, box(b"idat", grid_payload), iloc, grpl)

    ftyp = box(b"ftyp", b"heic")
    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", data)


def test_reads_every_table() -> None:
    source = Held(two_tile_heif())

    items = read_items(source)

    master = items.by_id[items.primary]
    assert (master.type, master.name, size_of(master), bit_depth_of(master)) == (b"grid", "whole", (100, 50), 10)
    assert nclx_of(master) == Nclx(12, 16, 6, is_full_range=True)
    assert icc_of(master) == b"profile"
    assert orientation_of(master) == 8
    assert items.targets(1, b"dimg") == (2, 3)
    assert items.sources(1, b"cdsc") == (4,)
    assert [item.id for item in items.by_id.values() if item.is_hidden] == [2, 3]
    assert items.by_id[5].content_type == "application/rdf+xml"
    assert items.groups[0].ids == (1,)


def test_gives_the_bytes_of_items_wherever_they_lie() -> None:
    source = Held(two_tile_heif())

    items = read_items(source)

    assert item_bytes(source, items.by_id[2]) == b"TILE-ONE"
    assert item_bytes(source, items.by_id[3]) == b"TILE-TWO"  # two extents
    assert grid(item_bytes(source, items.by_id[1])) == (1, 2, 100, 50)  # in idat


def test_refuses_bytes_that_are_not_in_the_file() -> None:
    source = Held(two_tile_heif()[:-3])

    items = read_items(source)

    with pytest.raises(Malformed):
        item_bytes(source, items.by_id[3])
    with pytest.raises(Malformed, match="no data"):
        item_bytes(source, items.by_id[4])


def test_an_item_within_an_item_has_no_bytes_for_us() -> None:
    assert read_items(Held(two_tile_heif(grid_method=2))).by_id[1].extents == ()


STEPS = {
    (b"irot", b"\1"): Image.Transpose.ROTATE_90,  # anticlockwise, as Pillow counts too
    (b"irot", b"\2"): Image.Transpose.ROTATE_180,
    (b"irot", b"\3"): Image.Transpose.ROTATE_270,
    (b"imir", b"\0"): Image.Transpose.FLIP_TOP_BOTTOM,
    (b"imir", b"\1"): Image.Transpose.FLIP_LEFT_RIGHT,
}


@pytest.mark.parametrize("steps", [steps for length in range(4) for steps in itertools.product(STEPS, repeat=length)])
def test_one_orientation_does_what_the_properties_do_one_by_one(steps: tuple) -> None:
    item = Item(1, b"hvc1", "", "", "", False, tuple(ItemProperty(*step) for step in steps), ())
    expected = corners(32, 16)
    for step in steps:
        expected = expected.transpose(STEPS[step])

    shown = corners(32, 16)
    shown.getexif()[0x0112] = orientation_of(item)

    assert ImageOps.exif_transpose(shown).tobytes() == expected.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_agrees_with_libavif_on_what_the_properties_mean(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    items = read_items(Held(written(scene(32, 16), "AVIF", exif=exif)))

    assert orientation_of(items.by_id[items.primary]) == orientation


def test_names_auxiliary_pictures() -> None:
    urn = b"urn:com:apple:photo:2020:aux:hdrgainmap"
    item = Item(1, b"hvc1", "", "", "", False, (ItemProperty(b"auxC", bytes(4) + urn + b"\0"),), ())

    assert aux_type_of(item) == urn.decode()


def test_agrees_with_libheif_on_a_real_file() -> None:
    data = real_heif()

    items = read_items(Held(data))

    master = items.by_id[items.primary]
    assert size_of(master) == pillow_heif.open_heif(io.BytesIO(data)).size
    assert master.property(b"hvcC") is not None
    assert bit_depth_of(master) == 8


@pytest.mark.parametrize("data", [b"", b"\0" * 64, box(b"ftyp", b"heic"), b"\xff\xd8\xff\xe0" * 9])
def test_a_file_without_tables_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_items(Held(data))


@cache
def real_heif() -> bytes:
    held = io.BytesIO()
    pillow_heif.from_pillow(scene(64, 64)).save(held, quality=50, exif=Image.Exif())
    return held.getvalue()


@settings(max_examples=400, deadline=None)
@given(st.booleans(), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=12), st.integers(0, 900))
def test_whatever_is_changed_nothing_but_malformed_is_raised(real: bool, changes: list, cut: int) -> None:
    data = bytearray(real_heif() if real else two_tile_heif())
    for at, value in changes:
        data[at % len(data)] = value
    source = Held(bytes(data[: len(data) - cut % 40 if cut % 3 else len(data)]))

    try:
        items = read_items(source)
        for item in items.by_id.values():
            orientation_of(item), nclx_of(item), icc_of(item), bit_depth_of(item), aux_type_of(item)
            items.targets(item.id, b"dimg"), items.sources(item.id, b"auxl")
            if item.type == b"grid":
                grid(item_bytes(source, item))
            size_of(item)
            item_bytes(source, item, limit=4096)
    except Malformed:
        return


def test_claimed_counts_cost_nothing() -> None:
    """Counts of 2^32 in every table are refused before anything is allocated for them."""
    many = b"\xff" * 16
    for table in (full(b"iloc", b"\x44\x00", many, version=2), full(b"ipma", many), full(b"iinf", many, version=1)):
        data = full(b"meta", full(b"pitm", b"\0\1"), box(b"iprp", table) if b"ipma" in table else table)
        try:
            read_items(Held(data))
        except Malformed:
            continue


@pytest.mark.parametrize("widths", [b"\x34\x00", b"\x43\x00", b"\x44\x30"])
def test_places_with_numbers_of_odd_widths_are_refused(widths: bytes) -> None:
    source = Held(two_tile_heif().replace(b"\x44\x00\x00\x03", widths + b"\x00\x03"))

    with pytest.raises(Malformed, match="numbers of 3 bytes"):
        read_items(source)
