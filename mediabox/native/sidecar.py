"""Write an asset's XMP sidecar, and merge it with what others wrote there.

Three may write one sidecar: we, the owner's programs (a rating given in digiKam), and
the sidecar that came with the picture (the source). Each property we write is also
noted in `mediabox:Wrote`. What is on disk and still as noted is ours to update; what
differs was changed by the owner and stays, a removal included. Everything else in
the file is never touched.

`merge` and `parse` read foreign XML: in a sandboxed child only.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

import msgspec

from mediabox.errors import Permanent
from mediabox.model.asset import Kind, Role
from mediabox.model.facts import TimeSource
from mediabox.model.sidecar import SidecarMember, SidecarRecord
from mediabox.native import xmp_packet
from mediabox.native.sidecar_text import compose, member_fields, original, own_properties, read_ms
from mediabox.native.xmp_packet import Packet, qualified
from mediabox.native.xmp_values import FORMS, NAMESPACES, TIMES, UNITS, Form, Property, properties, read

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["compose", "merge", "parse"]

_MERGED = "mediabox, with others"  # never how a composed one signs
_OURS = frozenset(name for unit in UNITS for name in unit.names)

_Values = dict[str, tuple[str, ...]]  # property name -> its values


def merge(existing: bytes | None, source: bytes | None, record: SidecarRecord) -> bytes:
    """The sidecar on disk (`existing`) brought up to date with `record` and the owner's own one (`source`).

    The source's words come before the file's, the owner's later changes to our
    sidecar before both. Sets (keywords, people) are merged member by member.
    Merging again changes nothing. Raises Permanent when `existing` is no XMP: it is
    not ours to overwrite. A source that is no XMP counts as none.
    """
    brought = _readable(source)
    said = {each.name: each.values for each in properties(record)}
    wanted = _overlaid(said, brought)
    if existing is not None:
        packet = xmp_packet.load(existing)
        wrote = _wrote(packet)
    elif brought is not None:
        packet, wrote = brought, _public(brought)
    else:
        return compose(record)
    seal = (hashlib.sha256(source).hexdigest(),) if source is not None else packet.read("mediabox:Merged")
    if brought is not None and brought is not packet and packet.read("mediabox:Merged") != seal:
        packet.adopt(brought, besides=_OURS)
    for unit in UNITS:
        _settle(packet, unit.names, wrote, wanted)
    packet.remove_namespace("mediabox")
    for each in (*own_properties(record, wanted), Property("mediabox:Merged", Form.TEXT, seal or ("",))):
        packet.add(each.name).text = each.values[0]
    _add_members(packet, record)
    return packet.to_bytes(_MERGED)


def parse(content: bytes) -> SidecarRecord | None:
    """The record in a sidecar of ours, with the owner's changes; None for any other file.

    A member that lacks one of its fields is left out.
    """
    packet = _readable(content)
    listed = None if packet is None else packet.element("mediabox:Members")
    if packet is None or listed is None:
        return None
    members = tuple(member for item in xmp_packet.items(listed) if (member := _read_member(item)))
    filed_at_ms = read_ms("".join(packet.read("mediabox:FiledAt")))
    if not members or filed_at_ms is None:
        return None
    values = _public(packet)
    found = read(values, time_source=_time_source(packet, values))
    return SidecarRecord(
        members=members,
        mediabox_version="".join(packet.read("mediabox:Version")),
        filed_at_ms=filed_at_ms,
        is_favorite=packet.read("mediabox:Favorite") == ("True",),
        **{name: getattr(found, name) for name in found.__struct_fields__},
    )


# ---------------------------------------------------------------- merging


def _readable(content: bytes | None) -> Packet | None:
    try:
        return None if content is None else xmp_packet.load(content)
    except Permanent:
        return None


def _public(packet: Packet) -> _Values:
    """The values of every public property of ours that a packet has."""
    return {name: values for unit in UNITS for name in unit.names if (values := packet.read(name))}


def _wrote(packet: Packet) -> _Values:
    """What we noted to have written last; nothing when the file is not ours or the note is damaged."""
    try:
        return msgspec.json.decode("".join(packet.read("mediabox:Wrote")), type=_Values)
    except msgspec.DecodeError:
        return {}


def _overlaid(record: _Values, brought: Packet | None) -> _Values:
    """What should stand in the sidecar: the source's units before the record's, sets united."""
    if brought is None:
        return record
    said, wanted = _public(brought), dict[str, tuple[str, ...]]()
    for unit in UNITS:
        spoken = said if any(name in said for name in unit.leads) else record
        for name in unit.names:
            if FORMS.get(name) is Form.SET:
                values = _united(said.get(name, ()), record.get(name, ()))
            else:
                values = spoken.get(name, ())
            if values:
                wanted[name] = values
    return wanted


def _settle(packet: Packet, names: tuple[str, ...], wrote: _Values, wanted: _Values) -> None:
    """Update one unit, unless the owner changed it since we wrote."""
    if FORMS.get(names[0]) is Form.SET:
        (name,) = names
        ours, wish = wrote.get(name, ()), wanted.get(name, ())
        kept = tuple(value for value in packet.read(name) if value not in ours or value in wish)
        packet.write(name, Form.SET, _united(kept, tuple(value for value in wish if value not in ours)))
        return
    if any(packet.read(name) != wrote.get(name, ()) for name in names):
        return
    for name in names:
        if name in wanted:
            packet.write(name, FORMS.get(name, Form.TEXT), wanted[name])
        else:
            packet.remove(name)


def _united(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))


# ---------------------------------------------------------------- our own properties


def _add_members(packet: Packet, record: SidecarRecord) -> None:
    rdf = f"{{{NAMESPACES['rdf']}}}"
    array = SubElement(packet.add("mediabox:Members"), f"{rdf}Seq")
    for member in record.members:
        item = SubElement(array, f"{rdf}li", {f"{rdf}parseType": "Resource"})
        for name, text in member_fields(member):
            SubElement(item, qualified(f"mediabox:{name}")).text = text


def _read_member(item: Element) -> SidecarMember | None:
    fields = xmp_packet.structure(item)

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


def _time_source(packet: Packet, values: Mapping[str, tuple[str, ...]]) -> TimeSource:
    """Our rule while the time is as we wrote it, else the sidecar itself."""
    wrote = _wrote(packet)
    try:
        ours = TimeSource("".join(packet.read("mediabox:CaptureTimeSource")))
    except ValueError:
        return TimeSource.XMP
    return ours if all(values.get(name) == wrote.get(name) for name in TIMES) else TimeSource.XMP
