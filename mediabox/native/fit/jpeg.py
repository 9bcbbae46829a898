"""A JPEG with a clip behind it (Motion Photo 1.0), or told when and where it was taken. Its pixels are not decoded.

Only Exif's and XMP's segments are written anew, and the table of pictures (MPF) is made
to fit. An Apple gain map is replaced when a clip goes in: what shows Motion Photos does
not read it (PetrVys/MotionPhoto2 #2), and the picture would be flat.
"""

from mediabox.model.asset import Kind
from mediabox.model.facts import Hdr
from mediabox.model.recipe import FitRequest, Recipe
from mediabox.native.boxes import Source
from mediabox.native.fit.clip import Clip, read_clip
from mediabox.native.fit.exif_edit import with_time_and_place
from mediabox.native.fit.gain_map import ISO_VERSION
from mediabox.native.fit.jpeg_gain_map import GainMap, find_gain_map, rewritten
from mediabox.native.fit.jpeg_layout import (
    LARGEST_EXIF_BYTES,
    LARGEST_XMP_BYTES,
    Picture,
    Still,
    body,
    moved_pictures,
    primary_end,
    read_still,
)  # fmt: skip
from mediabox.native.fit.jpeg_proof import same_picture
from mediabox.native.fit.splice import Edit, moved, pieces
from mediabox.native.fit.unfit import Unfit
from mediabox.native.jpeg_segments import APP0, APP1, APP2, EXIF, ISO_GAIN_MAP, XMP, Segment, written
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.jpeg import read_jpeg
from mediabox.native.xmp.motion import Item, with_motion

__all__ = ["fit", "same_picture"]

_MIME = "image/jpeg"


def fit(first: Source, clip: Source | None, request: FitRequest) -> Recipe:
    """How to put the file together. Raises Unfit with a reason for a person, Malformed for bytes that lie."""
    still = read_still(first)
    seen = Findings(_MIME, Kind.PICTURE)
    read_jpeg(first, seen)
    edits = _time_and_place(first, still, request)
    if clip is not None:
        _refuse(seen)
        return _motion_photo(first, still, edits, read_clip(clip, request), seen.hdr)
    edits += moved_pictures(first, still, edits)
    return Recipe(pieces=pieces(edits, first.size), media_type=_MIME, hdr=seen.hdr)


def _refuse(seen: Findings) -> None:
    """What no clip can be put behind."""
    if seen.motion is not None:
        raise Unfit("the still holds a video already")
    if seen.damage:  # a decoder that looks for more of the picture would find the clip
        raise Unfit(f"the still is damaged: {'; '.join(seen.damage)}")


def _time_and_place(first: Source, still: Still, request: FitRequest) -> list[Edit]:
    """The Exif segment written anew, or a first one, right behind JFIF's."""
    if request.capture_time is None and request.place is None:
        return []
    segment = still.named(APP1, EXIF)
    block = b"" if segment is None else body(first, segment, EXIF)
    said = with_time_and_place(block, request.capture_time, request.place)
    if len(said) > LARGEST_EXIF_BYTES:
        raise Unfit(f"its Exif block of {len(block):,} bytes has no room for capture time and place")
    return [_instead_of(segment, written(APP1, EXIF + said), otherwise_at=_opening_end(still, with_exif=False))]


def _opening_end(still: Still, *, with_exif: bool) -> int:
    """Where the segments that have to come first end: JFIF's, then Exif's."""
    end = 2
    for segment in still.segments:
        if segment.marker != APP0 and not (with_exif and segment.starts(APP1, EXIF)):
            break
        end = segment.end
    return end


def _instead_of(segment: Segment | None, content: bytes, *, otherwise_at: int) -> Edit:
    return Edit(otherwise_at, 0, content) if segment is None else Edit(segment.at, segment.end - segment.at, content)


# ---------------------------------------------------------------- Motion Photo


def _motion_photo(first: Source, still: Still, edits: list[Edit], clip: Clip, hdr: Hdr | None) -> Recipe:
    gain = find_gain_map(first, still)
    ours = None if gain is None else rewritten(first, still, gain)
    items = _items(first, still, gain, ours, clip)
    edits = [*edits, *_words(first, still, items, clip.still_at_us, says_ultra_hdr=ours is not None)]
    anew: list[Picture] = []
    if gain is not None and ours is not None:
        edits += [Edit(gain.picture.at, gain.picture.size, b""), Edit(first.size, 0, ours)]
        anew.append(Picture(gain.picture.row, moved(edits, first.size) - len(ours), len(ours)))
    return Recipe(
        pieces=(
            *pieces([*edits, *moved_pictures(first, still, edits, instead=anew)], first.size),
            *clip.pieces,
        ),
        media_type=_MIME,
        clip_offset=moved(edits, first.size),
        edits_clip=clip.is_edited,
        still_at_us=clip.still_at_us,
        hdr=hdr if ours is None else Hdr.ULTRA_HDR,
        note="; ".join(filter(None, ("" if ours is None else "gain map rewritten as Ultra HDR", clip.note))),
    )


def _items(first: Source, still: Still, gain: GainMap | None, ours: bytes | None, clip: Clip) -> list[Item]:
    """What lies in the file, in order. Pictures that readers need not know of are padding behind the first."""
    next_at, middle = first.size, []
    if gain is not None and ours is not None:
        next_at = first.size - gain.picture.size
        middle = [Item(semantic="GainMap", mime=_MIME, length=len(ours))]
    elif gain is not None and gain.hdr is Hdr.ULTRA_HDR:
        next_at = gain.picture.at
        middle = [Item(semantic="GainMap", mime=_MIME, length=gain.picture.size)]
    padding = max(0, next_at - (primary_end(first, still) or next_at))
    return [
        Item(semantic="Primary", mime=_MIME, padding=padding),
        *middle,
        Item(semantic="MotionPhoto", mime=clip.mime, length=clip.size),
    ]


def _words(
    first: Source, still: Still, items: list[Item], still_at_us: int | None, *, says_ultra_hdr: bool
) -> list[Edit]:
    """The XMP segment written anew, or a first one behind Exif's; ISO's word that there is a gain map."""
    segment = still.named(APP1, XMP)
    packet = b"" if segment is None else body(first, segment, XMP)
    said = with_motion(packet, items, still_at_us=still_at_us, says_ultra_hdr=says_ultra_hdr)
    if len(said) > LARGEST_XMP_BYTES:
        raise Unfit(f"its XMP packet of {len(packet):,} bytes has no room to tell of the clip")
    content = written(APP1, XMP + said)
    if says_ultra_hdr:
        content += written(APP2, ISO_GAIN_MAP + ISO_VERSION)
    return [_instead_of(segment, content, otherwise_at=_opening_end(still, with_exif=True))]
