"""JPEG: turned, dated, described, colored in every way."""

from __future__ import annotations

import io
import struct
from typing import Any

import msgspec
import pillow_jxl  # noqa: F401  # registers JPEG XL with Pillow
from PIL import Image, ImageCms

from .boxes import segment, with_segments, xmp_segment
from .exif import Camera, bag, exif, language, xmp
from .scene import landscape
from .shelf import Entry, Shelf

WIDTH, HEIGHT = 320, 240
PHONE = "library/DCIM/100APPLE/"
ANDROID = "library/Android/Camera/"
SCANS = "library/Scans/"
MIXED = "library/Mixed/"


def jpeg(picture: Image.Image, camera: Camera | None = None, **options: Any) -> bytes:
    """A baseline 4:2:0 JPEG, quality 82 unless told otherwise."""
    out = io.BytesIO()
    settings = {"quality": 82, "subsampling": 2} | options
    if camera:
        camera = msgspec.structs.replace(camera, width=picture.width, height=picture.height)
        settings["exif"] = b"Exif\0\0" + exif(camera)
    picture.save(out, "JPEG", **settings)
    return out.getvalue()


def coded(picture: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


# EXIF orientation n is undone by this transpose; the file stores the inverse of it.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def orientations(shelf: Shelf) -> None:
    """One landscape stored in the eight ways of EXIF 0x0112; all look the same upright."""
    upright = landscape(160, 120, 11)
    for number in range(1, 9):
        stored = upright.transpose(STORED[number]) if number in STORED else upright
        camera = Camera(make="Canon", model="PowerShot G7 X", taken=f"2021:06:0{number} 09:30:00", orientation=number)
        shelf.put(
            f"library/Orientation/landscape_{number}.jpg",
            jpeg(stored, camera, quality=75),
            Entry(
                what=f"EXIF orientation {number}",
                width=160,
                height=120,
                taken=f"2021-06-0{number}T09:30:00",
                time_source="exif_local",
                more=f"orientation={number}",
            ),
        )


def dated(shelf: Shelf) -> None:
    """JPEGs that say well when and where."""
    common = Entry(what="", width=WIDTH, height=HEIGHT)
    at: dict[str, Any] = {"make": "Apple", "model": "iPhone 13"}
    full = Camera(
        **at,
        lens="iPhone 13 back dual wide camera 5.1mm f/1.6",
        software="17.5.1",
        taken="2024:05:12 18:03:22",
        fraction="120",
        offset="+02:00",
        place=(48.2082, 16.3738, 171.5),
        gps_time="2024:05:12 16:03:21",
    )
    shelf.put(
        PHONE + "IMG_0101.JPG",
        jpeg(landscape(WIDTH, HEIGHT, 101), full),
        msgspec.structs.replace(
            common,
            what="phone picture, EXIF with zone and place",
            taken="2024-05-12T18:03:22.120",
            offset_min=120,
            time_source="exif_offset",
            latitude=48.2082,
            longitude=16.3738,
            more="make=Apple; model=iPhone 13; altitude_m=171.5; software=17.5.1; iso=100; f_number=1.78",
        ),
    )
    by_gps = Camera(**at, taken="2023:08:14 16:20:05", place=(-33.8568, 151.2153, 4.0), gps_time="2023:08:14 06:20:03")
    shelf.put(
        PHONE + "IMG_0102.JPG",
        jpeg(landscape(WIDTH, HEIGHT, 102), by_gps),
        msgspec.structs.replace(
            common,
            what="no zone in EXIF; GPS time tells it",
            taken="2023-08-14T16:20:05",
            offset_min=600,
            time_source="exif_gps",
            latitude=-33.8568,
            longitude=151.2153,
            more="altitude_m=4.0",
        ),
    )


def undated(shelf: Shelf) -> None:
    """JPEGs that say less and less about when."""
    common = Entry(what="", width=WIDTH, height=HEIGHT)
    gps_only = Camera(make="", model="", place=(64.1466, -21.9426, 15.0), gps_time="2022:02:03 11:22:33")
    shelf.put(
        MIXED + "tracker.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 103), gps_only),
        msgspec.structs.replace(
            common,
            what="only a GPS time",
            taken="2022-02-03T11:22:33",
            offset_min=0,
            time_source="gps_utc",
            latitude=64.1466,
            longitude=-21.9426,
        ),
    )
    shelf.put(
        MIXED + "camera clock.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 104), Camera(make="SONY", model="DSC-RX100", taken="2016:12:31 23:59:59")),
        msgspec.structs.replace(
            common, what="local time without zone", taken="2016-12-31T23:59:59", time_source="exif_local"
        ),
    )
    shelf.put(
        MIXED + "edited once.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 105), Camera(make="", model="", modified="2011:04:05 06:07:08")),
        msgspec.structs.replace(
            common, what="only the time of change", taken="2011-04-05T06:07:08", time_source="exif_modified"
        ),
    )
    shelf.put(
        "library/WhatsApp/IMG-20200229-WA0007.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 106), quality=60),
        msgspec.structs.replace(
            common, what="no metadata; the name has a date", taken="2020-02-29T00:00:00", time_source="file_name"
        ),
    )
    shelf.put(
        ANDROID + "IMG_20180725_163423.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 107)),
        msgspec.structs.replace(
            common, what="no EXIF; the name has date and time", taken="2018-07-25T16:34:23", time_source="file_name"
        ),
    )
    shelf.put(
        MIXED + "picture.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 108)),
        msgspec.structs.replace(common, what="nothing says when", time_source="file_modified"),
    )
    broken = Camera(make="X", model="Y", taken="0000:00:00 00:00:00")
    shelf.put(
        MIXED + "clock never set.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 109), broken),
        msgspec.structs.replace(common, what="EXIF date of zeros", time_source="file_modified"),
    )


def described(shelf: Shelf) -> None:
    """Ratings, keywords, titles: XMP and IPTC."""
    packet = xmp(
        {"xmp:Rating": "4", "xmp:CreateDate": "2015-07-08T09:10:11+01:00", "photoshop:City": "Bath"},
        "\n".join(
            (
                bag("dc:subject", "holiday", "Bath", "river &amp; bridge"),
                language("dc:title", "Pulteney Bridge"),
                language("dc:description", "Seen from the weir."),
                bag("Iptc4xmpExt:PersonInImage", "Ada Example"),
            )
        ),
    )
    shelf.put(
        MIXED + "rated.jpg",
        with_segments(jpeg(landscape(WIDTH, HEIGHT, 111)), xmp_segment(packet)),
        Entry(
            what="XMP rating, keywords, title, caption, person; date only in XMP",
            width=WIDTH,
            height=HEIGHT,
            taken="2015-07-08T09:10:11",
            offset_min=60,
            time_source="xmp",
            more="rating=4; keywords=holiday|Bath|river & bridge; title=Pulteney Bridge; "
            "caption=Seen from the weir.; people=Ada Example",
        ),
    )
    records = {
        5: "Old harbour",
        25: "boats",
        55: "19990704",
        60: "101500+0200",
        120: "Boats at noon.",
        80: "B. Example",
    }
    stream = b"\x1c\x01\x5a\x00\x03\x1b%G"  # 1:90, the coded character set: UTF-8 (IPTC IIM 4.2, 1:90)
    for number, value in sorted(records.items()):
        content = value.encode()
        stream += struct.pack(">BBBH", 0x1C, 2, number, len(content)) + content
    stream += struct.pack(">BBBH", 0x1C, 2, 25, 7) + b"harbour"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(stream)) + stream + b"\0" * (len(stream) % 2)
    shelf.put(
        SCANS + "harbour.jpg",
        with_segments(jpeg(landscape(WIDTH, HEIGHT, 112)), segment(0xED, b"Photoshop 3.0\0" + resource)),
        Entry(
            what="IPTC title, caption, keywords and date",
            width=WIDTH,
            height=HEIGHT,
            taken="1999-07-04T10:15:00",
            offset_min=120,
            time_source="iptc",
            more="title=Old harbour; caption=Boats at noon.; keywords=boats|harbour",
        ),
    )


