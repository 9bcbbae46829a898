"""Raw pictures in miniature: containers, previews and metadata as cameras write them, a thumbnail of a sensor."""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

from .boxes import Blob, Directory, Tag, box, full_box, long, short, text, tiff
from .exif import Camera, directory, exif_directory, gps_directory
from .pictures import PHONE, jpeg
from .scene import landscape
from .shelf import Entry, Shelf

CANON, NIKON, FUJI = "library/Cameras/Canon/", "library/Cameras/Nikon/", "library/Cameras/Fujifilm/"


def mosaic(picture: Image.Image) -> bytes:
    """A Bayer mosaic, RGGB, little-endian 16 bits."""
    rgb = np.asarray(picture, dtype=np.uint16) * 64
    cells = rgb[:, :, 1].copy()
    cells[0::2, 0::2] = rgb[0::2, 0::2, 0]
    cells[1::2, 1::2] = rgb[1::2, 1::2, 2]
    return bytes(cells.astype("<u2").tobytes())


def sensor(picture: Image.Image, *more: Tag) -> Directory:
    """The raw picture's own directory (TIFF/EP)."""
    cells = mosaic(picture)
    return Directory(
        (
            long(0x00FE, 0),
            long(0x0100, picture.width),
            long(0x0101, picture.height),
            short(0x0102, 16),
            short(0x0103, 1),
            short(0x0106, 32803),
            Tag(0x0111, 4, Blob(cells)),
            short(0x0115, 1),
            long(0x0116, picture.height),
            long(0x0117, len(cells)),
            short(0x828D, 2, 2),
            Tag(0x828E, 1, (0, 1, 1, 2)),
            *more,
        )
    )


def preview_strip(preview: bytes, width: int, height: int) -> tuple[Tag, ...]:
    """A JPEG as the one strip of a directory, as DNG and CR2 keep their previews."""
    return (
        long(0x0100, width),
        long(0x0101, height),
        short(0x0102, 8, 8, 8),
        short(0x0103, 7),
        short(0x0106, 6),
        Tag(0x0111, 4, Blob(preview)),
        short(0x0115, 3),
        long(0x0116, height),
        long(0x0117, len(preview)),
    )


def dng(picture: Image.Image, camera: Camera) -> bytes:
    """DNG 1.4 with a JPEG preview in IFD0 and the mosaic in a SubIFD; raw developers open it."""
    small = picture.resize((96, 72))
    white = Tag(0xC61D, 3, (255 * 64,))
    matrix = Tag(
        0xC621, 10, tuple((round(value * 10_000), 10_000) for value in (0.6, 0.2, 0, 0.3, 0.8, 0, 0, 0.1, 0.9))
    )
    neutral = Tag(0xC628, 5, ((1, 1), (1, 1), (1, 1)))
    head = directory(
        camera,
        long(0x00FE, 1),
        *preview_strip(jpeg(picture, quality=75), picture.width, picture.height),
        Tag(0x014A, 4, (sensor(small, white),)),
        Tag(0xC612, 1, (1, 4, 0, 0)),
        Tag(0xC613, 1, (1, 1, 0, 0)),
        text(0xC614, f"{camera.make} {camera.model}"),
        matrix,
        neutral,
        short(0xC65A, 21),
    )
    return tiff([head])


def nef(picture: Image.Image, camera: Camera) -> bytes:
    """Nikon: big-endian, a tiny uncompressed IFD0, the full preview as JpgFromRaw in the first SubIFD."""
    tiny = picture.resize((16, 12))
    preview = jpeg(picture, quality=75)
    full = Directory((long(0x00FE, 1), short(0x0103, 6), Tag(0x0201, 4, Blob(preview)), long(0x0202, len(preview))))
    head = directory(
        camera,
        long(0x00FE, 1),
        long(0x0100, 16),
        long(0x0101, 12),
        short(0x0102, 8, 8, 8),
        short(0x0103, 1),
        short(0x0106, 2),
        Tag(0x0111, 4, Blob(tiny.tobytes())),
        short(0x0115, 3),
        long(0x0116, 12),
        long(0x0117, 576),
        Tag(0x014A, 4, (full, sensor(picture.resize((48, 36))))),
    )
    return tiff([head], order=">")


