"""The video that goes behind a still."""

from typing import NamedTuple

from mediabox.model.recipe import FitRequest
from mediabox.native.boxes import Source
from mediabox.native.fit.still_time import still_at_us
from mediabox.native.fit.unfit import Unfit

_QUICKTIME = b"qt  "


class Clip(NamedTuple):
    """What a still has to say of it."""

    size: int
    mime: str  # video/mp4 or video/quicktime: the two that the format knows
    still_at_us: int | None


def read_clip(source: Source, request: FitRequest) -> Clip:
    """Look at the clip's boxes only. Raises Unfit for what readers would not find or play behind a still."""
    if request.clip_bytes is not None and request.clip_bytes != source.size:
        raise Unfit(f"the clip has {source.size:,} bytes, not {request.clip_bytes:,}")
    head = source.bytes(0, min(12, source.size))
    if head[4:8] != b"ftyp":  # readers look for it to know that they found the clip
        raise Unfit("the clip is neither an MP4 nor a QuickTime movie of today")
    mime = "video/quicktime" if head[8:12] == _QUICKTIME else "video/mp4"
    return Clip(size=source.size, mime=mime, still_at_us=still_at_us(source))
