"""Bent movies are refused by name, or still play what they played; nothing else ever comes of them."""

import random
import struct
from pathlib import Path

import pytest
from referees import PLACE, TAKEN, Watched, assembled, request

from mediabox.native.boxes import Malformed
from mediabox.native.fit import movie
from mediabox.native.fit.unfit import Unfit

NAMES = ["Android/Camera/VID_20230701_101112.mp4", "DCIM/100APPLE/IMG_0130.MOV", "Clips/nokia.3gp"]
TURNS = 700
KINDS = (b"moov", b"mvhd", b"trak", b"stco", b"stsz", b"stbl", b"udta", b"meta", b"keys", b"ilst", b"mdat", b"mdhd")


def bent(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    at = content.index(b"moov") - 4
    end = min(at + int.from_bytes(content[at : at + 4], "big"), len(content))
    match chance.randrange(5):
        case 0:
            return content[: chance.randrange(len(content))]
        case 1:
            for _ in range(chance.choice((1, 2, 8))):
                changed[chance.randrange(at, end)] ^= 1 << chance.randrange(8)
        case 2:
            spot = chance.randrange(at, end - 8)
            changed[spot : spot + 4] = struct.pack(">I", chance.choice((0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF)))
        case 3:
            spot = chance.randrange(at, end)
            changed[spot:spot] = changed[max(0, spot - chance.randrange(64)) : spot]
        case _:
            found = content.find(chance.choice(KINDS), at)
            if found > 0:
                changed[min(found + chance.randrange(-4, 24), len(content) - 1)] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("name", NAMES)
def test_a_bent_movie_is_refused_or_proved(name: str, media: Path) -> None:
    chance = random.Random(name)
    content = (media / "library" / name).read_bytes()
    outcomes = {"proved": 0, "refused": 0}

    for _ in range(TURNS):
        wrong = bent(chance, content)
        source = Watched(wrong)
        try:
            recipe = movie.fit(source, request(wrong, "video/mp4", capture_time=TAKEN, place=PLACE))
            movie.same_picture(Watched(assembled(recipe, wrong)), source)
            outcomes["proved"] += 1
        except (Unfit, Malformed):
            outcomes["refused"] += 1
        assert source.largest <= 64 << 20
        assert source.read < 8 * len(wrong) + 65_536

    assert min(outcomes.values()) > TURNS // 20
