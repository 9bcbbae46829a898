"""Bent pictures and clips are refused, quickly and by name; nothing else ever comes of them."""

import random
import struct
from pathlib import Path

import pytest
from fitting import assert_has_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from referees import PLACE, TAKEN, Watched, assembled, request

from mediabox.native.boxes import Malformed
from mediabox.native.fit import heif
from mediabox.native.fit.heif_places import written
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_places import read_places

NAMES = ["DCIM/100APPLE/IMG_0001.HEIC", "DCIM/100APPLE/IMG_0004.HEIC", "Mixed/small.avif"]
TURNS = 700


def bent(chance: random.Random, content: bytes) -> bytes:
    """One of many ways to be wrong, mostly in the catalogue, where it matters."""
    changed = bytearray(content)
    tables = min(len(content), 6_000)
    match chance.randrange(5):
        case 0:
            return content[: chance.randrange(len(content))]
        case 1:
            for _ in range(chance.choice((1, 2, 8))):
                changed[chance.randrange(tables)] ^= 1 << chance.randrange(8)
        case 2:
            at = chance.randrange(tables - 8)
            changed[at : at + 4] = struct.pack(">I", chance.choice((0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF)))
        case 3:
            at = chance.randrange(tables)
            changed[at:at] = changed[max(0, at - chance.randrange(64)) : at]
        case _:
            kinds = (b"iloc", b"iinf", b"iref", b"iprp", b"ipma", b"ipco", b"infe", b"mdat", b"meta", b"Exif", b"pitm")
            found = content.find(chance.choice(kinds))
            if found > 0:
                at = min(found + chance.randrange(-4, 24), len(content) - 1)
                changed[at] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("name", NAMES)
def test_a_bent_still_is_fitted_to_the_bit_or_refused(name: str, media: Path) -> None:
    chance = random.Random(name)
    still = (media / "library" / name).read_bytes()
    clip = (media / "library/DCIM/100APPLE/IMG_0001.MOV").read_bytes()
    outcomes = {"fitted": 0, "refused": 0}

    for _ in range(TURNS):
        wrong = bent(chance, still)
        first, video = Watched(wrong), Watched(clip)
        try:
            recipe = heif.fit(first, video, request(wrong, clip=clip, capture_time=TAKEN, place=PLACE))
            heif.same_picture(Watched(assembled(recipe, wrong, clip)), first)
            outcomes["fitted"] += 1
        except (Unfit, Malformed):
            outcomes["refused"] += 1
        assert first.largest <= 64 << 20
        assert first.read < 8 * len(wrong) + 65_536

    assert min(outcomes.values()) > TURNS // 20


def test_a_bent_clip_is_taken_as_it_is_or_refused(media: Path) -> None:
    chance = random.Random(4)
    still = (media / "library" / NAMES[0]).read_bytes()
    clip = (media / "library/DCIM/100APPLE/IMG_0001.MOV").read_bytes()

    for _ in range(TURNS):
        wrong = bent(chance, clip[::-1])[::-1] if chance.random() < 0.5 else bent(chance, clip)
        video = Watched(wrong)
        try:
            recipe = heif.fit(Watched(still), video, request(still, clip=wrong))
            assert_has_clip(recipe, assembled(recipe, still, wrong), wrong)
        except (Unfit, Malformed):
            continue
        finally:
            assert video.read < 100_000


def test_a_proof_against_a_bent_result_ends(media: Path) -> None:
    chance = random.Random(5)
    still = (media / "library" / NAMES[0]).read_bytes()

    for _ in range(TURNS):
        result = Watched(bent(chance, still))
        try:
            heif.same_picture(result, Watched(still))
        except (Unfit, Malformed):
            continue
        finally:
            assert result.read < 8 * len(still) + 65_536


@given(
    version=st.integers(0, 2),
    widths=st.tuples(*[st.sampled_from((0, 4, 8))] * 3),
    rows=st.lists(st.tuples(st.integers(0, 65_535), st.lists(st.integers(0, 1 << 31), max_size=3)), max_size=6),
)
@settings(max_examples=200, deadline=None)
def test_a_table_of_places_nobody_changed_is_written_as_it_was_read(
    version: int, widths: tuple[int, int, int], rows: list[tuple[int, list[int]]]
) -> None:
    offset, length, base = widths
    content = bytes((version, 0, 0, 0, offset << 4 | length, base << 4))
    content += len(rows).to_bytes(4 if version == 2 else 2, "big")
    for item, runs in rows:
        content += item.to_bytes(4 if version == 2 else 2, "big") + (b"\0\1" if version else b"") + b"\0\0"
        content += (7).to_bytes(base, "big") if base else b""
        content += len(runs).to_bytes(2, "big")
        for at in runs:
            content += at.to_bytes(offset, "big") if offset else b""
            content += at.to_bytes(length, "big") if length else b""

    assert written(read_places(content)) == content


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_a_table_of_places_is_read_or_malformed(content: bytes) -> None:
    try:
        read_places(content)
    except Malformed:
        return
