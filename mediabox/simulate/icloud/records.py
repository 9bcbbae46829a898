"""A zone's rows, written as Apple writes CPLMaster, CPLAsset, CPLAlbum and the rest."""

from __future__ import annotations

import base64
import json
import plistlib
import zlib
from collections.abc import Callable, Sequence
from typing import assert_never

from mediabox.model.facts import Place
from mediabox.simulate.icloud import blob
from mediabox.simulate.icloud.lives import DAY_S
from mediabox.simulate.icloud.photos import Album, Asset, Burst, Master, Note, Part, Relation, Row
from mediabox.simulate.icloud.type_identifiers import is_movie
from mediabox.simulate.icloud.wire import Answered, AssetValue, Audit, Field, Record, Reference, Tombstone, ZoneID
from mediabox.simulate.icloud.zone import Gone, Zone

Link = Callable[[blob.Blob], str]  # to a blob's bytes, good for an hour

_TAG_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TRASH_EXPIRY_S = 40 * DAY_S  # `expirationTime` of a trashed record: modified + 40 d (pyicloud's fixtures)
_TRASH_MS = 30 * DAY_S * 1000  # `dateExpunged`
_COORDINATES = ("lat", "lon", "alt")
_UNKNOWN_PLACE = {"horzAcc": 0.0, "vertAcc": 0.0, "speed": 0.0, "course": 0.0}
_BURST_PICK, _BURST_MEMBER = 12, 2  # PHAssetBurst selection types as flags
_RENDER_TYPE = 19968
# Every picture's small copies on the server. The same grey square: no client of ours reads them.
SQUARE = blob.of_bytes(
    base64.b64decode(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCN"
        "l4x9lnN+gXz/wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/ALAf/9k="
    )
)
_SMALL = Part(blob=SQUARE, type="public.jpeg", width=16, height=16)


