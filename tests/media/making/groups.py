"""Files that belong together: Live Photos, motion photos, edits, bursts, sidecars, exports, copies."""

from __future__ import annotations

import io
import json
import struct
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from .boxes import with_segments, xmp_segment
from .exif import Camera, apple_note, bag, items, xmp
from .heif import LIVE_IDENTIFIER
from .pictures import ANDROID, MIXED, PHONE, jpeg
from .scene import landscape
from .shelf import Entry, Shelf
from .video import AAC, H264, clip, live_movie, made, quicktime

SIZE: dict[str, Any] = {"width": 320, "height": 240}
APPLE: dict[str, Any] = {"make": "Apple", "model": "iPhone 15 Pro"}


def live(shelf: Shelf) -> None:
    """Two Live Photos: HEIC and MOV beside each other, JPEG and MOV with unlike names."""
    shelf.put(
        PHONE + "IMG_0001.MOV",
        live_movie(LIVE_IDENTIFIER),
        Entry(
            what="Live Photo, video of IMG_0001.HEIC",
            kind="video",
            media_type="video/quicktime",
            width=160,
            height=120,
            taken="2024-06-20T19:41:06",
            offset_min=120,
            time_source="quicktime_date",
            latitude=47.8095,
            longitude=13.0550,
            more=f"content_identifier={LIVE_IDENTIFIER}; video_codec=hevc",
        ),
    )
    identifier = "0B7D2A11-90C3-4F8E-8A54-E2D1F0C9B8A7"
    camera = Camera(
        **APPLE, taken="2024:06:22 10:00:00", offset="+02:00", maker_note=apple_note(content_identifier=identifier)
    )
    shelf.put(
        "library/Shared/beach day.jpg",
        jpeg(landscape(320, 240, 501), camera),
        Entry(
            what="Live Photo, still, sent on as JPEG",
            **SIZE,
            taken="2024-06-22T10:00:00",
            offset_min=120,
            time_source="exif_offset",
            more=f"content_identifier={identifier}",
        ),
    )
    keys = quicktime("2024-06-22T09:59:59+0200", identifier=identifier)
    shelf.put(
        "library/Shared/IMG_7731.MOV",
        clip("m.mov", *H264, *keys, *made("2024-06-22T07:59:59Z"), seed=501),
        Entry(
            what="Live Photo, video of beach day.jpg: only the identifier tells",
            kind="video",
            media_type="video/quicktime",
            width=160,
            height=120,
            taken="2024-06-22T09:59:59",
            offset_min=120,
            time_source="quicktime_date",
            more=f"content_identifier={identifier}; video_codec=h264",
        ),
    )


def motion(shelf: Shelf) -> None:
    """A video inside the still, as Google and as Samsung write it."""
    movie = clip("n.mp4", *H264, *made("2024-03-09T14:20:30Z"), seed=511, sound=AAC)
    entries = items(
        'Item:Semantic="Primary" Item:Mime="image/jpeg" Item:Length="0" Item:Padding="0"',
        f'Item:Semantic="MotionPhoto" Item:Mime="video/mp4" Item:Length="{len(movie)}"',
    )
    stamp = {
        "GCamera:MotionPhoto": "1",
        "GCamera:MotionPhotoVersion": "1",
        "GCamera:MotionPhotoPresentationTimestampUs": "500000",
    }
    pixel = Camera(make="Google", model="Pixel 7", taken="2024:03:09 15:20:30", offset="+01:00")
    still = with_segments(jpeg(landscape(320, 240, 511), pixel), xmp_segment(xmp(stamp, entries)))
    shelf.put(
        ANDROID + "PXL_20240309_142030456.MP.jpg",
        still + movie,
        Entry(
            what="Google Motion Photo",
            **SIZE,
            taken="2024-03-09T15:20:30",
            offset_min=60,
            time_source="exif_offset",
            more=f"motion.maker=google; motion.offset_bytes={len(still)}; motion.size_bytes={len(movie)}; "
            "motion.timestamp_us=500000",
        ),
    )
    galaxy = Camera(make="samsung", model="SM-G991B", taken="2022:08:08 18:08:08", offset="+02:00")
    still = jpeg(landscape(320, 240, 512), galaxy)
    movie = clip("o.mp4", *H264, *made("2022-08-08T16:08:08Z"), seed=512)
    content, start = samsung_trailer(still, movie)
    shelf.put(
        ANDROID + "20220808_180808.jpg",
        content,
        Entry(
            what="Samsung Motion Photo: SEF trailer",
            **SIZE,
            taken="2022-08-08T18:08:08",
            offset_min=120,
            time_source="exif_offset",
            more=f"motion.maker=samsung; motion.offset_bytes={start}; motion.size_bytes={len(movie)}",
        ),
    )


