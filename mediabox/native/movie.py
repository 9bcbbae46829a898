"""A video's poster, and what its streams say that its headers did not.

FFmpeg is given bytes, never a name, and only the demuxer that the signature calls for:
playlists and lists of other files cannot be followed, there is nothing to follow them
with. The poster is the key frame nearest to one second, decoded alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import av
from av.sidedata.sidedata import Type
from av.stream import Stream
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image

from mediabox.model.facts import Hdr
from mediabox.native import tone
from mediabox.native.colour import Nclx
from mediabox.native.decoded import MAX_PIXELS, SHORT_SIDE, Decoded, Unreadable, check_pixels, displayed
from mediabox.native.window import Window

if TYPE_CHECKING:
    from mediabox.native.boxes import Source

av.logging.set_level(av.logging.PANIC)  # its words about hostile files go nowhere; ours are in the verdict

POSTER_AT_S = 1.0
_PACKETS = 600  # demuxed at most before the first key frame: 10 s at 60/s
_READ_BYTES = 256 << 10

_DEMUXERS = {
    "video/mp4": "mov", "video/quicktime": "mov", "video/x-m4v": "mov", "video/3gpp": "mov", "video/3gpp2": "mov",
    "video/x-canon-crm": "mov",
    "video/matroska": "matroska", "video/webm": "matroska", "video/x-msvideo": "avi", "video/mp2t": "mpegts",
    "video/mpeg": "mpeg", "video/x-ms-wmv": "asf", "video/x-ms-asf": "asf", "video/x-flv": "flv", "video/ogg": "ogg",
    "application/mxf": "mxf", "video/x-dv": "dv",
}  # fmt: skip
# Index and headers say enough for these; the others must be read a little to know their streams.
_PROBE_BYTES = {"mov": 64 << 10, "matroska": 256 << 10, "avi": 2 << 20}
_INTERLACED = range(2, 6)  # AVFieldOrder of libavcodec/defs.h: 0 unknown, 1 progressive
_RGB, _UNSPECIFIED = 0, 2  # matrix coefficients, ISO/IEC 23091-2
_DYNAMIC = {Type.DOVI_METADATA: Hdr.DOLBY_VISION, Type.DYNAMIC_HDR_PLUS: Hdr.HDR10_PLUS}  # beside a frame, by rank
_EXIF_BY_TURN = {0: 1, 90: 8, 180: 3, 270: 6}  # display matrix, degrees anticlockwise


class Movie(NamedTuple):
    """What the streams say. `None`: they do not."""

    poster: Decoded | None
    why_no_poster: str | None  # what is wrong with it; `None` without a poster: a codec FFmpeg does not know
    duration_s: float | None
    frame_rate: float | None
    video_codec: str | None  # FFmpeg's names
    audio_codec: str | None
    width: int | None  # as displayed
    height: int | None
    bit_depth: int | None
    transfer: int | None  # ISO/IEC 23091-2; 16 is PQ, 18 HLG
    hdr: Hdr | None  # told beside the poster's frame
    color_profile: str | None  # primaries/transfer/matrix
    words: dict[str, str]  # the container's own, as FFmpeg names them


class _Taken(NamedTuple):
    """The poster with its frame, or why there is none."""

    shown: Decoded | None = None
    frame: av.VideoFrame | None = None
    why: str | None = None


def look(source: Source, media_type: str, *, poster: bool = True) -> Movie:
    """Streams and poster of a video.

    Raises Unreadable when FFmpeg finds no video stream in it, OSError when the disk fails.
    """
    window = Window(source)
    try:
        with opened(window, media_type) as container:
            stream = container.streams.best("video")
            if not isinstance(stream, av.VideoStream):
                raise Unreadable(f"{media_type}: no video stream")
            taken = _poster(container, stream) if poster and _context(stream) else _Taken()
            return _described(container, stream, taken)
    except (av.FFmpegError, ValueError, OverflowError) as err:
        raise Unreadable(f"{media_type}: {_words(err)}") from None


def opened(window: Window, media_type: str) -> av.container.InputContainer:
    """The file behind `window` for its streams to be read. Raises Unreadable, and what FFmpeg raises."""
    demuxer = _DEMUXERS.get(media_type)
    if demuxer is None:
        raise Unreadable(f"{media_type}: not a kind of video we open")
    size = str(_PROBE_BYTES.get(demuxer, 5 << 20))
    return av.open(
        window,
        "r",
        format=demuxer,
        buffer_size=_READ_BYTES,
        options={
            "protocol_whitelist": "none",  # a demuxer that wants to open something else is refused
            "format_whitelist": demuxer,
            "probesize": size,
            "analyzeduration": "500000",
            "skip_frame": "all",  # for the decoders that look for what headers do not say: our frame will say it
        },
        metadata_errors="replace",
    )


def _poster(container: av.container.InputContainer, stream: av.VideoStream) -> _Taken:
    """The picture nearest to `POSTER_AT_S`, or why there is none."""
    context = stream.codec_context
    context.thread_count = 1
    context.skip_frame = "NONKEY"
    try:
        check_pixels(context.width or 1, context.height or 1, limit=MAX_PIXELS)
        _seek(container, stream)
        frame = _first_frame(container, stream)
        if frame is None:
            return _Taken(why="no picture in its first part can be decoded")
        check_pixels(frame.width, frame.height, limit=MAX_PIXELS)
        return _Taken(_shown(frame, context), frame)
    except Unreadable as err:
        return _Taken(why=str(err))
    except (av.FFmpegError, ValueError, OverflowError) as err:
        return _Taken(why=f"its picture cannot be decoded ({_words(err)})")


def _seek(container: av.container.InputContainer, stream: av.VideoStream) -> None:
    """Go to the best key frame the index knows; without an index, to the one before `POSTER_AT_S`."""
    if stream.time_base is None:
        return
    wanted = (stream.start_time or 0) + int(POSTER_AT_S / stream.time_base)
    target = _key_frame_near(stream, wanted)
    if target is None or (len(stream.index_entries) < 2 and stream.duration is not None and stream.duration < wanted):
        return  # it starts with it
    try:
        container.seek(target, stream=stream, backward=True)
    except (av.FFmpegError, OSError):
        container.seek(0)


def _key_frame_near(stream: av.VideoStream, wanted: int) -> int | None:
    """The time to seek to for the indexed key frame nearest to `wanted`; `None` when that is the first frame.

    A QuickTime index tells when a frame is decoded, a seek asks when it is shown, which is a
    little later: so ask for the last moment before the next key frame.
    """
    index = stream.index_entries
    around = [index.search_timestamp(wanted, backward=backward) for backward in (True, False)]
    known = [number for number in around if number >= 0]
    if not known:
        return wanted
    nearest = min(known, key=lambda number: abs(index[number].timestamp - wanted))
    if nearest == 0:
        return None if len(index) > 1 else wanted  # of a Matroska index only the first is known before a seek
    if not stream.container.format.name.startswith("mov"):
        return index[nearest].timestamp
    following = index.search_timestamp(index[nearest].timestamp + 1, backward=False)
    return index[following].timestamp - 1 if following >= 0 else index[len(index) - 1].timestamp


def _first_frame(container: av.container.InputContainer, stream: av.VideoStream) -> av.VideoFrame | None:
    """The first key frame that can be decoded.

    A decoder holds frames back until it knows their order, so it is told that nothing
    follows the key frame: without that it would wait for two more, or for the end of the file.
    Interlaced video is left to its own pace: the other half of the lines may come in the next packet.
    """
    context = stream.codec_context
    is_interlaced = context.field_order in _INTERLACED
    for count, packet in enumerate(container.demux(stream)):
        if count > _PACKETS:
            break
        try:
            frames = packet.decode()
            if not frames and packet.is_keyframe and packet.size and not is_interlaced:
                frames = context.decode(None)
                context.flush_buffers()
        except av.FFmpegError:  # a broken packet; the next key frame may be whole
            continue
        if frames:
            return frames[0]
    return None


def _shown(frame: av.VideoFrame, context: av.VideoCodecContext) -> Decoded:
    """Scaled by area to a short side of at most `SHORT_SIDE`, square pixels, tone mapped when it is HDR."""
    ratio = context.sample_aspect_ratio
    full_width = round(frame.width * float(ratio)) if ratio and 0.1 < ratio < 10 else frame.width
    scale = min(1.0, SHORT_SIDE / min(full_width, frame.height))
    size = max(2, round(full_width * scale)), max(2, round(frame.height * scale))
    small = frame.reformat(
        *size,
        format="rgb24",
        src_colorspace=matrix_of(frame),
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA,
    )
    coding = Nclx(frame.color_primaries, frame.color_trc, 0, is_full_range=True)
    rows = small.planes[0]
    held = cast("bytearray", memoryview(rows))  # what Pillow's types do not say: any buffer will do
    image = Image.frombuffer("RGB", size, held, "raw", "RGB", rows.line_size, 1)
    image, icc = tone.shown(image, coding=coding, icc=None)
    orientation = _EXIF_BY_TURN.get(round(frame.rotation) % 360, 1)
    width, height = displayed(full_width, frame.height, orientation)
    return Decoded(
        image=image,
        orientation=orientation,
        icc=icc,
        width=width,
        height=height,
        bit_depth=frame.format.components[0].bits,
    )


def matrix_of(frame: av.VideoFrame) -> int:
    """The frame's colour matrix; when it does not say, BT.709 from 720 lines on, as every player takes it."""
    if frame.colorspace not in (_UNSPECIFIED, _RGB):
        return int(frame.colorspace)
    return Colorspace.ITU709 if min(frame.width, frame.height) >= 720 else Colorspace.ITU601


