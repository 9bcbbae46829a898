"""Answers with an odd field in them: it costs that field, and nothing beside it.

The whole records have the shape of icloudpd's recordings; the oddities are those kei documents (null, boolean,
numbers as text), icloudpd's own faulty recordings (names that are no Base64, files without a type or a link), and
what JSON lets through (half an emoji).
"""

import base64
from typing import Any

import msgspec
import pytest

from mediabox.model.asset import Turn
from mediabox.sources.icloud import records, tolerant
from mediabox.sources.icloud.answers import (
    ChangesAnswer,
    DatabaseAnswer,
    Record,
    RecordsAnswer,
    Trouble,
    read_records,
)

CHECKSUM = "AY6c+BsE0jjaXx9tmVGJM1D2VcEO"
NAME = "F2A23C38-0020-42FE-A273-2923ADE3CAED"
STORED = {
    "fileChecksum": CHECKSUM,
    "size": 10,
    "wrappingKey": "k",
    "referenceChecksum": "r",
    "downloadURL": "https://x",
}
ODD: list[Any] = [None, True, 17, 1.5, "", "x", [], {}, [None], {"value": {}}]


def pair() -> tuple[dict[str, Any], dict[str, Any]]:
    """An asset and its master, as JSON has them."""
    zone = {"zoneName": "PrimarySync", "ownerRecordName": "_o", "zoneType": "REGULAR_CUSTOM_ZONE"}
    stamp = {"timestamp": 1_700_000_000_000, "userRecordName": "_u", "deviceID": "1"}
    common = {"recordChangeTag": "49lh", "pluginFields": {}, "created": stamp, "modified": stamp, "deleted": False,
              "zoneID": zone}  # fmt: skip
    asset = {
        "masterRef": {"value": {"recordName": CHECKSUM, "action": "DELETE_SELF", "zoneID": zone}, "type": "REFERENCE"},
        "assetDate": {"value": 1533021744816, "type": "TIMESTAMP"},
        "addedDate": {"value": 1533021744817, "type": "TIMESTAMP"},
        "timeZoneOffset": {"value": 25200, "type": "INT64"},
        "isFavorite": {"value": 1, "type": "INT64"},
        "isHidden": {"value": 0, "type": "INT64"},
        "assetSubtypeV2": {"value": 0, "type": "INT64"},
        "captionEnc": {"value": base64.b64encode(b"The sea").decode(), "type": "ENCRYPTED_BYTES"},
        "burstId": {"value": "B1", "type": "STRING"},
        "contributors": {"value": [{"recordName": "_anna"}], "type": "REFERENCE_LIST"},
    }
    master = {
        "itemType": {"value": "public.jpeg", "type": "STRING"},
        "filenameEnc": {"value": base64.b64encode(b"IMG_7409.JPG").decode(), "type": "ENCRYPTED_BYTES"},
        "resOriginalFileType": {"value": "public.jpeg", "type": "STRING"},
        "resOriginalRes": {"value": STORED, "type": "ASSETID"},
    }
    return (
        {"recordName": NAME, "recordType": "CPLAsset", "fields": asset, **common},
        {"recordName": CHECKSUM, "recordType": "CPLMaster", "fields": master, **common},
    )


def read(*raws: Any) -> tuple[Record, ...]:
    found, unreadable = read_records([msgspec.Raw(msgspec.json.encode(raw)) for raw in raws])
    assert unreadable == ()
    return found


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("as_value", [False, True], ids=["field", "value"])
@pytest.mark.parametrize("of_master", [False, True], ids=["asset", "master"])
def test_whatever_field_is_odd_the_photo_is_there_with_all_the_others(
    odd: Any, as_value: bool, of_master: bool
) -> None:
    whole_asset, whole_master = read(*pair())
    whole = records.said_of(whole_asset, whole_master)
    for name in pair()[of_master]["fields"]:
        raws = pair()
        fields = raws[of_master]["fields"]
        fields[name] = {**fields[name], "value": odd} if as_value else odd

        asset, master = read(*raws)

        said = records.said_of(asset, master)
        parts = records.parts_of("PrimarySync", asset, master)
        assert (asset.record_name, asset.record_change_tag) == (NAME, "49lh")
        if name != "resOriginalRes":
            assert [part.url for part in parts if part.resource.remote_id.endswith("/original")] == ["https://x"]
            assert parts[0].resource.version == f"{CHECKSUM}-10"
        differing = [each for each in said.__struct_fields__ if getattr(said, each) != getattr(whole, each)]
        assert len(differing) <= 1, (name, differing)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", list(STORED))
