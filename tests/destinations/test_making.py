"""What is made of a parcel: everything kept, or the still as it is and a reason; and nothing left lying about."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from destinations.making_of import (
    CLIP,
    EDITED,
    HERE,
    OWN_TIME,
    STILL,
    TAGS,
    TAKEN,
    XMP,
    Archive,
    TableFitter,
    digest_of,
    encoded,
    parcel,
    with_digest,
)
from mediabox.contracts import Parcel
from mediabox.destinations.pixel.making import Bundle, Maker, kept_smaller
from mediabox.destinations.pixel.settings import Settings
from mediabox.durable.outbox import MAKING, OutboxFolder
from mediabox.durable.volume import Volume
from mediabox.errors import Away, Permanent, Retryable
from mediabox.model.delivery import Form
from mediabox.model.facts import CaptureTime, Hdr, TimeSource

MOTION_BYTES = STILL + XMP + CLIP


class Workshop:
    """A Maker with what it works on. After each attempt no descriptor is open that was not before."""

    def __init__(self, root: Path, outbox: OutboxFolder) -> None:
        self.archive, self.fitter, self.outbox = Archive(root / "archive"), TableFitter(), outbox

    async def make(self, given: Parcel, **settings: Any) -> Bundle:
        before = len(os.listdir("/proc/self/fd"))
        threads = ThreadPoolExecutor()
        asyncio.get_running_loop().set_default_executor(threads)
        try:
            return await Maker(self.outbox, self.archive, self.fitter, Settings(**settings)).make(given)
        finally:
            threads.shutdown()  # whatever a cancelled call was still at has come to its end
            assert len(os.listdir("/proc/self/fd")) == before
            left = set(os.listdir(self.outbox.folder.parent / MAKING))
            assert left <= {given.delivery.name}  # nothing that was encoded stays

    def made(self, given: Parcel) -> bytes:
        return (self.outbox.folder.parent / MAKING / given.delivery.name).read_bytes()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    with Volume.enroll(tmp_path / "outbox", now_ms=1, name="outbox:anna", reserve_percent=0) as volume:
        outbox = OutboxFolder(volume)
        await outbox.prepare()
        yield Workshop(tmp_path, outbox)


# ---------------------------------------------------------------- what is kept


async def test_a_file_that_says_everything_itself_goes_as_it_is(shop) -> None:
    given = parcel(shop.archive, capture_time=TAKEN, place=HERE)
    given = facts_with(given, capture_time=OWN_TIME, place=HERE)

    bundle = await shop.make(given)

    assert shop.made(given) == STILL
    assert (bundle.form, bundle.note, bundle.made.digest) == (Form.ORIGINAL, "", digest_of(STILL))
    assert shop.fitter.fits == shop.fitter.checks == []


async def test_a_live_photo_goes_with_its_clip_proved(shop) -> None:
    given = parcel(shop.archive, Form.MOTION, clip={})

    bundle = await shop.make(given)

    assert shop.made(given) == MOTION_BYTES
    assert (bundle.form, bundle.note, bundle.made.digest) == (Form.MOTION, "", digest_of(MOTION_BYTES))
    (request,) = shop.fitter.fits
    assert (request.clip_bytes, request.clip_media_type) == (len(CLIP), "video/quicktime")
    assert len(shop.fitter.checks) == 1


async def test_a_clip_told_as_mp4_goes_once_its_samples_were_compared(shop) -> None:
    shop.fitter.edits_clip = True
    given = parcel(shop.archive, Form.MOTION, clip={})

    bundle = await shop.make(given)

    assert shop.made(given) == STILL + XMP + EDITED + CLIP[len(EDITED) :]
    assert bundle.form is Form.MOTION


async def test_a_clip_said_to_be_edited_with_other_samples_is_not_sent(shop) -> None:
    shop.fitter.edits_clip = shop.fitter.spoils_clip = True
    given = parcel(shop.archive, Form.MOTION, clip={})

    assert (await shop.make(given)).form is Form.ORIGINAL


async def test_what_was_changed_is_said(shop) -> None:
    shop.fitter.note = "gain map rewritten as Ultra HDR"

    assert (await shop.make(parcel(shop.archive, Form.MOTION, clip={}))).note == "gain map rewritten as Ultra HDR"


# ---------------------------------------------------------------- what cannot be kept together


@pytest.mark.parametrize("verb", ["fit", "check"])
async def test_a_clip_that_cannot_go_along_leaves_the_still_as_it_is(shop, verb) -> None:
    shop.fitter.refuses = {verb}
    given = parcel(shop.archive, Form.MOTION, clip={})

    bundle = await shop.make(given)

    assert shop.made(given) == STILL
    assert (bundle.form, bundle.note) == (Form.ORIGINAL, f"sent without its clip: cannot {verb} this one")


@pytest.mark.parametrize("hdr", [Hdr.APPLE_GAIN_MAP, Hdr.ULTRA_HDR, Hdr.ISO_GAIN_MAP])
@pytest.mark.parametrize("result", [None, Hdr.PQ, Hdr.ULTRA_HDR, Hdr.APPLE_GAIN_MAP, Hdr.ISO_GAIN_MAP])
async def test_a_gain_map_is_never_lost(shop, hdr: Hdr, result: Hdr | None) -> None:
    shop.fitter.hdr = result
    given = parcel(shop.archive, Form.MOTION, clip={}, hdr=hdr)

    bundle = await shop.make(given)

    is_kept = result in (Hdr.ULTRA_HDR, Hdr.APPLE_GAIN_MAP, Hdr.ISO_GAIN_MAP)
    assert shop.made(given) == (MOTION_BYTES if is_kept else STILL)
    assert bundle.form is (Form.MOTION if is_kept else Form.ORIGINAL)
    assert ("gain map would be lost" in bundle.note) is not is_kept


async def test_a_flat_picture_needs_no_gain_map(shop) -> None:
    assert (await shop.make(parcel(shop.archive, Form.MOTION, clip={}, hdr=Hdr.PQ))).form is Form.MOTION


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"spoils_clip": True}, "the clip reads back with other bytes"),
        ({"misplaces_clip_by": 7}, "the clip reads back in another place than it was put"),
        ({"forgets_clip": True}, "the file made does not read back as a Motion Photo"),
    ],
)
async def test_a_clip_that_does_not_read_back_bit_by_bit_does_not_leave(shop, fault, reason) -> None:
    for name, value in fault.items():
        setattr(shop.fitter, name, value)
    given = parcel(shop.archive, Form.MOTION, clip={})

    bundle = await shop.make(given)

    assert shop.made(given) == STILL
    assert (bundle.form, bundle.note) == (Form.ORIGINAL, f"sent without its clip: {reason}")


async def test_a_still_that_goes_without_its_clip_keeps_the_date_known_of_it(shop) -> None:
    shop.fitter.spoils_clip = True
    given = msgspec.structs.replace(parcel(shop.archive, Form.MOTION, clip={}, capture_time=None), capture_time=TAKEN)

    bundle = await shop.make(given)

    assert shop.made(given) == STILL + TAGS
    assert bundle.form is Form.TAGGED
    assert bundle.note == "sent without its clip: the clip reads back with other bytes"


# ---------------------------------------------------------------- time and place


@pytest.mark.parametrize(
    ("own", "known", "written"),
    [
        (None, None, False),
        (None, TAKEN, True),
        (OWN_TIME, TAKEN, False),
        (CaptureTime(local="2024-05-12T18:03:22", source=TimeSource.EXIF_LOCAL), TAKEN, True),  # its zone is missing
        (CaptureTime(local="2024-05-12T11:00:00", source=TimeSource.EXIF_LOCAL), TAKEN, False),  # another moment
        (CaptureTime(local="2024-05-12T18:03:22", source=TimeSource.QUICKTIME_DATE), TAKEN, False),
        (CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.FILE_NAME), TAKEN, True),
        (CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.XMP), TAKEN, True),
        (CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.IPTC), TAKEN, True),
        (CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.TAKEOUT), TAKEN, True),
        (CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.FILE_MODIFIED), TAKEN, True),
        (None, CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.FILE_MODIFIED), False),  # nobody knows
        # what lies beside it corrects the camera, or knows what the file only guesses
        (OWN_TIME, CaptureTime(local="1998-03-01T10:00:00", source=TimeSource.XMP), True),
        (
            CaptureTime(local="2020-01-01T00:00:00", source=TimeSource.EXIF_MODIFIED),
            CaptureTime(local="2015-07-08T09:10:11", offset_min=0, source=TimeSource.TAKEOUT),
            True,
        ),
    ],
)
async def test_a_time_is_written_only_where_the_file_does_not_say_it(shop, own, known, written) -> None:
    given = parcel(shop.archive, capture_time=known)
    given = facts_with(given, capture_time=own)

    bundle = await shop.make(given)

    assert [one.capture_time for one in shop.fitter.fits] == ([known] if written else [])
    assert bundle.form is (Form.TAGGED if written else Form.ORIGINAL)
    assert shop.made(given) == STILL + (TAGS if written else b"")


@pytest.mark.parametrize(("own", "known", "written"), [(None, HERE, True), (HERE, HERE, False), (None, None, False)])
async def test_a_place_is_written_only_where_the_file_has_none(shop, own, known, written) -> None:
    given = facts_with(parcel(shop.archive, place=known), place=own)

    bundle = await shop.make(given)

    assert [one.place for one in shop.fitter.fits] == ([known] if written else [])
    assert bundle.form is (Form.TAGGED if written else Form.ORIGINAL)


@pytest.mark.parametrize("verb", ["fit", "check"])
async def test_a_file_that_takes_no_tags_goes_without(shop, verb) -> None:
    shop.fitter.refuses = {verb}
    given = parcel(shop.archive, place=HERE)

    bundle = await shop.make(given)

    assert shop.made(given) == STILL
    assert bundle.form is Form.ORIGINAL
    assert bundle.note == f"sent without the date and place known of it: cannot {verb} this one"


async def test_a_live_photo_gets_its_tags_with_its_clip(shop) -> None:
    await shop.make(parcel(shop.archive, Form.MOTION, clip={}, capture_time=TAKEN, place=HERE))

    (request,) = shop.fitter.fits
    assert (request.capture_time, request.place, request.clip_bytes) == (TAKEN, HERE, len(CLIP))


def facts_with(given: Parcel, **changes: Any) -> Parcel:
    facts = msgspec.structs.replace(given.first.facts, **changes)
    return msgspec.structs.replace(given, first=msgspec.structs.replace(given.first, facts=facts))


# ---------------------------------------------------------------- encoded anew


async def test_what_google_does_not_take_is_encoded_and_tagged_on_the_way(shop) -> None:
    given = parcel(shop.archive, Form.CONVERTED, media_type="image/tiff", capture_time=TAKEN, place=HERE)
    shop.fitter.note = "tone-mapped from HLG"

    bundle = await shop.make(given)

    assert shop.made(given) == encoded(STILL, "image/jpeg")
    assert (bundle.form, bundle.note) == (Form.CONVERTED, "tone-mapped from HLG")
    (conversion,) = shop.fitter.conversions
    assert (conversion.capture_time, conversion.place) == (TAKEN, HERE)
    assert (conversion.most_pixels, conversion.shortest_side) == (None, None)
    assert shop.fitter.fits == []


async def test_what_is_reduced_by_choice_is_told_how_far(shop) -> None:
    await shop.make(parcel(shop.archive, Form.REDUCED))
    await shop.make(parcel(shop.archive, Form.REDUCED, media_type="video/mp4"))

    still, film = shop.fitter.conversions
    assert (still.to, still.most_pixels, still.shortest_side) == ("image/jpeg", 16_000_000, None)
    assert (film.to, film.most_pixels, film.shortest_side) == ("video/mp4", None, 1080)


async def test_a_reduced_live_photo_is_one_all_the_same(shop) -> None:
    given = parcel(shop.archive, Form.REDUCED, clip={}, hdr=Hdr.APPLE_GAIN_MAP)

    bundle = await shop.make(given)

    assert shop.made(given) == encoded(STILL, "image/jpeg") + XMP + CLIP
    assert bundle.form is Form.REDUCED
    (request,) = shop.fitter.fits
    assert (request.capture_time, request.place) == (None, None)  # tagged when it was encoded


async def test_what_cannot_be_encoded_is_refused_with_the_reason(shop) -> None:
    shop.fitter.refuses = {"convert"}

    with pytest.raises(Permanent, match="cannot convert this one"):
        await shop.make(parcel(shop.archive, Form.CONVERTED, media_type="image/tiff"))


async def test_a_clip_is_encoded_anew_where_the_delivery_says_so(shop) -> None:
    given = parcel(shop.archive, Form.MOTION_H264, clip={})

    bundle = await shop.make(given, clips="h264")

    assert shop.made(given) == STILL + XMP + encoded(CLIP, "video/mp4")
    assert bundle.form is Form.MOTION_H264


@pytest.mark.parametrize(
    ("form", "clips", "is_encoded"),
    [(Form.MOTION, "h264", False), (Form.MOTION_H264, "as_is", True), (Form.REDUCED, "h264", True)],
)
async def test_settings_changed_meanwhile_make_no_false_statement(shop, form, clips, is_encoded) -> None:
    """A form that keeps the clip's bytes is evidence of them."""
    given = parcel(shop.archive, form, clip={})

    bundle = await shop.make(given, clips=clips)

    assert shop.made(given).endswith(encoded(CLIP, "video/mp4") if is_encoded else CLIP)
    assert bundle.form is form


