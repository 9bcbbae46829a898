"""Cameras' cards through the real box: a clip and what the camera made beside it are one asset."""

import io
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from mediabox.contracts import Deliverable, Member
from mediabox.core.catalogue import archived
from mediabox.destinations.pixel.rules import wishes
from mediabox.destinations.pixel.settings import Settings
from whole.box import Household

LIBRARY = Path(__file__).parents[1] / "media" / "library"
AVI, MP4 = LIBRARY / "Clips" / "divx.avi", LIBRARY / "Clips" / "hdr10.mp4"


def thumbnail(taken: str) -> bytes:
    """As a Canon writes it: 160 x 120, with the Exif an AVI has no place for."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = taken
    out = io.BytesIO()
    Image.new("RGB", (160, 120), "navy").save(out, "JPEG", exif=exif)
    return out.getvalue()


CARD = {
    "DCIM/101CANON/MVI_0007.AVI": AVI,
    "DCIM/101CANON/MVI_0007.THM": thumbnail("2004:06:05 14:15:16"),
    "DCIM/100GOPRO/GX010001.MP4": MP4,
    "DCIM/100GOPRO/GL010001.LRV": MP4.read_bytes() + b"\0\0\0\x08free",
    "DCIM/100GOPRO/GX010001.THM": thumbnail("2021:08:01 10:00:00"),
    "DCIM/100MEDIA/DJI_0003.MP4": MP4.read_bytes() + b"\0\0\0\x08skip",
    "DCIM/100MEDIA/DJI_0003.SRT": b"1\n00:00:00,000 --> 00:00:01,000\n[latitude: 1.0]\n",
    "M4ROOT/CLIP/C0001.MP4": MP4.read_bytes() + b"\0\0\0\x08wide",
    "M4ROOT/CLIP/C0001M01.XML": b'<?xml version="1.0"?>\n<NonRealTimeMeta/>\n',
    "M4ROOT/THMBNL/C0001T01.JPG": thumbnail("2021:08:01 10:00:00"),
    "DCIM/100GOPRO/GL010009.LRV": MP4.read_bytes() + b"\0\0\0\x09free\0",  # all that is left of a film
}
CLIPS = {"MVI_0007.AVI", "GX010001.MP4", "DJI_0003.MP4", "C0001.MP4", "GL010009.LRV"}


def assets(box: Household) -> dict[str, list[Member]]:
    """By the name of the file that stands for each."""
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection:
        ids = connection.execute("SELECT DISTINCT asset_id FROM resource WHERE state = 'archived'").fetchall()
        found = [archived(connection, each) for (each,) in ids]
    return {members[0].resource.name: members for members in found}


def folders(members: list[Member]) -> set[str]:
    return {(one.resource.path or "").rpartition("/")[0] for one in members}


def check(box: Household) -> None:
    found = assets(box)
    assert set(found) == CLIPS
    for members in found.values():
        wanted = wishes(Deliverable(asset_id=1, members=tuple(members)), Settings(device="x", model="pixel"))
        assert [wish.resource_id for wish in wanted] == [members[0].resource.id]
    names = {clip: {one.resource.name for one in members[1:]} for clip, members in found.items()}
    assert names == {
        "MVI_0007.AVI": {"MVI_0007.THM"},
        "GX010001.MP4": {"GL010001.LRV", "GX010001.THM"},
        "DJI_0003.MP4": {"DJI_0003.SRT"},
        "C0001.MP4": {"C0001M01.XML"},
        "GL010009.LRV": set(),
    }
    assert found["MVI_0007.AVI"][0].resource.path == "2004/2004-06/MVI_0007.AVI"
    assert not box.status()["flagged"]


@pytest.mark.parametrize("proxy_first", [False, True])
def test_a_card_becomes_one_asset_for_each_clip(tmp_path: Path, *, proxy_first: bool) -> None:
    box = Household(tmp_path)
    late = ("DCIM/100GOPRO/GX010001.MP4",) if proxy_first else ()
    box.found({name: content for name, content in CARD.items() if name not in late})
    if proxy_first:
        box.run()
        box.found({name: CARD[name] for name in late})

    box.run()

    check(box)
    if not proxy_first:  # what came without its clip lies where its own date put it
        assert all(len(folders(members)) == 1 for members in assets(box).values())
    assert {one["reason"]: one["count"] for one in box.status()["surveys"]["pictures"]["left_out"]} == {"card": 1}
    if not proxy_first:
        (box.home / "mediabox.db").unlink()
        shutil.rmtree(box.pictures)
        box.say("rebuild")
        check(box)