def samsung_trailer(still: bytes, movie: bytes) -> tuple[bytes, int]:
    """The still with a SEF trailer (as ExifTool's Samsung.pm documents it), and where its movie begins."""
    name = b"MotionPhoto_Data"
    block = struct.pack("<HHI", 0, 0x0A30, len(name)) + name + movie
    index = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, 0x0A30, len(block), len(block))
    content = still + block + index + struct.pack("<I", len(index)) + b"SEFT"
    return content, len(still) + len(block) - len(movie)


def edits(shelf: Shelf) -> None:
    """An iPhone edit as it is imported: IMG_1234, IMG_E1234 and the list of adjustments."""
    picture = landscape(320, 240, 521)
    camera = Camera(**APPLE, taken="2024:04:01 12:00:00", offset="+02:00")
    told: dict[str, Any] = {"taken": "2024-04-01T12:00:00", "offset_min": 120, "time_source": "exif_offset"}
    shelf.put(
        PHONE + "IMG_1234.JPG", jpeg(picture, camera), Entry(what="original of an edited picture", **SIZE, **told)
    )
    grey = picture.crop((20, 15, 300, 225)).convert("L").convert("RGB")
    shelf.put(
        PHONE + "IMG_E1234.JPG",
        jpeg(grey, camera),
        Entry(what="edited version of IMG_1234.JPG", width=280, height=210, **told),
    )
    shelf.put(
        PHONE + "IMG_1234.AAE",
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
        b'<plist version="1.0">\n<dict>\n\t<key>adjustmentBaseVersion</key>\n\t<integer>0</integer>\n'
        b"\t<key>adjustmentFormatIdentifier</key>\n\t<string>com.apple.photo</string>\n"
        b"\t<key>adjustmentFormatVersion</key>\n\t<string>1.5</string>\n</dict>\n</plist>\n",
        Entry(what="Apple's list of adjustments to IMG_1234.JPG", kind="sidecar", media_type="application/x-apple-aae"),
    )
    burst = "A1B2C3D4-0000-4000-8000-5D6E7F809102"
    wide = landscape(340, 240, 522)
    for number in range(3):
        note = apple_note(burst=burst)
        one = Camera(**APPLE, taken="2024:04:02 13:00:00", fraction=f"{number}00", offset="+02:00", maker_note=note)
        shelf.put(
            PHONE + f"IMG_140{number}.JPG",
            jpeg(wide.crop((number * 6, 0, 320 + number * 6, 240)), one),
            Entry(
                what=f"burst, picture {number + 1} of 3",
                **SIZE,
                taken=f"2024-04-02T13:00:00.{number}00",
                offset_min=120,
                time_source="exif_offset",
                more=f"burst_id={burst}",
            ),
        )


def sidecars(shelf: Shelf) -> None:
    """XMP beside the picture in both ways of naming, one with a foreign namespace; Google Takeout's JSON."""
    sidecar: dict[str, Any] = {"kind": "sidecar", "media_type": "application/rdf+xml"}
    shelf.put(
        "library/Cameras/Nikon/DSC_0042.xmp",
        xmp({"xmp:Rating": "5", "garden:Bed": "7"}, bag("dc:subject", "roses")),
        Entry(
            what="XMP named like Adobe's, with a foreign namespace that must survive",
            **sidecar,
            more="of=DSC_0042.NEF; rating=5; keywords=roses",
        ),
    )
    camera = Camera(make="Canon", model="Canon EOS R6", taken="2022:04:17 18:00:00")
    shelf.put(
        MIXED + "tower.jpg",
        jpeg(landscape(240, 320, 531), camera),
        Entry(
            what="picture with a sidecar", width=240, height=320, taken="2022-04-17T18:00:00", time_source="exif_local"
        ),
    )
    history = "   <darktable:history><rdf:Seq><rdf:li>exposure</rdf:li></rdf:Seq></darktable:history>"
    shelf.put(
        MIXED + "tower.jpg.xmp",
        xmp({"xmp:Rating": "-1", "darktable:xmp_version": "5"}, history),
        Entry(what="XMP named like darktable's", **sidecar, more="of=tower.jpg; rating=-1"),
    )
    takeout(shelf)


