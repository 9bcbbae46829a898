"""From Apple's records to assets. Pure: no clock, no network, nothing kept.

A photo is two records: CPLMaster (the originals as they came: file, Live video, RAW twin)
and CPLAsset (what the person made of it: dates, favourite, edited renditions, bin). Two
assets may stand on one master: the phone's Duplicate.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mediabox.model.asset import Kind, RemoteAsset, RemoteChange, RemoteResource, Role, Turn
from mediabox.model.naming import split_extension
from mediabox.model.said import Said
from mediabox.model.signature import kind_of_name
from mediabox.sources.icloud.answers import FETCHED
from mediabox.sources.icloud.encoded import MOST, number_of, place_of, text_of, texts_of, time_of
from mediabox.sources.icloud.endpoints import is_address
from mediabox.sources.icloud.type_names import extension_of, is_raw_identifier, kind_of_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mediabox.sources.icloud.answers import Fields, FileField, Record, Stored

LIVE = 2  # assetSubtypeV2
MOST_OFFSET_S = 18 * 3600  # east or west: what the time zone database and its readers allow

_APPLE_NAME = re.compile(r"(IMG_)(\d{4,})", re.IGNORECASE)


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file with where its bytes are now; `url` is good for an hour, None when Apple gives none (yet)."""

    resource: RemoteResource
    url: str | None


class Sorted(msgspec.Struct, frozen=True, kw_only=True):
    """A page's records by what they are. Of several records of one name the last counts."""

    assets: dict[str, Record]
    masters: dict[str, Record]
    albums: tuple[Record, ...]
    relations: tuple[Record, ...]
    gone: tuple[str, ...]  # tombstones: nothing but a name


def sort(records: Iterable[Record]) -> Sorted:
    """Tell records apart. Persons, faces, memories and counters are not ours."""
    assets: dict[str, Record] = {}
    masters: dict[str, Record] = {}
    albums, relations, gone = [], [], []
    for record in records:
        match record.record_type:
            case _ if record.is_tombstone:
                gone.append(record.record_name)
                assets.pop(record.record_name, None)
                masters.pop(record.record_name, None)
            case "CPLAsset":
                assets[record.record_name] = record
            case "CPLMaster":
                masters[record.record_name] = record
            case "CPLAlbum":
                albums.append(record)
            case "CPLContainerRelation":
                relations.append(record)
    return Sorted(assets=assets, masters=masters, albums=tuple(albums), relations=tuple(relations), gone=tuple(gone))


def master_of(asset: Record) -> str | None:
    """The name of the master an asset stands on."""
    reference = asset.fields.master_ref.value
    return None if reference is None else reference.record_name


def remote_id_of(library: str, name: str) -> str:
    return f"{library}/{name}"


def version_of(file: FileField) -> str | None:
    """Changes whenever the bytes do, and only then: Apple's checksum of them (`checksum`) and their length.

    Without a checksum the length alone, or Apple's other mark of the bytes: good enough to fetch it, not to free it.
    """
    stored = file.value
    if stored is None:
        return None
    mark = stored.file_checksum or (f"reference.{stored.reference_checksum}" if stored.reference_checksum else "")
    size = size_of(stored)
    return f"{mark}-{'' if size is None else size}"


def size_of(stored: Stored) -> int | None:
    """Bytes; None when Apple says none, or none a file can have."""
    return stored.size if stored.size is not None and 0 <= stored.size < MOST else None


def size_of_version(version: str) -> int | None:
    """The length a version promises, in bytes."""
    size = version.rpartition("-")[2]
    return int(size) if size.isdigit() else None


def is_away(asset: Record) -> bool:
    """Whether an asset is in the bin, or has left this library."""
    return number_of(asset.fields.is_deleted) == 1 or number_of(asset.fields.is_expunged) == 1


def is_hidden(asset: Record) -> bool:
    return number_of(asset.fields.is_hidden) == 1


def turn_of(asset: Record, *, is_shared: bool) -> Turn:
    """What an asset's record in a delta says of its fate.

    Leaving for another library looks like the bin but for its reason, which shared
    libraries leave out (kei, "Shared library records").
    """
    if not is_away(asset):
        return Turn.RESTORED
    reason = number_of(asset.fields.trash_reason)
    if reason == 0 or (is_shared and reason is None):
        return Turn.MOVED
    return Turn.PURGED if number_of(asset.fields.is_expunged) == 1 else Turn.TRASHED


