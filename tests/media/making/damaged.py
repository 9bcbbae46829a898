"""What disks, cards, browsers and people do to photos; and files that are none."""

from __future__ import annotations

import random
import struct
import zlib
from typing import Any

from .exif import Camera
from .heif import phone_heic
from .pictures import coded, jpeg
from .scene import landscape
from .shelf import Entry, Shelf
from .video import H264, clip, made

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>\n"


def rotten(content: bytes, *, seed: int, flips: int, start: int) -> bytes:
    """The content with single bits turned over, none before `start`."""
    chance = random.Random(seed)
    spoiled = bytearray(content)
    for _ in range(flips):
        spoiled[chance.randrange(start, len(spoiled) - 2)] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def bomb() -> bytes:
    """A PNG of 60000 × 60000 in a few hundred bytes: the header promises what the data never brings."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(200_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


CAMERA = Camera(make="Apple", model="iPhone 12", taken="2021:10:10 10:10:10", offset="+02:00")
PICTURE = landscape(320, 240, 601)
TOLD: dict[str, Any] = {
    "width": 320,
    "height": 240,
    "taken": "2021-10-10T10:10:10",
    "offset_min": 120,
    "time_source": "exif_offset",
}
VIDEO: dict[str, Any] = {"kind": "video", "media_type": "video/mp4"}


def damaged(shelf: Shelf) -> None:
    """Pictures that are not whole."""
    still, heic = jpeg(PICTURE, CAMERA), phone_heic(PICTURE, CAMERA)
    shelf.put("damaged/IMG_2000.JPG", b"", Entry(what="zero bytes", more="damage=empty"))
    shelf.put(
        "damaged/IMG_2001.JPG", still[: len(still) * 55 // 100], Entry(what="JPEG cut short", **TOLD, more="damage=cut")
    )
    shelf.put(
        "damaged/IMG_2002.HEIC",
        heic[: len(heic) * 60 // 100],
        Entry(what="HEIC cut short, decoders may not notice", media_type="image/heic", **TOLD, more="damage=cut"),
    )
    shelf.put("damaged/IMG_2005.JPG", bytes(4096), Entry(what="zeros, as a card leaves them", more="damage=zeros"))
    shelf.put(
        "damaged/IMG_2006.JPG",
        HTML,
        Entry(what="a sign-in page saved as JPEG", media_type="text/html", more="damage=not a picture"),
    )
    shelf.put(
        "damaged/IMG_2007.JPG",
        rotten(still, seed=7, flips=40, start=len(still) // 3),
        Entry(what="JPEG with 40 bits turned over in its scan; decodes to rubbish", **TOLD, more="damage=maybe"),
    )
    shelf.put(
        "damaged/IMG_2008.JPG",
        still[: len(still) // 2] + bytes(len(still) - len(still) // 2),
        Entry(what="JPEG whose second half is zeros", **TOLD, more="damage=cut"),
    )
    shelf.put(
        "damaged/IMG_2009.PNG",
        bomb(),
        Entry(
            what="PNG that claims 60000 × 60000",
            media_type="image/png",
            width=60_000,
            height=60_000,
            more="damage=too many pixels",
        ),
    )
    shelf.put(
        "damaged/IMG_2010.PNG",
        coded(PICTURE, "PNG")[:2000],
        Entry(what="PNG cut short", media_type="image/png", width=320, height=240, more="damage=cut"),
    )


def damaged_videos(shelf: Shelf) -> None:
    """Movies cut short, with the index at either end."""
    movie = clip("p.mp4", *H264, *made("2021-10-10T08:10:10Z"), seed=602, frames=24)
    first = clip("q.mp4", *H264, *made("2021-10-10T08:10:10Z"), "-movflags", "+faststart", seed=603, frames=24)
    shelf.put(
        "damaged/VID_2003.mp4",
        movie[: len(movie) * 70 // 100],
        Entry(what="MP4 cut short, its index lost", **VIDEO, more="damage=cut"),
    )
    shelf.put(
        "damaged/VID_2004.mp4",
        first[: len(first) * 60 // 100],
        Entry(
            what="MP4 cut short, its index first",
            **VIDEO,
            width=160,
            height=120,
            taken="2021-10-10T08:10:10",
            offset_min=0,
            time_source="movie_header",
            more="damage=cut",
        ),
    )


def mislabelled(shelf: Shelf) -> None:
    """Whole files under the wrong name."""
    still, heic = jpeg(PICTURE, CAMERA), phone_heic(PICTURE, CAMERA)
    shelf.put("damaged/mislabelled/IMG_2011.HEIC", still, Entry(what="JPEG named .HEIC; whole", **TOLD))
    shelf.put(
        "damaged/mislabelled/IMG_2012.JPG", heic, Entry(what="HEIC named .JPG; whole", media_type="image/heic", **TOLD)
    )
    shelf.put(
        "damaged/mislabelled/IMG_2013.MOV",
        jpeg(landscape(320, 240, 604), CAMERA),
        Entry(what="JPEG named .MOV; whole", **TOLD),
    )
    shelf.put(
        "damaged/mislabelled/IMG_2014.jpg",
        clip("r.mp4", *H264, seed=605),
        Entry(what="MP4 named .jpg; whole", **VIDEO, width=160, height=120),
    )


def others(shelf: Shelf) -> None:
    """Files that are no photos. They stay where they are."""
    none: dict[str, Any] = {"kind": "none"}
    shelf.put("other/notes.txt", b"Buy film.\n", Entry(what="text", **none, media_type="text/plain"))
    shelf.put("other/invoice.pdf", pdf(), Entry(what="PDF", **none, media_type="application/pdf"))
    shelf.put(
        "other/Thumbs.db",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
        Entry(what="Windows' thumbnail cache", **none, media_type="application/x-ole-storage"),
    )
    shelf.put(
        "other/.DS_Store", b"\0\0\0\1Bud1" + bytes(120), Entry(what="macOS folder settings", **none, media_type="")
    )
    shelf.put(
        "other/._IMG_0001.JPG",
        b"\0\x05\x16\x07\0\x02\0\0Mac OS X        " + bytes(60),
        Entry(what="macOS resource fork of a picture: its name lies", **none, media_type="application/applefile"),
    )
    shelf.put(
        "other/settings.json",
        b'{"theme": "dark"}\n',
        Entry(what="JSON that is no sidecar", **none, media_type="application/json"),
    )
    shelf.put(
        "other/song.mp3", b"ID3\x04\0\0\0\0\0\0" + bytes(64), Entry(what="music", **none, media_type="audio/mpeg")
    )


def pdf() -> bytes:
    """One empty page."""
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(content))
        content += b"%d 0 obj" % number + part + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(content)
    return content + b"xref\n0 4\n0000000000 65535 f \n" + table + end
