"""Records as Apple's wire has them (icloudpd's recordings), read into assets."""

import base64
import plistlib
from typing import Any

import msgspec
import pytest

from mediabox.model.asset import Kind, Role, Turn
from mediabox.model.place import Place
from mediabox.sources.icloud import records
from mediabox.sources.icloud.answers import Record, read_records
from mediabox.sources.icloud.checksum import checksum_of

CHECKSUM = "AY6c+BsE0jjaXx9tmVGJM1D2VcEO"
NAME = "F2A23C38-0020-42FE-A273-2923ADE3CAED"


def file(checksum: str = CHECKSUM, *, size: int = 10, url: str | None = "https://x/B/y") -> dict[str, Any]:
    link = {} if url is None else {"downloadURL": url}
    value = {"fileChecksum": checksum, "size": size, "wrappingKey": "k", "referenceChecksum": "r", **link}
    return {"value": value, "type": "ASSETID"}


def text(value: str) -> dict[str, Any]:
    return {"value": value, "type": "STRING"}


def encrypted(value: bytes) -> dict[str, Any]:
    return {"value": base64.b64encode(value).decode(), "type": "ENCRYPTED_BYTES"}


def number(value: float | None) -> dict[str, Any]:
    return {"value": value, "type": "INT64"}


def record(kind: str, name: str, **fields: Any) -> Record:
    """As a page brings it."""
    raw = {"recordName": name, "recordType": kind, "fields": fields, "recordChangeTag": "49lh", "deleted": False,
           "modified": {"timestamp": 1_700_000_000_000, "userRecordName": "_x"}}  # fmt: skip
    (read,), unreadable = read_records([msgspec.Raw(msgspec.json.encode(raw))])
    assert unreadable == ()
    return read


def master(**fields: Any) -> Record:
    own = {"itemType": text("public.heic"), "filenameEnc": encrypted(b"IMG_7409.HEIC"), "resOriginalRes": file()}
    return record("CPLMaster", CHECKSUM, **{**own, **fields})


def asset(**fields: Any) -> Record:
    reference = {"value": {"recordName": CHECKSUM, "action": "DELETE_SELF"}, "type": "REFERENCE"}
    return record("CPLAsset", NAME, **{"masterRef": reference, "assetDate": number(1533021744816), **fields})


def parts(asset_record: Record, master_record: Record) -> dict[str, records.RemoteFile]:
    found = records.parts_of("PrimarySync", asset_record, master_record)
    return {part.resource.remote_id.rpartition("/")[2]: part for part in found}


def without(found: Record, *names: str) -> Record:
    blank = {name: getattr(type(found.fields)(), name) for name in names}
    return msgspec.structs.replace(found, fields=msgspec.structs.replace(found.fields, **blank))


def test_the_recorded_pair_is_one_picture() -> None:
    found = parts(asset(), master())

    assert list(found) == ["original"]
    resource = found["original"].resource
    assert resource.remote_id == f"PrimarySync/{NAME}/original"
    assert resource.version == f"{CHECKSUM}-10"
    assert (resource.name, resource.kind, resource.role) == ("IMG_7409.HEIC", Kind.PICTURE, Role.ORIGINAL)
    assert resource.modified_at_ms == 1533021744816
    assert records.size_of_version(resource.version) == 10


def test_a_live_photo_with_its_edit_is_four_files_of_one_asset() -> None:
    live = master(resOriginalVidComplRes=file("video"), resOriginalVidComplFileType=text("com.apple.quicktime-movie"))
    edited = asset(
        resJPEGFullRes=file("edit"), resJPEGFullFileType=text("public.jpeg"),
        resVidComplRes=file("edit video"), resVidComplFileType=text("com.apple.quicktime-movie"),
    )  # fmt: skip

    found = {word: (part.resource.name, part.resource.role) for word, part in parts(edited, live).items()}

    assert found == {
        "original": ("IMG_7409.HEIC", Role.ORIGINAL),
        "live": ("IMG_7409.MOV", Role.LIVE_VIDEO),
        "edited": ("IMG_E7409.JPG", Role.EDITED),
        "edited_live": ("IMG_E7409.MOV", Role.EDITED_VIDEO),
    }


