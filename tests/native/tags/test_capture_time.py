"""When the shutter opened: which rule wins, and what is not believed."""

import made
import pytest

from mediabox.model.facts import TimeSource
from mediabox.native.tags.file_name import folder_time, named_time

TAKEN = {0x9003: made.ascii_value("2024:05:12 18:03:22")}


def fix(date: str, hour: int, minute: int) -> dict[int, made.Value]:
    return {7: made.rationals((hour, 1), (minute, 1), (0, 1)), 29: made.ascii_value(date)}


def taken(read, main=None, exif=None, gps=None, **request):
    return read(made.jpeg(made.exif_segment(made.tiff(main or {}, exif, gps))), **request).capture_time


def test_the_zone_comes_from_the_fix_when_the_camera_has_none(read) -> None:
    found = taken(read, exif=TAKEN, gps=fix("2024:05:12", 12, 31))

    assert (found.local, found.offset_min, found.source) == ("2024-05-12T18:03:22", 330, TimeSource.EXIF_GPS)


def test_a_fix_from_another_day_gives_no_zone(read) -> None:
    found = taken(read, exif=TAKEN, gps=fix("2024:05:10", 12, 31))

    assert (found.offset_min, found.source) == (None, TimeSource.EXIF_LOCAL)


def test_a_fix_alone_gives_the_instant(read) -> None:
    found = taken(read, gps=fix("2024:05:12", 12, 31))

    assert (found.local, found.offset_min, found.source) == ("2024-05-12T12:31:00", 0, TimeSource.GPS_UTC)


@pytest.mark.parametrize(
    "insane",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "1899:12:31 00:00:00",
        "2026:06:05 00:00:00",
        "2024:13:12 18:03:22",
        "",
    ],
)
def test_what_is_no_date_is_passed_over(read, insane: str) -> None:
    found = taken(read, {0x0132: made.ascii_value("2020:01:02 03:04:05")}, {0x9003: made.ascii_value(insane)})

    assert (found.local, found.source) == ("2020-01-02T03:04:05", TimeSource.EXIF_MODIFIED)


def test_a_clock_a_day_ahead_is_believed(read) -> None:
    assert taken(read, exif={0x9003: made.ascii_value("2026:06:02 10:00:00")}).local == "2026-06-02T10:00:00"


def test_name_then_folder_are_the_last_resorts(read) -> None:
    bare = made.jpeg()

    named = read(bare, "IMG_20180725_163423.jpg", modified_at_ms=1_600_000_000_000).capture_time
    modified = read(bare, "holiday.jpg", modified_at_ms=1_600_000_000_000).capture_time
    neither = read(bare, "holiday.jpg").capture_time

    assert (named.local, named.source) == ("2018-07-25T16:34:23", TimeSource.FILE_NAME)
    assert (modified.local, modified.offset_min) == ("2020-09-13T12:26:40", 0)
    assert modified.source is TimeSource.FILE_MODIFIED
    assert neither is None


