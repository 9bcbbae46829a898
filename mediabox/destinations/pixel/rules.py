"""What of an asset goes to a Pixel, and in which form. Pure.

Names carry eight digits of the original's SHA-256: two photos never share one, a photo
keeps its own when everything is done again from the archive alone, and what comes back
from Google Photos under that name says which original it is (`mediabox where`).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from mediabox.model.asset import Kind, Role
from mediabox.model.delivery import Form, Wish
from mediabox.model.google_photos import (
    LARGEST_PHOTO_BYTES,
    LARGEST_PHOTO_PIXELS,
    LARGEST_VIDEO_BYTES,
    STORAGE_SAVER_PIXELS,
    STORAGE_SAVER_SIDE,
    right_name,
    takes,
)
from mediabox.model.naming import split_extension
from mediabox.model.safe_name import fitted, safe_component
from mediabox.model.wall_clock import wall_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mediabox.contracts import Deliverable, Member
    from mediabox.destinations.pixel.settings import Settings
    from mediabox.model.facts import CaptureTime, Facts

_CHOOSING = (*("sources", "query", "versions", "raw", "bursts", "live", "clips", "reduce", "model", "smallest_side"),)
XMP_BYTES = 4096  # about what a Motion Photo is larger than its parts
DIGITS = 8
MOTION = ".MP"


def wishes(asset: Deliverable, settings: Settings) -> list[Wish]:
    """The files of an asset that go, none when it is not to."""
    if not is_wanted(asset, settings):
        return []
    return [_wish(first, clip, settings) for first, clip in _pairs(asset, settings)]


def fingerprint(settings: Settings) -> str:
    """Of what `wishes` looks at."""
    chosen = [getattr(settings, name) for name in _CHOOSING] + [settings.quality] * bool(settings.quality)
    return sha256(repr(chosen).encode()).hexdigest()[:16]


def is_wanted(asset: Deliverable, settings: Settings) -> bool:
    """Whether, of a burst, it is one of those that go."""
    shown = [one for one in asset.members if one.facts is not None and not one.resource.is_companion]
    return bool(shown) and (settings.bursts == "all" or _is_pick(shown[0], asset.burst))


def _is_pick(member: Member, burst: Sequence[Member]) -> bool:
    """Favourites of the burst, else the sharpest; of equals the first."""
    if len(burst) < 2:
        return True
    favourites = {one.resource.id for one in burst if one.facts and one.facts.is_favorite}
    if favourites:
        return member.resource.id in favourites
    return member.resource.id == max(burst, key=_sharpness).resource.id


def _sharpness(member: Member) -> tuple[float, int]:
    quality = member.facts.quality if member.facts else None
    return (quality.sharpness if quality else 0.0, -member.resource.id)


# ---------------------------------------------------------------- which files


def _pairs(asset: Deliverable, settings: Settings) -> Iterator[tuple[Member, Member | None]]:
    """Each picture that goes, with the clip that goes inside it; then clips that came too late for that."""
    clips = [one for one in asset.members if one.resource.role in (Role.EDITED_VIDEO, Role.LIVE_VIDEO)]
    taken: set[int] = set()
    for picture in _pictures(asset, settings):
        clip = _clip_of(picture, clips, taken, settings)
        taken |= {clip.resource.id} if clip else set()
        clip = clip if clip and clip.resource.id not in asset.sent else None
        if picture.resource.id not in asset.sent:
            yield picture, clip
        elif clip is not None:
            yield clip, None


def _pictures(asset: Deliverable, settings: Settings) -> Iterator[Member]:
    """By role: the edited version, the original, the RAW twin, as the owner chose."""
    of = {role: [one for one in asset.members if one.resource.role is role and one.facts] for role in Role}
    edited = of[Role.EDITED][-1:] or [one for one in of[Role.EDITED_VIDEO][-1:] if not of[Role.LIVE_VIDEO]]
    original = of[Role.ORIGINAL][:1] or of[Role.RAW][:1]
    if settings.versions == "original" or not edited:
        chosen = original or edited
    else:
        chosen = edited if settings.versions == "edited" else [*edited, *original]
    yield from chosen
    if settings.raw == "both":
        yield from (one for one in of[Role.RAW] if one not in chosen)


def _clip_of(picture: Member, clips: Sequence[Member], taken: set[int], settings: Settings) -> Member | None:
    """The clip that belongs into this picture: the edited one's own, else the one as shot (icloudpd #249)."""
    is_still = picture.resource.kind is Kind.PICTURE and picture.resource.role in (Role.ORIGINAL, Role.EDITED)
    if settings.live != "motion" or not is_still:
        return None
    wanted = [Role.LIVE_VIDEO] if picture.resource.role is Role.ORIGINAL else [Role.EDITED_VIDEO, Role.LIVE_VIDEO]
    free = [one for role in wanted for one in clips if one.resource.role is role and one.resource.id not in taken]
    return free[0] if free else None


