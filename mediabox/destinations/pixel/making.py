"""Make a delivery's file beside the outbox: as it is, with time and place added, as Motion Photo, or encoded anew.

Nothing leaves that has not been read back. What cannot be put together without loss
(a gain map that would go flat, a clip nobody can mux) leaves as the still alone, exactly
as it is, and the delivery says so.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from mediabox.contracts import Made
from mediabox.destinations.pixel.rules import is_reduced
from mediabox.errors import Permanent
from mediabox.model.asset import Kind
from mediabox.model.delivery import Form
from mediabox.model.facts import Facts, Hdr, TimeSource
from mediabox.model.google_photos import STORAGE_SAVER_PIXELS, STORAGE_SAVER_SIDE
from mediabox.model.recipe import Conversion, FitRequest, Part, Recipe, Span

if TYPE_CHECKING:
    from mediabox.contracts import Fitter, Member, Originals, Outbox, Parcel
    from mediabox.destinations.pixel.settings import Settings
    from mediabox.model.facts import CaptureTime
    from mediabox.model.place import Place

GAIN_MAPS = frozenset({Hdr.ULTRA_HDR, Hdr.APPLE_GAIN_MAP, Hdr.ISO_GAIN_MAP})
# Times the file itself does not say in a way Google Photos reads; the file's own date is set in any case.
UNSAID = frozenset(
    {TimeSource.SOURCE, TimeSource.TAKEOUT, TimeSource.XMP, TimeSource.IPTC, TimeSource.FILE_NAME, TimeSource.FOLDER}
)
# What the asset's other files contradict, if they say anything else.
GUESSES = frozenset({TimeSource.EXIF_MODIFIED, TimeSource.MOVIE_HEADER})


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A file made, not published yet."""

    made: Made
    form: Form
    note: str


class Stuff(msgspec.Struct, frozen=True, kw_only=True):
    """One of the files at hand: an original, or what was encoded from it. The descriptor is open."""

    descriptor: int
    digest: str
    size_bytes: int
    media_type: str
    name: str


