"""What a person sees in Photos: originals, the assets made of them, albums, and who is in which."""

import msgspec

from mediabox.model.place import Place
from mediabox.simulate.icloud.blob import Blob


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an asset. `type` is its uniform type identifier (`public.heic`)."""

    blob: Blob
    type: str
    width: int = 0
    height: int = 0


class Master(msgspec.Struct, frozen=True, kw_only=True):
    """The originals, as they came: one file, or a still with its Live video or RAW twin."""

    name: str  # record name: the signature of `original` (S4: recordName == resOriginalFingerprint)
    file_name: str
    original: Part
    live: Part | None = None
    alternative: Part | None = None
    orientation: int = 1
    added_ms: int
    trashed_ms: int | None = None
    contributor: str | None = None
    omitted: tuple[str, ...] = ()  # fields this record lacks on the wire

    @property
    def is_trashed(self) -> bool:
        return self.trashed_ms is not None


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    is_pick: bool = False


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One photo or video as the person treats it. Only what it says, never the originals, changes by editing."""

    name: str  # record name, an upper-case UUID
    master: str
    taken_ms: int
    added_ms: int
    offset_s: int = 0  # east of UTC
    is_favorite: bool = False
    is_hidden: bool = False
    trashed_ms: int | None = None
    trash_reason: int | None = None  # 1 deleted, 0 moved to another library
    is_moved: bool = False  # left for another library: trashed and expunged at once
    deleted_by: str | None = None
    contributor: str | None = None  # in a shared library: who brought it
    subtype: int = 0  # 2 Live Photo, 3 screenshot
    duration_s: float | None = None
    burst: Burst | None = None
    place: Place | None = None
    title: str | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    edited: Part | None = None
    edited_live: Part | None = None
    adjustment: bytes = b""  # what the editor noted; empty for its own small JSON
    omitted: tuple[str, ...] = ()

    @property
    def is_trashed(self) -> bool:
        return self.trashed_ms is not None


class AlbumKind:
    """`albumType` on the wire."""

    ALBUM = 0
    FOLDER = 3


class Album(msgspec.Struct, frozen=True, kw_only=True):
    name: str  # record name
    title: str
    kind: int = AlbumKind.ALBUM
    parent: str | None = None  # record name of its folder
    position: int = 0
    modified_ms: int = 0
    is_deleted: bool = False


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """One asset in one album."""

    asset: str
    album: str
    position: int = 1024
    modified_ms: int = 0

    @property
    def name(self) -> str:
        return f"{self.asset}-IN-{self.album}"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Any other record: CPLLibraryInfo, CPLPerson, CPLFaceCrop, CPLMemory. Values are as on the wire."""

    name: str
    record_type: str
    fields: dict[str, int | str]
    modified_ms: int = 0


Row = Master | Asset | Album | Relation | Note
