"""What a sidecar says: which files an asset is made of, where they came from, and what is known of the picture.

A volume's sidecars together are a second catalogue (invariant I12): from them, and
the manifest of each folder, the first can be built again.
"""

import msgspec

from mediabox.model.asset import Kind, Role
from mediabox.model.facts import Camera, CaptureTime
from mediabox.model.place import Place

# How every sidecar starts that holds nothing but our own words. Once something of
# somebody else's is in it, `merge` writes another beginning, and it is never composed anew.
COMPOSED_HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="mediabox">\n'
)


class SidecarMember(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an asset, with all that is needed to know it again."""

    path: str  # in the archive, relative, '/'-separated
    sha256: str  # 64 lower-case hex digits
    size_bytes: int
    role: Role
    kind: Kind
    media_type: str
    original_name: str
    source: str
    remote_id: str
    version: str
    taken_in_at_ms: int  # Unix milliseconds
    modified_at_ms: int | None = None  # the source's file time


class SidecarRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as its sidecar tells it. `keywords` and `people` are sets in the order they are shown."""

    members: tuple[SidecarMember, ...]
    mediabox_version: str
    filed_at_ms: int  # Unix milliseconds
    capture_time: CaptureTime | None = None
    place: Place | None = None
    camera: Camera | None = None
    rating: int | None = None  # -1 rejected, 0 to 5
    keywords: tuple[str, ...] = ()
    title: str | None = None
    caption: str | None = None
    people: tuple[str, ...] = ()
    is_favorite: bool = False
    albums: tuple[tuple[str, ...], ...] = ()  # each as names from the outermost folder to the album's own


class SidecarFile(msgspec.Struct, frozen=True, kw_only=True):
    """A sidecar of ours as we last wrote it."""

    path: str
    digest: str  # SHA-256, 64 lower-case hex digits


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of an asset, and where."""

    record: SidecarRecord
    path: str  # of our sidecar, in the archive
    written_digest: str | None = None  # of what we last wrote there
    source_path: str | None = None  # the owner's own XMP of this asset, when it is archived
    stale: tuple[SidecarFile, ...] = ()  # sidecars from before two assets were joined