def change_of(library: str, asset: Record, *, is_shared: bool, now_ms: int) -> RemoteChange:
    at_ms = time_of(asset.modified.timestamp) if asset.modified is not None else None
    return RemoteChange(
        remote_id=remote_id_of(library, asset.record_name),
        turn=turn_of(asset, is_shared=is_shared),
        at_ms=now_ms if at_ms is None else at_ms,
    )


def is_complete(asset: Record, parts: Iterable[RemoteFile]) -> bool:
    """Whether everything is there that will ever be: an original, a Live Photo's video, and a link to every file."""
    parts = tuple(parts)
    has_video = any(part.resource.role is Role.LIVE_VIDEO for part in parts)
    has_links = all(part.url is not None for part in parts)
    return has_links and has_original(parts) and (has_video or number_of(asset.fields.asset_subtype) != LIVE)


def has_original(parts: Iterable[RemoteFile]) -> bool:
    """Whether the file Photos calls the original can be fetched."""
    return any(part.url is not None and part.resource.remote_id.endswith("/original") for part in parts)


def unproved_of(asset: Record, master: Record) -> tuple[str, ...]:
    """Names of an asset's files in iCloud whose bytes we do not fetch, or could not hold against anything.

    What has one is never safe to free.
    """
    slots = tuple(_slots(asset, master))
    taken = [slot.file for slot in slots]
    poster = {"resJPEGFull"} if _is_film(name_of(asset, master), master.fields) else set()
    left = (
        name
        for record in (master, asset)
        for name in FETCHED
        if name not in poster and (file := _file(record.fields, name)[0]).value is not None and file not in taken
    )
    unmarked = (f"{slot.word} ({lack})" for slot in slots if (lack := _lack(slot.file)))
    return (*master.unknown_files, *asset.unknown_files, *left, *unmarked)


def _lack(file: FileField) -> str:
    """Why nothing can be proved of a file that is there."""
    if file.value is None:
        return ""
    return "no checksum" if file.value.file_checksum is None else "" if _link(file) else "no link"


def _link(file: FileField) -> str | None:
    url = file.value.download_url if file.value is not None else None
    return url if is_address(url) else None


def asset_of(library: str, asset: Record, master: Record, parts: Iterable[RemoteFile]) -> RemoteAsset:
    """The asset with those of its files that can be fetched and whose kind is known."""
    return RemoteAsset(
        remote_id=remote_id_of(library, asset.record_name),
        resources=tuple(part.resource for part in parts if part.url is not None and part.resource.kind is not None),
        said=said_of(asset, master),
        change_tag=asset.record_change_tag,
    )


def said_of(asset: Record, master: Record) -> Said:
    fields = asset.fields
    offset_s = number_of(fields.time_zone_offset)
    return Said(
        is_favorite=number_of(fields.is_favorite) == 1,
        is_hidden=is_hidden(asset),
        title=text_of(fields.caption_enc),  # what Photos shows as title is `caption` on the wire (pyicloud)
        caption=text_of(fields.extended_desc_enc),
        keywords=texts_of(fields.keywords_enc),
        taken_at_ms=time_of(fields.asset_date.value),
        offset_min=None if offset_s is None or abs(offset_s) > MOST_OFFSET_S else offset_s // 60,
        place=place_of(fields.location_enc),
        added_at_ms=time_of(fields.added_date.value),
        burst_id=fields.burst_id.value,
        contributors=tuple(each.record_name for each in fields.contributors.value or ()),
        content_id=master.record_name,
        unproved_files=unproved_of(asset, master),
    )


def parts_of(library: str, asset: Record, master: Record) -> tuple[RemoteFile, ...]:
    """Every file of an asset.

    `original`, `raw`, `live`, `sidecar` from the master, `edited`, `edited_live` from the asset.
    """
    return tuple(
        RemoteFile(
            resource=RemoteResource(
                remote_id=f"{library}/{asset.record_name}/{slot.word}",
                version=version,
                name=slot.name,
                kind=slot.kind,
                role=slot.role,
                size_bytes=size_of(slot.file.value) if slot.file.value else None,
                modified_at_ms=time_of(asset.fields.asset_date.value) or time_of(asset.fields.added_date.value),
            ),
            url=_link(slot.file),
        )
        for slot in _slots(asset, master)
        if (version := version_of(slot.file)) is not None
    )


