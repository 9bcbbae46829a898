"""An Apple gain map is told in ISO 21496-1 as well, over the same pixels, or the still goes unmuxed."""

import math
import struct
from pathlib import Path

import pytest
from fitting import PREVIEW
from referees import are_same, assembled, facts, held, opened, request

from mediabox.model.facts import Hdr
from mediabox.model.recipe import Recipe
from mediabox.native.fit import heif
from mediabox.native.fit.headroom import from_maker_note
from mediabox.native.fit.heif_catalogue import Catalogue
from mediabox.native.fit.heif_frame import Frame, joined
from mediabox.native.fit.heif_gain_map import MOST_STOPS_OFF, metadata, nearest
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_items import item_bytes, nclx_of, read_items, size_of

HEADROOMS = [1.05, 1.5, 2.0, 3.168490, 4.0, 4.841287, 8.0]  # Apple's own go from 1 to 8


@pytest.fixture
def still(media: Path) -> bytes:
    return (media / "library/DCIM/100APPLE/IMG_0002.HEIC").read_bytes()


@pytest.fixture
def clip(media: Path) -> bytes:
    return (media / "library/DCIM/100APPLE/IMG_0001.MOV").read_bytes() + PREVIEW


def with_headroom(still: bytes, headroom: float) -> bytes:
    """The still with what iOS 17 writes about its gain map."""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/">'
        "<HDRGainMap:HDRGainMapVersion>131072</HDRGainMap:HDRGainMapVersion>"
        f"<HDRGainMap:HDRGainMapHeadroom>{headroom:.6f}</HDRGainMap:HDRGainMapHeadroom>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    source = held(still)
    items = read_items(source)
    frame = Frame(source)
    catalogue = Catalogue(source, frame.meta, items)
    (gain_map,) = items.sources(items.primary, b"auxl")
    number = catalogue.add(b"mime", packet.encode(), content_type="application/rdf+xml")
    catalogue.refer(b"cdsc", number, gain_map)
    pieces = joined(catalogue.pieces(frame, brand=None))
    return assembled(Recipe(pieces=pieces, media_type="image/heic"), still)


def iso_stops(content: bytes, value: float) -> float:
    """How much brighter, in stops, a map value makes a pixel, by what a `tmap` item tells (ISO 21496-1)."""
    version, _, _, flags = struct.unpack_from(">BHHB", content)
    numbers = struct.unpack_from(">iIiIiIiIiIiIiI", content, 6)
    base, bright, least, most, gamma, offset, bright_offset = (
        above / below for above, below in zip(numbers[::2], numbers[1::2], strict=True)
    )
    assert (version, flags) == (0, 0x40)
    assert (base, bright) == (0, most)
    assert offset == bright_offset == pytest.approx(1e-5)
    return least + (most - least) * math.pow(value, 1 / gamma)


def apple_stops(headroom: float, value: float) -> float:
    """The same by Apple's formula, map values by Rec. 709."""
    light = value / 4.5 if value < 0.081 else ((value + 0.099) / 1.099) ** (1 / 0.45)
    return math.log2(1 + (headroom - 1) * light)


@pytest.mark.parametrize("headroom", HEADROOMS)
def test_isos_curve_is_never_a_tenth_of_a_stop_from_apples(headroom: float) -> None:
    content = metadata(nearest(headroom))

    off = max(abs(iso_stops(content, v / 255) - apple_stops(headroom, v / 255)) for v in range(256))

    assert off < MOST_STOPS_OFF
    assert iso_stops(content, 0) == 0  # what Apple leaves alone stays alone
    assert iso_stops(content, 1) == pytest.approx(math.log2(headroom), abs=1e-5)


@pytest.mark.parametrize(
    ("headroom", "gain", "told"), [(1.00999999, 0.0912109539, 4.841287), (1.00999999, 0.4336944819, 4.505252)]
)
def test_two_iphones_say_the_headroom_that_their_maker_notes_come_to(headroom: float, gain: float, told: float) -> None:
    assert from_maker_note(headroom, gain) == pytest.approx(told, rel=1e-4)


