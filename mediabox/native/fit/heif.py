"""HEIC, HEIF and AVIF: a clip added as Motion Photo, time and place in Exif, the picture's own bytes untouched.

Items are added to the catalogue or given new bytes behind the file's own; see
`heif_catalogue` and `heif_frame` for how the rest moves.
"""

from mediabox.model.facts import Hdr
from mediabox.model.recipe import FitRequest, Insert, Part, Recipe, Span
from mediabox.native import boxes, heif_items
from mediabox.native.boxes import Held, Malformed, Source
from mediabox.native.colour import HDR_OF
from mediabox.native.fit import heif_exif, heif_gain_map, heif_xmp, samsung
from mediabox.native.fit.clip import read_clip
from mediabox.native.fit.headroom import headroom
from mediabox.native.fit.heif_catalogue import Catalogue
from mediabox.native.fit.heif_frame import Frame, Piece, joined, length_of, video_box
from mediabox.native.fit.heif_proof import same_picture
from mediabox.native.fit.unfit import Unfit
from mediabox.native.heif_items import Item

__all__ = ["fit", "same_picture"]

MAX_XMP_BYTES = 2 << 20
_GAIN_MAP_NOTE = "gain map told in ISO 21496-1 too"


def fit(first: Source, clip: Source | None, request: FitRequest) -> Recipe:
    """How to add `clip`, and the time and place of `request`. Raises Unfit, Malformed.

    An Apple gain map is told in ISO 21496-1 as well when a clip comes along, because Google's
    readers would show the picture flat otherwise; where that cannot be, Unfit begins `HDR: `.
    """
    still = _Still(first, request)
    if request.capture_time is not None or request.place is not None:
        still.tell_time_and_place()
    return still.alone() if clip is None else still.with_clip(clip)


class _Still:
    """The picture while it is being fitted."""

    def __init__(self, first: Source, request: FitRequest) -> None:
        self._first = first
        self._request = request
        self._frame = Frame(first)
        self._items = heif_items.read_items(first)
        if self._items.primary not in self._items.by_id:
            raise Malformed("the file names no picture to show")
        self._catalogue = Catalogue(first, self._frame.meta, self._items)

    def tell_time_and_place(self) -> None:
        """Give the Exif item a block that tells them; add one where there is none."""
        item = heif_exif.exif_of(self._items)
        told = heif_exif.with_time_and_place(self._first, item, self._request)
        if item is not None:
            self._catalogue.replace(item.id, told)
        else:
            self._add_metadata(b"Exif", told)

    def alone(self) -> Recipe:
        """The result without a clip."""
        whole: tuple[Piece, ...] = (Span(part=Part.FIRST, offset=0, length=self._first.size),)
        if self._catalogue.is_changed:
            whole = samsung.repointed(self._first, self._catalogue.pieces(self._frame, brand=None))
        return Recipe(pieces=whole, media_type=self._request.media_type, hdr=self._hdr())

    def with_clip(self, clip: Source) -> Recipe:
        """The result as Motion Photo."""
        if self._frame.has_video:
            raise Unfit("the picture has a video, or data of Samsung's, behind it already")
        _refuse(clip)
        video = read_clip(clip, self._request)
        is_told = self._hdr() is Hdr.APPLE_GAIN_MAP
        if is_told:
            self._tell_gain_map()
        self._tell_clip(video.mime, clip.size + samsung.TRAILER_BYTES, video.still_at_us)
        pieces = self._catalogue.pieces(self._frame, brand=heif_gain_map.BRAND if is_told else None)
        pieces.append(Insert(content=video_box(clip.size)))
        clip_at = length_of(pieces)
        pieces += video.pieces
        return Recipe(
            pieces=joined([*pieces, Insert(content=samsung.trailer(clip_at, clip.size))]),
            media_type=self._request.media_type,
            clip_offset=clip_at,
            edits_clip=video.is_edited,
            still_at_us=video.still_at_us,
            hdr=Hdr.ISO_GAIN_MAP if is_told else self._hdr(),
            note="; ".join(filter(None, (_GAIN_MAP_NOTE if is_told else "", video.note))),
        )

    def _tell_clip(self, clip_type: str, clip_bytes: int, still_at: int | None) -> None:
        """Put the clip into the primary's XMP, or into a first one."""
        item = self._xmp()
        packet = heif_xmp.motion_packet(
            b"" if item is None else heif_items.item_bytes(self._first, item, limit=MAX_XMP_BYTES),
            still_type="image/avif" if self._request.media_type == "image/avif" else "image/heic",
            clip_type=clip_type,
            clip_bytes=clip_bytes,
            still_at_us=still_at,
        )
        if item is not None:
            self._catalogue.replace(item.id, packet)
        else:
            self._add_metadata(b"mime", packet, content_type=heif_items.XMP_TYPE)

    def _xmp(self) -> Item | None:
        """The primary's XMP item. Raises Unfit when there are several, or its bytes are packed."""
        numbers = self._items.sources(self._items.primary, b"cdsc")
        found = [item for number in numbers if (item := self._items.by_id.get(number)) and item.is_xmp]
        if len(found) > 1 or (found and found[0].content_encoding):
            raise Unfit("the picture's XMP is in parts, or packed")
        return found[0] if found else None

    def _add_metadata(self, kind: bytes, content: bytes, *, content_type: str = "") -> None:
        number = self._catalogue.add(kind, content, content_type=content_type)
        self._catalogue.refer(b"cdsc", number, self._items.primary)

    def _tell_gain_map(self) -> None:
        gain_map = heif_items.apple_gain_map(self._items)
        assert gain_map is not None  # asked for by `_hdr`
        exif = heif_exif.block_of(self._first, heif_exif.exif_of(self._items))
        words = heif_gain_map.words_of(self._first, self._items, gain_map)
        told = headroom(Held(exif) if exif is not None else None, words)
        if told is None or told <= 1:
            raise Unfit("HDR: the picture does not say how bright its gain map makes it")
        heif_gain_map.add_tone_map(self._items, self._catalogue, gain_map, told)

    def _hdr(self) -> Hdr | None:
        """How the original carries it; a gain map counts first."""
        nclx = heif_items.nclx_of(self._items.by_id[self._items.primary])
        return heif_items.gain_map_of(self._items) or (None if nclx is None else HDR_OF.get(nclx.transfer))


def _refuse(clip: Source) -> None:
    """Raises Unfit for what is no movie with an index."""
    kinds = {box.type: box for box in boxes.boxes(clip, limit=boxes.MAX_BOXES)}
    if b"ftyp" not in kinds or b"moov" not in kinds or any(box.is_cut for box in kinds.values()):
        raise Unfit("the clip is no whole MP4 or QuickTime movie")
    if kinds[b"ftyp"].start:
        raise Unfit("the clip does not begin with its type")  # by which readers know that it is one