def name_of(asset: Record, master: Record) -> str:
    """The original's file name; where Apple has none, the asset's own, with the extension its type goes by."""
    fields = master.fields
    name = text_of(fields.filename_enc) or asset.record_name
    name = name.rpartition("/")[2] or asset.record_name
    extension = extension_of(fields.item_type.value or fields.res_original_file_type.value)
    return name if split_extension(name)[1] or extension is None else f"{name}.{extension}"


class _Slot(msgspec.Struct, frozen=True):
    """A file a record may have."""

    word: str
    role: Role
    name: str
    kind: Kind | None
    file: FileField


def _slots(asset: Record, master: Record) -> Iterator[_Slot]:
    name = name_of(asset, master)
    yield from _of_master(name, master.fields, asset.fields)
    yield from _of_asset(name, asset.fields, master.fields)


def _of_master(name: str, fields: Fields, asset: Fields) -> Iterator[_Slot]:
    """The originals. Of a RAW pair either half may be the one Photos calls original."""
    original, of_type = _file(fields, "resOriginal")
    own = fields.item_type.value or of_type
    alternative, other = _either(fields, asset, "resOriginalAlt")
    is_raw_first = alternative.value is not None and is_raw_identifier(own) and not is_raw_identifier(other)
    kind = kind_of_identifier(own) or kind_of_name(name)
    yield _Slot("original", Role.RAW if is_raw_first else Role.ORIGINAL, name, kind, original)
    role = Role.ORIGINAL if is_raw_first else Role.RAW
    kind = kind_of_identifier(other) or Kind.PICTURE
    yield _Slot("raw", role, _named(name, other, "DNG"), kind, alternative)
    clip, of_type = _either(fields, asset, "resOriginalVidCompl")
    yield _Slot("live", Role.LIVE_VIDEO, _named(name, of_type, "MOV"), Kind.VIDEO, clip)
    sidecar, of_type = _either(fields, asset, "resSidecar")
    yield _Slot("sidecar", Role.SIDECAR, _named(name, of_type, "AAE"), Kind.SIDECAR, sidecar)


def _of_asset(name: str, fields: Fields, master: Fields) -> Iterator[_Slot]:
    """The edited renditions. A film's still on its record is a poster, no rendition."""
    edited, is_film = _edited(name), _is_film(name, master)
    film, of_type = _file(fields, "resVidFull")
    if is_film:
        yield _Slot("edited", Role.EDITED_VIDEO, _named(edited, of_type, "MOV"), Kind.VIDEO, film)
        return
    still, of_still = _file(fields, "resJPEGFull")
    yield _Slot("edited", Role.EDITED, _named(edited, of_still, "JPG"), Kind.PICTURE, still)
    clip, of_clip = _file(fields, "resVidCompl")
    if clip.value is None:
        clip, of_clip = film, of_type
    yield _Slot("edited_live", Role.EDITED_VIDEO, _named(edited, of_clip, "MOV"), Kind.VIDEO, clip)


def _is_film(name: str, master: Fields) -> bool:
    identifier = master.item_type.value or _file(master, "resOriginal")[1]
    return (kind_of_identifier(identifier) or kind_of_name(name)) is Kind.VIDEO


def _file(fields: Fields, name: str) -> tuple[FileField, str | None]:
    """A record's resource of this name, and the type it says it has."""
    file, of_type = FETCHED[name]
    return getattr(fields, file), getattr(fields, of_type).value


def _either(fields: Fields, other: Fields, name: str) -> tuple[FileField, str | None]:
    """As `_file`, of the other record when it stands there."""
    own = _file(fields, name)
    return own if own[0].value is not None else _file(other, name)


def _named(name: str, identifier: str | None, otherwise: str) -> str:
    """The same name with the extension of this type."""
    return f"{split_extension(name)[0]}.{extension_of(identifier) or otherwise}"


def _edited(name: str) -> str:
    """As the phone calls it when it hands it out: IMG_E1234 beside IMG_1234; another name says so at its end."""
    stem, extension = split_extension(name)
    apple = _APPLE_NAME.fullmatch(stem)
    edited = f"{apple[1]}E{apple[2]}" if apple is not None else f"{stem}-edited"
    return f"{edited}.{extension}" if extension else edited
