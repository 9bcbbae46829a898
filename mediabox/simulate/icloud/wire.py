"""CloudKit's shapes, as values: records and fields out, requests in. Unknown keys of requests are ignored."""

from typing import Any, Literal

import msgspec


class ZoneID(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    zone_name: str
    owner_record_name: str | None = None
    zone_type: str | None = None


class Field(msgspec.Struct, frozen=True):
    """One field. `value` has the shape its `type` says."""

    value: Any
    type: str


class Reference(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    record_name: str
    action: str
    zone_id: ZoneID | None = msgspec.field(name="zoneID", default=None)


class AssetValue(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The value of an ASSETID field: where a file's bytes are."""

    file_checksum: str
    size: int
    wrapping_key: str
    reference_checksum: str
    download_url: str | None = msgspec.field(name="downloadURL", default=None)


class Audit(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    timestamp: int
    user_record_name: str
    device_id: str = msgspec.field(name="deviceID", default="1")


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    record_name: str
    record_type: str
    fields: dict[str, Field]
    plugin_fields: dict[str, Field]  # always sent, always empty
    record_change_tag: str
    created: Audit
    modified: Audit
    deleted: bool | None = None  # false is sent, absent is not: hence the None
    zone_id: ZoneID = msgspec.field(name="zoneID")
    expiration_time: int | None = None  # seconds


class Tombstone(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    record_name: str
    record_type: None = None
    deleted: bool = True
    record_change_tag: str
    zone_id: ZoneID = msgspec.field(name="zoneID")


class RecordError(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    record_name: str
    server_error_code: str
    reason: str = ""
    server_record: Record | None = None


Answered = Record | Tombstone | RecordError

# -- requests


class FilterValue(msgspec.Struct, frozen=True):
    value: Any


class Filter(msgspec.Struct, frozen=True, rename="camel"):
    field_name: str
    field_value: FilterValue
    comparator: str = "EQUALS"


class Query(msgspec.Struct, frozen=True, rename="camel"):
    record_type: str
    filter_by: list[Filter] | Filter | None = None

    def filters(self) -> dict[str, Any]:
        """Field names with the values asked for."""
        match self.filter_by:
            case None:
                return {}
            case Filter() as one:
                return {one.field_name: one.field_value.value}
            case several:
                return {each.field_name: each.field_value.value for each in several}


class QueryRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    query: Query
    zone_id: ZoneID | None = msgspec.field(name="zoneID", default=None)
    desired_keys: list[str] | None = None
    results_limit: int | None = None
    continuation_marker: str | None = None


class BatchRequest(msgspec.Struct, frozen=True):
    batch: list[QueryRequest]


class ZoneChanges(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    zone_id: ZoneID = msgspec.field(name="zoneID")
    sync_token: str | None = None
    results_limit: int | None = None
    desired_keys: list[str] | None = None


class ChangesRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    zones: list[ZoneChanges]
    results_limit: int | None = None


class DatabaseRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    sync_token: str | None = None


class Named(msgspec.Struct, frozen=True, rename="camel"):
    record_name: str


class LookupRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    records: list[Named]
    zone_id: ZoneID = msgspec.field(name="zoneID")
    desired_keys: list[str] | None = None


class WrittenField(msgspec.Struct, frozen=True):
    value: Any = None


class WrittenRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    record_name: str
    record_type: str = ""
    record_change_tag: str | None = None
    fields: dict[str, WrittenField] = msgspec.field(default_factory=dict)


class Operation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    operation_type: Literal["create", "update", "forceUpdate", "replace", "forceReplace", "delete", "forceDelete"]
    record: WrittenRecord


class ModifyRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    operations: list[Operation]
    zone_id: ZoneID = msgspec.field(name="zoneID")
    atomic: bool = False
    desired_keys: list[str] | None = None
