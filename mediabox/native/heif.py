"""HEIC, tile by tile through one FFmpeg HEVC decoder, shrunk before anything is put together.

The decoder of FFmpeg needs about half the CPU of libde265 and is told to skip its loop
filter, which does not show at half size (65 dB). Luma is box-reduced, chroma, which has
half the resolution already, is used as it is: at half size 4:2:0 becomes 4:4:4 without
a sample being made up, and the JPEG encoder takes YCbCr as it is. What this way cannot
show exactly goes to libheif (`libheif`).
"""

from collections.abc import Iterator
from typing import NamedTuple

import av
from av.video.reformatter import ColorRange
from PIL import Image

from mediabox.native import heif_items, libheif
from mediabox.native.boxes import Malformed, Source
from mediabox.native.colour import HLG, P3_D65, PQ, display_p3
from mediabox.native.decoded import Decoded, Unreadable, check_pixels, displayed, reduction
from mediabox.native.heif_items import Item, Items

_LIKE_JPEG = frozenset((2, 5, 6))  # matrix: unspecified, BT.470BG, BT.601; what JPEG's YCbCr means
_FULL_RANGE = frozenset((ColorRange.UNSPECIFIED, ColorRange.JPEG))
_ALPHA = frozenset(("urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"))
_MAX_TILES = 4096
_TILE_BYTES = 32 << 20  # one coded tile; a whole 12 MP picture in one tile has 4 MB
_GREY = 128
_CODING_UNIT = 8  # px; `ispe` may say a little less than what is coded


class Layout(NamedTuple):
    """How the picture is put together: `tiles` row by row, each `tile_width` x `tile_height` px."""

    tiles: tuple[Item, ...]
    columns: int
    tile_width: int
    tile_height: int
    width: int
    height: int
    configuration: bytes  # hvcC: the parameter sets all tiles share
    bit_depth: int


class _Unsuited(Exception):
    """This way would not show the picture exactly; libheif will."""


def decode(source: Source, *, orientation: int) -> Decoded:
    """The primary picture; `orientation` as the tags tell it, by `irot` and `imir` or by Exif. Raises Unreadable."""
    try:
        items = heif_items.read_items(source)
        master = items.by_id[items.primary]
        layout = _layout(source, items, master)
        check_pixels(layout.width, layout.height)
        image, damage = _assemble(source, layout)
    except (Malformed, KeyError, _Unsuited):
        return libheif.decode(source, orientation=orientation)
    width, height = displayed(layout.width, layout.height, orientation)
    return Decoded(
        image=image,
        orientation=orientation,
        icc=_icc(master) or _icc(layout.tiles[0]),
        width=width,
        height=height,
        bit_depth=layout.bit_depth,
        damage=damage,
    )


def _icc(item: Item) -> bytes | None:
    """The item's profile; one of ours when it only names wide colour by number."""
    numbers = heif_items.nclx_of(item)
    return heif_items.icc_of(item) or (display_p3() if numbers and numbers.primaries == P3_D65 else None)


def _layout(source: Source, items: Items, master: Item) -> Layout:
    """Raises _Unsuited or Malformed when the picture is not made of equal 4:2:0-like HEVC tiles."""
    if master.property(b"clap") or any(
        heif_items.aux_type_of(items.by_id[number]) in _ALPHA
        for number in items.sources(master.id, b"auxl")
        if number in items.by_id
    ):
        raise _Unsuited
    width, height = heif_items.size_of(master)
    tiles: tuple[Item, ...] = (master,)
    rows = columns = 1
    if master.type == b"grid":
        rows, columns, width, height = heif_items.grid(heif_items.item_bytes(source, master, limit=64))
        tiles = tuple(items.by_id[number] for number in items.targets(master.id, b"dimg"))
    configuration = tiles[0].property(b"hvcC") if tiles else None
    if configuration is None or len(configuration) < 23 or len(tiles) != rows * columns or len(tiles) > _MAX_TILES:
        raise _Unsuited
    if any(tile.type != b"hvc1" or tile.property(b"hvcC") != configuration for tile in tiles):
        raise _Unsuited
    if columns * rows > 1 and any(kind in (b"irot", b"imir", b"clap") for kind, _ in tiles[0].properties):
        raise _Unsuited
    tile_width, tile_height = heif_items.size_of(tiles[0])
    if tile_width * columns < width or tile_height * rows < height or not _is_plain_colour(master, tiles[0]):
        raise _Unsuited
    depth = (configuration[17] & 7) + 8
    return Layout(tiles, columns, tile_width, tile_height, width, height, configuration, depth)


