"""What CloudKit answers, as far as we read it: msgspec skips every other key unread.

Shapes from public recordings (icloudpd's test cassettes, pyicloud's fixtures) and kei's
notes on sync tokens; seen 2026-11.
"""

from __future__ import annotations

import re

import msgspec

from mediabox.sources.icloud import tolerant

# What we fetch of a record, and the names of its file and type in `Fields`. Beside these a record has smaller
# pictures of the same file.
FETCHED = {
    "resOriginal": ("res_original_res", "res_original_file_type"),
    "resOriginalAlt": ("res_original_alt_res", "res_original_alt_file_type"),
    "resOriginalVidCompl": ("res_original_vid_compl_res", "res_original_vid_compl_file_type"),
    "resSidecar": ("res_sidecar_res", "res_sidecar_file_type"),
    "resJPEGFull": ("jpeg_full_res", "jpeg_full_file_type"),
    "resVidFull": ("vid_full_res", "vid_full_file_type"),
    "resVidCompl": ("res_vid_compl_res", "res_vid_compl_file_type"),
}
_RESOURCE = re.compile(rb'"(res[A-Za-z0-9]+?)Res"\s*:')
_SMALLER = ("Large", "Med", "Small", "Thumb")


class TextField(msgspec.Struct, frozen=True):
    """A field whose value is text: as it is for STRING, Base64 of bytes for ENCRYPTED_BYTES."""

    value: str | None = None
    type: str | None = None


class Number(msgspec.Struct, frozen=True):
    value: int | float | bool | None = None


class Stored(msgspec.Struct, frozen=True, rename="camel"):
    """Where a file's bytes are. `file_checksum` is a signature of the bytes (`checksum`)."""

    file_checksum: str | None = None
    reference_checksum: str | None = None
    size: int | None = None
    download_url: str | None = msgspec.field(name="downloadURL", default=None)


class FileField(msgspec.Struct, frozen=True):
    value: Stored | None = None


class RecordName(msgspec.Struct, frozen=True, rename="camel"):
    record_name: str


class ReferenceField(msgspec.Struct, frozen=True):
    value: RecordName | None = None


class References(msgspec.Struct, frozen=True):
    value: list[RecordName] | None = None


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of all record types together. CPLMaster has the originals, CPLAsset what the person made of them."""

    item_type: TextField = TextField()
    filename_enc: TextField = TextField()
    res_original_res: FileField = FileField()
    res_original_file_type: TextField = TextField()
    res_original_alt_res: FileField = FileField()
    res_original_alt_file_type: TextField = TextField()
    res_original_vid_compl_res: FileField = FileField()
    res_original_vid_compl_file_type: TextField = TextField()
    res_sidecar_res: FileField = FileField()
    res_sidecar_file_type: TextField = TextField()
    jpeg_full_res: FileField = msgspec.field(name="resJPEGFullRes", default=FileField())
    jpeg_full_file_type: TextField = msgspec.field(name="resJPEGFullFileType", default=TextField())
    vid_full_res: FileField = msgspec.field(name="resVidFullRes", default=FileField())
    vid_full_file_type: TextField = msgspec.field(name="resVidFullFileType", default=TextField())
    # An edited Live Photo's clip, on its CPLAsset (kei #713: 18 of 18); `resVidFull` is an edited film's.
    res_vid_compl_res: FileField = FileField()
    res_vid_compl_file_type: TextField = TextField()
    master_ref: ReferenceField = ReferenceField()
    asset_date: Number = Number()  # ms
    added_date: Number = Number()  # ms
    time_zone_offset: Number = Number()  # s east of UTC
    is_favorite: Number = Number()
    is_hidden: Number = Number()
    is_deleted: Number = Number()
    is_expunged: Number = Number()
    trash_reason: Number = Number()  # 1 deleted, 0 moved
    asset_subtype: Number = msgspec.field(name="assetSubtypeV2", default=Number())  # 2 Live Photo, 3 screenshot
    burst_id: TextField = TextField()
    location_enc: TextField = TextField()
    caption_enc: TextField = TextField()
    extended_desc_enc: TextField = TextField()
    keywords_enc: TextField = TextField()
    contributors: References = References()
    album_name_enc: TextField = TextField()
    album_type: Number = Number()
    parent_id: TextField = TextField()
    container_id: TextField = TextField()
    item_id: TextField = TextField()
    state: TextField = TextField()  # CheckIndexingState


class Stamp(msgspec.Struct, frozen=True):
    timestamp: int | float | None = None  # ms


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A record, its tombstone (`deleted`, no type) or why there is none (`server_error_code`)."""

    record_name: str
    record_type: str | None = None
    record_change_tag: str | None = None
    fields: Fields = Fields()
    modified: Stamp | None = None
    deleted: bool | None = None
    server_error_code: str | None = None
    reason: str | None = None
    unknown_files: tuple[str, ...] = ()  # ours, not Apple's: whole files of it that nobody knows

    @property
    def is_tombstone(self) -> bool:
        return self.deleted is True


class ZoneID(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    zone_name: str
    owner_record_name: str | None = None
    zone_type: str | None = None


class Zone(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One zone in `changes/database` or `zones/list`."""

    zone_id: ZoneID = msgspec.field(name="zoneID")
    deleted: bool | None = None


class Trouble(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An error, wherever in an answer it stands."""

    server_error_code: str | None = None
    reason: str | None = None
    retry_after: float | None = None  # s
    error: str | int | None = None  # older fronts: {"error": 1, "reason": "Missing X-APPLE-WEBAUTH-TOKEN cookie"}


class DatabaseAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    sync_token: str | None = None
    more_coming: bool | None = None
    zones: list[Zone] = []


class RecordsAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Of query, lookup and modify. Records stay raw, so that one we cannot read costs only itself."""

    records: list[msgspec.Raw] = []
    continuation_marker: str | None = None
    sync_token: str | None = None


class ZoneAnswer(Trouble, frozen=True, kw_only=True, rename="camel"):
    zone_id: ZoneID | None = msgspec.field(name="zoneID", default=None)
    records: list[msgspec.Raw] = []
    sync_token: str | None = None
    more_coming: bool | None = None


class ChangesAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    zones: list[ZoneAnswer] = []


def read_records(raws: list[msgspec.Raw]) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """(records, names of those that could not be read). A field that cannot be read is absent."""
    records, unreadable = [], []
    for raw in raws:
        try:
            record = tolerant.decode(raw, Record)
        except msgspec.DecodeError:
            unreadable.append("?")
            continue
        if record.record_type is None and not record.is_tombstone and record.server_error_code is None:
            unreadable.append(record.record_name)  # it does not say what it is
            continue
        unknown = unknown_files(raw)
        records.append(msgspec.structs.replace(record, unknown_files=unknown) if unknown else record)
    return tuple(records), tuple(unreadable)


def unknown_files(raw: msgspec.Raw) -> tuple[str, ...]:
    """Names of a record's resources that are neither fetched nor a smaller picture of what is."""
    named = {name.decode() for name in _RESOURCE.findall(bytes(raw))} - FETCHED.keys()
    strange = sorted(name for name in named if not name.endswith(_SMALLER))
    if not strange:
        return ()
    fields = msgspec.json.decode(raw, type=_Loose).fields
    return tuple(name for name in strange if not _is_empty(fields.get(f"{name}Res")))


class _Loose(msgspec.Struct):
    fields: dict[str, msgspec.Raw] = {}


def _is_empty(field: msgspec.Raw | None) -> bool:
    if field is None:
        return True
    held = msgspec.json.decode(field)
    return held is None or (isinstance(held, dict) and held.get("value") is None)