def cr2(picture: Image.Image, camera: Camera) -> bytes:
    """Canon: `CR\\2` after the TIFF header, preview in IFD0, thumbnail in IFD1, two more directories."""
    small = jpeg(picture.resize((80, 60)), quality=70)
    thumbnail = Directory((Tag(0x0201, 4, Blob(small)), long(0x0202, len(small))))
    cells = sensor(picture.resize((48, 36)))
    rgb = Directory(
        (
            long(0x0100, 16),
            long(0x0101, 12),
            short(0x0102, 8, 8, 8),
            short(0x0103, 1),
            short(0x0106, 2),
            Tag(0x0111, 4, Blob(picture.resize((16, 12)).tobytes())),
            short(0x0115, 3),
            long(0x0117, 576),
        )
    )
    head = directory(camera, *preview_strip(jpeg(picture, quality=75), picture.width, picture.height))
    content = bytearray(tiff([head, thumbnail, rgb, cells], before=b"CR\x02\0\0\0\0\0"))
    at = struct.unpack_from("<I", content, 4)[0]
    for _ in range(3):  # the header also points at IFD3
        count = struct.unpack_from("<H", content, at)[0]
        at = struct.unpack_from("<I", content, at + 2 + 12 * count)[0]
    struct.pack_into("<I", content, 12, at)
    return bytes(content)


def raf(picture: Image.Image, camera: Camera) -> bytes:
    """Fujifilm: a fixed header, then the full JPEG with all the EXIF, then the sensor's part."""
    preview = jpeg(picture, camera, quality=75)
    cells = mosaic(picture.resize((48, 36)))
    at, directory_at = 148, 148 + len(preview)
    records = struct.pack(">IHHHH", 1, 0x100, 4, 36, 48)  # count; tag 0x100 raw size, 4 bytes: height, width
    places = struct.pack(">6I", at, len(preview), directory_at, len(records), directory_at + len(records), len(cells))
    head = b"FUJIFILMCCD-RAW 0201FF159502" + camera.model.encode().ljust(32, b"\0") + b"0100" + bytes(20) + places
    return head.ljust(at, b"\0") + preview + records + cells


