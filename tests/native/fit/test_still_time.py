"""When the still was taken within its clip: Apple's timed metadata, hand-built and real."""

import struct
from pathlib import Path

import pytest
from fitting import Open

from mediabox.native.boxes import Held
from mediabox.native.fit.still_time import still_at_us

KEY = b"com.apple.quicktime.still-image-time"
MOVIE_SCALE, SCALE = 600, 1000


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full(kind: bytes, *parts: bytes) -> bytes:
    return box(kind, bytes(4), *parts)


def table(kind: bytes, *rows: bytes) -> bytes:
    return full(kind, struct.pack(">I", len(rows)), *rows)


def sample(value: int, local_id: int = 1) -> bytes:
    return struct.pack(">IIb", 9, local_id, value)


def movie(*values: int, key: bytes = KEY, edits: tuple[tuple[int, int], ...] = (), ticks: int = 100) -> bytes:
    """A clip whose metadata track has one sample for each value, `ticks` apart. `edits`: length, start in the media."""
    head = box(b"ftyp", b"qt  ", bytes(4)) + box(b"mdat", *(sample(value) for value in values))
    first_at = 16 + 8
    described = box(b"keys", box(struct.pack(">I", 1), box(b"keyd", b"mdta" + key), box(b"dtyp", bytes(8))))
    entry = box(b"mebx", bytes(6), struct.pack(">H", 1), described)
    stbl = box(
        b"stbl",
        table(b"stsd", entry),
        table(b"stts", struct.pack(">II", len(values), ticks)),
        table(b"stsc", struct.pack(">III", 1, len(values), 1)),
        full(b"stsz", struct.pack(">II", 9, len(values))),
        table(b"stco", struct.pack(">I", first_at)),
    )
    listed = box(b"edts", table(b"elst", *(struct.pack(">Iii", *edit, 0x10000) for edit in edits))) if edits else b""
    mdhd = full(b"mdhd", struct.pack(">IIII", 0, 0, SCALE, ticks * len(values)), bytes(4))
    trak = box(b"trak", listed, box(b"mdia", mdhd, box(b"minf", stbl)))
    mvhd = full(b"mvhd", struct.pack(">IIII", 0, 0, MOVIE_SCALE, 6000), bytes(80))
    return head + box(b"moov", mvhd, trak)


def test_one_sample_pushed_back_by_an_empty_edit_says_when() -> None:
    assert still_at_us(Held(movie(-1, edits=((780, -1), (60, 0))))) == 1_300_000


def test_without_an_edit_list_the_sample_is_where_its_durations_put_it() -> None:
    assert still_at_us(Held(movie(0, 0, -1, 0))) == 200_000


def test_an_edit_that_begins_within_the_media_pulls_it_forward() -> None:
    assert still_at_us(Held(movie(0, 0, -1, edits=((6000, 150),)))) == 50_000


def test_a_single_sample_counts_whatever_it_holds() -> None:
    assert still_at_us(Held(movie(0))) == 0


@pytest.mark.parametrize(
    "clip",
    [
        movie(0, 0, 0),
        movie(-1, key=b"com.apple.quicktime.video-orientation"),
        movie(-1, edits=((600, -1),)),
        movie(0, -1, edits=((6000, 500),)),
        b"",
        box(b"ftyp", b"qt  "),
        movie(-1)[:-30],
    ],
    ids=["no mark", "another key", "never shown", "cut off", "empty", "no index", "cut"],
)
def test_a_clip_that_does_not_say_is_not_guessed_at(clip: bytes) -> None:
    assert still_at_us(Held(clip)) is None


@pytest.mark.parametrize("at", range(24, len(movie(-1)), 7))
def test_a_lying_clip_is_no_error(at: int) -> None:
    clip = bytearray(movie(-1, edits=((780, -1), (60, 0))))
    for value in (0x00, 0x7F, 0xFF):
        clip[at : at + 4] = bytes([value]) * 4
        found = still_at_us(Held(bytes(clip)))
        assert found is None or isinstance(found, int)


@pytest.mark.parametrize(("name", "at_us"), [("IMG_1635.MOV", 1_300_000), ("apple.MOV", 1_433_333)])
def test_real_clips_say_when(name: str, at_us: int, samples: Path) -> None:
    opened = Open()

    assert still_at_us(opened(samples / "live-photo-pair" / name)) == at_us
    opened.close()
