"""Give a resource its name in the archive, once and for good.

The name comes from the owner's template, is legal everywhere, and belongs to this
resource alone: a name that is taken gets the beginning of the file's own digest.
Companions go beside the file they belong to, under its name, so that what was
together stays together in any file manager.
"""

from __future__ import annotations

import re
from datetime import datetime
from string import Formatter
from typing import TYPE_CHECKING, ClassVar

from mediabox.contracts import Duplicate, Library, Member, Reserve
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.naming import FileName, is_raw, parse_name, split_extension
from mediabox.model.safe_name import fitted, safe_component

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.model.facts import Facts

UNKNOWN_DATE = "unknown-date"
UNKNOWN = "unknown"
SUFFIX_DIGITS = (8, 16, 64)  # of the digest; the last cannot be shared by two different files
_SUFFIX = re.compile(r" -[0-9a-f]{8}(?:[0-9a-f]{8}|[0-9a-f]{56})?$")

_DATE_FIELDS = ("year", "month", "day", "hour", "minute", "second")
_NO_DATE = {"year": "0000", **dict.fromkeys(_DATE_FIELDS[1:], "00")}  # in a file's own name
# Our own sidecars are called `….xmp`: the owner's get a name that says whose they are.
_OWNERS_XMP = ".source.xmp"
_EDITED = (Role.EDITED, Role.EDITED_VIDEO)


Component = tuple[tuple[str, str], ...]  # (literal text, field or "") pairs


def parse_template(template: str) -> tuple[Component, ...]:
    """The path components of a template as `config.sections.TEMPLATE` lets them be."""
    parts = (Formatter().parse(component) for component in template.split("/"))
    return tuple(tuple((literal, field or "") for literal, field, _, _ in component) for component in parts)


class Place:
    """Which path of the archive a resource gets."""

    name: ClassVar[str] = "place"
    summary: ClassVar[str] = "Choose folder and name in the archive."
    after: ClassVar[tuple[str, ...]] = ("group", "dedup")

    def __init__(self, template: str) -> None:
        """`template`: where originals are filed, as the owner wrote it."""
        self._components = parse_template(template)

    def decide(self, resource: Resource, facts: Facts, library: Library) -> Iterator[Reserve | Duplicate]:
        """Yield one Reserve for a resource that has a digest and no path yet, or whose path should be another.

        `facts` has the capture time its asset agrees on. A companion the asset has
        already, byte for byte, is a Duplicate of that one.
        """
        is_filed = resource.state is ResourceState.ARCHIVED
        if resource.digest is None or (not is_filed and (resource.path is not None or resource.state.is_end)):
            return
        twin = _twin(resource, library) if resource.is_companion and not is_filed else None
        if twin is not None:
            yield Duplicate(resource_id=resource.id, of=twin.id)
            return
        mate = _mate(resource, library)
        own = self._own_name(resource, facts)
        if is_filed and not self._is_misplaced(resource, mate, own[0], library):
            return
        is_first = mate is None or (_leads(resource, mate) and own[0] != _folder(mate))
        folder, stem, tail = own if is_first or mate is None else _name_beside(mate, resource)
        for path in _candidates(folder, stem, tail, digest=resource.digest):
            sidecar = _sidecar_of(path, resource, facts)
            if not library.is_taken(path) and not (sidecar and library.is_taken(sidecar)):
                yield Reserve(resource_id=resource.id, path=path, sidecar_path=sidecar)
                return

    def _is_misplaced(self, resource: Resource, mate: Resource | None, right: str, library: Library) -> bool:
        """Whether an archived file lies elsewhere than its asset.

        The one that leads moves once: from where its own facts put it, never from where
        a person, another template or an earlier move did.
        """
        if mate is not None and not _leads(resource, mate):
            return _folder(resource) != _folder(mate)
        raw = [one.facts for one in library.members(resource.asset_id) if one.resource.id == resource.id]
        home = self._own_name(resource, raw[0])[0] if raw and raw[0] else right
        return _folder(resource) == home != right

    def _own_name(self, resource: Resource, facts: Facts) -> tuple[str, str, str]:
        """(folder, stem, tail) from the template."""
        values = _values(resource, facts)
        *folders, last = self._components
        kept: list[str] = []
        for component in folders:
            is_dated = any(field in _DATE_FIELDS for _, field in component)
            name = UNKNOWN_DATE if is_dated and not values["year"] else safe_component(_render(component, values))
            if name != UNKNOWN_DATE or kept[-1:] != [name]:
                kept.append(name)
        name = _render(last, values if values["year"] else values | _NO_DATE)
        extension = f".{values['ext']}"
        if values["ext"] and not name.endswith(extension):  # `{stem}-{hour}`: a file keeps its extension
            name += extension
        return "/".join(kept), *_split(safe_component(name))


def sidecar_path(primary_path: str, *, has_raw: bool) -> str:
    """Where our sidecar of a file lies: `IMG_1.JPG.xmp`, but `IMG_1.xmp` beside a raw file.

    The first is digiKam's, darktable's and exiftool's way, the second Adobe's.
    """
    folder, slash, name = primary_path.rpartition("/")
    return f"{folder}{slash}{split_extension(name)[0] if has_raw else name}.xmp"


def _sidecar_of(path: str, resource: Resource, facts: Facts) -> str | None:
    if facts.kind is Kind.SIDECAR or resource.role is Role.COMPANION:
        return None
    raw = is_raw(resource.name, facts.media_type) and resource.role is Role.ORIGINAL
    return sidecar_path(path, has_raw=raw)