def test_a_muxed_still_carries_its_gain_map_in_both_words(still: bytes, clip: bytes) -> None:
    first = with_headroom(still, 4.0)
    assert facts(first, "a.heic").hdr is Hdr.APPLE_GAIN_MAP

    recipe = heif.fit(held(first), held(clip), request(first, clip=clip))

    result = assembled(recipe, first, clip)
    heif.same_picture(held(result), held(first))
    items = read_items(held(result))
    (tone_map,) = items.of_type(b"tmap")
    (gain_map,) = items.sources(items.primary, b"auxl")
    assert recipe.hdr is facts(result, "a.heic").hdr is Hdr.ISO_GAIN_MAP
    assert "ISO 21496-1" in recipe.note
    assert items.targets(tone_map.id, b"dimg") == (items.primary, gain_map)
    assert [group.ids for group in items.groups if group.type == b"altr"] == [(tone_map.id, items.primary)]
    assert size_of(tone_map) == size_of(items.by_id[items.primary])
    assert nclx_of(tone_map) == (12, 16, 6, True)  # Display P3, PQ
    assert iso_stops(item_bytes(held(result), tone_map), 1) == pytest.approx(2, abs=1e-5)
    assert b"tmap" in result[: int.from_bytes(result[:4], "big")]
    assert are_same(result, first)


def test_says_it_as_apple_does_in_its_own_files(samples: Path, still: bytes, clip: bytes) -> None:
    theirs = (samples / "live-photo-pair" / "apple.HEIC").read_bytes()
    first = with_headroom(still, 4.841287)
    ours = assembled(heif.fit(held(first), held(clip), request(first, clip=clip)), first, clip)

    shapes = []
    for content in (theirs, ours):
        items = read_items(held(content))
        (tone_map,) = items.of_type(b"tmap")
        told = item_bytes(held(content), tone_map)
        (gain_map,) = [
            number for number in items.targets(tone_map.id, b"dimg") if number in items.sources(items.primary, b"auxl")
        ]
        shapes.append(
            (
                len(told),
                told[:6],
                struct.unpack_from(">IIII", told, 6),
                tone_map.is_hidden,
                items.targets(tone_map.id, b"dimg").index(gain_map),
                [group.ids.index(tone_map.id) for group in items.groups if group.type == b"altr"],
                tone_map.property(b"pixi"),
            )
        )

    assert shapes[0] == shapes[1]


def test_a_real_iphone_still_from_before_ios_18_gets_one(samples: Path) -> None:
    path, video = samples / "heic-iphone-live-still" / "IMG_1309.HEIC", samples / "live-photo-pair" / "apple.MOV"

    with opened(path) as first, opened(video) as clip:
        recipe = heif.fit(first, clip, request(path.read_bytes(), clip=video.read_bytes()))

    result = assembled(recipe, path.read_bytes(), video.read_bytes())
    items = read_items(held(result))
    (tone_map,) = items.of_type(b"tmap")
    assert recipe.hdr is Hdr.ISO_GAIN_MAP
    assert size_of(tone_map) == (3024, 4032)  # as it is shown, turned
    assert iso_stops(item_bytes(held(result), tone_map), 1) == pytest.approx(
        math.log2(from_maker_note(0.7432, 0.02737)), abs=1e-3
    )
    assert are_same(result, path.read_bytes())


def test_a_gain_map_apple_told_both_ways_itself_is_left_alone(samples: Path) -> None:
    path, video = (samples / "live-photo-pair" / f"apple.{kind}" for kind in ("HEIC", "MOV"))
    still, clip = path.read_bytes(), video.read_bytes()

    recipe = heif.fit(held(still), held(clip), request(still, clip=clip))

    result = assembled(recipe, still, clip)
    kept, made = ([*read_items(held(content)).of_type(b"tmap")] for content in (still, result))
    assert recipe.hdr is Hdr.ISO_GAIN_MAP
    assert "gain map" not in recipe.note
    assert [one[:-1] for one in kept] == [one[:-1] for one in made]


def test_goes_unmuxed_when_nobody_says_how_bright(still: bytes, clip: bytes) -> None:
    with pytest.raises(Unfit, match=r"^HDR: "):
        heif.fit(held(still), held(clip), request(still, clip=clip))


@pytest.mark.parametrize("headroom", [0.5, 1.0, 40.0, 900.0])
def test_goes_unmuxed_when_what_is_said_cannot_be(headroom: float, still: bytes, clip: bytes) -> None:
    first = with_headroom(still, headroom)

    with pytest.raises(Unfit, match=r"^HDR: "):
        heif.fit(held(first), held(clip), request(first, clip=clip))


def test_goes_unmuxed_when_the_colours_have_no_name(still: bytes, clip: bytes) -> None:
    first = with_headroom(still, 4.0).replace("Display P3".encode("utf-16-be"), "Display XX".encode("utf-16-be"))
    first = first.replace(b"Display P3", b"Display XX")

    with pytest.raises(Unfit, match=r"^HDR: .*colour space"):
        heif.fit(held(first), held(clip), request(first, clip=clip))
