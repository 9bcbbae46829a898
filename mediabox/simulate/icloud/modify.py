"""records/modify: what clients may change, with change tags compared first.

A tag that is not the record's own is CAS_OP_LOCK-like CONFLICT for `update`, ignored by the
`force…` operations. An atomic batch that fails anywhere changes nothing.
"""

from __future__ import annotations

import base64

import msgspec

from mediabox.simulate.icloud.faults import RecordRefused, What
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.photos import Album, Asset, Relation
from mediabox.simulate.icloud.records import Writer, change_tag
from mediabox.simulate.icloud.wire import Answered, ModifyRequest, Operation, Record, RecordError, Tombstone, ZoneID
from mediabox.simulate.icloud.zone import Gone, Zone


class Modifier:
    def __init__(self, library: Library, zone: Zone, writer: Writer) -> None:
        self._library = library
        self._zone = zone
        self._writer = writer

    def apply(self, given: ModifyRequest, fault: What | None) -> list[Answered]:
        """One answer for each operation, in order."""
        wrong = [self._refusal(operation) for operation in given.operations]
        if isinstance(fault, RecordRefused) and given.operations:
            name = given.operations[0].record.record_name
            wrong[0] = RecordError(record_name=name, server_error_code=fault.code, reason=fault.reason)
        if given.atomic and any(wrong):
            return [error or _atomic(each) for error, each in zip(wrong, given.operations, strict=True)]
        return [error or self._perform(each) for error, each in zip(wrong, given.operations, strict=True)]

    def _refusal(self, operation: Operation) -> RecordError | None:
        """Why CloudKit would not do this; None when it would."""
        record = operation.record
        row = self._zone.get(record.record_name)
        exists = row is not None and not isinstance(row, Gone)
        match operation.operation_type:
            case "create":
                if exists:
                    return self._error(operation, "EXISTS", "record to insert already exists")
                if record.record_type not in ("CPLAlbum", "CPLContainerRelation"):
                    return self._error(operation, "ACCESS_DENIED", f"{record.record_type} comes by upload only")
            case "update" | "replace" | "delete":
                if not exists:
                    return self._error(operation, "NOT_FOUND", "Record not found")
                if record.record_change_tag != change_tag(self._zone.sequence(record.record_name)):
                    return self._error(operation, "CONFLICT", "record to update has a different change tag")
            case "forceUpdate" | "forceReplace" | "forceDelete":
                if not exists:
                    return self._error(operation, "NOT_FOUND", "Record not found")
        return None

    def _error(self, operation: Operation, code: str, reason: str) -> RecordError:
        name = operation.record.record_name
        now = self._writer.write(name)
        server = now if isinstance(now, Record) and code == "CONFLICT" else None
        return RecordError(record_name=name, server_error_code=code, reason=reason, server_record=server)

    def _perform(self, operation: Operation) -> Answered:
        name = operation.record.record_name
        match operation.operation_type:
            case "create":
                self._create(operation)
            case "delete" | "forceDelete":
                self._delete(name)
            case "update" | "forceUpdate" | "replace" | "forceReplace":
                self._update(operation)
        return self._writer.write(name) or self._tombstone(name)

    def _create(self, operation: Operation) -> None:
        record = operation.record
        values = {key: field.value for key, field in record.fields.items()}
        if record.record_type == "CPLAlbum":
            title = base64.b64decode(values.get("albumNameEnc", "")).decode()
            parent = values.get("parentId")
            is_folder = values.get("albumType") == 3
            self._library.make_album(title, parent=parent, is_folder=is_folder, name=record.record_name)
        else:
            self._library.add_to_album(values["itemId"], values["containerId"])

    def _delete(self, name: str) -> None:
        match self._zone.get(name):
            case Asset():
                self._library.purge(name)
            case Relation() as relation:
                self._library.remove_from_album(relation.asset, relation.album)
            case _:
                self._zone.drop(name)

    def _update(self, operation: Operation) -> None:
        values = {key: field.value for key, field in operation.record.fields.items()}
        name = operation.record.record_name
        match self._zone.get(name):
            case Asset() as asset:
                self._update_asset(asset, values)
            case Album():
                if values.get("isDeleted") == 1:
                    self._library.delete_album(name)
                elif "albumNameEnc" in values:
                    self._library.rename_album(name, base64.b64decode(values["albumNameEnc"]).decode())
            case row if row is not None and not isinstance(row, Gone):
                self._zone.put(row)

    def _update_asset(self, asset: Asset, values: dict[str, object]) -> None:
        """The fields a client writes: flags, and null or 0 for restoring."""
        if values.get("isExpunged") == 1:
            self._library.purge(asset.name)
            return
        if "isDeleted" in values and bool(values["isDeleted"]) is not asset.is_trashed:
            (self._library.trash if values["isDeleted"] else self._library.restore)(asset.name)
        if "isFavorite" in values:
            self._library.favorite(asset.name, on=bool(values["isFavorite"]))
        if "isHidden" in values:
            self._library.hide(asset.name, on=bool(values["isHidden"]))
        described = {
            key: _decoded(values[wire])
            for key, wire in (("title", "captionEnc"), ("caption", "extendedDescEnc"))
            if wire in values
        }
        if described:
            self._zone.put(msgspec.structs.replace(self._zone.asset(asset.name), **described))

    def _tombstone(self, name: str) -> Tombstone:
        zone_id = ZoneID(zone_name=self._zone.name, owner_record_name=self._zone.owner)
        return Tombstone(record_name=name, record_change_tag=change_tag(self._zone.sequence(name)), zone_id=zone_id)


def _atomic(operation: Operation) -> RecordError:
    """What the innocent records of a failed batch are told."""
    return RecordError(
        record_name=operation.record.record_name,
        server_error_code="BATCH_REQUEST_FAILED",
        reason="another record of this atomic batch failed",
    )


def _decoded(value: object) -> str | None:
    return base64.b64decode(value).decode() if isinstance(value, str) else None