class Writer:
    """Writes the records of one answer: links carry the answer's id, so each answer has a writer of its own."""

    def __init__(self, zone: Zone, *, link: Link, desired: Sequence[str] | None = None) -> None:
        self._zone = zone
        self._link = link
        self._desired = None if desired is None else frozenset(desired)
        self._id = ZoneID(zone_name=zone.name, owner_record_name=zone.owner, zone_type="REGULAR_CUSTOM_ZONE")

    def write(self, name: str) -> Answered | None:
        """The record of this name as it is now, or its tombstone. None when there never was one."""
        row = self._zone.get(name)
        if row is None:
            return None
        tag = change_tag(self._zone.sequence(name))
        if isinstance(row, Gone):
            return Tombstone(record_name=name, record_change_tag=tag, zone_id=self._id)
        return self._record(row, tag)

    def _record(self, row: Row, tag: str) -> Record:
        match row:
            case Master():
                kind, fields, at_ms = "CPLMaster", self._master(row), row.added_ms
            case Asset():
                kind, fields, at_ms = "CPLAsset", self._asset(row), row.trashed_ms or row.added_ms
            case Album():
                kind, fields, at_ms = "CPLAlbum", _album(row), row.modified_ms
            case Relation():
                kind, fields, at_ms = "CPLContainerRelation", _relation(row), row.modified_ms
            case Note():
                kind, fields, at_ms = row.record_type, self._note(row), row.modified_ms
            case _:
                assert_never(row)
        audit = Audit(timestamp=at_ms, user_record_name=self._zone.owner)
        trashed_ms = row.trashed_ms if isinstance(row, Asset) else None
        return Record(
            record_name=row.name,
            record_type=kind,
            fields=self._wanted(fields),
            plugin_fields={},
            record_change_tag=tag,
            created=audit,
            modified=audit,
            deleted=False,
            zone_id=self._id,
            expiration_time=None if trashed_ms is None else trashed_ms // 1000 + _TRASH_EXPIRY_S,
        )

    def _wanted(self, fields: dict[str, Field]) -> dict[str, Field]:
        if self._desired is None:
            return fields
        return {name: field for name, field in fields.items() if name in self._desired}

    def _master(self, row: Master) -> dict[str, Field]:
        fields = {
            "itemType": _text(row.original.type),
            "filenameEnc": _encrypted(row.file_name.encode()),
            "dataClassType": _number(1),
            "originalOrientation": _number(row.orientation),
            **self._resource("resOriginal", row.original, row.omitted),
            **self._resource("resJPEGMed", _SMALL, row.omitted),
            **self._resource("resJPEGThumb", _SMALL, row.omitted),
        }
        if row.alternative is not None:
            fields |= self._resource("resOriginalAlt", row.alternative, row.omitted)
        if row.live is not None:
            fields |= self._resource("resOriginalVidCompl", row.live, row.omitted)
        if row.is_trashed:
            fields["isDeleted"] = _number(1)
        if row.contributor is not None:
            fields["contributors"] = _people(row.contributor)
        return _without(fields, row.omitted)

    def _asset(self, row: Asset) -> dict[str, Field]:
        reference = Reference(record_name=row.master, action="DELETE_SELF", zone_id=self._id)
        fields = {
            "masterRef": Field(reference, "REFERENCE"),
            "assetDate": _time(row.taken_ms),
            "addedDate": _time(row.added_ms),
            "timeZoneOffset": _number(row.offset_s),
            "isFavorite": _number(int(row.is_favorite)),
            "isHidden": _number(int(row.is_hidden)),
            "isExpunged": _number(int(row.is_moved)),
            "assetSubtype": _number(0),
            "assetSubtypeV2": _number(row.subtype),
            "assetHDRType": _number(0),
            "orientation": _number(1),
            "duration": _number(round(row.duration_s or 0)),
            "burstFlags": _number(0),
            "burstFlagsExt": _number(0),
            "adjustmentRenderType": _number(0),
            **_live(row),
            **_burst(row.burst),
            **_described(row),
            **_trash(row),
        }
        if row.edited is not None:
            prefix = "resVidFull" if is_movie(row.edited.type) else "resJPEGFull"
            fields |= self._resource(prefix, row.edited, row.omitted) | _adjustment(row)
        if row.edited_live is not None:
            fields |= self._resource("resVidFull", row.edited_live, row.omitted)
        return _without(fields, row.omitted)

    def _resource(self, prefix: str, part: Part, omitted: tuple[str, ...]) -> dict[str, Field]:
        signature = part.blob.signature
        is_linked = f"{prefix}Res.downloadURL" not in omitted
        value = AssetValue(
            file_checksum=signature,
            size=part.blob.size_bytes,
            wrapping_key=blob.wrapping_key_of(signature),
            reference_checksum=blob.reference_of(signature),
            download_url=self._link(part.blob) if is_linked else None,
        )
        return {
            f"{prefix}Res": Field(value, "ASSETID"),
            f"{prefix}FileType": _text(part.type),
            f"{prefix}Fingerprint": _text(signature),
            f"{prefix}Width": _number(part.width),
            f"{prefix}Height": _number(part.height),
        }

    def _note(self, row: Note) -> dict[str, Field]:
        if row.record_type != "CPLLibraryInfo":
            return {
                name: _number(value) if isinstance(value, int) else _text(value) for name, value in row.fields.items()
            }
        trashed = len(self._zone.trashed())
        albums = len(self._zone.albums())
        return {
            "photosCount": _number(self._zone.size - trashed),
            "albumsCount": _number(albums),
            "libraryInfoVersion": _number(1),
        }


def change_tag(sequence: int) -> str:
    """As on the wire: a few digits of base 36 that grow (`49lh`)."""
    digits = ""
    while sequence or not digits:
        sequence, digit = divmod(sequence, 36)
        digits = _TAG_DIGITS[digit] + digits
    return digits


def location(place: Place, *, taken_ms: int) -> bytes:
    """The binary property list in `locationEnc`."""
    values = (place.latitude, place.longitude, place.altitude_m or 0.0)
    at = {key: float(value) for key, value in zip(_COORDINATES, values, strict=True)}
    return plistlib.dumps({**at, **_UNKNOWN_PLACE, "timestamp": taken_ms / 1000}, fmt=plistlib.FMT_BINARY)


