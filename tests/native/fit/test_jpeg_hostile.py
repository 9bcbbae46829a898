"""Stills that lie: a reason or a right answer, never anything else. Seeded, so that a failure can be had again."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from fitting import PAIR, apple_still, jpeg, picture, put_together, request, with_pictures, xmp_segment

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.model.place import Place
from mediabox.native.boxes import Held, Malformed
from mediabox.native.fit import LIES, Unfit, check, fit
from mediabox.native.xmp.packet import MAX_DEPTH, Packet

TAKEN = CaptureTime(local="2019-08-03T21:14:05", source=TimeSource.SOURCE)
VERDICTS = (Unfit, *LIES)  # what the child turns into a refusal
ROUNDS = 400


@pytest.fixture
def clip(media: Path) -> bytes:
    return (media / PAIR[1]).read_bytes()


def tried(still: bytes, clip: bytes | None) -> bool:
    """Whether it was made; when it was, the picture is proved and nothing was left out."""
    wanted = request(still, clip, capture_time=TAKEN, place=Place(latitude=1.0, longitude=2.0))
    try:
        recipe = fit(Held(still), None if clip is None else Held(clip), wanted)
        made = put_together(recipe, still, clip or b"")
        check(Held(made), Held(still), media_type="image/jpeg", name="photo")
    except VERDICTS:
        return False
    return True


def flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        changed[chance.randrange(min(len(changed), 1200))] = chance.choice(
            (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
        )
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def spliced(content: bytes, chance: random.Random) -> bytes:
    a, b, length = (chance.randrange(len(content)) for _ in range(3))
    return content[:a] + content[b : b + length] + content[a:]


@pytest.mark.parametrize("broken", [flipped, cut, spliced])
def test_broken_stills_are_made_right_or_refused(
    broken: Callable[[bytes, random.Random], bytes], clip: bytes, media: Path
) -> None:
    chance = random.Random(1635)
    stills = [
        apple_still(jpeg(picture(24, 24))),
        (media / PAIR[0]).read_bytes(),
        (media / "library/Android/Camera/PXL_20240211_113045123.jpg").read_bytes(),
    ]

    outcomes = [tried(broken(chance.choice(stills), chance), chance.choice((None, clip))) for _ in range(ROUNDS)]

    assert 0 < outcomes.count(True) < ROUNDS


def test_a_table_of_pictures_that_points_anywhere_is_survived(clip: bytes) -> None:
    whole = with_pictures(jpeg(picture()), jpeg(picture(24, 24)))
    row = whole.index(b"MPF\0") + 4 + 8 + 2 + 36 + 4 + 16
    for offset in (1, 4, 100, len(whole) - 60, len(whole), 0x7FFFFFFF, 0xFFFFFFFF):
        for size in (0, 1, 1 << 20, 0xFFFFFFFF):
            changed = bytearray(whole)
            struct.pack_into(">II", changed, row + 4, size, offset)
            tried(bytes(changed), clip)


def test_a_gain_map_that_overlaps_the_picture_takes_nothing_of_it_away(clip: bytes) -> None:
    still = apple_still()
    row = still.index(b"MPF\0") + 4 + 8 + 2 + 36 + 4 + 16
    size, offset = struct.unpack_from(">II", still, row + 4)
    trap = still[:-2] + b"\xff\xd9"
    for back in (1, 2, 40, 200):
        changed = bytearray(trap)
        struct.pack_into(">II", changed, row + 4, size + back, offset - back)
        tried(bytes(changed), clip)  # `check` fails when a byte of the picture is missing


@pytest.mark.parametrize(
    "packet",
    [
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a;</x:xmpmeta>",
        b"<a/>",
        b"not XML",
        b"\xff\xfe\0",
        b"<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>" + b"<a>" * (MAX_DEPTH + 5),
    ],
    ids=["document type", "no RDF", "text", "half a letter", "deep"],
)
def test_a_packet_nobody_can_follow_refuses_the_still(packet: bytes, clip: bytes) -> None:
    still = jpeg(picture(), xmp_segment(packet))

    with pytest.raises(Malformed):
        fit(Held(still), Held(clip), request(still, clip))


def test_a_forest_of_tags_is_not_entered() -> None:
    with pytest.raises(Malformed, match="tags"):
        Packet(b"<x>" + b"<a/>" * 100_001)


def test_a_packet_in_utf_16_is_told_in_utf_8(clip: bytes) -> None:
    packet = (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' dc:source='Zürich'/>"
        "</rdf:RDF></x:xmpmeta>"
    )

    assert tried(jpeg(picture(), xmp_segment(b"\xff\xfe" + packet.encode("utf-16-le"))), clip)