# ---------------------------------------------------------------- in which form, under which name


def _wish(first: Member, clip: Member | None, settings: Settings) -> Wish:
    form = form_of(first, clip, settings)
    taken_ms = taken_at_ms(first.facts.capture_time if first.facts else None)
    return Wish(
        resource_id=first.resource.id,
        clip_id=clip.resource.id if clip else None,
        form=form,
        name=name_of(first, form, is_motion=clip is not None),
        size_bytes=_size(first) + (_size(clip) + XMP_BYTES if clip else 0),
        taken_at_ms=first.resource.modified_at_ms if taken_ms is None else taken_ms,
        obstacle=obstacle(first, form, settings),
    )


def form_of(first: Member, clip: Member | None, settings: Settings) -> Form:
    facts = first.facts
    if facts is None or not takes(facts.media_type):
        return Form.CONVERTED
    if settings.reduce and settings.saves_storage and is_reduced(facts):
        return Form.REDUCED
    if clip is None:
        return Form.ORIGINAL
    is_hevc = clip.facts is not None and clip.facts.video_codec != "h264"
    return Form.MOTION_H264 if settings.clips == "h264" and is_hevc else Form.MOTION


def obstacle(first: Member, form: Form, settings: Settings) -> str:
    """Why Google Photos would never back it up, so that it would stay on the phone; "" when nothing is known."""
    facts = first.facts
    if facts is None:
        return "nobody knows what kind of file it is"
    sides, size_bytes = (facts.width or 0, facts.height or 0), _size(first)
    if facts.kind is Kind.VIDEO:
        return "Google Photos takes no video of more than 10 GB" if size_bytes > LARGEST_VIDEO_BYTES else ""
    if min(sides) and min(sides) < settings.smallest_side:
        return f"Google Photos leaves pictures alone that are this small ({sides[0]} x {sides[1]})"
    if form in (Form.CONVERTED, Form.REDUCED):
        return ""
    if size_bytes > LARGEST_PHOTO_BYTES or sides[0] * sides[1] > LARGEST_PHOTO_PIXELS:
        return "Google Photos takes no picture of more than 200 MB or 200 megapixels"
    return ""


def is_reduced(facts: Facts) -> bool:
    """Whether storage saver keeps less of it than there is."""
    sides = (facts.width or 0, facts.height or 0)
    if facts.kind is Kind.VIDEO:
        return min(sides) > STORAGE_SAVER_SIDE
    return sides[0] * sides[1] > STORAGE_SAVER_PIXELS


def name_of(first: Member, form: Form, *, is_motion: bool) -> str:
    """`IMG_1635_3f9a21c0.MP.HEIC`: what Android reads as a Motion Photo ends in MP before its extension."""
    stem, extension = split_extension(safe_component(first.resource.name))
    if stem.upper().endswith(MOTION):  # a Pixel's own
        stem, is_motion = stem[: -len(MOTION)], is_motion or form.keeps_still
    if form in (Form.CONVERTED, Form.REDUCED):
        extension = "mp4" if first.resource.kind is Kind.VIDEO else "jpg"
    elif first.facts is not None:
        extension = split_extension(right_name(f"x.{extension}", first.facts.media_type))[1]
    digits = (first.resource.digest or "")[:DIGITS]
    return fitted(stem, f"_{digits}{MOTION if is_motion else ''}.{extension}")


def _size(member: Member) -> int:
    return member.resource.size_bytes or 0


def taken_at_ms(time: CaptureTime | None) -> int | None:
    """Unix ms; a wall clock without zone is taken for UTC's: a day more or less does not matter for the order."""
    if time is None:
        return None
    return wall_ms(time.middle) - (time.offset_min or 0) * 60_000