class Maker:
    """For one destination."""

    def __init__(self, outbox: Outbox, originals: Originals, fitter: Fitter, settings: Settings) -> None:
        self._outbox, self._originals, self._fitter, self._settings = outbox, originals, fitter, settings

    async def make(self, parcel: Parcel) -> Bundle:
        """May be repeated. Raises Away, NeedsHuman, Retryable; Permanent when no file can be made of it."""
        async with AsyncExitStack() as stack:
            first, notes = await self._first(parcel, stack)
            if parcel.clip is not None:
                try:
                    clip = await self._clip(parcel, stack, notes)
                    return await self._fit(parcel, first, clip, notes)
                except Permanent as error:
                    notes.append(f"sent without its clip: {error}")
            return await self._still(parcel, first, notes)

    async def _still(self, parcel: Parcel, first: Stuff, notes: list[str]) -> Bundle:
        """Without a clip; with the date and place known of it where it can hold them."""
        try:
            return await self._fit(parcel, first, None, notes)
        except Permanent as error:
            if not _asks_for_tags(parcel):
                raise
            notes.append(f"sent without the date and place known of it: {error}")
        return await self._plain(parcel, first, notes)

    # ------------------------------------------------------------ what it is made of

    async def _first(self, parcel: Parcel, stack: AsyncExitStack) -> tuple[Stuff, list[str]]:
        original = await self._open(parcel.first, stack)
        if parcel.delivery.form not in (Form.CONVERTED, Form.REDUCED):
            return original, []
        is_video = parcel.first.resource.kind is Kind.VIDEO
        conversion = Conversion(
            name=original.name,
            media_type=original.media_type,
            size_bytes=original.size_bytes,
            to="video/mp4" if is_video else "image/jpeg",
            most_pixels=STORAGE_SAVER_PIXELS if parcel.delivery.form is Form.REDUCED and not is_video else None,
            shortest_side=STORAGE_SAVER_SIDE if parcel.delivery.form is Form.REDUCED and is_video else None,
            capture_time=missing_time(parcel),
            place=missing_place(parcel),
        )
        return await self._convert(original, conversion, f"{parcel.delivery.name}.first", stack)

    async def _clip(self, parcel: Parcel, stack: AsyncExitStack, notes: list[str]) -> Stuff:
        assert parcel.clip is not None, "asked for"
        original = await self._open(parcel.clip, stack)
        if not self._is_encoded_anew(parcel):
            return original
        conversion = Conversion(
            name=original.name, media_type=original.media_type, size_bytes=original.size_bytes, to="video/mp4"
        )
        clip, said = await self._convert(original, conversion, f"{parcel.delivery.name}.clip", stack)
        notes += said
        return clip

    def _is_encoded_anew(self, parcel: Parcel) -> bool:
        """The clip: as the delivery's form says, whatever the settings say by now: that form is evidence."""
        if parcel.delivery.form in (Form.MOTION, Form.MOTION_H264):
            return parcel.delivery.form is Form.MOTION_H264
        is_h264 = parcel.clip is not None and parcel.clip.facts is not None and parcel.clip.facts.video_codec == "h264"
        return self._settings.clips == "h264" and not is_h264

    async def _open(self, member: Member, stack: AsyncExitStack) -> Stuff:
        resource = member.resource
        descriptor = await self._originals.open(resource)
        stack.callback(os.close, descriptor)
        return Stuff(
            descriptor=descriptor,
            digest=resource.digest or "",
            size_bytes=resource.size_bytes or 0,
            media_type=member.facts.media_type if member.facts else "application/octet-stream",
            name=resource.name,
        )

    async def _convert(
        self, original: Stuff, conversion: Conversion, name: str, stack: AsyncExitStack
    ) -> tuple[Stuff, list[str]]:
        into = await self._outbox.scratch(name)
        stack.push_async_callback(self._outbox.discard, name)
        try:
            converted = await self._fitter.convert(original.descriptor, into, conversion)
        finally:
            os.close(into)
        made = await self._outbox.seal(name)
        descriptor = await self._outbox.open_made(name)
        stack.callback(os.close, descriptor)
        stuff = Stuff(
            descriptor=descriptor,
            digest=made.digest,
            size_bytes=made.size_bytes,
            media_type=conversion.to,
            name=original.name,
        )
        return stuff, [converted.note] if converted.note else []

    # ------------------------------------------------------------ putting it together

    async def _fit(self, parcel: Parcel, first: Stuff, clip: Stuff | None, notes: list[str]) -> Bundle:
        is_encoded = parcel.delivery.form in (Form.CONVERTED, Form.REDUCED)  # tagged when it was encoded
        time = None if is_encoded else missing_time(parcel)
        place = None if is_encoded else missing_place(parcel)
        if clip is None and time is None and place is None:
            return await self._plain(parcel, first, notes)
        request = FitRequest(
            name=first.name,
            media_type=first.media_type,
            size_bytes=first.size_bytes,
            clip_bytes=clip.size_bytes if clip else None,
            clip_media_type=clip.media_type if clip else None,
            capture_time=time,
            place=place,
        )
        recipe = await self._fitter.fit(first.descriptor, clip.descriptor if clip else None, request)
        made = await self._assemble(parcel, recipe, first, clip)
        await self._check(parcel, recipe, made, first, clip)
        form = parcel.delivery.form if clip or is_encoded else Form.TAGGED
        return Bundle(made=made, form=form, note=_joined([*notes, recipe.note]))

    async def _plain(self, parcel: Parcel, first: Stuff, notes: list[str]) -> Bundle:
        """The first file as it is."""
        whole = Recipe(pieces=(Span(part=Part.FIRST, offset=0, length=first.size_bytes),), media_type=first.media_type)
        made = await self._assemble(parcel, whole, first, None)
        is_encoded = parcel.delivery.form in (Form.CONVERTED, Form.REDUCED)
        return Bundle(made=made, form=parcel.delivery.form if is_encoded else Form.ORIGINAL, note=_joined(notes))

    async def _assemble(self, parcel: Parcel, recipe: Recipe, first: Stuff, clip: Stuff | None) -> Made:
        parts = {Part.FIRST: first} | ({Part.CLIP: clip} if clip else {})
        return await self._outbox.assemble(
            parcel.delivery.name,
            recipe,
            {part: stuff.descriptor for part, stuff in parts.items()},
            {part: stuff.digest for part, stuff in parts.items()},
        )

    async def _check(self, parcel: Parcel, recipe: Recipe, made: Made, first: Stuff, clip: Stuff | None) -> None:
        """Read the made file back as a stranger would. Raises Permanent when it is not what it has to be."""
        name = parcel.delivery.name
        check = self._fitter.check
        if recipe.edits_clip and clip is not None:
            check = partial(check, clip=(clip.descriptor, recipe.clip_offset or 0))
        result = await self._outbox.open_made(name)
        try:
            facts = await check(
                result,
                first.descriptor,
                media_type=recipe.media_type,
                name=name,
                size_bytes=made.size_bytes,
            )
        finally:
            os.close(result)
        if clip is not None:
            await self._check_clip(name, recipe, facts, clip)
        hdr_before = parcel.first.facts.hdr if parcel.first.facts else None
        if hdr_before in GAIN_MAPS and facts.hdr not in GAIN_MAPS and parcel.delivery.form is not Form.REDUCED:
            raise Permanent("its HDR gain map would be lost")

    async def _check_clip(self, name: str, recipe: Recipe, facts: Facts, clip: Stuff) -> None:
        motion = facts.motion
        if motion is None or recipe.clip_offset is None:
            raise Permanent("the file made does not read back as a Motion Photo")
        if (motion.offset_bytes, motion.size_bytes) != (recipe.clip_offset, clip.size_bytes):
            raise Permanent("the clip reads back in another place than it was put")
        if recipe.edits_clip:
            return  # its samples were compared by the check
        if await self._outbox.digest_of(name, motion.offset_bytes, motion.size_bytes) != clip.digest:
            raise Permanent("the clip reads back with other bytes")


# ---------------------------------------------------------------- time and place


def missing_time(parcel: Parcel) -> CaptureTime | None:
    """The capture time to be written into the file; None when it says it itself, or nobody knows better."""
    own = parcel.first.facts.capture_time if parcel.first.facts else None
    known = parcel.capture_time.as_moment() if parcel.capture_time else None
    if known is None or known.source is TimeSource.FILE_MODIFIED:
        return None
    if own is None or own.source in UNSAID or own.source is TimeSource.FILE_MODIFIED or known.source is TimeSource.XMP:
        return known  # an XMP beside a file that says another time corrects it
    if own.source in GUESSES and known.source not in (own.source, TimeSource.SOURCE):
        return known
    lacks_zone = own.offset_min is None and known.offset_min is not None and own.local[:16] == known.local[:16]
    return known if lacks_zone and own.source is TimeSource.EXIF_LOCAL else None


def missing_place(parcel: Parcel) -> Place | None:
    own = parcel.first.facts.place if parcel.first.facts else None
    return parcel.place if own is None else None


def _asks_for_tags(parcel: Parcel) -> bool:
    return missing_time(parcel) is not None or missing_place(parcel) is not None


def kept_smaller(member: Member) -> bool:
    """Whether storage saver would keep less of the file than there is."""
    return member.facts is not None and is_reduced(member.facts)


def _joined(notes: list[str]) -> str:
    return "; ".join(note for note in notes if note)