# ---------------------------------------------------------------- the template's fields


def _values(resource: Resource, facts: Facts) -> dict[str, str]:
    """The text of each field. A field's text never makes a folder of its own."""
    stem, extension = split_extension(resource.name)
    camera = facts.camera
    values = {
        **dict(zip(_DATE_FIELDS, _date_parts(facts), strict=True)),
        "name": resource.name,
        "stem": stem,
        "ext": extension,
        "camera": (camera and camera.model) or UNKNOWN,
        "make": (camera and camera.make) or UNKNOWN,
        "source": resource.source or UNKNOWN,
        "kind": facts.kind.value,
    }
    return {field: text.replace("/", "_") for field, text in values.items()}


def _date_parts(facts: Facts) -> tuple[str, ...]:
    """Year to second on the wall clock where the picture was taken; empty when that is unknown or no date."""
    try:
        taken = datetime.fromisoformat(facts.capture_time.begins) if facts.capture_time else None
    except ValueError:  # a file may claim any date, the 31st of February included
        taken = None
    if taken is None:
        return ("",) * len(_DATE_FIELDS)
    return (f"{taken:%Y}".zfill(4), *(f"{taken:{form}}" for form in ("%m", "%d", "%H", "%M", "%S")))


def _render(component: Component, values: dict[str, str]) -> str:
    return "".join(literal + (values[field] if field else "") for literal, field in component)


# ---------------------------------------------------------------- names


def _split(name: str) -> tuple[str, str]:
    """(stem, tail) of a safe name, where a suffix would go between; an XMP file's tail says it is the owner's."""
    stem, extension = split_extension(name)
    if extension.casefold() == "xmp":
        return stem.removesuffix(".source"), _OWNERS_XMP
    return stem, f".{extension}" if extension else ""


def _candidates(folder: str, stem: str, tail: str, *, digest: str) -> Iterator[str]:
    """Names to try in turn. Ends: no two files share a whole digest and a number."""
    prefix = f"{folder}/" if folder else ""
    yield prefix + fitted(stem, tail)
    for digits in SUFFIX_DIGITS:
        yield prefix + fitted(stem, f" -{digest[:digits]}{tail}")
    for number in range(2, 1000):
        yield prefix + fitted(stem, f" -{digest}-{number}{tail}")


def _twin(resource: Resource, library: Library) -> Resource | None:
    """The same companion, filed: of the same asset, or of the same name while neither stands with a file."""
    filed = [one.resource for one in library.copies(resource) if one.resource.path and one.resource.is_companion]
    same = [one for one in filed if one.asset_id == resource.asset_id]
    if not same and _is_alone(resource, library):
        same = [one for one in filed if one.name == resource.name and _is_alone(one, library)]
    return min(same, key=lambda one: one.id, default=None)


def _is_alone(resource: Resource, library: Library) -> bool:
    return all(member.resource.is_companion for member in library.members(resource.asset_id))


def _mate(resource: Resource, library: Library) -> Resource | None:
    """The filed member of the asset to lie beside: its original, else whichever came first."""
    filed = [
        member.resource for member in library.members(resource.asset_id) if _is_filed_file(member, besides=resource)
    ]
    return min(filed, key=_order, default=None)


def _leads(resource: Resource, mate: Resource) -> bool:
    """Whether the others of an asset go where this one is, not where `mate` is."""
    return not resource.is_companion and _order(resource) < _order(mate)


def _order(one: Resource) -> tuple[bool, int]:
    return one.role is not Role.ORIGINAL, one.id


def _folder(resource: Resource) -> str:
    return (resource.path or "").rpartition("/")[0]


def _is_filed_file(member: Member, *, besides: Resource) -> bool:
    """A companion that came first lies where its own date put it: nobody follows it there."""
    other = member.resource
    return other.id != besides.id and other.path is not None and not other.is_companion


def _name_beside(mate: Resource, resource: Resource) -> tuple[str, str, str]:
    """(folder, stem, tail) that keep `resource` beside `mate`."""
    folder, _, filed = (mate.path or "").rpartition("/")
    filed_stem, _ = split_extension(filed)
    own, other = parse_name(resource.name), parse_name(mate.name)
    safe_stem, tail = _split(safe_component(resource.name))
    if own.describes is not None and own.describes == other.name:
        return folder, filed, _described_tail(own, tail)
    is_renamed = resource.role is Role.COMPANION and safe_stem.casefold() != split_extension(other.name)[0]
    if own.version_of == other.name or is_renamed:  # GL010001.LRV, C0001M01.XML
        return folder, safe_stem + _suffix_of(filed_stem), tail  # DSC_1_01.NEF.xmp beside DSC_1.NEF
    if own.is_edited != other.is_edited and own.base == other.base:
        return folder, safe_stem + _suffix_of(filed_stem), tail  # IMG_E1.JPG beside IMG_1.JPG
    if resource.role in _EDITED and mate.role not in _EDITED and not own.is_edited:
        return folder, f"{filed_stem}-edited", tail  # its source calls both the same
    return folder, filed_stem, tail


def _described_tail(own: FileName, tail: str) -> str:
    """What a sidecar named after a whole file puts behind that file's name."""
    return ".supplemental-metadata.json" if ".supp" in own.name and own.extension == "json" else tail


def _suffix_of(filed_stem: str) -> str:
    """What a collision put behind a filed name, so that its companions carry the same."""
    found = _SUFFIX.search(filed_stem)
    return found.group() if found else ""
