"""Whatever a field of a record or of an answer's frame holds, no page is lost and no value out of range gets in.

The fields are those of the recordings' shapes (`tests/simulate/shapes.json`) and those that are read.
"""

import base64
import json
import plistlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediabox.model.asset import Membership, RemoteAlbum
from mediabox.sources.icloud import albums, records, tolerant
from mediabox.sources.icloud.answers import ChangesAnswer, DatabaseAnswer, Fields, Record, RecordsAnswer, read_records
from mediabox.sources.icloud.sign_in.verdict import Seen, read_body, verdict

SHAPES = json.loads((Path(__file__).parents[2] / "simulate" / "shapes.json").read_text())
READ = {field.encode_name for field in msgspec.structs.fields(Fields)}
RECORDED = {path.split(".")[1] for kind in SHAPES["records"].values() for path in kind["paths"] if "fields." in path}
NAMES = sorted({name.removesuffix("[]") for name in READ | RECORDED})
KINDS = ["CPLAsset", "CPLMaster", "CPLAlbum", "CPLContainerRelation", "CheckIndexingState", None, "", 7]
SIZE_LIMIT = 2**53

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.sampled_from([0, 1, 2, 3, 6, 1e300, -1e300, -1, 2**63, 1533021744816, 25200]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["SU1HXzc0MDkuSlBH", "IMG_1.JPG", "1533021744816", "=", "a/b", "..", "\x00", "public.heic", "true",
                     base64.b64encode(plistlib.dumps({"lat": 1e9, "lon": 1}, fmt=plistlib.FMT_BINARY)).decode()]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["value", "type", "recordName", "fileChecksum", "size", "downloadURL", "referenceChecksum",
                             "zoneID", "zoneName", "timestamp"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)  # fmt: skip
fields = st.dictionaries(
    st.sampled_from(NAMES), st.one_of(values, st.fixed_dictionaries({"value": values})), max_size=12
)


def raw(name: Any, kind: Any, given_fields: Any, **more: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps({"recordName": name, "recordType": kind, "fields": given_fields, **more}).encode())


@settings(max_examples=120, deadline=None)
@given(of_asset=fields, of_master=fields, modified=values, tag=values, is_shared=st.booleans())
def test_an_asset_of_any_fields_is_read_and_all_of_it_can_be_stored(
    of_asset: Any, of_master: Any, modified: Any, tag: Any, is_shared: bool
) -> None:
    found, unreadable = read_records(
        [raw("A", "CPLAsset", of_asset, modified=modified, recordChangeTag=tag), raw("M", "CPLMaster", of_master)]
    )
    asset, master = found

    assert unreadable == ()
    change = records.change_of("P", asset, is_shared=is_shared, now_ms=7)
    said = records.said_of(asset, master)
    parts = records.parts_of("P", asset, master)
    whole = records.asset_of("P", asset, master, parts)
    records.is_complete(asset, parts)
    records.master_of(asset)
    assert abs(change.at_ms) < SIZE_LIMIT
    assert all(abs(number or 0) < SIZE_LIMIT for number in (said.taken_at_ms, said.added_at_ms, said.offset_min))
    for part in parts:
        assert part.resource.size_bytes is None or 0 <= part.resource.size_bytes < SIZE_LIMIT
        assert records.size_of_version(part.resource.version) == part.resource.size_bytes
        assert part.resource.name
        assert "/" not in part.resource.name
        assert part.url is None or part.url
    msgspec.json.encode(whole)


@settings(max_examples=60, deadline=None)
@given(given_fields=fields, kind=st.sampled_from(KINDS), name=st.one_of(st.just("A-IN-B"), values), deleted=values)
def test_a_record_of_any_kind_is_read_or_said_to_be_unreadable(
    given_fields: Any, kind: Any, name: Any, deleted: Any
) -> None:
    found, unreadable = read_records([raw(name, kind, given_fields, deleted=deleted)])

    assert len(found) + len(unreadable) == 1
    sorted_records = records.sort(found)
    for record in found:
        assert albums.album_of("P", record) is None or isinstance(albums.album_of("P", record), RemoteAlbum)
        assert all(isinstance(one, Membership) for one in albums.memberships_of("P", record, among=["S"]))
        assert isinstance(record, Record)
    assert len(sorted_records.assets) <= 1


@settings(max_examples=60, deadline=None)
@given(
    answer=st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(values, st.lists(values, max_size=3))
            for name in ("zones", "records", "syncToken", "moreComing", "continuationMarker", "serverErrorCode",
                         "reason", "retryAfter", "error")
        },
    )
)  # fmt: skip
@pytest.mark.parametrize("kind", [DatabaseAnswer, RecordsAnswer, ChangesAnswer])
def test_the_frame_of_an_answer_may_be_anything(kind: type, answer: Any) -> None:
    found = tolerant.decode(json.dumps(answer).encode(), kind)

    read_records(getattr(found, "records", []))
    for zone in getattr(found, "zones", []):
        read_records(getattr(zone, "records", []))


@settings(max_examples=60, deadline=None)
@given(
    body=st.dictionaries(
        st.sampled_from(["serviceErrors", "service_errors", "securityCode", "phoneNumberVerification", "domainToUse",
                         "termsUpdateNeeded", "dsInfo"]),
        values,
        max_size=5,
    ),
    status=st.sampled_from([200, 204, 302, 400, 401, 403, 404, 409, 412, 421, 429, 450, 500, 503]),
    step=st.sampled_from(["", "signin/init", "signin/complete", "verify/phone/securitycode", "accountLogin", "validate",
                          "verify/trusteddevice/securitycode", "2sv/trust", "repair/complete", "elsewhere"]),
    method=st.sampled_from(["GET", "POST", "PUT"]),
)  # fmt: skip
def test_what_the_sign_in_hosts_say_is_judged_whatever_its_shape(
    body: Any, status: int, step: str, method: str
) -> None:
    seen = Seen(method=method, step=step, status=status, headers={}, body=read_body(json.dumps(body).encode()))

    answer = verdict(seen)

    assert answer is None or type(answer).__struct_config__.tag
