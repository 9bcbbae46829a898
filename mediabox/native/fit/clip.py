"""The video that goes behind a still, told as MP4 where that is possible."""

from typing import NamedTuple

from mediabox.model.recipe import FitRequest, Insert, Part, Span
from mediabox.native.boxes import Source
from mediabox.native.fit.clip_mp4 import as_mp4, data_of
from mediabox.native.fit.movie_edits import Edit, Movie, pieces
from mediabox.native.fit.same_bytes import is_same
from mediabox.native.fit.still_time import still_at_us
from mediabox.native.fit.unfit import Unfit
from mediabox.native.tags.findings import LIES

_QUICKTIME = b"qt  "


class Clip(NamedTuple):
    """What a still has to say of it."""

    size: int
    mime: str
    still_at_us: int | None
    pieces: tuple[Span | Insert, ...]
    is_edited: bool
    note: str


def read_clip(source: Source, request: FitRequest) -> Clip:
    """Look at the clip's boxes only. Raises Unfit for what readers would not find or play behind a still.

    `Item:Mime` has to name the video's container as it is: video/mp4, or video/quicktime for what stays so (Motion
    Photo format 1.0 has ISO/IEC 14496-14 and QuickTime among its references; media3's MotionPhotoMuxer and
    XmpMotionPhotoDescriptionParser take these two types and no other).
    """
    if request.clip_bytes is not None and request.clip_bytes != source.size:
        raise Unfit(f"the clip has {source.size:,} bytes, not {request.clip_bytes:,}")
    head = source.bytes(0, min(12, source.size))
    if head[4:8] != b"ftyp":  # readers look for it to know that they found the clip
        raise Unfit("the clip is neither an MP4 nor a QuickTime movie of today")
    edits, note = _mp4_edits(source) if head[8:12] == _QUICKTIME else ([], "")
    return Clip(
        size=source.size,
        mime="video/quicktime" if head[8:12] == _QUICKTIME and not edits else "video/mp4",
        still_at_us=still_at_us(source),
        pieces=pieces(edits, source.size, Part.CLIP),
        is_edited=bool(edits),
        note=note,
    )


def check_clip(result: Source, offset: int, clip: Source | None) -> None:
    """Raises Unfit unless the archived clip's data lie in the result where they were put, and little is beside them."""
    if clip is None:
        raise Unfit("the clip did not come along")
    for box in data_of(clip):
        if not is_same(result, offset + box.start, clip, box.start, box.end - box.start):
            raise Unfit("the clip's data are not what they were")


def _mp4_edits(source: Source) -> tuple[list[Edit], str]:
    """None for a clip that has to stay QuickTime."""
    try:
        edits, has_less = as_mp4(Movie(source))
    except (Unfit, *LIES):
        return [], ""
    return edits, "clip told as MP4" + (", tracks left out that only QuickTime knows" if has_less else "")