def takeout(shelf: Shelf) -> None:
    """Google Takeout: the three ways it has named its JSON, and the name it cuts off."""
    folder = "library/Takeout/Google Photos/Photos from 2019/"
    long_name = "the very long name somebody gave to a picture"  # the JSON's name is cut to 51 characters
    cases = (
        ("IMG_20190704_120000.jpg", "IMG_20190704_120000.jpg.supplemental-metadata.json", 1562234400),
        (f"{long_name}.jpg", f"{long_name}.jpg.s"[:46] + ".json", 1565000000),
        ("old export.jpg", "old export.jpg.json", 1559300000),
        ("harbour(1).jpg", "harbour.jpg.supplemental-metadata(1).json", 1561000000),
    )
    for number, (name, beside, second) in enumerate(cases):
        taken = datetime.fromtimestamp(second, UTC).isoformat()[:19]
        shelf.put(
            folder + name,
            jpeg(landscape(320, 240, 540 + number)),
            Entry(
                what="Takeout picture stripped of its EXIF",
                **SIZE,
                taken=taken,
                offset_min=0,
                time_source="takeout",
                more=f"sidecar={beside}; takeout_s={second}",
            ),
        )
        told: dict[str, Any] = {
            "title": name.replace("(1)", ""),
            "description": "At the lake" if number == 0 else "",
            "photoTakenTime": {"timestamp": str(second), "formatted": "4 Jul 2019, 10:00:00 UTC"},
            "geoData": {"latitude": 46.95, "longitude": 7.44, "altitude": 540.0} if number == 0 else {},
            "people": [{"name": "Ada Example"}] if number == 0 else [],
            "favorited": number == 0,
        }
        shelf.put(
            folder + beside,
            json.dumps(told, indent=2).encode(),
            Entry(
                what=f"Takeout JSON of {name}",
                kind="sidecar",
                media_type="application/json",
                more=f"of={name}; takeout_s={second}",
            ),
        )


def copies(shelf: Shelf) -> None:
    """The same picture again: exactly, and nearly."""
    folder = "library/Copies/"
    picture = landscape(640, 480, 551)
    camera = Camera(**APPLE, taken="2023:05:06 07:08:09", offset="+02:00")
    told: dict[str, Any] = {"taken": "2023-05-06T07:08:09", "offset_min": 120, "time_source": "exif_offset"}
    original = jpeg(picture, camera, quality=88)
    shelf.put(PHONE + "IMG_1500.JPG", original, Entry(what="the picture copied below", width=640, height=480, **told))
    shelf.put(
        folder + "IMG_1500 copy.JPG",
        original,
        Entry(what="exact copy of IMG_1500.JPG", width=640, height=480, **told, more="copy_of=IMG_1500.JPG"),
    )
    decoded = Image.open(io.BytesIO(original)).convert("RGB")
    near = {
        "recompressed.jpg": jpeg(decoded, camera, quality=55),
        "resized.jpg": jpeg(decoded.resize((320, 240), Image.Resampling.LANCZOS), camera),
        "turned.jpg": jpeg(decoded.transpose(Image.Transpose.ROTATE_90), camera),
    }
    for name, content in near.items():
        width, height = Image.open(io.BytesIO(content)).size
        shelf.put(
            folder + name,
            content,
            Entry(
                what=f"near copy of IMG_1500.JPG: {name[:-4]}",
                width=width,
                height=height,
                **told,
                more="near=IMG_1500.JPG",
            ),
        )
