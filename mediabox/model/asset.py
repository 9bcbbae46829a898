"""What a household owns: assets, and the resources (files) each of them is made of.

An asset is what a person calls one photo or one video. A resource is one file of
it. A Live Photo is one asset of two resources; a RAW+JPEG pair likewise.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from mediabox.message import Text

if TYPE_CHECKING:
    from mediabox.model.said import Said


class Kind(StrEnum):
    """What a resource is, decided by its content and, where content cannot say, by its name."""

    PICTURE = "picture"
    VIDEO = "video"
    SIDECAR = "sidecar"  # XMP, AAE, Takeout JSON: says something about another resource


class Role(StrEnum):
    """What a resource is to its asset."""

    ORIGINAL = "original"
    RAW = "raw"  # the camera's raw twin of an original
    LIVE_VIDEO = "live_video"  # the paired video of a Live Photo
    EDITED = "edited"  # an adjusted version (IMG_E1234.JPG)
    EDITED_VIDEO = "edited_video"
    SIDECAR = "sidecar"
    COMPANION = "companion"  # what a camera or a program made beside its file: thumbnail, proxy, log (THM, LRV, SRT)


class ResourceState(StrEnum):
    """Where a resource stands. Order of a normal life: seen, staged, filing, archived.

    `duplicate` and `quarantined` are ends too: nothing taken in is ever without an
    end or a pending job (invariant I11). What was deleted at a source that is mirrored
    goes on to `trashed` and, 30 days later, `removed`; `trashed` still counts as archived.
    """

    SEEN = "seen"  # listed by its source, not read yet
    STAGED = "staged"  # bytes are durable in the spool, digest known
    FILING = "filing"  # a path in the archive is reserved
    ARCHIVED = "archived"  # published, directory synced, re-read past the cache
    DUPLICATE = "duplicate"  # the same bytes are kept as another resource
    QUARANTINED = "quarantined"  # cannot be an original; left where it is, with a reason
    TRASHED = "trashed"  # in the archive's trash, from where it can come back
    REMOVED = "removed"  # its time in the trash is over; the row and the story stay

    @property
    def is_end(self) -> bool:
        return self not in (ResourceState.SEEN, ResourceState.STAGED, ResourceState.FILING)

    @property
    def is_kept(self) -> bool:
        """Whether the archive, or its trash, has the bytes under this resource's own name."""
        return self in (ResourceState.ARCHIVED, ResourceState.TRASHED)


class RemoteResource(msgspec.Struct, frozen=True, kw_only=True):
    """One file as its source lists it, before a byte of it was read.

    `remote_id` is stable for the same file within its source (a folder: the path
    relative to the tree, `tree/relative/path`, surrogate-escaped bytes percent-encoded).
    `version` changes whenever the bytes may have changed (a folder: size and mtime_ns).
    """

    remote_id: str
    version: str
    name: str  # file name as the person knows it, with extension
    kind: Kind | None = None  # None: the name does not say; `Source.peek` and `model.signature` will
    role: Role = Role.ORIGINAL
    size_bytes: int | None = None
    modified_at_ms: int | None = None  # Unix milliseconds


class RemoteAsset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as its source lists it. A folder knows files only, so each is an asset of one resource."""

    remote_id: str  # `library/asset` where a source has several libraries
    resources: tuple[RemoteResource, ...]
    said: "Said | None" = None  # None: the source says nothing but the bytes
    change_tag: str | None = None  # changes with whatever the person changes; None: the source has no such mark


class Turn(StrEnum):
    """What happened to a whole asset at its source."""

    TRASHED = "trashed"  # to the source's bin, from where it can come back
    RESTORED = "restored"  # it is in its place: told with every change that may be a return
    PURGED = "purged"  # gone for ever
    MOVED = "moved"  # to another library of the same people, under another id with the same versions


class RemoteChange(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's turn. May be told twice, and of assets nobody has taken in.

    A source that keeps only names of what is gone tells PURGED of albums too.
    """

    remote_id: str  # RemoteAsset.remote_id
    turn: Turn
    at_ms: int  # when it happened, or when we heard where the source does not say


class RemoteAlbum(msgspec.Struct, frozen=True, kw_only=True):
    """An album, or a folder of albums, as it is now."""

    remote_id: str
    name: str
    folder_id: str | None = None  # RemoteAlbum.remote_id of the folder it is in; None: it stands outermost
    is_folder: bool = False
    is_gone: bool = False  # its assets stay


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """An asset came into an album, or left it."""

    album_id: str  # RemoteAlbum.remote_id
    asset_id: str  # RemoteAsset.remote_id
    is_in: bool = True


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One file taken in. Ids are local to this catalogue and never leave it as identity: the digest does."""

    id: int
    asset_id: int
    source: str  # the source's configured name
    remote_id: str
    version: str
    name: str
    kind: Kind
    role: Role
    state: ResourceState
    size_bytes: int | None = None
    modified_at_ms: int | None = None
    digest: str | None = None  # SHA-256, 64 lower-case hex digits
    duplicate_of: int | None = None  # resource id
    path: str | None = None  # in the archive, relative, '/'-separated, NFC; reserved or published
    reason: Text | None = None  # why it is quarantined or flagged, for a person
    remote_asset_id: int | None = None  # the source's own asset it is of, with the role it has there; None: a mere file

    @property
    def is_companion(self) -> bool:
        """See the function of this name."""
        return is_companion(self)


def is_companion(one: RemoteResource | Resource) -> bool:
    """Whether a file exists for another's sake: kept once for each asset it belongs to, whatever its bytes."""
    return one.kind is Kind.SIDECAR or one.role is Role.COMPANION