def _live(row: Asset) -> dict[str, Field]:
    if row.subtype != 2:
        return {}
    still_ns = round((row.duration_s or 2.4) / 2 * 1_000_000_000)
    return {
        "vidComplDurValue": _number(2 * still_ns),
        "vidComplDurScale": _number(1_000_000_000),
        "vidComplDispValue": _number(still_ns),
        "vidComplDispScale": _number(1_000_000_000),
        "vidComplVisibilityState": _number(2),
    }


def _burst(burst: Burst | None) -> dict[str, Field]:
    if burst is None:
        return {}
    return {"burstId": _text(burst.id), "burstFlags": _number(_BURST_PICK if burst.is_pick else _BURST_MEMBER)}


def _described(row: Asset) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    if row.place is not None:
        fields["locationEnc"] = _encrypted(location(row.place, taken_ms=row.taken_ms))
    if row.title is not None:
        fields["captionEnc"] = _encrypted(row.title.encode())
    if row.caption is not None:
        fields["extendedDescEnc"] = _encrypted(row.caption.encode())
    if row.keywords:
        fields["keywordsEnc"] = _encrypted(plistlib.dumps(list(row.keywords), fmt=plistlib.FMT_BINARY))
    if row.contributor is not None:
        fields["contributors"] = _people(row.contributor)
    return fields


def _trash(row: Asset) -> dict[str, Field]:
    if row.trashed_ms is None:
        return {}
    fields = {"isDeleted": _number(1), "trashReason": _number(row.trash_reason or 0)}
    if not row.is_moved:
        fields["dateExpunged"] = _time(row.trashed_ms + _TRASH_MS)
    if row.deleted_by is not None:
        fields["deletedBy"] = Field(Reference(record_name=row.deleted_by, action="NONE"), "REFERENCE")
    return fields


def _adjustment(row: Asset) -> dict[str, Field]:
    """What the editor noted: its own property list where we have one, else raw-deflated JSON."""
    return {
        "adjustmentType": _text("com.apple.photo"),
        "adjustmentCreatorCode": _text("com.apple.mobileslideshow"),
        "adjustmentCompoundVersion": _text("1.9.1"),
        "adjustmentRenderType": _number(_RENDER_TYPE),
        "adjustmentSimpleDataEnc": _encrypted(row.adjustment or _deflated({"adjustments": [], "formatVersion": "1.0"})),
        "customRenderedValue": _number(10),
    }


def _deflated(note: dict[str, object]) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(json.dumps(note).encode()) + packer.flush()


def _album(row: Album) -> dict[str, Field]:
    fields = {
        "albumNameEnc": _encrypted(row.title.encode()),
        "albumType": _number(row.kind),
        "position": _number(row.position),
        "sortAscending": _number(1),
        "sortType": _number(0),
        "recordModificationDate": _time(row.modified_ms),
    }
    if row.parent is not None:
        fields["parentId"] = _text(row.parent)
    if row.is_deleted:
        fields["isDeleted"] = _number(1)
    return fields


def _relation(row: Relation) -> dict[str, Field]:
    return {
        "containerId": _text(row.album),
        "itemId": _text(row.asset),
        "isKeyAsset": _number(0),
        "position": _number(row.position),
        "recordModificationDate": _time(row.modified_ms),
    }


def _without(fields: dict[str, Field], omitted: tuple[str, ...]) -> dict[str, Field]:
    return {name: field for name, field in fields.items() if name not in omitted} if omitted else fields


def _people(name: str) -> Field:
    return Field([Reference(record_name=name, action="NONE")], "REFERENCE_LIST")


def _number(value: int) -> Field:
    return Field(value, "INT64")


def _text(value: str) -> Field:
    return Field(value, "STRING")


def _time(value_ms: int) -> Field:
    return Field(value_ms, "TIMESTAMP")


def _encrypted(value: bytes) -> Field:
    return Field(base64.b64encode(value).decode(), "ENCRYPTED_BYTES")