def test_an_edited_film_keeps_its_own_key() -> None:
    film = master(itemType=text("com.apple.quicktime-movie"), filenameEnc=encrypted(b"holiday.MOV"))

    assert records.unproved_of(asset(resVidFullRes=file("cut")), film) == ()
    assert records.unproved_of(asset(resVidComplRes=file("clip")), film) == ("resVidCompl",)


def test_of_two_edited_clips_neither_is_forgotten() -> None:
    both = asset(resVidComplRes=file("clip"), resVidFullRes=file("film"))

    assert parts(both, master())["edited_live"].resource.version == "clip-10"
    assert records.unproved_of(both, master()) == ("resVidFull",)


def test_the_sidecar_that_came_with_an_original_is_one_of_its_files() -> None:
    found = parts(asset(), master(resSidecarRes=file("sidecar")))["sidecar"].resource

    assert (found.name, found.kind, found.role) == ("IMG_7409.AAE", Kind.SIDECAR, Role.SIDECAR)


@pytest.mark.parametrize("key", ["resSpatialOriginalRes", "resOriginalDepthRes", "resVidFull2Res"])
def test_a_whole_file_nobody_knows_is_never_passed_over(key: str) -> None:
    assert records.said_of(asset(**{key: file("new")}), master()).unproved_files == (key.removesuffix("Res"),)
    assert records.unproved_of(asset(), master(**{key: file("new")})) == (key.removesuffix("Res"),)


def test_smaller_pictures_of_the_same_are_no_files_of_their_own() -> None:
    """As recorded: 2,026 masters and 2,030 assets carry these beside the whole files."""
    small = {f"res{name}Res": file(name) for name in ("JPEGMed", "JPEGThumb", "JPEGLarge", "VidMed", "VidSmall")}
    empty = {"resNewFullRes": None, "resOtherFullRes": {"value": None, "type": "ASSETID"}}

    assert records.unproved_of(asset(**small, **empty), master(**small)) == ()


WHOLE = (
    "resOriginal",
    "resOriginalAlt",
    "resOriginalVidCompl",
    "resSidecar",
    "resJPEGFull",
    "resVidFull",
    "resVidCompl",
)


@pytest.mark.parametrize("of_type", ["public.heic", "com.apple.quicktime-movie", "com.adobe.raw-image"])
@pytest.mark.parametrize("is_of_asset", [True, False], ids=["asset", "master"])
@pytest.mark.parametrize("name", WHOLE)
def test_on_whichever_record_a_whole_file_stands_it_is_fetched_or_the_photo_never_safe(
    name: str, is_of_asset: bool, of_type: str
) -> None:
    """kei reads each of them from either record; what is neither fetched nor named would be lost by freeing."""
    more = {f"{name}Res": file("stray")}
    one, other = asset(**(more if is_of_asset else {})), master(itemType=text(of_type), **({} if is_of_asset else more))
    is_poster = name == "resJPEGFull" and of_type == "com.apple.quicktime-movie"

    fetched = {part.resource.version for part in parts(one, other).values()}

    assert "stray-10" in fetched or name in records.unproved_of(one, other) or is_poster


@pytest.mark.parametrize("name", ["resOriginalAlt", "resOriginalVidCompl", "resSidecar"])
def test_an_original_that_stands_on_the_asset_is_fetched_from_there(name: str) -> None:
    of_asset = asset(**{f"{name}Res": file("there")})

    assert "there-10" in {part.resource.version for part in parts(of_asset, master()).values()}
    assert records.unproved_of(of_asset, master()) == ()
    assert records.unproved_of(of_asset, master(**{f"{name}Res": file("here")})) == (name,)


def test_a_file_without_a_link_is_waited_for_and_never_freed() -> None:
    unlinked = asset(resJPEGFullRes=file("edit", url=None))

    assert not records.is_complete(unlinked, parts(unlinked, master()).values())
    assert records.unproved_of(unlinked, master()) == ("edited (no link)",)


@pytest.mark.parametrize(
    "url", ["", "https://", "https:///x", "https://[bad/x", "https://a b/c", "https://host:99999/x", "ftp://x/y", "x"]
)
def test_what_is_no_address_is_no_link(url: str) -> None:
    found = tuple(parts(asset(), master(resOriginalRes=file(url=url))).values())

    assert [part.url for part in found] == [None]
    assert not records.is_complete(asset(), found)


