"""Read an asset's record back from its sidecar, with the owner's changes. Foreign XML: in a sandboxed child only."""

from __future__ import annotations

import re

import msgspec

from mediabox.model.asset import Kind, Role
from mediabox.model.facts import Camera, TimeSource
from mediabox.model.place import Place
from mediabox.model.sidecar import SidecarMember, SidecarRecord
from mediabox.native.boxes import Malformed
from mediabox.native.sidecar_text import original, read_ms
from mediabox.native.tags.dates import candidate
from mediabox.native.tags.xmp import coordinates, fraction, taken
from mediabox.native.xmp.edit import EditablePacket
from mediabox.native.xmp.names import qualified
from mediabox.native.xmp.values import ALBUMS, LEVEL, TIMES

Values = dict[str, tuple[str, ...]]  # property name -> its values


def parse(content: bytes) -> SidecarRecord | None:
    """The record in a sidecar of ours, with the owner's changes; None for any other file.

    A member that lacks one of its fields is left out; what cannot be understood is as if it were absent.
    """
    packet = readable(content)
    if packet is None:
        return None
    members = tuple(filter(None, map(_member, packet.structures("mediabox:Members"))))
    filed_at_ms = read_ms("".join(packet.read("mediabox:FiledAt")))
    if not members or filed_at_ms is None:
        return None
    at = taken(packet)
    return SidecarRecord(
        members=members,
        mediabox_version="".join(packet.read("mediabox:Version")),
        filed_at_ms=filed_at_ms,
        capture_time=None if at is None else candidate(at, _time_source(packet)),
        place=_place(packet),
        camera=_camera(packet),
        rating=_integer(packet.text("xmp:Rating")),
        title=_word(packet, "dc:title"),
        caption=_word(packet, "dc:description"),
        keywords=packet.read("dc:subject"),
        people=packet.read("Iptc4xmpExt:PersonInImage"),
        is_favorite=packet.read("mediabox:Favorite") == ("True",),
        albums=_albums(packet.read("lr:hierarchicalSubject")),
    )


def readable(content: bytes) -> EditablePacket | None:
    """The packet; None when it is no XMP."""
    try:
        return EditablePacket(content)
    except Malformed:
        return None


def wrote_last(packet: EditablePacket) -> Values:
    """What we noted to have written last; nothing when the file is not ours or the note is damaged."""
    try:
        return msgspec.json.decode("".join(packet.read("mediabox:Wrote")), type=Values)
    except msgspec.DecodeError:
        return {}


def _time_source(packet: EditablePacket) -> TimeSource:
    """Our rule while the time is as we wrote it, else the sidecar itself."""
    wrote = wrote_last(packet)
    try:
        ours = TimeSource("".join(packet.read("mediabox:CaptureTimeSource")))
    except ValueError:
        return TimeSource.XMP
    return ours if all(packet.read(name) == wrote.get(name, ()) for name in TIMES) else TimeSource.XMP


def _member(fields: dict[str, str]) -> SidecarMember | None:
    def text(name: str) -> str:
        return fields[qualified(f"mediabox:{name}")]

    try:
        taken_in_at_ms = read_ms(text("TakenInAt"))
        if taken_in_at_ms is None or not re.fullmatch(r"[0-9a-f]{64}", text("SHA256")):
            return None
        return SidecarMember(
            path=original(text("Path")),
            sha256=text("SHA256"),
            size_bytes=int(text("Size")),
            role=Role(text("Role")),
            kind=Kind(text("Kind")),
            media_type=text("MediaType"),
            original_name=original(text("OriginalName")),
            source=original(text("Source")),
            remote_id=original(text("RemoteID")),
            version=original(text("RemoteVersion")),
            taken_in_at_ms=taken_in_at_ms,
            modified_at_ms=read_ms(fields.get(qualified("mediabox:ModifiedAt"), "")),
        )
    except (KeyError, ValueError):
        return None


def _place(packet: EditablePacket) -> Place | None:
    latitude, longitude, altitude = coordinates(packet)
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Place(latitude=latitude, longitude=longitude, altitude_m=altitude)


def _camera(packet: EditablePacket) -> Camera | None:
    camera = Camera(
        make=_word(packet, "tiff:Make"),
        model=_word(packet, "tiff:Model"),
        lens=_word(packet, "exifEX:LensModel"),
        exposure_s=fraction(packet.text("exif:ExposureTime")),
        f_number=fraction(packet.text("exif:FNumber")),
        iso=_integer(packet.text("exifEX:PhotographicSensitivity")),
        focal_length_mm=fraction(packet.text("exif:FocalLength")),
    )
    return None if camera == Camera() else camera


def _word(packet: EditablePacket, name: str) -> str | None:
    return next(iter(packet.read(name)), None)


def _integer(text: str | None) -> int | None:
    value = fraction(text)  # digiKam writes 3, some write 3.0
    return None if value is None or not abs(value) < 1e9 else int(value)


def _albums(tree: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The branches of the keyword tree that are albums."""
    paths = (tuple(entry.split(LEVEL)) for entry in tree)
    return tuple(path[1:] for path in paths if path[0] == ALBUMS and len(path) > 1)