def colored(shelf: Shelf) -> None:
    """CMYK, grey, progressive, Display P3, 4:4:4."""
    shelf.put(
        SCANS + "print ready.jpg",
        coded(landscape(WIDTH, HEIGHT, 121).convert("CMYK"), "JPEG", quality=75),
        Entry(what="CMYK with an Adobe marker", width=WIDTH, height=HEIGHT, time_source="file_modified"),
    )
    shelf.put(
        SCANS + "grandmother.jpg",
        coded(landscape(240, 320, 122).convert("L"), "JPEG", quality=80, progressive=True),
        Entry(what="grey, progressive, portrait", width=240, height=320, time_source="file_modified"),
    )
    shelf.put(
        MIXED + "progressive.jpg",
        jpeg(landscape(WIDTH, HEIGHT, 123), Camera(taken="2019:03:02 01:00:00"), progressive=True, subsampling=0),
        Entry(
            what="progressive, 4:4:4", width=WIDTH, height=HEIGHT, taken="2019-03-02T01:00:00", time_source="exif_local"
        ),
    )
    shelf.put(
        PHONE + "IMG_0103.JPG",
        jpeg(
            landscape(WIDTH, HEIGHT, 124),
            Camera(taken="2022:10:01 07:45:00", offset="+02:00"),
            icc_profile=display_p3(),
        ),
        Entry(
            what="Display P3 profile",
            width=WIDTH,
            height=HEIGHT,
            taken="2022-10-01T07:45:00",
            offset_min=120,
            time_source="exif_offset",
            more="color_profile=Display P3",
        ),
    )


def display_p3() -> bytes:
    """A Display P3 profile of our own: sRGB's curves and white with P3 primaries adapted to D50 (SMPTE EG 432-1)."""

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    def unicode(value: str) -> bytes:
        content = value.encode("utf-16-be")
        return b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(content), 28) + content

    curve = b"para\0\0\0\0\0\x03\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {
        b"desc": unicode("Display P3"),
        b"cprt": unicode("CC0"),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.96420, 1.0, 0.82491),
        b"rXYZ": b"XYZ \0\0\0\0" + fixed(0.51512, 0.24120, -0.00105),
        b"gXYZ": b"XYZ \0\0\0\0" + fixed(0.29198, 0.69225, 0.04189),
        b"bXYZ": b"XYZ \0\0\0\0" + fixed(0.15710, 0.06657, 0.78407),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    size = 132 + 12 * len(tags) - 4 + 4 + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x04000000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s4sIII", 2024, 1, 1, 0, 0, 0, b"acsp", b"\0\0\0\0", 0, 0, 0)
    head += struct.pack(">QI", 0, 0) + fixed(0.96420, 1.0, 0.82491)
    profile = head.ljust(128, b"\0") + table + body
    ImageCms.ImageCmsProfile(io.BytesIO(profile))  # refuses what is no profile
    return profile