def test_an_edit_that_took_the_clip_away_is_complete_without_one() -> None:
    live = master(resOriginalVidComplRes=file("clip"))
    edited = asset(assetSubtypeV2=number(2), resJPEGFullRes=file("edit"))

    assert set(parts(edited, live)) == {"original", "live", "edited"}
    assert records.is_complete(edited, parts(edited, live).values())
    assert records.unproved_of(edited, live) == ()


@pytest.mark.parametrize("size", [-1, -(10**30), 10**30, "9" * 300, 1e300, 1.5])
def test_a_size_no_file_has_is_none(size: object) -> None:
    (part,) = parts(asset(), master(resOriginalRes={"value": {**file()["value"], "size": size}})).values()

    assert (part.resource.size_bytes, part.resource.version) == (None, f"{CHECKSUM}-")


@pytest.mark.parametrize("ms", [-(10**14), 10**15, -(10**400), 10**400, 1e300, -62_135_596_800_000])
def test_a_time_no_calendar_has_is_none(ms: float) -> None:
    odd = asset(assetDate=number(ms), addedDate=number(ms), timeZoneOffset=number(-64_800))
    odd = msgspec.structs.replace(odd, modified=type(odd.modified)(timestamp=ms))  # type: ignore[misc]

    said = records.said_of(odd, master())

    assert (said.taken_at_ms, said.added_at_ms) == (None, None)
    assert records.change_of("P", odd, is_shared=False, now_ms=7).at_ms == 7


def test_a_file_without_a_checksum_is_fetched_and_never_freed() -> None:
    bare = {"value": {"size": 10, "downloadURL": "https://x/B/y"}, "type": "ASSETID"}
    marked = {"value": {"size": 10, "referenceChecksum": "r", "downloadURL": "https://x/B/y"}, "type": "ASSETID"}

    assert parts(asset(), master(resOriginalRes=bare))["original"].resource.version == "-10"
    found = records.asset_of("P", asset(), master(resOriginalRes=marked), parts(asset(), master()).values())
    assert found.resources
    assert checksum_of(parts(asset(), master(resOriginalRes=marked))["original"].resource.version) is None
    assert records.unproved_of(asset(), master(resOriginalRes=marked)) == ("original (no checksum)",)


def test_an_edited_film_is_no_picture() -> None:
    film = master(itemType=text("com.apple.quicktime-movie"), filenameEnc=encrypted(b"holiday.MOV"))
    edited = asset(resJPEGFullRes=file("poster"), resVidFullRes=file("cut"))

    found = parts(edited, film)

    assert found["edited"].resource.kind is Kind.VIDEO
    assert found["edited"].resource.name == "holiday-edited.MOV"
    assert found["edited"].resource.version.startswith("cut")


@pytest.mark.parametrize(
    ("own", "other", "roles"),
    [
        ("public.jpeg", "com.adobe.raw-image", {"original": Role.ORIGINAL, "raw": Role.RAW}),
        ("com.canon.cr2-raw-image", "public.jpeg", {"original": Role.RAW, "raw": Role.ORIGINAL}),
    ],
)
def test_of_a_raw_pair_the_developed_half_is_the_original(own: str, other: str, roles: dict[str, Role]) -> None:
    pair = master(itemType=text(own), resOriginalAltRes=file("twin"), resOriginalAltFileType=text(other))

    assert {word: part.resource.role for word, part in parts(asset(), pair).items()} == roles


def test_a_raw_without_a_twin_is_an_original() -> None:
    lone = parts(asset(), master(itemType=text("com.nikon.raw-image"), filenameEnc=encrypted(b"DSC_1.NEF")))

    assert lone["original"].resource.role is Role.ORIGINAL


def test_what_the_record_lacks_is_guessed_from_what_it_has() -> None:
    nameless = without(master(), "filename_enc")
    typeless = without(master(), "item_type")
    neither = without(master(filenameEnc=encrypted(b"scan0001")), "item_type")

    assert parts(asset(), nameless)["original"].resource.name == f"{NAME}.HEIC"
    assert parts(asset(), typeless)["original"].resource.kind is Kind.PICTURE
    assert parts(asset(), neither)["original"].resource.kind is None


