"""Which files of a card go with a clip. Names are those of the makers' manuals and of cards people posted."""

import pytest

from mediabox.model.companions import companions_among, is_proxy
from mediabox.model.naming import parse_name

CARDS = {
    "Canon, AVI": (["MVI_0007.AVI", "IMG_0008.JPG"], ["MVI_0007.THM"]),
    "Canon, raw": (["CRW_0001.CRW"], ["CRW_0001.THM"]),
    "GoPro 5": (["GOPR0001.MP4", "GP010001.MP4"], ["GOPR0001.LRV", "GOPR0001.THM", "GP010001.LRV"]),
    "GoPro 6, H.264": (["GH010001.MP4"], ["GL010001.LRV", "GH010001.THM"]),
    "GoPro 8, HEVC": (["GX010001.MP4"], ["GL010001.LRV", "GX010001.THM", "GX010001.WAV"]),
    "DJI": (["DJI_0001.MP4", "DJI_0002.JPG"], ["DJI_0001.LRF", "DJI_0001.SRT"]),
    "Sony XAVC": (["C0001.MP4"], ["C0001M01.XML"]),
    "Sony XDCAM EX": (
        ["775_0001_01.MP4"],
        ["775_0001_01M01.XML", "775_0001_01R01.BIM", "775_0001_01I01.PPN", "775_0001_01.SMI"],
    ),
    "Canon XF": (["AA000101.MXF"], ["AA000101.XML", "AA000101.CPF", "AA000101.CIF"]),
    "JVC Everio": (["MOV001.MOD"], ["MOV001.MOI"]),
    "Insta360": (
        ["VID_20240101_120000_00_001.insv", "VID_20240101_120000_10_001.insv"],
        ["LRV_20240101_120000_11_001.insv"],
    ),
    "Xiaomi Yi": (["YDXJ0012.mp4"], ["YDXJ0012_thm.mp4"]),
    "Garmin VIRB": (["VIRB0001.MP4"], ["VIRB0001.GLV"]),
    "Nikon, a memo": (["DSC_0001.JPG", "DSC_0002.NEF"], ["DSC_0001.WAV", "DSC_0002.WAV"]),
    "RawTherapee": (["DSC_0001.NEF"], ["DSC_0001.NEF.pp3"]),
}


@pytest.mark.parametrize("card", CARDS)
def test_companions_are_known_beside_their_clips(card: str) -> None:
    clips, companions = CARDS[card]

    assert companions_among([*clips, *companions]) == frozenset(companions)


@pytest.mark.parametrize("card", CARDS)
def test_alone_none_is_a_companion_and_no_clip_ever_is(card: str) -> None:
    clips, companions = CARDS[card]

    assert companions_among(companions) == frozenset()
    assert companions_among(clips) == frozenset()


@pytest.mark.parametrize("card", CARDS)
def test_a_companion_shares_its_clips_base(card: str) -> None:
    clips, companions = CARDS[card]
    bases = {parse_name(name).base for name in clips}

    assert all(parse_name(name).base in bases for name in companions)


@pytest.mark.parametrize(
    "names",
    [
        ["song.wav", "cover.jpg"],
        ["settings.xml", "film.mp4"],
        ["IMG_0001.xml", "IMG_0001.JPG"],  # nobody's camera writes XML beside a picture
        ["holiday_thm.mp4", "holiday.mp4"],
        ["LRV_1.mp4", "VID_1.mp4"],
        ["IMG_0001.JPG", "IMG_0001.MP4"],
        ["GL010001.LRV", "GX010002.MP4"],
        ["C0001M01.XML", "C0002.MP4"],
        ["A.THM", "B.AVI"],
    ],
)
def test_what_only_looks_like_one_is_none(names: list[str]) -> None:
    assert companions_among(names) == frozenset()


def test_a_proxy_is_one_by_its_name() -> None:
    assert all(map(is_proxy, ["GL010001.LRV", "DJI_0001.LRF", "MVI_1.THM", "LRV_20240101_120000_11_001.insv"]))
    assert not any(map(is_proxy, ["GX010001.MP4", "C0001M01.XML", "DSC_1.WAV", "holiday_thm.mp4"]))
