"""The XMP that makes a still with a clip behind it a Motion Photo, and one with a gain map Ultra HDR.

developer.android.com/media/platform/motion-photo-format (1.0) and .../hdr-image-format
(1.1), seen November 2026. The older MicroVideo words are written as well, for readers of
before 2020; the specification has today's readers ignore them.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

import msgspec

from mediabox.native.boxes import Malformed
from mediabox.native.fit.xmp_edit import RDF, Cut, Layout, locate, spliced
from mediabox.native.fit.xmp_single import as_one_description

_CAMERA: Final = "http://ns.google.com/photos/1.0/camera/"
_GAIN_MAP: Final = "http://ns.adobe.com/hdr-gain-map/1.0/"
_UNKNOWN_US: Final = -1
_EMPTY: Final = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n<rdf:RDF xmlns:rdf="' + RDF.encode() + b'">\n'
    b'</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
)
_MOTION_WORDS: Final = frozenset(
    f"{_CAMERA} {word}"
    for word in (
        "MotionPhoto", "MotionPhotoVersion", "MotionPhotoPresentationTimestampUs",
        "MicroVideo", "MicroVideoVersion", "MicroVideoOffset", "MicroVideoPresentationTimestampUs",
    )
)  # fmt: skip
_ULTRA_HDR_WORD: Final = f"{_GAIN_MAP} Version"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One file within the file. `padding`: bytes between its end and the next one's start; of the first only."""

    semantic: str  # Primary, GainMap, MotionPhoto
    mime: str
    length: int = 0  # bytes; 0 for the first, which says itself where it ends
    padding: int = 0


def with_motion(
    packet: bytes, items: Sequence[Item], *, still_at_us: int | None, says_ultra_hdr: bool = False
) -> bytes:
    """The packet (b"" for none) telling of `items`, the last of which is the clip at the file's very end.

    It comes back as one description in the form that Google's readers take (`xmp_single`). A directory that
    lists the other ones already is kept and added to; any other is replaced. `says_ultra_hdr` is for a gain
    map made by us: the directory is ours, too, and
    readers are told. Raises Malformed for what is no XMP.
    """
    packet = _utf_8(packet) or _EMPTY
    locate(packet, frozenset())  # refuses what is no XMP, and XML that would do harm
    packet = as_one_description(packet)
    stale = _MOTION_WORDS | {_ULTRA_HDR_WORD} if says_ultra_hdr else _MOTION_WORDS
    layout = locate(packet, stale)
    words = _words(items[-1].length, still_at_us)
    if says_ultra_hdr:
        words |= {"hdrgm:Version": "1.0"}
    if not says_ultra_hdr and _lists(layout, items[:-1]):
        directory = ""
        cuts = _extension(layout, items[-1])
    else:
        directory = _directory(items)
        cuts = [] if layout.directory is None else [Cut(*layout.directory)]
    said = "".join(f"\n   {name}={quoteattr(text)}" for name, text in words.items())
    told = (Cut(layout.description, layout.description, said.encode()),)
    behind = (Cut(layout.description + 1, layout.description + 1, f"\n{directory}".encode()),) if directory else ()
    return spliced(packet, (*layout.stale, *cuts, *told, *behind))


def _utf_8(packet: bytes) -> bytes:
    """JPEG's and HEIC's packets are UTF-8 by their rules; one in UTF-16 is turned."""
    if not packet.startswith((b"\xfe\xff", b"\xff\xfe")):
        return packet
    try:
        return packet.decode("utf-16").encode()
    except UnicodeError as err:
        raise Malformed(f"XMP that is not: {err}") from err


def _words(clip_bytes: int, still_at_us: int | None) -> dict[str, str]:
    shown_at = str(_UNKNOWN_US if still_at_us is None else still_at_us)
    return {
        "GCamera:MotionPhoto": "1",
        "GCamera:MotionPhotoVersion": "1",
        "GCamera:MotionPhotoPresentationTimestampUs": shown_at,
        "GCamera:MicroVideo": "1",
        "GCamera:MicroVideoVersion": "1",
        "GCamera:MicroVideoOffset": str(clip_bytes),
        "GCamera:MicroVideoPresentationTimestampUs": shown_at,
    }


# ---------------------------------------------------------------- the container directory


def _lists(layout: Layout, others: Sequence[Item]) -> bool:
    """Whether a directory can stay: it lists these, and maybe more of the still's own, such as depth."""
    told = [item.semantic for item in layout.items]
    is_understood = layout.list_end >= 0 and told[:1] == ["Primary"] and "" not in told
    return is_understood and {item.semantic for item in others} <= set(told)


def _extension(layout: Layout, clip: Item) -> list[Cut]:
    """What turns the directory into one with the clip as its last item; one that is not there any more goes."""
    gone = [Cut(item.start, item.end) for item in layout.items if _is_clip(item.semantic, item.mime)]
    return [*gone, Cut(layout.list_end, layout.list_end, "".join(_entry(clip)).encode())]


def _is_clip(semantic: str, mime: str) -> bool:
    return semantic == "MotionPhoto" or mime.startswith("video/")


def _directory(items: Sequence[Item]) -> str:
    entries = "".join(line for item in items for line in _entry(item))
    return f"   <Container:Directory>\n    <rdf:Seq>\n{entries}    </rdf:Seq>\n   </Container:Directory>\n"


def _entry(item: Item) -> Iterator[str]:
    yield '     <rdf:li rdf:parseType="Resource">\n      <Container:Item'
    yield f" Item:Mime={quoteattr(item.mime)} Item:Semantic={quoteattr(item.semantic)}"
    yield f' Item:Length="{item.length}" Item:Padding="{item.padding}"/>\n     </rdf:li>\n'
