"""Write an asset's sidecar as text. Pure: the daemon composes, children merge (`native.sidecar`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from mediabox.model.sidecar import COMPOSED_HEAD, SidecarMember, SidecarRecord
from mediabox.native.xmp.names import NAMESPACES
from mediabox.native.xmp.values import XmpForm, XmpProperty, escape, properties

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PREFIXES = ("dc", "xmp", "xmpMM", "photoshop", "tiff", "exif", "exifEX", "Iptc4xmpExt", "lr", "mediabox")
_DECLARATIONS = "".join(f'\n    xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in _PREFIXES)
_OPENING = (
    f'{COMPOSED_HEAD} <rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">\n  <rdf:Description rdf:about=""{_DECLARATIONS}>\n'
)
_CLOSING = '  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>\n'
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Names and ids must come back exactly: what XML cannot hold or would change is written \uXXXX, a backslash twice.
_DELICATE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|^ | $")
_WRITTEN = re.compile(r"\\(?:\\|u([0-9a-f]{4}))")


def compose(record: SidecarRecord) -> bytes:
    """The sidecar of an asset that nobody else has written about. Pure text, about 0.1 ms."""
    public = tuple(properties(record))
    lines = [_OPENING]
    lines += [_line(each) for each in public]
    lines += [_line(each) for each in own_properties(record, {each.name: each.values for each in public})]
    lines.append("   <mediabox:Members>\n    <rdf:Seq>\n")
    for member in record.members:
        fields = "".join(
            f"      <mediabox:{name}>{escape(text)}</mediabox:{name}>\n" for name, text in member_fields(member)
        )
        lines.append(f'     <rdf:li rdf:parseType="Resource">\n{fields}     </rdf:li>\n')
    lines += ("    </rdf:Seq>\n   </mediabox:Members>\n", _CLOSING)
    return "".join(lines).encode()


def own_properties(record: SidecarRecord, wrote: Mapping[str, tuple[str, ...]]) -> Iterator[XmpProperty]:
    """What we say of ourselves; `wrote` is what the public properties should say, by name."""
    yield XmpProperty("mediabox:Version", XmpForm.TEXT, (record.mediabox_version,))
    yield XmpProperty("mediabox:FiledAt", XmpForm.TEXT, (_date(record.filed_at_ms),))
    if record.capture_time:
        yield XmpProperty("mediabox:CaptureTimeSource", XmpForm.TEXT, (record.capture_time.source.value,))
    if record.is_favorite:
        yield XmpProperty("mediabox:Favorite", XmpForm.TEXT, ("True",))
    yield XmpProperty("mediabox:Wrote", XmpForm.TEXT, (msgspec.json.encode(wrote).decode(),))


def _line(each: XmpProperty) -> str:
    """One property as text; the array member of a language alternative is its default."""
    name, form = each.name, each.form
    if form is XmpForm.TEXT:
        return f"   <{name}>{escape(each.values[0])}</{name}>\n"
    start = '<rdf:li xml:lang="x-default">' if form is XmpForm.LANGUAGES else "<rdf:li>"
    members = "".join(f"{start}{escape(value)}</rdf:li>" for value in each.values)
    return f"   <{name}><rdf:{form.value}>{members}</rdf:{form.value}></{name}>\n"


def member_fields(member: SidecarMember) -> Iterator[tuple[str, str]]:
    """A member's fields as text, by their name in our namespace."""
    yield "Path", _exact(member.path)
    yield "SHA256", member.sha256
    yield "Size", str(member.size_bytes)
    yield "Role", member.role.value
    yield "Kind", member.kind.value
    yield "MediaType", member.media_type
    yield "OriginalName", _exact(member.original_name)
    yield "Source", _exact(member.source)
    yield "RemoteID", _exact(member.remote_id)
    yield "RemoteVersion", _exact(member.version)
    yield "TakenInAt", _date(member.taken_in_at_ms)
    if member.modified_at_ms is not None:
        yield "ModifiedAt", _date(member.modified_at_ms)


def _exact(text: str) -> str:
    if not _DELICATE.search(text):
        return text
    return _DELICATE.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", text)


def original(text: str) -> str:
    """A name or id as it was before it was written."""
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", text)


def _date(at_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_ms(text: str) -> int | None:
    """Unix milliseconds of one of our dates, or None."""
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError):
        return None
