"""A zone's rows, written as Apple writes CPLMaster, CPLAsset, CPLAlbum and the rest."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import assert_never

import msgspec

from mediabox.simulate.icloud import blob, fields
from mediabox.simulate.icloud.fields import Fields, number, text, time
from mediabox.simulate.icloud.lives import DAY_S
from mediabox.simulate.icloud.photos import Album, AlbumKind, Asset, Master, Note, Part, Relation, Row
from mediabox.simulate.icloud.type_identifiers import is_movie
from mediabox.simulate.icloud.wire import Answered, AssetValue, Audit, Field, Record, Reference, Tombstone, ZoneID
from mediabox.simulate.icloud.zone import Gone, Zone

Link = Callable[[blob.Blob], str]  # to a blob's bytes, good for an hour

_TAG_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TRASH_EXPIRY_S = 40 * DAY_S  # `expirationTime` of a trashed record: modified + 40 d (pyicloud's fixtures)
ROOT = "----Root-Folder----"
# Every picture's small copies on the server. The same grey square: no client of ours reads them.
SQUARE = blob.of_bytes(
    base64.b64decode(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCN"
        "l4x9lnN+gXz/wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/ALAf/9k="
    )
)
_SMALL = Part(blob=SQUARE, type="public.jpeg", width=16, height=16)
_FILM = "com.apple.quicktime-movie"


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

    def root(self) -> Record:
        """The folder all albums are in: it has no name, and changes never."""
        album = Album(name=ROOT, title="", kind=AlbumKind.FOLDER)
        record = self._record(album, change_tag(0))
        return msgspec.structs.replace(record, fields={k: v for k, v in record.fields.items() if k != "albumNameEnc"})

    def _record(self, row: Row, tag: str) -> Record:
        match row:
            case Master():
                kind, given, at_ms = "CPLMaster", self._master(row), row.added_ms
            case Asset():
                kind, given, at_ms = "CPLAsset", self._asset(row), row.trashed_ms or row.added_ms
            case Album():
                kind, given, at_ms = "CPLAlbum", fields.album(row), row.modified_ms
            case Relation():
                kind, given, at_ms = "CPLContainerRelation", fields.relation(row), row.modified_ms
            case Note():
                kind, given, at_ms = row.record_type, self._note(row), row.modified_ms
            case _:
                assert_never(row)
        audit = Audit(timestamp=at_ms, user_record_name=self._zone.owner)
        trashed_ms = row.trashed_ms if isinstance(row, Asset | Master) else None
        return Record(
            record_name=row.name,
            record_type=kind,
            fields=self._wanted(given),
            plugin_fields={},
            record_change_tag=tag,
            created=audit,
            modified=audit,
            deleted=False,
            zone_id=self._id,
            expiration_time=None if trashed_ms is None else trashed_ms // 1000 + _TRASH_EXPIRY_S,
        )

    def _wanted(self, given: Fields) -> Fields:
        if self._desired is None:
            return given
        return {name: field for name, field in given.items() if name in self._desired}

    def _master(self, row: Master) -> Fields:
        given = {
            "itemType": text(row.original.type),
            "filenameEnc": fields.encrypted(row.file_name.encode()),
            "dataClassType": number(1),
            "originalOrientation": number(row.orientation),
            "recordModificationDate": time(row.trashed_ms or row.added_ms),
            **fields.imported(row.name, at_ms=row.added_ms),
            **self._resource("resOriginal", row.original, row.omitted),
            **self._small("resJPEGMed", "resJPEGThumb", part=_SMALL, omitted=row.omitted),
        }
        film = row.original if is_movie(row.original.type) else row.live
        if film is not None:
            given |= self._small("resVidMed", "resVidSmall", part=film, omitted=row.omitted)
        if row.alternative is not None:
            given |= self._resource("resOriginalAlt", row.alternative, row.omitted)
        if row.live is not None:
            given |= self._resource("resOriginalVidCompl", row.live, row.omitted)
        if row.trashed_ms is not None:
            given |= {"isDeleted": number(1), **fields.expunged(row.trashed_ms)}
        if row.contributor is not None:
            given["contributors"] = fields.people(row.contributor, self._id)
        return _without(given, row.omitted)

    def _asset(self, row: Asset) -> Fields:
        reference = Reference(record_name=row.master, action="DELETE_SELF", zone_id=self._id)
        given = {
            "masterRef": Field(reference, "REFERENCE"),
            "assetDate": time(row.taken_ms),
            "addedDate": time(row.added_ms),
            "mostRecentAddedDate": time(row.added_ms),
            "recordModificationDate": time(row.trashed_ms or row.added_ms),
            "timeZoneOffset": number(row.offset_s),
            "timeZoneNameEnc": fields.encrypted(_zone_name(row.offset_s).encode()),
            "isFavorite": number(int(row.is_favorite)),
            "isHidden": number(int(row.is_hidden)),
            "isExpunged": number(int(row.is_moved)),
            "assetSubtype": number(0),
            "assetSubtypeV2": number(row.subtype),
            "assetHDRType": number(0),
            "customRenderedValue": number(0),
            "orientation": number(1),
            "originalChoice": number(0),
            "duration": number(round(row.duration_s or 0)),
            "burstFlags": number(0),
            "burstFlagsExt": number(0),
            "adjustmentRenderType": number(0),
            **fields.live(row),
            **fields.burst(row.burst),
            **fields.described(row, self._id),
            **fields.trash(row),
            **self._edit(row),
        }
        return _without(given, row.omitted)

    def _edit(self, row: Asset) -> Fields:
        """What editing made of it. A Live Photo's clip stands as `resVidCompl*` (kei #713, #714: 18 of 18)."""
        if row.edited is None:
            return {}
        prefix = "resVidFull" if is_movie(row.edited.type) else "resJPEGFull"
        given = self._resource(prefix, row.edited, row.omitted) | fields.adjustment(row)
        given |= self._small("resJPEGMed", "resJPEGThumb", part=_SMALL, omitted=row.omitted)
        if row.edited_live is not None:
            given |= self._resource("resVidCompl", row.edited_live, row.omitted)
        return given

    def _small(self, *prefixes: str, part: Part, omitted: tuple[str, ...]) -> Fields:
        """Smaller copies. Their bytes are never asked for here, so they may be any."""
        small = part if part is _SMALL else Part(blob=SQUARE, type=_FILM, width=16, height=16)
        return {name: field for prefix in prefixes for name, field in self._resource(prefix, small, omitted).items()}

    def _resource(self, prefix: str, part: Part, omitted: tuple[str, ...]) -> Fields:
        signature = part.blob.signature
        return {
            **self._link_to(f"{prefix}Res", part, omitted),
            f"{prefix}FileType": text(part.type),
            f"{prefix}FileSize": number(part.blob.size_bytes),
            f"{prefix}Fingerprint": text(signature),
            f"{prefix}Width": number(part.width),
            f"{prefix}Height": number(part.height),
        }

    def _link_to(self, name: str, part: Part, omitted: tuple[str, ...]) -> Fields:
        """Where the bytes are: the dearest part of a page, so only if it is asked for."""
        if self._desired is not None and name not in self._desired:
            return {}
        signature = part.blob.signature
        value = AssetValue(
            file_checksum=signature,
            size=part.blob.size_bytes,
            wrapping_key=blob.wrapping_key_of(signature),
            reference_checksum=blob.reference_of(signature),
            download_url=None if f"{name}.downloadURL" in omitted else self._link(part.blob),
        )
        return {name: Field(value, "ASSETID")}

    def _note(self, row: Note) -> Fields:
        if row.record_type != "CPLLibraryInfo":
            return {
                name: number(value) if isinstance(value, int) else text(value) for name, value in row.fields.items()
            }
        trashed = len(self._zone.trashed())
        albums = len(self._zone.albums())
        return {
            "photosCount": number(self._zone.size - trashed),
            "albumsCount": number(albums),
            "libraryInfoVersion": number(1),
        }


def change_tag(sequence: int) -> str:
    """As on the wire: a few digits of base 36 that grow (`49lh`)."""
    digits = ""
    while sequence or not digits:
        sequence, digit = divmod(sequence, 36)
        digits = _TAG_DIGITS[digit] + digits
    return digits


def _zone_name(offset_s: int) -> str:
    """As a phone names a zone it knows no place of."""
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"GMT{'-' if offset_s < 0 else '+'}{hours:02}{minutes:02}"


def _without(given: Fields, omitted: tuple[str, ...]) -> Fields:
    return {name: field for name, field in given.items() if name not in omitted} if omitted else given
