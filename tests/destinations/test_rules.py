"""Which files of an asset go to a Pixel, in which form, under which name: every setting, by tables."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.contracts import Deliverable, Member
from mediabox.destinations.pixel import rules
from mediabox.destinations.pixel.rules import fingerprint, name_of, wishes
from mediabox.destinations.pixel.settings import Settings
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.delivery import Form, Wish
from mediabox.model.facts import CaptureTime, Facts, Quality, TimeSource

ORIGINAL, EDITED, RAW, LIVE, EDITED_LIVE, SIDECAR = range(1, 7)
ROLES = {
    ORIGINAL: Role.ORIGINAL,
    EDITED: Role.EDITED,
    RAW: Role.RAW,
    LIVE: Role.LIVE_VIDEO,
    EDITED_LIVE: Role.EDITED_VIDEO,
    SIDECAR: Role.SIDECAR,
}
FILMS = {LIVE, EDITED_LIVE}


def member(
    number: int,
    *,
    role: Role | None = None,
    kind: Kind | None = None,
    name: str = "",
    source: str = "icloud",
    **facts: Any,
) -> Member:
    is_film = number in FILMS
    kind = kind or (Kind.VIDEO if is_film else Kind.SIDECAR if number == SIDECAR else Kind.PICTURE)
    media_type = facts.pop("media_type", "video/quicktime" if kind is Kind.VIDEO else "image/heic")
    suffix = {Kind.VIDEO: "MOV", Kind.SIDECAR: "XMP"}.get(kind, "HEIC")
    resource = Resource(
        id=number,
        asset_id=1,
        source=source,
        remote_id=str(number),
        version="1",
        name=name or f"IMG_{number}.{suffix}",
        kind=kind,
        role=role or ROLES[number],
        state=ResourceState.ARCHIVED,
        size_bytes=1000 * number,
        digest=hashlib.sha256(b"%d" % number).hexdigest(),
    )
    return Member(resource=resource, facts=Facts(kind=kind, media_type=media_type, **facts))


def asset(*members: Member | int, **more: Any) -> Deliverable:
    given_ = tuple(each if isinstance(each, Member) else member(each) for each in members)
    return Deliverable(asset_id=1, members=given_, **more)


def pairs(found: list[Wish]) -> list[tuple[int, int | None]]:
    return [(one.resource_id, one.clip_id) for one in found]


def goes(deliverable: Deliverable, **settings: Any) -> bool:
    return bool(wishes(deliverable, Settings(**settings)))


# ---------------------------------------------------------------- whether


@pytest.mark.parametrize(
    ("deliverable", "settings", "expected"),
    [
        (asset(ORIGINAL), {}, True),
        (asset(), {}, False),
        (asset(SIDECAR), {}, False),
        (asset(msgspec.structs.replace(member(ORIGINAL), facts=None)), {}, False),
    ],
)
def test_goes_or_stays(deliverable: Deliverable, settings: dict[str, Any], expected: bool) -> None:
    assert goes(deliverable, **settings) is expected


def burst(*, favourites: tuple[int, ...] = (), sharpness: tuple[float, ...] = (1, 3, 3)) -> tuple[Member, ...]:
    return tuple(
        member(
            number,
            role=Role.ORIGINAL,
            kind=Kind.PICTURE,
            is_favorite=number in favourites,
            quality=Quality(sharpness=sharp, exposure=0.5, clipped=0, noise=0),
        )
        for number, sharp in enumerate(sharpness, start=1)
    )


@pytest.mark.parametrize(
    ("favourites", "sharpness", "expected"),
    [
        ((), (1, 3, 3), [2]),  # of equals the first
        ((), (0, 0, 0), [1]),
        ((3,), (9, 3, 1), [3]),
        ((1, 3), (1, 9, 1), [1, 3]),
    ],
)
def test_the_favourites_of_a_burst_go_else_the_sharpest(favourites, sharpness, expected) -> None:
    pictures = burst(favourites=favourites, sharpness=sharpness)

    going = [one.resource.id for one in pictures if goes(asset(one, burst=pictures), bursts="pick")]

    assert going == expected
    assert all(goes(asset(one, burst=pictures)) for one in pictures)
    assert goes(asset(pictures[0], burst=pictures[:1]), bursts="pick")  # a burst of one is none


# ---------------------------------------------------------------- which files


@pytest.mark.parametrize(
    ("members", "settings", "expected"),
    [
        ((ORIGINAL,), {}, [(ORIGINAL, None)]),
        ((ORIGINAL, LIVE), {}, [(ORIGINAL, LIVE)]),
        ((ORIGINAL, LIVE), {"live": "still"}, [(ORIGINAL, None)]),
        # edited: with its own clip, else with the one as shot
        ((ORIGINAL, EDITED), {}, [(EDITED, None)]),
        ((ORIGINAL, EDITED, LIVE), {}, [(EDITED, LIVE)]),
        ((ORIGINAL, EDITED, LIVE, EDITED_LIVE), {}, [(EDITED, EDITED_LIVE)]),
        ((ORIGINAL, EDITED, LIVE, EDITED_LIVE), {"versions": "original"}, [(ORIGINAL, LIVE)]),
        (
            (ORIGINAL, EDITED, LIVE, EDITED_LIVE),
            {"versions": "both"},
            [(EDITED, EDITED_LIVE), (ORIGINAL, LIVE)],
        ),
        ((ORIGINAL, EDITED, LIVE), {"versions": "both"}, [(EDITED, LIVE), (ORIGINAL, None)]),
        ((EDITED,), {"versions": "original"}, [(EDITED, None)]),  # all there is
        ((EDITED,), {"versions": "both"}, [(EDITED, None)]),
        # RAW
        ((ORIGINAL, RAW), {}, [(ORIGINAL, None)]),
        ((ORIGINAL, RAW), {"raw": "both"}, [(ORIGINAL, None), (RAW, None)]),
        ((RAW,), {}, [(RAW, None)]),  # nothing was developed
        ((RAW,), {"raw": "both"}, [(RAW, None)]),
        ((RAW, EDITED), {}, [(EDITED, None)]),
        ((RAW, EDITED), {"versions": "both"}, [(EDITED, None), (RAW, None)]),
        ((ORIGINAL, RAW, LIVE), {"raw": "both"}, [(ORIGINAL, LIVE), (RAW, None)]),
        # sidecars stay
        ((ORIGINAL, SIDECAR), {}, [(ORIGINAL, None)]),
    ],
)
def test_which_files_go_and_with_which_clip(members, settings, expected) -> None:
    assert pairs(wishes(asset(*members), Settings(**settings))) == expected


def test_a_film_that_was_edited_goes_edited() -> None:
    film = member(ORIGINAL, kind=Kind.VIDEO)

    assert pairs(wishes(asset(film, EDITED_LIVE), Settings())) == [(EDITED_LIVE, None)]
    assert pairs(wishes(asset(film, EDITED_LIVE), Settings(versions="both"))) == [
        (EDITED_LIVE, None),
        (ORIGINAL, None),
    ]


@pytest.mark.parametrize(
    ("members", "sent", "expected"),
    [
        ((ORIGINAL, LIVE), {ORIGINAL}, [(LIVE, None)]),  # too late to go inside
        ((ORIGINAL, LIVE), {ORIGINAL, LIVE}, []),
        ((ORIGINAL, LIVE), {LIVE}, [(ORIGINAL, None)]),
        ((ORIGINAL, EDITED, LIVE), {ORIGINAL, LIVE}, [(EDITED, None)]),
        ((ORIGINAL, EDITED, LIVE), {EDITED}, [(LIVE, None)]),
        ((ORIGINAL, EDITED, LIVE, EDITED_LIVE), {EDITED, EDITED_LIVE}, []),  # the one as shot is not wanted
    ],
)
def test_what_has_gone_goes_no_more(members, sent, expected) -> None:
    assert pairs(wishes(asset(*members, sent=frozenset(sent)), Settings())) == expected


def test_a_clip_too_late_is_not_wanted_where_clips_are_not() -> None:
    assert wishes(asset(ORIGINAL, LIVE, sent=frozenset({ORIGINAL})), Settings(live="still")) == []


@given(
    st.sets(st.sampled_from(sorted(ROLES)), min_size=1),
    st.sampled_from(["edited", "original", "both"]),
    st.sampled_from(["developed", "both"]),
    st.sampled_from(["motion", "still"]),
    st.sets(st.sampled_from(sorted(ROLES))),
)
def test_no_file_is_ever_in_two_wishes_nor_one_that_has_gone(members, versions, raw, live, sent) -> None:
    found = wishes(asset(*sorted(members), sent=frozenset(sent)), Settings(versions=versions, raw=raw, live=live))

    files = [each for one in found for each in (one.resource_id, one.clip_id) if each is not None]
    assert len(files) == len(set(files))
    assert not set(files) & sent
    assert set(files) <= members - {SIDECAR}


# ---------------------------------------------------------------- form


@pytest.mark.parametrize(
    ("first", "clip", "settings", "expected"),
    [
        (member(ORIGINAL), None, {}, Form.ORIGINAL),
        (member(ORIGINAL), member(LIVE, video_codec="hevc"), {}, Form.MOTION),
        (member(ORIGINAL), member(LIVE, video_codec="hevc"), {"clips": "h264"}, Form.MOTION_H264),
        (member(ORIGINAL), member(LIVE, video_codec="h264"), {"clips": "h264"}, Form.MOTION),
        (member(ORIGINAL, media_type="image/tiff"), None, {}, Form.CONVERTED),
        (member(ORIGINAL, media_type="image/jxl"), member(LIVE), {}, Form.CONVERTED),
        (member(LIVE, role=Role.ORIGINAL, media_type="video/webm"), None, {}, Form.CONVERTED),
        # reduced: only by choice, only where the phone would, only what is too large
        (member(ORIGINAL, width=6000, height=4000), None, {"model": "pixel_3", "reduce": True}, Form.REDUCED),
        (member(ORIGINAL, width=6000, height=4000), None, {"model": "pixel_3"}, Form.ORIGINAL),
        (member(ORIGINAL, width=6000, height=4000), None, {"model": "pixel", "reduce": True}, Form.ORIGINAL),
        (member(ORIGINAL, width=6000, height=4000), None, {"model": "later", "reduce": True}, Form.ORIGINAL),
        (member(ORIGINAL, width=4000, height=4000), None, {"model": "pixel_3", "reduce": True}, Form.ORIGINAL),
        (member(ORIGINAL), None, {"model": "pixel_3", "reduce": True}, Form.ORIGINAL),  # nobody knows how large
        (member(LIVE, width=3840, height=2160), None, {"model": "pixel_5", "reduce": True}, Form.REDUCED),
        (member(LIVE, width=2160, height=3840), None, {"model": "pixel_5", "reduce": True}, Form.REDUCED),
        (member(LIVE, width=1080, height=1920), None, {"model": "pixel_5", "reduce": True}, Form.ORIGINAL),
    ],
)
def test_form(first: Member, clip: Member | None, settings: dict[str, Any], expected: Form) -> None:
    assert rules.form_of(first, clip, Settings(**settings)) is expected


def test_a_motion_photo_is_as_large_as_its_parts_and_a_little_more() -> None:
    (one,) = wishes(asset(ORIGINAL, LIVE), Settings())

    assert 1000 + 4000 < one.size_bytes < 1000 + 4000 + 10_000


# ---------------------------------------------------------------- names

DIGITS = hashlib.sha256(b"1").hexdigest()[:8]


@pytest.mark.parametrize(
    ("name", "media_type", "form", "is_motion", "expected"),
    [
        ("IMG_1635.HEIC", "image/heic", Form.ORIGINAL, False, f"IMG_1635_{DIGITS}.HEIC"),
        ("IMG_1635.HEIC", "image/heic", Form.MOTION, True, f"IMG_1635_{DIGITS}.MP.HEIC"),
        ("IMG_1635.HEIC", "image/jpeg", Form.ORIGINAL, False, f"IMG_1635_{DIGITS}.jpg"),  # Android goes by the name
        ("IMG_1635.HEIC", "image/jpeg", Form.MOTION, True, f"IMG_1635_{DIGITS}.MP.jpg"),
        ("IMG_1635", "image/jpeg", Form.ORIGINAL, False, f"IMG_1635_{DIGITS}.jpg"),
        ("IMG_1635.JPEG", "image/jpeg", Form.ORIGINAL, False, f"IMG_1635_{DIGITS}.JPEG"),
        ("scan.tif", "image/tiff", Form.CONVERTED, False, f"scan_{DIGITS}.jpg"),
        ("IMG_1635.HEIC", "image/heic", Form.REDUCED, False, f"IMG_1635_{DIGITS}.jpg"),
        ("IMG_1635.HEIC", "image/heic", Form.REDUCED, True, f"IMG_1635_{DIGITS}.MP.jpg"),
        ('a/b:c*"?.jpg', "image/jpeg", Form.ORIGINAL, False, f"a_b_c____{DIGITS}.jpg"),
        # a Pixel's own Motion Photo stays one
        ("PXL_1.MP.jpg", "image/jpeg", Form.ORIGINAL, False, f"PXL_1_{DIGITS}.MP.jpg"),
        ("PXL_1.MP.jpg", "image/jpeg", Form.TAGGED, False, f"PXL_1_{DIGITS}.MP.jpg"),
        ("PXL_1.MP.jpg", "image/jpeg", Form.MOTION, True, f"PXL_1_{DIGITS}.MP.jpg"),
        ("PXL_1.mp.jpg", "image/jpeg", Form.REDUCED, False, f"PXL_1_{DIGITS}.jpg"),
        ("..jpg", "image/jpeg", Form.ORIGINAL, False, None),
        (".hidden.jpg", "image/jpeg", Form.ORIGINAL, False, None),
        ("CON.jpg", "image/jpeg", Form.ORIGINAL, False, f"_CON_{DIGITS}.jpg"),
        ("x" * 300 + ".jpg", "image/jpeg", Form.MOTION, True, None),
        ("ä" * 200 + ".jpg", "image/jpeg", Form.MOTION, True, None),
    ],
)
def test_name(name: str, media_type: str, form: Form, is_motion: bool, expected: str | None) -> None:
    found = name_of(member(ORIGINAL, name=name, media_type=media_type), form, is_motion=is_motion)

    if expected is not None:
        assert found == expected
    assert f"_{DIGITS}" in found
    assert found.endswith(".MP.jpg") if is_motion and "HEIC" not in found else True
    assert len(found.encode()) <= 200  # Syncthing's temporary name and our own for what is being made are longer
    assert not found.startswith(".")
    assert "/" not in found


def test_a_film_that_is_encoded_anew_is_an_mp4() -> None:
    assert name_of(member(LIVE, media_type="video/webm"), Form.CONVERTED, is_motion=False).endswith(".mp4")


@given(st.text(min_size=1, max_size=300))
def test_any_name_becomes_a_safe_one(name: str) -> None:
    found = name_of(member(ORIGINAL, name=name), Form.MOTION, is_motion=True)

    assert len(found.encode()) <= 200
    assert found.casefold().endswith((".mp.heic", ".mp.heif", ".mp.hif"))
    assert not set(found) & set('<>:"/\\|?*\0')
    assert not found.startswith(".")


# ---------------------------------------------------------------- order, fingerprint


@pytest.mark.parametrize(
    ("time", "modified_at_ms", "expected"),
    [
        (CaptureTime(local="1970-01-01T01:00:00", offset_min=60, source=TimeSource.EXIF_OFFSET), None, 0),
        (CaptureTime(local="1970-01-01T01:00:00.250", source=TimeSource.EXIF_LOCAL), None, 3_600_250),
        (CaptureTime(local="1969-12-31T23:00:00", offset_min=0, source=TimeSource.EXIF_OFFSET), None, -3_600_000),
        (None, 42, 42),
        (None, None, None),
    ],
)
def test_taken_at(time: CaptureTime | None, modified_at_ms: int | None, expected: int | None) -> None:
    one = member(ORIGINAL, capture_time=time)
    resource = msgspec.structs.replace(one.resource, modified_at_ms=modified_at_ms)

    (found,) = wishes(asset(Member(resource=resource, facts=one.facts)), Settings())

    assert found.taken_at_ms == expected


def test_the_fingerprint_changes_with_what_is_chosen_and_with_nothing_else() -> None:
    plain = fingerprint(Settings())
    chosen = [
        {"sources": ("a",)},
        {"query": "album:a"},
        {"query": "is:favorite"},
        {"versions": "both"},
        {"raw": "both"},
        {"bursts": "pick"},
        {"live": "still"},
        {"clips": "h264"},
        {"reduce": True},
        {"model": "pixel_3"},
    ]

    found = [fingerprint(Settings(**each)) for each in chosen]

    assert len({plain, *found}) == len(chosen) + 1
    assert fingerprint(Settings(window_gb=1, url="http://x", min_battery=1, stall_days=2)) == plain


# ---------------------------------------------------------------- what Google Photos never takes


@pytest.mark.parametrize(
    ("width", "height", "size_bytes", "media_type", "why"),
    [
        (256, 4000, 1_000, "image/jpeg", "this small (256 x 4000)"),
        (257, 257, 1_000, "image/jpeg", ""),
        (20_001, 10_000, 1_000, "image/png", "200 megapixels"),
        (4000, 3000, 200_000_001, "image/tiff", ""),  # encoded anew, and smaller then
        (4000, 3000, 200_000_001, "image/x-adobe-dng", "200 MB"),
        (1920, 1080, 10_000_000_001, "video/mp4", "10 GB"),
        (100, 100, 1_000, "video/mp4", ""),
        (None, None, 1_000, "image/jpeg", ""),  # its header cannot be read: the phone may know better
    ],
)
def test_what_google_photos_leaves_alone_is_listed_with_the_reason(
    width: int | None, height: int | None, size_bytes: int, media_type: str, why: str
) -> None:
    kind = Kind.VIDEO if media_type.startswith("video/") else Kind.PICTURE
    facts = Facts(kind=kind, media_type=media_type, width=width, height=height)
    resource = Resource(
        id=1,
        asset_id=1,
        source="pictures",
        remote_id="a",
        version="1",
        name="a.bin",
        kind=kind,
        role=Role.ORIGINAL,
        state=ResourceState.ARCHIVED,
        size_bytes=size_bytes,
        digest="ab" * 32,
    )
    asset = Deliverable(asset_id=1, members=(Member(resource=resource, facts=facts),))

    (wish,) = rules.wishes(asset, Settings())

    assert why in wish.obstacle
    assert bool(why) == bool(wish.obstacle)


@pytest.mark.parametrize(
    ("given", "saves", "counts"),
    [
        ({"model": "pixel"}, False, False),
        ({"model": "pixel", "quality": "storage_saver"}, True, False),
        ({"model": "pixel_3"}, True, False),
        ({"model": "pixel_3", "quality": "original"}, False, True),
        ({"model": "later"}, False, True),
        ({"model": "later", "quality": "storage_saver"}, True, True),
    ],
)
def test_the_quality_set_on_the_phone_decides_what_google_keeps(given: Any, *, saves: bool, counts: bool) -> None:
    settings = Settings(**given)

    assert (settings.saves_storage, settings.counts_quota) == (saves, counts)