def cr3(picture: Image.Image, camera: Camera) -> bytes:
    """Canon's ISO base media raw: metadata and thumbnail in `moov`'s uuid box, the preview in a uuid box of its own."""
    size = (long(0x0100, picture.width), long(0x0101, picture.height))
    first = Directory((*size, *(tag for tag in directory(camera).tags if tag.number not in (0x8769, 0x8825))))
    small, middle = jpeg(picture.resize((80, 60)), quality=70), jpeg(picture, quality=75)
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    parts = [
        box(b"CNCV", b"CanonCR3_001/00.10.00/00.00.00"),
        box(b"CMT1", tiff([first])),
        box(b"CMT2", tiff([exif_directory(camera)])),
        box(b"CMT4", tiff([gps_directory(camera)])),
        full_box(b"THMB", 0, 0, struct.pack(">HHIHH", 80, 60, len(small), 1, 0), small),
    ]
    header = full_box(b"mvhd", 0, 0, struct.pack(">IIIIIH10x", 0, 0, 1000, 1, 0x10000, 0x100), bytes(60), b"\0\0\0\2")
    preview = full_box(b"PRVW", 0, 0, struct.pack(">HHHHI", 1, picture.width, picture.height, 1, len(middle)), middle)
    return (
        box(b"ftyp", b"crx ", struct.pack(">I", 1), b"crx isom")
        + box(b"moov", box(b"uuid", canon, *parts), header)
        + box(b"uuid", bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16"), bytes(4), struct.pack(">I", 1), preview)
        + box(b"mdat", mosaic(picture.resize((48, 36))))
    )


def raw_pair(shelf: Shelf) -> None:
    """A RAW+JPEG pair, and a picture of the same name that is another one."""
    picture = landscape(320, 240, 301)
    canon = Camera(
        make="Canon", model="Canon EOS 80D", taken="2018:09:01 06:55:12", fraction="07", lens="EF50mm f/1.8 STM"
    )
    shelf.put(
        CANON + "100CANON/IMG_0001.CR2",
        cr2(picture, canon),
        Entry(
            what="Canon CR2, pair of IMG_0001.JPG",
            media_type="image/x-canon-cr2",
            taken="2018-09-01T06:55:12.070",
            time_source="exif_local",
            more="make=Canon; preview=320x240; sensor=48x36",
        ),
    )
    shelf.put(
        CANON + "100CANON/IMG_0001.JPG",
        jpeg(picture, canon),
        Entry(
            what="the camera's JPEG of IMG_0001.CR2; another picture than 100APPLE's and 101CANON's",
            width=320,
            height=240,
            taken="2018-09-01T06:55:12.070",
            time_source="exif_local",
            more="make=Canon",
        ),
    )
    other = Camera(make="Canon", model="Canon EOS 80D", taken="2019:11:30 12:00:00")
    shelf.put(
        CANON + "101CANON/IMG_0001.JPG",
        jpeg(landscape(320, 240, 302), other),
        Entry(
            what="a different picture of the same name",
            width=320,
            height=240,
            taken="2019-11-30T12:00:00",
            time_source="exif_local",
        ),
    )


def other_raws(shelf: Shelf) -> None:
    """One raw each of other makes and times."""
    third = Camera(
        make="Canon", model="Canon EOS R6", taken="2022:04:17 17:17:17", offset="+01:00", place=(51.5007, -0.1246, 12.0)
    )
    shelf.put(
        CANON + "101CANON/IMG_0002.CR3",
        cr3(landscape(320, 240, 303), third),
        Entry(
            what="Canon CR3 with preview",
            media_type="image/x-canon-cr3",
            width=320,
            height=240,
            taken="2022-04-17T17:17:17",
            offset_min=60,
            time_source="exif_offset",
            latitude=51.5007,
            longitude=-0.1246,
            more="preview=320x240; sensor=48x36",
        ),
    )
    nikon = Camera(make="NIKON CORPORATION", model="NIKON Z 6", taken="2020:05:05 05:05:05", offset="-07:00")
    shelf.put(
        NIKON + "DSC_0042.NEF",
        nef(landscape(320, 240, 304), nikon),
        Entry(
            what="Nikon NEF with preview and a sidecar",
            media_type="image/x-nikon-nef",
            taken="2020-05-05T05:05:05",
            offset_min=-420,
            time_source="exif_offset",
            more="make=NIKON CORPORATION; preview=320x240; sensor=48x36",
        ),
    )
    fuji = Camera(make="FUJIFILM", model="X-T3", taken="2017:07:07 20:20:20", orientation=8)
    shelf.put(
        FUJI + "DSCF1001.RAF",
        raf(landscape(240, 320, 305).transpose(Image.Transpose.ROTATE_270), fuji),
        Entry(
            what="Fujifilm RAF, portrait",
            media_type="image/x-fuji-raf",
            taken="2017-07-07T20:20:20",
            time_source="exif_local",
            more="make=FUJIFILM; orientation=8; preview=320x240; sensor=48x36",
        ),
    )


def phone_raw(shelf: Shelf) -> None:
    """A DNG."""
    apple = Camera(make="Apple", model="iPhone 14 Pro", taken="2023:02:03 04:05:06", offset="+01:00")
    shelf.put(
        PHONE + "IMG_0120.DNG",
        dng(landscape(320, 240, 306), apple),
        Entry(
            what="DNG a raw developer can open",
            media_type="image/x-adobe-dng",
            taken="2023-02-03T04:05:06",
            offset_min=60,
            time_source="exif_offset",
            more="make=Apple; preview=320x240; sensor=96x72",
        ),
    )