@pytest.mark.parametrize(
    ("name", "local", "offset_min"),
    [
        ("IMG_20180725_163423.jpg", "2018-07-25T16:34:23", None),
        ("VID_20180725_163423123.mp4", "2018-07-25T16:34:23.123", None),
        ("PXL_20231006_063000139.MP.jpg", "2023-10-06T06:30:00.139", 0),
        ("Screenshot_2019-05-21_at_10.45.52.png", "2019-05-21T10:45:52", None),
        ("Screenshot 2023-01-02 at 3.04.05 PM.png", "2023-01-02T15:04:05", None),
        ("2018-04-12_19_24_49.mov", "2018-04-12T19:24:49", None),
        ("2018-04-12T19:24:49.jpg", "2018-04-12T19:24:49", None),
        ("20180412_192449.jpg", "2018-04-12T19:24:49", None),
        ("signal-2021-03-04-123456.jpg", "2021-03-04T12:34:56", None),
        ("signal-2021-03-04-12-34-56-789.jpg", "2021-03-04T12:34:56.789", None),
        ("IMG-20200101-WA0001.jpg", "2020-01-01", None),
        ("2018-04-12 birthday.jpg", "2018-04-12", None),
        ("WP_20140102_13_04_05_Pro.jpg", "2014-01-02T13:04:05", None),
        ("WP_20140102_001.jpg", "2014-01-02", None),
        ("IMG_20200102.jpg", "2020-01-02", None),
        ("IMG_20200102 (1).jpg", "2020-01-02", None),
        ("VID_20200102~2.mp4", "2020-01-02", None),
        ("VID-20200102-WA0001.mp4", "2020-01-02", None),
        ("WhatsApp Image 2020-01-02 at 3.04.33 PM.jpeg", "2020-01-02T15:04:33", None),
        ("FB_IMG_1514764800000.jpg", "2018-01-01T00:00:00", 0),
        ("mmexport1514764800123.jpg", "2018-01-01T00:00:00.123", 0),
        ("wx_camera_1514764800000.mp4", "2018-01-01T00:00:00", 0),
        ("1514764800000.jpg", "2018-01-01T00:00:00", 0),
        ("Screenshot from 2019-06-07 18-19-20.png", "2019-06-07T18:19:20", None),
        ("Screenshot_2020-01-02-12-04-33-123_com.app.png", "2020-01-02T12:04:33.123", None),
        ("20200102_120433(0).jpg", "2020-01-02T12:04:33", None),
        ("BURST20200102120433.jpg", "2020-01-02T12:04:33", None),
        ("DJI_20200102120433_0001_D.MP4", "2020-01-02T12:04:33", None),
        ("IMG_20200102_240433.jpg", "2020-01-02T00:04:33", None),
        ("photo_12@03-04-2019_05-06-07.jpg", "2019-04-03T05:06:07", None),
        ("14-03-2014.jpg", "2014-03-14", None),
        ("Scan 03.04.2014.jpg", "2014-04-03", None),
        ("03/26/2014".replace("/", "_") + " cake.jpg", "2014-03-26", None),
        ("VSCO_2016-5-6.jpg", "2016-05-06", None),
        ("2018年04月05日.jpg", "2018-04-05", None),
        ("2018년 4월 5일.jpg", "2018-04-05", None),
        ("2018 04 05 06 07 08.jpg", "2018-04-05T06:07:08", None),
        ("retouch_2018040506070899.jpg", "2018-04-05T06:07:08.990", None),
        ("PhotoGrid_1514764800000.jpg", "2018-01-01T00:00:00", 0),
        ("IMG_1514764800000.jpg", "2018-01-01T00:00:00", 0),
    ],
)
def test_names_tell_the_time(name: str, local: str, offset_min: int | None) -> None:
    found = named_time(name)

    assert found is not None
    assert (found.local, found.offset_min) == (local, offset_min)


@pytest.mark.parametrize(
    "name",
    [
        "IMG_4120.JPG",
        "DSC_20181332.jpg",
        "12345678901234.jpg",
        "a" * 5000,
        "20190101.jpg",
        "IMG_20201399.jpg",
        "IMG_1577966673.jpg",
        "received_1015498765432100.jpeg",
        "ISBN 1978030640615.jpg",
        "03-04-2014.jpg",
        "order 1234567890123.jpg",
        "1920x1080.jpg",
        "tel 20101234567.jpg",
        "9.14.03.2014.jpg",
        "",
    ],
)
def test_numbers_are_not_always_dates(name: str) -> None:
    assert named_time(name) is None


@pytest.mark.parametrize(
    ("folder", "local"),
    [
        ("pictures~1a2b3c4d/1998-07 Greece", "1998-07"),
        ("pictures~1a2b3c4d/1998-07-14 Wedding", "1998-07-14"),
        ("a/2004/06", "2004-06"),
        ("a/2004/06 June/15", "2004-06-15"),
        ("a/2004/Greece", "2004"),
        ("a/2004/2004-06-15", "2004-06-15"),
        ("a/20040615 Wedding", "2004-06-15"),
        ("2004~3f9a21c0", "2004"),
        ("a/1987 Summer/best of", "1987"),
        ("a/Summer 1999", "1999"),
        ("Takeout/Google Photos/Photos from 2013", "2013"),
        ("Takeout/Google Fotos/Fotos von 2013", "2013"),
        ("a/July 1998", "1998-07"),
        ("a/1998/Juli", "1998-07"),
        ("a/Décembre, 2003", "2003-12"),
        ("a/Greece July 1998 with Anna", "1998-07"),
        ("a/24.12.2003 Christmas", "2003-12-24"),
        ("a/07.1998", "1998-07"),
        ("a/199807", "1998-07"),
        ("a/Christmas_2003", "2003"),
    ],
)
def test_folders_tell_a_period(folder: str, local: str) -> None:
    found = folder_time(folder)

    assert found is not None
    assert (found.local, found.source) == (local, TimeSource.FOLDER)


@pytest.mark.parametrize(
    "folder",
    [
        "",
        "DCIM/100CANON",
        "2010-2014 kids",
        "2010 - 2014",
        "Kids 2010-2014",
        "Nikon D2000",
        "Canon 2000D",
        "101_2003",
        "1920x1080",
        "201012",  # or 12 October 2020
        "Room 1984 best",
        "Marseille",
        "2000px",
        "a/06",
        "12345",
        "0A1B2C3D/2012ABCD-0000",
        "x" * 9999,
    ],
)
def test_numbers_of_folders_are_not_always_dates(folder: str) -> None:
    assert folder_time(folder) is None