def _is_plain_colour(master: Item, tile: Item) -> bool:
    colour = heif_items.nclx_of(master) or heif_items.nclx_of(tile)
    if colour is None:
        return True  # the bitstream says; see `_planes`
    return colour.matrix in _LIKE_JPEG and colour.is_full_range and colour.transfer not in (PQ, HLG)


def _assemble(source: Source, layout: Layout) -> tuple[Image.Image, str | None]:
    """The picture as YCbCr at 1/1, 1/2, 1/4 or 1/8, and what is missing of it."""
    scale = next(
        scale
        for scale in (8, 4, 2, 1)
        if scale <= reduction(layout.width, layout.height)
        and (len(layout.tiles) == 1 or layout.tile_width % scale == layout.tile_height % scale == 0)
    )
    chroma_scale = max(scale, 2)
    luma = Image.new("L", _scaled(layout, scale))  # tiles that reach past the edge are cut by `paste`
    chroma = [Image.new("L", _scaled(layout, chroma_scale), _GREY) for _ in range(2)]
    seen = 0
    for index, frame in _frames(source, layout, is_scaled=scale > 1):
        row, column = divmod(index, layout.columns)
        planes = _planes(frame)
        x, y = column * layout.tile_width, row * layout.tile_height
        luma.paste(_reduced(planes[0], scale), (x // scale, y // scale))
        for canvas, plane in zip(chroma, planes[1:], strict=True):
            canvas.paste(_reduced(plane, chroma_scale // 2), (x // chroma_scale, y // chroma_scale))
        seen += 1
    if not seen:
        raise Unreadable("HEIC: none of its tiles can be decoded")
    if chroma_scale != scale:
        chroma = [canvas.resize(luma.size, Image.Resampling.BILINEAR) for canvas in chroma]
    missing = len(layout.tiles) - seen
    damage = f"{missing} of {len(layout.tiles)} tiles of the picture cannot be read" if missing else None
    return Image.merge("YCbCr", (luma, *chroma)), damage


def _scaled(layout: Layout, scale: int) -> tuple[int, int]:
    return -(-layout.width // scale), -(-layout.height // scale)


def _frames(source: Source, layout: Layout, *, is_scaled: bool) -> Iterator[tuple[int, av.VideoFrame]]:
    """Each decoded tile with its number; tiles whose bytes are missing or broken are left out."""
    decoder = av.CodecContext.create("hevc", "r")
    decoder.extradata = layout.configuration
    decoder.thread_count = 1
    if is_scaled:
        decoder.options = {"skip_loop_filter": "all"}
    for number, tile in enumerate(layout.tiles):
        try:
            packet = av.Packet(heif_items.item_bytes(source, tile, limit=_TILE_BYTES))
            packet.pts = number
            frames = decoder.decode(packet)
        except (Malformed, av.FFmpegError):
            continue
        yield from _placed(frames, layout)
    try:
        frames = decoder.decode(None)
    except av.FFmpegError:
        return
    yield from _placed(frames, layout)


def _placed(frames: list[av.VideoFrame], layout: Layout) -> Iterator[tuple[int, av.VideoFrame]]:
    """Frames with the number of their tile, unless the bitstream contradicts the boxes."""
    for frame in frames:
        off = max(abs(frame.width - layout.tile_width), abs(frame.height - layout.tile_height))
        if frame.pts is not None and 0 <= frame.pts < len(layout.tiles) and off < _CODING_UNIT:
            yield frame.pts, frame


def _planes(frame: av.VideoFrame) -> list[Image.Image]:
    """Y, U, V as 8-bit pictures, U and V half as wide and high. Raises _Unsuited for other colour than JPEG's."""
    if frame.color_range not in _FULL_RANGE or frame.colorspace not in _LIKE_JPEG:
        raise _Unsuited
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(format="yuvj420p", src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.JPEG)
    return [
        Image.frombuffer(
            "L",
            (plane.width, plane.height),
            memoryview(plane),  # type: ignore[arg-type] # any buffer will do
            "raw",
            "L",
            plane.line_size,
            1,
        )
        for plane in frame.planes
    ]


def _reduced(plane: Image.Image, by: int) -> Image.Image:
    return plane.reduce(by) if by > 1 else plane
