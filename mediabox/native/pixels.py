"""Everything that pixels say about one file, and the renditions made of them: one decode, in the child.

`examine` joins the parts: headers have said `facts`, this adds what only pixels know.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from mediabox.clock import Clock
from mediabox.contracts import Examination
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.native import picture, renditions
from mediabox.native.analysers.perceptual_hash import perceptual_hashes
from mediabox.native.analysers.quality import quality
from mediabox.native.boxes import Source
from mediabox.native.colour import HDR_OF
from mediabox.native.decoded import Decoded, NeedsProfile, NoPicture, Unreadable
from mediabox.native.profiles import Profile
from mediabox.native.tags.capture_time import with_container_words

if TYPE_CHECKING:
    from mediabox.native.movie import Movie


def examine(source: Source, facts: Facts, *, wants_renditions: bool = True) -> Examination:
    """Complete `facts` from the pixels and make thumbnail and preview.

    The file's own faults end in `facts.damage`. Raises NeedsProfile when another child
    can decode it, OSError when the disk fails, MemoryError when the box is too small.
    """
    match facts.kind:
        case Kind.PICTURE:
            return _picture(source, facts, wants_renditions=wants_renditions)
        case Kind.VIDEO:
            return _video(source, facts, wants_renditions=wants_renditions)
        case Kind.SIDECAR:
            return Examination(facts=facts)


def _picture(source: Source, facts: Facts, *, wants_renditions: bool) -> Examination:
    try:
        decoded = picture.decode(source, facts)
    except NeedsProfile:
        raise
    except NoPicture:
        return Examination(facts=facts)
    except Unreadable as err:
        return Examination(facts=_damaged(facts, str(err)))
    facts = msgspec.structs.replace(
        facts,
        width=decoded.width,
        height=decoded.height,
        bit_depth=facts.bit_depth or decoded.bit_depth,
        frames=facts.frames or decoded.frames,
    )
    seen = _rendered(decoded, facts, wants_renditions=wants_renditions)
    if seen.preview is None or not renditions.original_serves(decoded, seen.facts, source, preview=seen.preview):
        return seen
    return msgspec.structs.replace(seen, facts=msgspec.structs.replace(seen.facts, serves_as_preview=True))


def _video(source: Source, facts: Facts, *, wants_renditions: bool) -> Examination:
    if "av" not in sys.modules:
        raise NeedsProfile("videos need FFmpeg", profile=Profile.MOVIE)
    from mediabox.native import movie

    try:
        seen = movie.look(source, facts.media_type)
    except Unreadable as err:
        return Examination(facts=_damaged(facts, str(err)))
    facts = with_streams(facts, seen)
    if seen.poster is None:
        return Examination(facts=_damaged(facts, seen.why_no_poster))
    return _rendered(seen.poster, facts, wants_renditions=wants_renditions)


def with_streams(facts: Facts, seen: Movie) -> Facts:
    """What a video's headers said, completed by what FFmpeg read of it."""
    facts = msgspec.structs.replace(
        facts,
        orientation=facts.orientation if facts.orientation != 1 or seen.poster is None else seen.poster.orientation,
        width=facts.width or seen.width,
        height=facts.height or seen.height,
        bit_depth=facts.bit_depth or seen.bit_depth,
        duration_s=facts.duration_s or seen.duration_s,
        frame_rate=facts.frame_rate or seen.frame_rate,
        video_codec=facts.video_codec or seen.video_codec,
        audio_codec=facts.audio_codec or seen.audio_codec,
        color_profile=facts.color_profile or seen.color_profile,
        hdr=facts.hdr or seen.hdr or HDR_OF.get(seen.transfer or 0),
    )
    return with_container_words(facts, seen.words, clock=Clock())


def _rendered(decoded: Decoded, facts: Facts, *, wants_renditions: bool) -> Examination:
    """Hash and quality are taken of stills only: a video's poster says little about the video."""
    upright = renditions.small(decoded)
    is_still = facts.kind is Kind.PICTURE
    return Examination(
        facts=msgspec.structs.replace(
            _damaged(facts, decoded.damage),
            perceptual_hashes=perceptual_hashes(upright) if is_still else (),
            quality=quality(upright) if is_still else None,
        ),
        thumbnail=renditions.thumbnail(upright, icc=decoded.icc) if wants_renditions else None,
        preview=renditions.preview(decoded) if wants_renditions else None,
    )


def _damaged(facts: Facts, damage: str | None) -> Facts:
    """`facts` with one more thing that is wrong; what the headers complained about stays first."""
    if damage is None or damage == facts.damage:
        return facts
    return msgspec.structs.replace(facts, damage=f"{facts.damage}; {damage}" if facts.damage else damage)
