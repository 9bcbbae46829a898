"""A walk over boxes sees what is there, bounded, and calls every contradiction by one name."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import box

from mediabox.native.boxes import Held, Malformed, boxes, exactly, first, payload


def test_gives_each_box_with_its_place() -> None:
    data = box(b"ftyp", b"heic") + box(b"free", b"\0" * 5)

    found = list(boxes(Held(data)))

    assert [(b.type, b.start, b.payload, b.end) for b in found] == [(b"ftyp", 0, 8, 12), (b"free", 12, 20, 25)]


def test_reads_a_64_bit_size() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 20) + b"abcd" + box(b"moov")

    found = list(boxes(Held(data)))

    assert [(b.type, b.length) for b in found] == [(b"mdat", 4), (b"moov", 0)]


def test_a_size_of_zero_means_to_the_end() -> None:
    data = box(b"ftyp") + struct.pack(">I4s", 0, b"mdat") + b"x" * 30

    last = list(boxes(Held(data)))[-1]

    assert (last.end, last.is_cut) == (len(data), False)


def test_a_box_past_the_end_is_cut_there() -> None:
    data = struct.pack(">I4s", 100, b"mdat") + b"x" * 10

    (found,) = boxes(Held(data))

    assert (found.end, found.is_cut) == (18, True)
    with pytest.raises(Malformed):
        payload(Held(data), found, limit=1000)


def test_a_box_never_passes_its_parent() -> None:
    inner = struct.pack(">I4s", 50, b"trak")
    data = box(b"moov", inner) + box(b"mdat", b"y" * 60)
    parent = first(Held(data), b"moov")
    assert parent is not None

    (found,) = boxes(Held(data), parent.payload, parent.end)

    assert found.end == parent.end


def test_names_uuid_boxes() -> None:
    data = box(b"uuid", bytes(range(16)), b"rest")

    (found,) = boxes(Held(data))

    assert (found.name, found.length) == (bytes(range(16)), 4)


@pytest.mark.parametrize("size", [2, 7])
def test_refuses_a_box_smaller_than_its_header(size: int) -> None:
    with pytest.raises(Malformed):
        list(boxes(Held(struct.pack(">I4s", size, b"free") + bytes(8))))


def test_refuses_more_boxes_than_the_limit() -> None:
    with pytest.raises(Malformed, match="more than 10"):
        list(boxes(Held(box(b"free") * 11), limit=10))


def test_takes_fewer_than_eight_bytes_at_the_end_for_padding() -> None:
    assert [b.type for b in boxes(Held(box(b"free") + bytes(4)))] == [b"free"]


def test_a_held_part_keeps_its_place_in_the_file() -> None:
    data = bytes(100) + box(b"free", b"abc")

    found = first(Held(data[100:], 100), b"free", 100)

    assert found is not None
    assert found.payload == 108
    assert exactly(Held(data[100:], 100), 108, 3, limit=3) == b"abc"


@given(st.binary(max_size=400), st.integers(-5, 450), st.one_of(st.none(), st.integers(-5, 450)))
def test_ends_or_raises_malformed_whatever_the_bytes(data: bytes, start: int, end: int | None) -> None:
    try:
        found = list(boxes(Held(data), start, end))
    except Malformed:
        return
    assert all(0 <= b.start < b.payload <= b.end <= len(data) for b in found)