def test_whatever_is_odd_about_a_file_the_rest_of_it_stays(odd: Any, name: str) -> None:
    raws = pair()
    raws[1]["fields"]["resOriginalRes"] = {"value": {**STORED, name: odd}, "type": "ASSETID"}

    asset, master = read(*raws)

    (part,) = records.parts_of("PrimarySync", asset, master)
    if name != "downloadURL":
        assert part.url == "https://x"
    if name not in ("fileChecksum", "size"):
        assert part.resource.version == f"{CHECKSUM}-10"


def test_a_number_may_come_as_text_or_as_yes_and_no() -> None:
    raws = pair()
    raws[0]["fields"] |= {
        "assetDate": {"value": "1533021744816"},
        "isHidden": {"value": True, "type": "INT64"},
        "isFavorite": {"value": "0"},
        "timeZoneOffset": {"value": 25200.0},
    }
    raws[1]["fields"]["resOriginalRes"] = {"value": {**STORED, "size": "10"}}

    asset, master = read(*raws)
    said = records.said_of(asset, master)

    assert (said.taken_at_ms, said.is_hidden, said.is_favorite, said.offset_min) == (1533021744816, True, False, 420)
    assert records.parts_of("PrimarySync", asset, master)[0].resource.size_bytes == 10


@pytest.mark.parametrize(
    ("value", "turn"),
    [
        (True, Turn.TRASHED), ("1", Turn.TRASHED), (1, Turn.TRASHED),
        (False, Turn.RESTORED), ("0", Turn.RESTORED), (None, Turn.RESTORED),
    ],
)  # fmt: skip
def test_a_deletion_is_one_however_it_is_written(value: Any, turn: Turn) -> None:
    raws = pair()
    raws[0]["fields"]["isDeleted"] = {"value": value, "type": "INT64"}

    assert records.turn_of(read(raws[0])[0], is_shared=False) is turn


@pytest.mark.parametrize("name", ["=IMG_7409", "SU1HXz/A0=OTMuSlBH", "****"])
def test_a_name_that_is_no_base64_is_no_name(name: str) -> None:
    raws = pair()
    raws[1]["fields"]["filenameEnc"] = {"value": name, "type": "ENCRYPTED_BYTES"}

    asset, master = read(*raws)

    assert records.name_of(asset, master) == f"{NAME}.JPG"


@pytest.mark.parametrize("number", ["1e400", "1e300", "9" * 40])
def test_a_number_no_clock_reaches_is_none(number: str) -> None:
    raw = msgspec.json.encode(pair()[0]).replace(b"1533021744816", number.encode())
    found, _ = read_records([msgspec.Raw(raw)])

    assert records.said_of(found[0], read(pair()[1])[0]).taken_at_ms is None


@pytest.mark.parametrize("where", ["modified", "recordChangeTag", "fields", "deleted", "pluginFields", "zoneID"])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_the_frame_of_a_record_may_be_odd_as_well(where: str, odd: Any) -> None:
    raw = {**pair()[0], where: odd}

    (asset,) = read(raw)

    assert asset.record_name == NAME


def test_half_an_emoji_costs_a_sign_and_not_the_page() -> None:
    raws = pair()
    raws[0]["fields"]["burstId"]["value"] = "B@1"
    page = msgspec.json.encode({"records": raws, "syncToken": "t"}).replace(b"B@1", b"B\\ud83d1")

    answer = tolerant.decode(page, RecordsAnswer)
    found, unreadable = read_records(answer.records)

    assert unreadable == ()
    assert [record.record_name for record in found] == [NAME, CHECKSUM]
    assert answer.sync_token == "t"


def test_an_odd_frame_of_an_answer_keeps_what_it_says() -> None:
    zone = {"zoneName": "PrimarySync", "ownerRecordName": 7}
    found = tolerant.decode(
        msgspec.json.encode({"zones": [{"zoneID": zone, "deleted": 0}, {"zoneID": None}, 5], "moreComing": "false",
                             "syncToken": "t"}),
        DatabaseAnswer,
    )  # fmt: skip
    changes = tolerant.decode(
        b'{"zones":[{"records":null,"syncToken":"s","moreComing":1,"retryAfter":"30"}]}', ChangesAnswer
    )
    trouble = tolerant.decode(b'{"serverErrorCode":"THROTTLED","reason":null,"retryAfter":"30"}', Trouble)

    assert [each.zone_id.zone_name for each in found.zones] == ["PrimarySync"]
    assert (found.more_coming, found.sync_token) == (False, "t")
    assert (changes.zones[0].records, changes.zones[0].more_coming, changes.zones[0].retry_after) == ([], True, 30.0)
    assert (trouble.server_error_code, trouble.retry_after) == ("THROTTLED", 30.0)


@pytest.mark.parametrize("page", [b"", b"[", b"\xff\xfe", b"<html>", b"[1]", b"7"])
def test_what_is_no_answer_is_said_to_be_none(page: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        tolerant.decode(page, RecordsAnswer)
