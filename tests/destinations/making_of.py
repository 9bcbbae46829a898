"""An archive, a box's outbox on a real disk, and a Fitter that obeys the contract with formats of its own.

Its "Motion Photo" is the still, a line of XMP and the clip; its encoding is a line and the first bytes of the
source. What matters is who is asked for what, and what becomes of the answers.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from mediabox.contracts import Member, Parcel
from mediabox.contracts.media import ClipAt
from mediabox.errors import Permanent
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.delivery import Delivery, DeliveryState, Form
from mediabox.model.facts import CaptureTime, Facts, Hdr, Motion, TimeSource
from mediabox.model.place import Place
from mediabox.model.recipe import Conversion, Converted, FitRequest, Insert, Part, Recipe, Span

STILL, CLIP = b"\xff\xd8 the still " * 1000, b"ftyp the clip " * 500
XMP = b"<motion/>"
EDITED = b"ftyp another"  # as long as what it stands for at the clip's beginning; all behind it are samples
TAGS = b"<tags/>"
TAKEN = CaptureTime(local="2024-05-12T18:03:22", offset_min=120, source=TimeSource.SOURCE)
HERE = Place(latitude=48.2, longitude=16.4)
OWN_TIME = CaptureTime(local="2024-05-12T18:03:22", offset_min=120, source=TimeSource.EXIF_OFFSET)


class Archive:
    """Obeys `contracts.Originals`; knows which descriptors it has given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.given: list[int] = []

    def put(self, resource: Resource, content: bytes) -> None:
        (self._folder / str(resource.id)).write_bytes(content)

    @contextmanager
    def opened(self, resource: Resource) -> Iterator[int]:
        descriptor = os.open(self._folder / str(resource.id), os.O_RDONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    async def open(self, resource: Resource) -> int:
        descriptor = os.open(self._folder / str(resource.id), os.O_RDONLY)
        self.given.append(descriptor)
        return descriptor


class TableFitter:
    """Obeys `contracts.Fitter`. `refuses`: what it says Permanent to; `hdr`: how its results carry it."""

    def __init__(self, edition: bytes = b"") -> None:
        """`edition`: of the program; another one makes other bytes of the same files."""
        self.edition = edition
        self.refuses: set[str] = set()  # fit, check, convert
        self.hdr: Hdr | None = None
        self.fits: list[FitRequest] = []
        self.conversions: list[Conversion] = []
        self.checks: list[str] = []
        self.note = ""
        self.misplaces_clip_by = 0
        self.spoils_clip = False
        self.forgets_clip = False
        self.edits_clip = False
        self.before: Callable[[str], None] = lambda _: None  # called with the verb

    async def fit(self, first: int, clip: int | None, request: FitRequest) -> Recipe:
        self.before("fit")
        self.fits.append(request)
        self._may("fit")
        assert os.fstat(first).st_size == request.size_bytes
        words = self.edition + (XMP if clip is not None else TAGS)
        pieces: list[Span | Insert] = [
            Span(part=Part.FIRST, offset=0, length=request.size_bytes),
            Insert(content=words),
        ]
        if clip is None or request.clip_bytes is None:
            return Recipe(pieces=tuple(pieces), media_type=request.media_type, note=self.note)
        assert os.fstat(clip).st_size == request.clip_bytes
        if self.edits_clip:
            behind = Span(
                part=Part.CLIP, offset=len(EDITED), length=request.clip_bytes - len(EDITED) - self.spoils_clip
            )
            pieces += [Insert(content=EDITED), behind, Insert(content=b"!" * self.spoils_clip)]
        elif self.spoils_clip:
            pieces += [Insert(content=b"!"), Span(part=Part.CLIP, offset=1, length=request.clip_bytes - 1)]
        else:
            pieces.append(Span(part=Part.CLIP, offset=0, length=request.clip_bytes))
        offset = request.size_bytes + len(words)
        return Recipe(
            pieces=tuple(pieces),
            media_type=request.media_type,
            clip_offset=offset,
            edits_clip=self.edits_clip,
            note=self.note,
        )

    async def check(
        self, result: int, first: int, *, media_type: str, name: str, size_bytes: int, clip: ClipAt | None = None
    ) -> Facts:
        self.before("check")
        self.checks.append(name)
        self._may("check")
        content, still = os.pread(result, size_bytes + 1, 0), os.pread(first, 1 << 20, 0)
        if clip is not None and not content[clip[1] :].endswith(os.pread(clip[0], 1 << 20, len(EDITED))):
            raise Permanent("other samples")
        assert len(content) == size_bytes
        if not content.startswith(still):
            raise Permanent("other picture data")
        motion = None
        if XMP in content and not self.forgets_clip:
            offset = content.index(XMP) + len(XMP) + self.misplaces_clip_by
            motion = Motion(maker="google", offset_bytes=offset, size_bytes=size_bytes - offset)
        return Facts(kind=Kind.PICTURE, media_type=media_type, motion=motion, hdr=self.hdr)

    async def convert(self, source: int, into: int, conversion: Conversion) -> Converted:
        self.before("convert")
        self.conversions.append(conversion)
        self._may("convert")
        content = self.edition + encoded(os.pread(source, 1 << 20, 0), conversion.to)
        os.write(into, content)
        return Converted(size_bytes=len(content), width=1, height=1, note=self.note)

    def _may(self, verb: str) -> None:
        if verb in self.refuses:
            raise Permanent(f"cannot {verb} this one")


def encoded(content: bytes, to: str) -> bytes:
    return f"encoded to {to}: ".encode() + content[:100]


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def member(number: int, content: bytes, *, role: Role = Role.ORIGINAL, **facts: Any) -> Member:
    kind = (
        Kind.VIDEO if role is Role.LIVE_VIDEO or str(facts.get("media_type", "")).startswith("video") else Kind.PICTURE
    )
    media_type = facts.pop("media_type", "video/quicktime" if kind is Kind.VIDEO else "image/jpeg")
    resource = Resource(
        id=number,
        asset_id=1,
        source="icloud",
        remote_id=str(number),
        version="1",
        name=f"IMG_{number}.{'MOV' if kind is Kind.VIDEO else 'JPG'}",
        kind=kind,
        role=role,
        state=ResourceState.ARCHIVED,
        size_bytes=len(content),
        digest=digest_of(content),
        modified_at_ms=1_700_000_000_000,
    )
    return Member(resource=resource, facts=Facts(kind=kind, media_type=media_type, **facts))


def parcel(
    archive: Archive,
    form: Form = Form.ORIGINAL,
    *,
    clip: dict[str, Any] | None = None,
    content: bytes = STILL,
    capture_time: CaptureTime | None = None,
    place: Place | None = None,
    name: str = "IMG_1_3f9a21c0.JPG",
    number: int = 1,
    **facts: Any,
) -> Parcel:
    first = member(number, content, **facts)
    film = (
        None if clip is None else member(number + 1000, CLIP, role=Role.LIVE_VIDEO, **({"video_codec": "hevc"} | clip))
    )
    archive.put(first.resource, content)
    if film is not None:
        archive.put(film.resource, CLIP)
    delivery = Delivery(
        id=number,
        destination="anna",
        asset_id=1,
        resource_id=number,
        clip_id=film.resource.id if film else None,
        form=form,
        name=name,
        state=DeliveryState.ADMITTED,
        size_bytes=len(content),
    )
    return Parcel(delivery=delivery, first=first, clip=film, capture_time=capture_time, place=place)


def with_digest(member_: Member, digest: str) -> Member:
    return msgspec.structs.replace(member_, resource=msgspec.structs.replace(member_.resource, digest=digest))
