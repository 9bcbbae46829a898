"""What one look at a resource's bytes told us. Facts are never changed, only replaced by a newer examination."""

from enum import StrEnum

import msgspec

from mediabox.model.asset import Kind
from mediabox.model.place import Place
from mediabox.model.wall_clock import wall_ms


class Hdr(StrEnum):
    """How high dynamic range is carried in the file."""

    ULTRA_HDR = "ultra_hdr"  # JPEG with a gain map, hdrgm XMP (Ultra HDR 1.0) or ISO 21496-1
    APPLE_GAIN_MAP = "apple_gain_map"  # HDRGainMap auxiliary picture (HEIC or JPEG MPF)
    ISO_GAIN_MAP = "iso_gain_map"  # `tmap` derived item (HEIF/AVIF, ISO 21496-1)
    PQ = "pq"  # SMPTE ST 2084 transfer: HDR10
    HDR10_PLUS = "hdr10_plus"
    HLG = "hlg"  # ARIB STD-B67 transfer
    DOLBY_VISION = "dolby_vision"


class TimeSource(StrEnum):
    """Which rule gave the capture time, best first; `native.tags.capture_time` says when a later one is believed."""

    EXIF_OFFSET = "exif_offset"  # DateTimeOriginal with OffsetTimeOriginal
    QUICKTIME_DATE = "quicktime_date"  # com.apple.quicktime.creationdate: local time with zone
    EXIF_GPS = "exif_gps"  # DateTimeOriginal, zone from the difference to GPSDateStamp/GPSTimeStamp
    EXIF_LOCAL = "exif_local"  # DateTimeOriginal alone: local time, zone unknown
    XMP = "xmp"  # xmp:CreateDate, photoshop:DateCreated
    IPTC = "iptc"
    # What the source says (`Said.taken_at_ms`). The file's own word comes before it; but what follows knows
    # no wall clock, so that the day may be the wrong one, or only guesses.
    SOURCE = "source"
    GPS_UTC = "gps_utc"  # only a GPS time
    TAKEOUT = "takeout"  # photoTakenTime of a Google Takeout JSON (UTC)
    MOVIE_HEADER = "movie_header"  # mvhd creation time (UTC by ISO/IEC 14496-12)
    EXIF_MODIFIED = "exif_modified"  # DateTime (0x0132) only
    FILE_NAME = "file_name"  # IMG_20180725_163423.jpg and the like
    FOLDER = "folder"  # `1998-07 Greece`, `2004/06`: a period only
    FILE_MODIFIED = "file_modified"  # the file's mtime: the last resort


class CaptureTime(msgspec.Struct, frozen=True, kw_only=True):
    """When the shutter opened.

    `local` is the wall clock where the picture was taken, ISO 8601 without zone,
    milliseconds when known (`2024-05-12T18:03:22.120`); of less than a moment, what is
    known: `1987`, `1987-06`, `1987-06-15`. `offset_min` is minutes east of UTC, `None`
    when unknown.
    """

    local: str
    offset_min: int | None = None
    source: TimeSource

    @property
    def is_partial(self) -> bool:
        """Whether only the day, month or year is known."""
        return len(self.local) <= len("1987-06-15")

    @property
    def begins(self) -> str:
        """Where to file it: the moment, or noon of the period's first day."""
        return self._completed("-01-01")

    @property
    def middle(self) -> str:
        """Where to show it where only moments can be shown: the moment, or one amid the period."""
        return self._completed("-07-16")

    def as_moment(self) -> "CaptureTime | None":
        """For formats that know moments only: noon of a day; None for a month or year: its first day would be a lie."""
        if not self.is_partial:
            return self
        is_day = len(self.local) == len("1987-06-15")
        return CaptureTime(local=self.begins, offset_min=self.offset_min, source=self.source) if is_day else None

    def seconds(self, *, in_utc: bool = False) -> float | None:
        """Since 1970 began, by the wall clock or in UTC, which an unknown zone is taken for. None: no moment."""
        if self.is_partial:
            return None
        try:
            return wall_ms(self.local) / 1000 - (60 * (self.offset_min or 0) if in_utc else 0)
        except ValueError:
            return None

    def seconds_apart(self, other: "CaptureTime") -> float | None:
        """By the wall clock unless both zones are known. None: not two moments."""
        has_zones = self.offset_min is not None and other.offset_min is not None
        one, two = (time.seconds(in_utc=has_zones) for time in (self, other))
        return None if one is None or two is None else abs(one - two)

    def _completed(self, rest: str) -> str:
        return f"{self.local}{rest[len(self.local) - 4 :]}T12:00:00" if self.is_partial else self.local


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    exposure_s: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length_mm: float | None = None


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Measured on the decoded thumbnail's luma; comparable between pictures, not absolute."""

    sharpness: float  # variance of the Laplacian; higher is sharper
    exposure: float  # mean luma, 0 black to 1 white
    clipped: float  # share of pixels at either end, 0 to 1
    noise: float  # standard deviation of the high-pass residue in flat areas, 0 to 1


class Motion(msgspec.Struct, frozen=True, kw_only=True):
    """A video inside a still: Google Motion Photo or Samsung trailer / mpvd box."""

    maker: str  # "google" or "samsung"
    offset_bytes: int
    size_bytes: int
    timestamp_us: int | None = None  # presentation time of the still within the clip


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything the bytes of one resource say. Absent means the file does not say."""

    kind: Kind
    media_type: str  # IANA name where there is one: image/jpeg, video/quicktime, image/x-adobe-dng
    width: int | None = None  # pixels as displayed, orientation applied
    height: int | None = None
    orientation: int = 1  # EXIF 1 to 8 as stored in the file
    frames: int | None = None  # more than one: animation or sequence
    bit_depth: int | None = None
    capture_time: CaptureTime | None = None
    place: Place | None = None
    camera: Camera | None = None
    duration_s: float | None = None
    frame_rate: float | None = None
    video_codec: str | None = None  # FFmpeg's names: h264, hevc, av1, prores
    audio_codec: str | None = None
    hdr: Hdr | None = None
    color_profile: str | None = None  # name of the embedded ICC profile, or nclx as primaries/transfer/matrix
    content_identifier: str | None = None  # Apple's pair key: ContentIdentifier / MediaGroupUUID
    burst_id: str | None = None
    motion: Motion | None = None
    rating: int | None = None  # -1 rejected, 0 to 5
    keywords: tuple[str, ...] = ()
    title: str | None = None
    caption: str | None = None
    people: tuple[str, ...] = ()
    is_favorite: bool = False  # marked so by a person where it came from (Google Takeout: favorited)
    software: str | None = None
    perceptual_hashes: tuple[int, ...] = ()  # unsigned 64 bit, upright first, then 90, 180, 270 degrees; () for none
    quality: Quality | None = None
    serves_as_preview: bool = False  # a browser shows the file itself as well: no preview of it is kept
    damage: str | None = None  # what is wrong with the file, for a person; its pixels may be unreadable
