"""The files of an asset agree on one time, and wait for each other before they are given a place."""

import pytest

from mediabox.contracts import Member
from mediabox.core.company import awaits, capture_time
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.said import Said

JPEG, MOV, XMP, JSON = "a.jpg", "a.mov", "a.jpg.xmp", "a.jpg.json"
KINDS = {JPEG: Kind.PICTURE, MOV: Kind.VIDEO, XMP: Kind.SIDECAR, JSON: Kind.SIDECAR, "a.thm": Kind.PICTURE}
ROLES = {MOV: Role.LIVE_VIDEO, XMP: Role.SIDECAR, JSON: Role.SIDECAR, "a.thm": Role.COMPANION}


def at(local: str, source: TimeSource, offset_min: int | None = None) -> CaptureTime:
    return CaptureTime(local=local, offset_min=offset_min, source=source)


def member(name: str, taken: CaptureTime | None, **fields: object) -> Member:
    values = {
        "id": list(KINDS).index(name) + 1,
        "asset_id": 1,
        "source": "pictures",
        "remote_id": name,
        "version": "1",
        "name": name,
        "kind": KINDS[name],
        "role": ROLES.get(name, Role.ORIGINAL),
        "state": ResourceState.STAGED,
    }
    resource = Resource(**(values | fields))
    return Member(resource=resource, facts=Facts(kind=resource.kind, media_type="x/y", capture_time=taken))


EXIF = at("2019-12-31T23:30:00", TimeSource.EXIF_LOCAL)
MTIME = at("2026-10-14T12:00:00", TimeSource.FILE_MODIFIED)
GOOGLE = at("2015-07-08T09:10:11", TimeSource.TAKEOUT, 0)


@pytest.mark.parametrize(
    ("picture", "beside", "expected"),
    [
        (MTIME, {JSON: GOOGLE}, GOOGLE),
        (EXIF, {JSON: GOOGLE}, EXIF),  # Google's is of the upload, or a guess of its own
        (MTIME, {MOV: at("2015-07-08T11:10:11", TimeSource.QUICKTIME_DATE, 120), JSON: GOOGLE},
         at("2015-07-08T11:10:11", TimeSource.QUICKTIME_DATE, 120)),
        # a wall clock that is Google's instant in some zone: the day is the one where it was taken
        (at("2015-07-08T14:40:11", TimeSource.FILE_NAME), {JSON: GOOGLE},
         at("2015-07-08T14:40:11", TimeSource.FILE_NAME, 330)),
        (at("2018-01-01T00:00:00", TimeSource.FILE_NAME), {JSON: GOOGLE}, GOOGLE),
        # an XMP that corrects, and some that only repeat
        (EXIF, {XMP: at("1998-03-01T10:00:00", TimeSource.XMP)}, at("1998-03-01T10:00:00", TimeSource.XMP)),
        (EXIF, {XMP: at("2019-12-31T23:30:00", TimeSource.XMP)}, EXIF),
        (EXIF, {XMP: at("2019-12-31T00:00:00", TimeSource.XMP)}, EXIF),
        (EXIF, {XMP: at("2019-12-31T22:30:00", TimeSource.XMP, 0)}, EXIF),
        (EXIF, {XMP: at("2019-12-31T23:30:00", TimeSource.XMP, 60)},
         EXIF),
        (at("2019-12-31T23:30:00", TimeSource.EXIF_OFFSET, 60), {XMP: at("2019-12-31T22:30:00", TimeSource.XMP, 0)},
         at("2019-12-31T23:30:00", TimeSource.EXIF_OFFSET, 60)),
        # a year corrects a scanner's date, is repeated by a moment of it, and made more exact by one
        (EXIF, {XMP: at("1987", TimeSource.XMP)}, at("1987", TimeSource.XMP)),
        (EXIF, {XMP: at("2019", TimeSource.XMP)}, EXIF),
        (at("1987", TimeSource.IPTC), {XMP: at("1987-06-15T10:00:00", TimeSource.XMP)},
         at("1987-06-15T10:00:00", TimeSource.XMP)),
        (at("2015-07", TimeSource.FOLDER), {JSON: GOOGLE}, GOOGLE),
        # the sidecar's own file time is nobody's
        (MTIME, {XMP: at("2001-01-01T00:00:00", TimeSource.FILE_MODIFIED)}, MTIME),
        # Canon's AVI has no date, the thumbnail beside it has
        (MTIME, {"a.thm": at("2004-06-01T10:00:00", TimeSource.EXIF_LOCAL)},
         at("2004-06-01T10:00:00", TimeSource.EXIF_LOCAL)),
        (None, {}, None),
    ],
)  # fmt: skip
def test_one_time_of_all_that_the_files_say(picture: CaptureTime, beside: dict, expected: CaptureTime) -> None:
    members = [member(JPEG, picture), *(member(name, taken) for name, taken in beside.items())]

    assert capture_time(members, None) == expected
    assert capture_time(list(reversed(members)), None) == expected


def test_the_source_is_asked_before_a_sidecar_is_for_a_guess() -> None:
    taken = capture_time([member(JPEG, MTIME), member(JSON, GOOGLE)], Said(taken_at_ms=1_500_000_000_000))

    assert taken is not None
    assert taken.source is TimeSource.SOURCE


def unread(name: str, **fields: object) -> Member:
    one = member(name, None, **({"state": ResourceState.SEEN} | fields))
    return Member(resource=one.resource, facts=None)


@pytest.mark.parametrize(
    ("one", "other", "waits"),
    [
        (member(JPEG, EXIF), unread(XMP), True),  # it may correct
        (member(JPEG, EXIF), unread(MOV), False),  # the picture decides
        (member(JPEG, MTIME), unread(MOV), True),  # it may know
        (member(MOV, EXIF), unread(JPEG), True),  # the picture decides
        (member(XMP, None), unread(JPEG), True),
        (member(XMP, None), member(JPEG, EXIF), True),  # read, and itself without a place
        (member(XMP, None), member(JPEG, EXIF, path="2019/a.jpg"), False),
        (member(XMP, None), unread(JSON), False),
        (member(JPEG, MTIME), unread(MOV, state=ResourceState.QUARANTINED), False),
        (member(JPEG, MTIME), member(JSON, GOOGLE), False),
    ],
)
def test_waits_for_what_may_change_its_place(one: Member, other: Member, waits: bool) -> None:
    assert awaits(one, [one, other]) is waits
