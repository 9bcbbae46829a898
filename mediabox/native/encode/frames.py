"""Each picture of a video as the encoder is to get it: 8 bit, 4:2:0, limited range, of the wanted size.

Colour is kept as it is and tagged; only what no ordinary screen can show (PQ, HLG) is tone
mapped to BT.709, the way posters and previews are (`tone`). Fields are put together again.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

import av
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from PIL import Image

from mediabox.native import tone
from mediabox.native.colour import HLG, PQ, Nclx
from mediabox.native.decoded import check_pixels
from mediabox.native.movie import matrix_of

PIXELS = "yuv420p"  # what every H.264 decoder in hardware takes
_LARGEST_SIDE = 16_384  # px; H.264 ends there
_HDR_NAMES = {PQ: "PQ", HLG: "HLG"}
_UNSPECIFIED = 2


class CodedLook(NamedTuple):
    """How the encoded pictures are coded. Sizes in pixels as stored, before any turn."""

    width: int
    height: int
    primaries: int  # ISO/IEC 23091-2
    transfer: int
    matrix: int
    is_interlaced: bool
    hdr: str | None  # what was tone mapped


def look_of(first: av.VideoFrame, *, shortest_side: int | None) -> CodedLook:
    """How a video that begins with this frame is to be encoded. Raises Unreadable for impossible sizes."""
    check_pixels(first.width, first.height)
    width, height = _size(first.width, first.height, shortest_side)
    hdr = _HDR_NAMES.get(first.color_trc)
    return CodedLook(
        width=width,
        height=height,
        primaries=ColorPrimaries.BT709 if hdr else first.color_primaries,
        transfer=ColorTrc.BT709 if hdr else first.color_trc,
        matrix=Colorspace.ITU709 if hdr else matrix_of(first),
        is_interlaced=first.interlaced_frame,
        hdr=hdr,
    )


def _size(width: int, height: int, shortest_side: int | None) -> tuple[int, int]:
    """Even, because chroma has half of it; the short side at most `shortest_side`."""
    scale = min(1.0, _LARGEST_SIDE / max(width, height))
    if shortest_side is not None:
        scale = min(scale, shortest_side / min(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class Frames:
    """Turns decoded frames into those of `look`, one at a time; `time_base` and `pts` stay each frame's own."""

    def __init__(self, look: CodedLook) -> None:
        self._look = look
        self._graph: Graph | None = None

    def prepared(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """The pictures that are ready once `frame` is in; `None` after the last one."""
        if not self._look.is_interlaced:
            if frame is not None:
                yield self._shown(frame)
            return
        yield from (self._shown(whole) for whole in self._woven(frame))

    def _woven(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """Frames of fields made whole by FFmpeg's `yadif`; frames that are whole go through as they are."""
        if self._graph is None:
            if frame is None:
                return
            self._graph = _deinterlacer(frame)
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (BlockingIOError, EOFError):  # wants another one; was the last
                return

    def _shown(self, frame: av.VideoFrame) -> av.VideoFrame:
        shown = self._mapped(frame) if self._look.hdr else self._scaled(frame)
        shown.pts, shown.time_base, shown.duration = frame.pts, frame.time_base, frame.duration
        return shown

    def _scaled(self, frame: av.VideoFrame) -> av.VideoFrame:
        is_full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        return frame.reformat(
            self._look.width,
            self._look.height,
            format=PIXELS,
            src_colorspace=self._look.matrix,
            dst_colorspace=self._look.matrix,
            src_color_range=ColorRange.JPEG if is_full or frame.format.is_rgb else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
        )

    def _mapped(self, frame: av.VideoFrame) -> av.VideoFrame:
        coding = Nclx(frame.color_primaries, frame.color_trc, 0, is_full_range=True)
        wide = frame.reformat(
            self._look.width,
            self._look.height,
            format="rgb24",
            src_colorspace=matrix_of(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.BICUBIC,
        )
        rows = wide.planes[0]
        held = cast("bytearray", memoryview(rows))  # what Pillow's types do not say: any buffer will do
        image = Image.frombuffer("RGB", (wide.width, wide.height), held, "raw", "RGB", rows.line_size, 1)
        image, _ = tone.shown(image, coding=coding, icc=None)
        whole: av.VideoFrame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
        return whole.reformat(
            format=PIXELS,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )


def _deinterlacer(first: av.VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    graph.link_nodes(
        graph.add_buffer(width=first.width, height=first.height, format=first.format, time_base=first.time_base),
        graph.add("yadif", "mode=send_frame:deint=interlaced"),
        graph.add("buffersink"),
    ).configure()
    return graph