def test_a_name_may_come_plain_and_never_holds_a_folder() -> None:
    assert parts(asset(), master(filenameEnc=text("a/b.JPG")))["original"].resource.name == "b.JPG"


def test_without_a_link_an_asset_is_incomplete() -> None:
    unlinked = master(resOriginalRes=file(url=None))
    found = tuple(parts(asset(), unlinked).values())

    assert not records.is_complete(asset(), found)
    assert records.asset_of("PrimarySync", asset(), unlinked, found).resources == ()


def test_a_live_photo_without_its_video_is_incomplete() -> None:
    live = asset(assetSubtypeV2=number(2))

    assert not records.is_complete(live, parts(live, master()).values())
    assert records.is_complete(asset(), parts(asset(), master()).values())


def test_what_the_person_says_of_it() -> None:
    place = {"lat": 48.85, "lon": 2.35, "alt": 35.5, "horzAcc": 5.0, "vertAcc": 3.0}
    told = asset(
        isFavorite=number(1), isHidden=number(0), timeZoneOffset=number(25200), addedDate=number(5),
        captionEnc=encrypted("Café".encode()), extendedDescEnc=encrypted(b"With cream"), burstId=text("B1"),
        keywordsEnc=encrypted(plistlib.dumps(["sea", "sun"], fmt=plistlib.FMT_BINARY)),
        locationEnc=encrypted(plistlib.dumps(place, fmt=plistlib.FMT_BINARY)),
        contributors={"value": [{"recordName": "_anna", "action": "NONE"}], "type": "REFERENCE_LIST"},
    )  # fmt: skip

    said = records.said_of(told, master())

    assert said.is_favorite
    assert not said.is_hidden
    assert (said.title, said.caption, said.keywords) == ("Café", "With cream", ("sea", "sun"))
    assert said.place == Place(latitude=48.85, longitude=2.35, altitude_m=35.5)
    assert (said.taken_at_ms, said.offset_min, said.added_at_ms) == (1533021744816, 420, 5)
    assert (said.burst_id, said.contributors, said.content_id) == ("B1", ("_anna",), CHECKSUM)


@pytest.mark.parametrize(
    "raw",
    [b"", b"bplist00", b"bplist00" + b"\xff" * 40, b"<plist/>", b"bplist00" + b"\0" * 40_000,
     plistlib.dumps({"lat": "north", "lon": 1}, fmt=plistlib.FMT_BINARY),
     plistlib.dumps({"lat": 91.0, "lon": 1.0}, fmt=plistlib.FMT_BINARY)],
)  # fmt: skip
def test_a_broken_place_is_no_place(raw: bytes) -> None:
    assert records.said_of(asset(locationEnc=encrypted(raw)), master()).place is None


@pytest.mark.parametrize(
    ("fields", "is_shared", "turn"),
    [
        ({}, False, Turn.RESTORED),
        ({"isDeleted": number(None)}, False, Turn.RESTORED),
        ({"isDeleted": number(1)}, False, Turn.TRASHED),
        ({"isDeleted": number(1), "trashReason": number(1)}, True, Turn.TRASHED),
        ({"isDeleted": number(1)}, True, Turn.MOVED),
        ({"isDeleted": number(1), "isExpunged": number(1), "trashReason": number(0)}, False, Turn.MOVED),
        ({"isExpunged": number(1)}, False, Turn.PURGED),
    ],
)
def test_an_assets_turn(fields: dict[str, Any], is_shared: bool, turn: Turn) -> None:
    assert records.turn_of(asset(**fields), is_shared=is_shared) is turn


def test_a_record_nobody_can_read_costs_only_itself() -> None:
    good = msgspec.json.encode({"recordName": "a", "recordType": "CPLAsset", "fields": {}})
    bad = msgspec.json.encode({"recordName": "b", "fields": {"assetDate": {"value": "yesterday"}}})  # of no type

    found, unreadable = read_records([msgspec.Raw(good), msgspec.Raw(bad), msgspec.Raw(b'{"fields":3}')])

    assert [each.record_name for each in found] == ["a"]
    assert unreadable == ("b", "?")
