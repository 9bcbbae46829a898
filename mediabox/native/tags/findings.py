"""What the walkers of one file have found so far, then made into `Facts`.

Walkers read Exif, then IPTC, then XMP. Of what the camera knew, the first to say so
wins; of what a person wrote (title, caption, rating), the last, because that is where
today's programs write.
"""

import struct
from types import TracebackType
from typing import TYPE_CHECKING

from mediabox.model.asset import Kind
from mediabox.model.facts import Camera, CaptureTime, Facts, Hdr, Motion
from mediabox.model.place import Place
from mediabox.native.boxes import Malformed
from mediabox.native.tags.text import clean

if TYPE_CHECKING:
    from mediabox.native.tags.tiff import Directory

# What bytes that contradict their own format can make the walkers raise. `struct.error`: a table shorter than
# its rows; ValueError: digits that are none, dates that are none; OverflowError: a number no calendar holds.
LIES = (Malformed, struct.error, ValueError, LookupError, OverflowError, ZeroDivisionError)

MAX_KEYWORDS = 256
MAX_FRAME_RATE = 1e6  # pictures a second: more than any camera takes is a lie


class Findings:
    """Mutable on purpose: a file tells the same thing in several places, and the walkers go from best to worst."""

    def __init__(self, media_type: str, kind: Kind) -> None:
        self.media_type = media_type
        self.kind = kind
        self.width: int | None = None  # as stored, before orientation
        self.height: int | None = None
        self.orientation = 1
        self.frames: int | None = None
        self.bit_depth: int | None = None
        self.times: list[CaptureTime] = []  # candidates; `capture_time.choose` decides
        self.place: Place | None = None
        self.make: str | None = None
        self.model: str | None = None
        self.lens: str | None = None
        self.exposure_s: float | None = None
        self.f_number: float | None = None
        self.iso: int | None = None
        self.focal_length_mm: float | None = None
        self.duration_s: float | None = None
        self.frame_rate: float | None = None
        self.movie_scale = 0  # ticks a second of the movie header, until the fragments' length is read
        self.video_codec: str | None = None
        self.audio_codec: str | None = None
        self.hdr: Hdr | None = None
        self.color_profile: str | None = None
        self.content_identifier: str | None = None
        self.burst_id: str | None = None
        self.motion: Motion | None = None
        self.rating: int | None = None
        self.keywords: list[str] = []
        self.title: str | None = None
        self.caption: str | None = None
        self.people: list[str] = []
        self.software: str | None = None
        self.exif: tuple[Directory, Directory | None, Directory | None] | None = None  # main, Exif's, GPS; for `encode`
        self.packets = 0  # XMP packets parsed so far; `xmp` stops at a few
        self.profiles = 0  # raw profiles of a PNG read so far; `png_text` stops at a few
        self.is_favorite = False
        self.damage: list[str] = []

    def add_keywords(self, *words: str) -> None:
        """Keep each word once, in the order found."""
        _add(self.keywords, words)

    def add_people(self, *names: str) -> None:
        """Keep each name once, in the order found."""
        _add(self.people, names)

    def rate(self, rating: float) -> None:
        """Take a rating of -1 (rejected) to 5; anything else is not one. The last to say so wins."""
        if -1 <= rating <= 5:
            self.rating = round(rating)

    def facts(self, capture_time: CaptureTime | None) -> Facts:
        """The facts, sizes turned as the picture is displayed."""
        is_turned = self.orientation >= 5
        return Facts(
            kind=self.kind,
            media_type=self.media_type,
            width=self.height if is_turned else self.width,
            height=self.width if is_turned else self.height,
            orientation=self.orientation,
            frames=self.frames,
            bit_depth=self.bit_depth,
            capture_time=capture_time,
            place=self.place,
            camera=self._camera(),
            duration_s=self.duration_s,
            frame_rate=self.frame_rate if (self.frame_rate or 0) < MAX_FRAME_RATE else None,
            video_codec=self.video_codec,
            audio_codec=self.audio_codec,
            hdr=self.hdr,
            color_profile=self.color_profile,
            content_identifier=self.content_identifier,
            burst_id=self.burst_id,
            motion=self.motion,
            rating=self.rating,
            keywords=tuple(self.keywords),
            title=self.title,
            caption=self.caption,
            people=tuple(self.people),
            software=self.software,
            is_favorite=self.is_favorite,
            damage="; ".join(self.damage) or None,
        )

    def _camera(self) -> Camera | None:
        camera = Camera(
            make=self.make,
            model=self.model,
            lens=self.lens,
            exposure_s=self.exposure_s,
            f_number=self.f_number,
            iso=self.iso,
            focal_length_mm=self.focal_length_mm,
        )
        return None if camera == _NO_CAMERA else camera


_NO_CAMERA = Camera()


class Tolerant:
    """`with Tolerant():` lets one block of metadata be a lie without losing the others: what was found stays found."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return kind is not None and issubclass(kind, LIES)


def _add(found: list[str], words: tuple[str, ...]) -> None:
    for word in words:
        if len(found) >= MAX_KEYWORDS:
            return
        tidy = clean(word)
        if tidy and tidy not in found:
            found.append(tidy)
