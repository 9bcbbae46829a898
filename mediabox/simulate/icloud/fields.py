"""Single fields of a record, typed as CloudKit types them, and the groups of fields several records share."""

from __future__ import annotations

import base64
import json
import plistlib
import zlib

from mediabox.model.place import Place
from mediabox.simulate.icloud.lives import DAY_S
from mediabox.simulate.icloud.photos import Album, Asset, Burst, Relation
from mediabox.simulate.icloud.wire import Field, Reference, ZoneID

Fields = dict[str, Field]

_TRASH_MS = 30 * DAY_S * 1000  # `dateExpunged`
_COORDINATES = ("lat", "lon", "alt")
_UNKNOWN_PLACE = {"horzAcc": 0.0, "vertAcc": 0.0, "speed": 0.0, "course": 0.0}
_BURST_PICK, _BURST_MEMBER = 12, 2  # PHAssetBurst selection types as flags
_RENDER_TYPE = 19968
_NANOSECONDS = 1_000_000_000


def number(value: int) -> Field:
    return Field(value, "INT64")


def text(value: str) -> Field:
    return Field(value, "STRING")


def time(value_ms: int) -> Field:
    return Field(value_ms, "TIMESTAMP")


def encrypted(value: bytes) -> Field:
    return Field(base64.b64encode(value).decode(), "ENCRYPTED_BYTES")


def people(name: str, zone: ZoneID) -> Field:
    return Field([Reference(record_name=name, action="NONE", zone_id=zone)], "REFERENCE_LIST")


def imported(by: str, *, at_ms: int) -> Fields:
    """Who brought an original (names: 3 records of 2026 in pyicloud's fixtures)."""
    return {
        "importedBy": number(3),
        "importedByBundleIdentifierEnc": encrypted(b"com.apple.camera"),
        "importedByDisplayNameEnc": encrypted(b"Camera"),
        "importGroupId": text(by),
        "importDate": time(at_ms),
        "originalCreationDate": time(at_ms),
        "fullSizeJPEGSource": number(0),
        "videoFrameRate": number(0),
        "mediaMetaDataType": text("CPLMediaMetaData"),
        "mediaMetaDataEnc": encrypted(plistlib.dumps({}, fmt=plistlib.FMT_BINARY)),
    }


def live(row: Asset) -> Fields:
    """Zeros on what is no Live Photo: the names are on all but one of 2,014 recorded assets."""
    still_ns = round((row.duration_s or 2.4) / 2 * _NANOSECONDS) if row.subtype == 2 else 0
    scale = _NANOSECONDS if still_ns else 0
    return {
        "vidComplDurValue": number(2 * still_ns),
        "vidComplDurScale": number(scale),
        "vidComplDispValue": number(still_ns),
        "vidComplDispScale": number(scale),
        "vidComplVisibilityState": number(0),
    }


def burst(of: Burst | None) -> Fields:
    if of is None:
        return {}
    return {"burstId": text(of.id), "burstFlags": number(_BURST_PICK if of.is_pick else _BURST_MEMBER)}


def described(row: Asset, zone: ZoneID) -> Fields:
    fields: Fields = {}
    if row.place is not None:
        fields["locationEnc"] = encrypted(location(row.place, taken_ms=row.taken_ms))
    if row.title is not None:
        fields["captionEnc"] = encrypted(row.title.encode())
    if row.caption is not None:
        fields["extendedDescEnc"] = encrypted(row.caption.encode())
    if row.keywords:
        fields["keywordsEnc"] = encrypted(plistlib.dumps(list(row.keywords), fmt=plistlib.FMT_BINARY))
    if row.contributor is not None:
        fields["contributors"] = people(row.contributor, zone)
    return fields


def location(place: Place, *, taken_ms: int) -> bytes:
    """The binary property list in `locationEnc`."""
    values = (place.latitude, place.longitude, place.altitude_m or 0.0)
    at = {key: float(value) for key, value in zip(_COORDINATES, values, strict=True)}
    return plistlib.dumps({**at, **_UNKNOWN_PLACE, "timestamp": taken_ms / 1000}, fmt=plistlib.FMT_BINARY)


def expunged(trashed_ms: int) -> Fields:
    """When a trashed record goes for good."""
    return {"dateExpunged": time(trashed_ms + _TRASH_MS)}


def trash(row: Asset) -> Fields:
    if row.trashed_ms is None:
        return {}
    fields = {"isDeleted": number(1), "trashReason": number(row.trash_reason or 0)}
    if not row.is_moved:
        fields |= expunged(row.trashed_ms)
    if row.deleted_by is not None:
        fields["deletedBy"] = Field(Reference(record_name=row.deleted_by, action="NONE"), "REFERENCE")
    return fields


def adjustment(row: Asset) -> Fields:
    """What the editor noted: its own property list where we have one, else raw-deflated JSON."""
    return {
        "adjustmentType": text("com.apple.photo"),
        "adjustmentCreatorCode": text("com.apple.mobileslideshow"),
        "adjustmentCompoundVersion": text("1.9.1"),
        "adjustmentRenderType": number(_RENDER_TYPE),
        "adjustmentSourceType": number(0),
        "adjustmentSimpleDataEnc": encrypted(row.adjustment or _deflated({"adjustments": [], "formatVersion": "1.0"})),
    }


def _deflated(note: dict[str, object]) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(json.dumps(note).encode()) + packer.flush()


def album(row: Album) -> Fields:
    fields = {
        "albumNameEnc": encrypted(row.title.encode()),
        "albumType": number(row.kind),
        "position": number(row.position),
        "sortAscending": number(1),
        "sortType": number(0),
        "sortTypeExt": number(0),
        "recordModificationDate": time(row.modified_ms),
    }
    if row.parent is not None:
        fields["parentId"] = text(row.parent)
    if row.is_deleted:
        fields["isDeleted"] = number(1)
    return fields


def relation(row: Relation) -> Fields:
    return {
        "containerId": text(row.album),
        "itemId": text(row.asset),
        "isKeyAsset": number(0),
        "position": number(row.position),
        "recordModificationDate": time(row.modified_ms),
    }