async def test_a_clip_that_cannot_be_encoded_costs_the_clip_not_the_still(shop) -> None:
    shop.fitter.refuses = {"convert"}
    given = parcel(shop.archive, Form.MOTION_H264, clip={})

    bundle = await shop.make(given)

    assert shop.made(given) == STILL
    assert (bundle.form, bundle.note) == (Form.ORIGINAL, "sent without its clip: cannot convert this one")


# ---------------------------------------------------------------- nothing lies about


@pytest.mark.parametrize("which", ["first", "clip"])
async def test_other_bytes_than_archived_never_leave(shop, which) -> None:
    given = parcel(shop.archive, Form.MOTION, clip={})
    given = msgspec.structs.replace(given, **{which: with_digest(getattr(given, which), digest_of(b"other"))})

    with pytest.raises(Retryable, match="differs from what was archived"):
        await shop.make(given)


@pytest.mark.parametrize("verb", ["fit", "check", "convert"])
@pytest.mark.parametrize("error", [Retryable("out of memory"), Away("gone", part="x"), RuntimeError("a bug")])
async def test_whatever_goes_wrong_everything_is_closed(shop, verb, error) -> None:
    def fail(now: str) -> None:
        if now == verb:
            raise error

    shop.fitter.before = fail

    with pytest.raises(type(error)):
        await shop.make(parcel(shop.archive, Form.MOTION_H264, clip={}))


@pytest.mark.parametrize("verb", ["fit", "check", "convert"])
async def test_whoever_cancels_leaves_everything_closed(shop, verb) -> None:
    def cancel(now: str) -> None:
        if now == verb:
            task.cancel()

    shop.fitter.before = cancel
    task = asyncio.ensure_future(shop.make(parcel(shop.archive, Form.MOTION_H264, clip={})))

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_making_it_again_makes_the_same(shop) -> None:
    given = parcel(shop.archive, Form.MOTION, clip={}, place=HERE)

    first, second = await shop.make(given), await shop.make(given)

    assert first == second


def test_what_storage_saver_keeps_smaller_is_known(shop) -> None:
    assert kept_smaller(parcel(shop.archive, width=6000, height=4000).first)
    assert not kept_smaller(parcel(shop.archive, width=4000, height=3000).first)