def _described(container: av.container.InputContainer, stream: av.VideoStream, taken: _Taken) -> Movie:
    poster, frame = taken.shown, taken.frame
    context = _context(stream)
    audio = container.streams.best("audio")
    heard = _context(audio) if audio else None
    sized = poster or context
    duration = container.duration / av.time_base if container.duration else None
    rate = stream.average_rate or stream.guessed_rate
    first = dict(container.streams[0].metadata) if len(container.streams) else {}  # where an Ogg has its words
    return Movie(
        poster=poster,
        why_no_poster=taken.why,
        duration_s=round(duration, 3) if duration and duration > 0 else None,
        frame_rate=round(float(rate), 3) if rate else None,
        video_codec=context.codec.canonical_name if context else None,
        audio_codec=heard.codec.canonical_name if heard else None,
        width=(sized.width or None) if sized else None,
        height=(sized.height or None) if sized else None,
        bit_depth=poster.bit_depth if poster else None,
        transfer=context.color_trc if context and context.color_trc != _UNSPECIFIED else None,
        hdr=next((hdr for kind, hdr in _DYNAMIC.items() if frame and kind in frame.side_data), None),
        color_profile=_colours(frame) if frame else None,
        words={str(name).casefold(): str(value) for name, value in (first | container.metadata).items()},
    )


def _colours(frame: av.VideoFrame) -> str | None:
    """As `nclx` tells them, when all three are told."""
    numbers = (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))
    return None if _UNSPECIFIED in numbers else "/".join(map(str, numbers))


def _context(stream: Stream) -> av.VideoCodecContext | None:
    """The stream's decoder; `None`, which PyAV's types do not mention, when FFmpeg has none for it."""
    return cast("av.VideoCodecContext | None", stream.codec_context)


def _words(err: Exception) -> str:
    """FFmpeg's own words, without the number and the name we gave the file."""
    return str(getattr(err, "strerror", None) or err)
