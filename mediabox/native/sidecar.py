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
from typing import TYPE_CHECKING
from xml.etree.ElementTree import SubElement

from mediabox.errors import Permanent
from mediabox.native.boxes import Malformed
from mediabox.native.sidecar_record import Values, parse, readable, wrote_last
from mediabox.native.sidecar_text import compose, member_fields, own_properties
from mediabox.native.xmp.edit import EditablePacket
from mediabox.native.xmp.names import qualified
from mediabox.native.xmp.packet import ITEM, RDF
from mediabox.native.xmp.values import FORMS, UNITS, XmpForm, XmpProperty, properties

if TYPE_CHECKING:
    from mediabox.model.sidecar import SidecarRecord

__all__ = ["compose", "merge", "parse"]

_MERGED = "mediabox, with others"  # never how a composed one signs
_OURS = frozenset(name for unit in UNITS for name in unit.names)


def merge(existing: bytes | None, source: bytes | None, record: SidecarRecord) -> bytes:
    """The sidecar on disk (`existing`) brought up to date with `record` and the owner's own one (`source`).

    The source's words come before the file's, the owner's later changes to our
    sidecar before both. Sets (keywords, people) are merged member by member.
    Merging again changes nothing. Raises Permanent when `existing` is no XMP: it is
    not ours to overwrite. A source that is no XMP counts as none.
    """
    brought = None if source is None else readable(source)
    said = {each.name: each.values for each in properties(record)}
    wanted = _overlaid(said, brought)
    if existing is not None:
        packet = _loaded(existing)
        wrote = wrote_last(packet)
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
    for each in (*own_properties(record, wanted), XmpProperty("mediabox:Merged", XmpForm.TEXT, seal or ("",))):
        packet.add(each.name).text = each.values[0]
    _add_members(packet, record)
    return packet.to_bytes(_MERGED)


# ---------------------------------------------------------------- merging


def _loaded(existing: bytes) -> EditablePacket:
    try:
        return EditablePacket(existing)
    except Malformed as err:
        raise Permanent(f"the sidecar cannot be read: {err}") from err


def _public(packet: EditablePacket) -> Values:
    """The values of every public property of ours that a packet has."""
    return {name: values for unit in UNITS for name in unit.names if (values := packet.read(name))}


def _overlaid(record: Values, brought: EditablePacket | None) -> Values:
    """What should stand in the sidecar: the source's units before the record's, sets united."""
    if brought is None:
        return record
    said, wanted = _public(brought), dict[str, tuple[str, ...]]()
    for unit in UNITS:
        spoken = said if any(name in said for name in unit.leads) else record
        for name in unit.names:
            if FORMS.get(name) is XmpForm.SET:
                values = _united(said.get(name, ()), record.get(name, ()))
            else:
                values = spoken.get(name, ())
            if values:
                wanted[name] = values
    return wanted


def _settle(packet: EditablePacket, names: tuple[str, ...], wrote: Values, wanted: Values) -> None:
    """Update one unit, unless the owner changed it since we wrote."""
    if FORMS.get(names[0]) is XmpForm.SET:
        (name,) = names
        ours, wish = wrote.get(name, ()), wanted.get(name, ())
        kept = tuple(value for value in packet.read(name) if value not in ours or value in wish)
        packet.write(name, XmpForm.SET, _united(kept, tuple(value for value in wish if value not in ours)))
        return
    if any(packet.read(name) != wrote.get(name, ()) for name in names):
        return
    for name in names:
        if name in wanted:
            packet.write(name, FORMS.get(name, XmpForm.TEXT), wanted[name])
        else:
            packet.remove(name)


def _united(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))


# ---------------------------------------------------------------- our own properties


def _add_members(packet: EditablePacket, record: SidecarRecord) -> None:
    array = SubElement(packet.add("mediabox:Members"), RDF + "Seq")
    for member in record.members:
        item = SubElement(array, ITEM, {RDF + "parseType": "Resource"})
        for name, text in member_fields(member):
            SubElement(item, qualified(f"mediabox:{name}")).text = text
