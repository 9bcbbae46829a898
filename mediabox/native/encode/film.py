"""A video as H.264 High, 4:2:0, 8 bit, with AAC, in an MP4 whose index comes first.

Picture after picture at the source's own times: no rate is assumed, so what was shot at
a varying rate stays so. One thread decodes and encodes; what is held is the codecs' own
frames (x264's `veryfast` looks 10 ahead), never a group of pictures as packets.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, cast

import av
from av.video.reformatter import ColorRange

from mediabox.model.facts import Facts, Hdr
from mediabox.model.recipe import Converted
from mediabox.native.boxes import Source
from mediabox.native.decoded import Unreadable
from mediabox.native.encode import film_check, movie_index, movie_words, sound
from mediabox.native.encode.film_check import Shot
from mediabox.native.encode.frames import PIXELS, CodedLook, Frames, look_of
from mediabox.native.encode.shot_at import ShotAt
from mediabox.native.encode.sink import FileSink
from mediabox.native.fit.unfit import Unfit
from mediabox.native.movie import opened
from mediabox.native.window import Window

# 43 to 47 dB against the decoded HEVC of Live Photos at nine tenths of its bytes; `fast` costs 1.7 times the CPU
# for 1 dB. Without B-frames pictures are stored in the order they are shown: a tenth more bytes, a quarter less CPU,
# and each one's time stands in the file as it was, with no edit list that some player overlooks.
_QUALITY = {"preset": "veryfast", "crf": "19", "bf": "0", "profile": "high"}
_KEY_FRAME_S = 2  # between key frames at most: a phone scrubs by them
_FRAME_DURATION = 1 << 8  # AV_CODEC_FLAG_FRAME_DURATION: each frame's own goes into the file
_BUFFER_BYTES = 256 << 10
_MOST_BROKEN = 0.5  # of the packets: more is not a video any more
_USUAL_RATE = Fraction(30)


class FilmPlan(NamedTuple):
    """What a look at the source's first picture decided."""

    look: CodedLook
    matrix: tuple[int, ...]  # display matrix
    aspect: Fraction | None  # of a pixel, when it is not square


def convert(source: Source, sink: FileSink, facts: Facts, shot_at: ShotAt, *, shortest_side: int | None) -> Converted:
    """Encode the best video stream and the sound. Raises Unfit, Unreadable, OSError and what FFmpeg raises."""
    plan = _planned(source, facts, shortest_side)
    notes = [f"tone-mapped from {plan.look.hdr}"] if plan.look.hdr else []
    notes += ["deinterlaced"] if plan.look.is_interlaced else []
    with opened(Window(source), facts.media_type) as container:
        reel = _Reel(container, sink, plan)
        shot = reel.run()
        notes += reel.notes
    words = movie_words.of(facts, shot_at)
    movie_index.finish(sink, words, matrix=movie_index.placed(plan.matrix, plan.look.width, plan.look.height))
    width, height = film_check.check(sink, shot, plan.look, shot_at)
    return Converted(size_bytes=sink.size, width=width, height=height, note=", ".join(notes))


def _planned(source: Source, facts: Facts, shortest_side: int | None) -> FilmPlan:
    with opened(Window(source), facts.media_type) as container:
        stream = _video(container)
        first = next(_decoded(container, stream), None)
        if first is None:
            raise Unfit("no picture of this video can be decoded")
        look = look_of(first, shortest_side=shortest_side)
        aspect = stream.sample_aspect_ratio
    if facts.hdr is Hdr.DOLBY_VISION and look.hdr is None:
        raise Unfit("HDR: Dolby Vision without a picture for other screens inside (profile 5)")
    return FilmPlan(look, movie_index.matrix_of(first), aspect if aspect and aspect != 1 else None)


def _video(container: av.container.InputContainer) -> av.VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, av.VideoStream) or cast("object", stream.codec_context) is None:
        raise Unreadable("no video stream that can be decoded")
    stream.codec_context.thread_count = 1
    stream.codec_context.skip_frame = "DEFAULT"
    return stream


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.InvalidDataError:  # a broken packet; the next may be whole
            continue


class _Reel:
    """One pass over the source, packet by packet, into the sink."""

    def __init__(self, container: av.container.InputContainer, sink: FileSink, plan: FilmPlan) -> None:
        self.notes: list[str] = []
        self._container = container
        self._video = _video(container)
        self._frames = Frames(plan.look)
        self._start_s = max(Fraction(container.start_time or 0, av.time_base), Fraction(0))
        self._sink = sink
        self._plan = plan
        self._packets = self._broken = self._pictures = 0
        self._last_pts: int | None = None
        self._end_s = self._longest_s = Fraction(0)
        rate = self._video.average_rate or self._video.guessed_rate or _USUAL_RATE
        self._usual_s = 1 / Fraction(rate)

    def run(self) -> Shot:
        with av.open(self._sink, "w", format="mp4", buffer_size=_BUFFER_BYTES) as into:
            encoder = self._encoder(into)
            heard = sound.chosen(self._container)
            track = sound.SoundTrack(heard, into, start_s=self._start_s) if heard else None
            for packet in self._container.demux([one for one in (self._video, heard) if one]):
                if packet.stream is self._video:
                    self._take(cast("av.Packet[av.VideoStream]", packet), encoder, into)
                elif track is not None and packet.size:
                    into.mux(list(track.packets(cast("av.Packet[av.AudioStream]", packet))))
            self._finish(encoder, track, into)
        self._sink.raise_failure()
        return Shot(self._pictures, self._end_s, self._longest_s, track.end_s if track else Fraction(0))

    def _encoder(self, into: av.container.OutputContainer) -> av.VideoStream:
        look = self._plan.look
        rate = max(1, round(1 / self._usual_s))
        stream = into.add_stream("libx264", rate=rate, options=_QUALITY)
        stream.width, stream.height, stream.pix_fmt = look.width, look.height, PIXELS
        context = stream.codec_context
        context.time_base = stream.time_base = self._time_base()
        context.thread_count = 1
        context.gop_size = rate * _KEY_FRAME_S
        context.flags |= _FRAME_DURATION
        context.color_range = ColorRange.MPEG
        context.color_primaries, context.color_trc = look.primaries, look.transfer
        context.colorspace = look.matrix
        if self._plan.aspect is not None:
            context.sample_aspect_ratio = self._plan.aspect
        return stream

    def _time_base(self) -> Fraction:
        """The source's own ticks, so that no time is rounded."""
        return self._video.time_base or Fraction(1, 90_000)

    def _take(
        self, packet: av.Packet[av.VideoStream], encoder: av.VideoStream, into: av.container.OutputContainer
    ) -> None:
        self._packets += 1
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            self._broken += 1
            return
        for frame in frames:
            self._broken += frame.is_corrupt
            self._encode(frame, encoder, into)

    def _encode(self, frame: av.VideoFrame | None, encoder: av.VideoStream, into: av.container.OutputContainer) -> None:
        for shown in self._frames.prepared(frame):
            self._time(shown)
            into.mux(encoder.encode(shown))

    def _time(self, shown: av.VideoFrame) -> None:
        """Give a picture its time in the new file: later than the one before, whatever the source says."""
        tick = self._time_base()
        usual = max(1, round(self._usual_s / tick))
        base = shown.time_base or tick
        pts = None if shown.pts is None else round((shown.pts * base - self._start_s) / tick)
        if pts is None or (self._last_pts is not None and pts <= self._last_pts):
            pts = 0 if self._last_pts is None else self._last_pts + (usual if pts is None else 1)
        duration = round(shown.duration * base / tick) if shown.duration else usual
        shown.pts, shown.time_base, shown.duration = pts, tick, duration
        self._last_pts = pts
        self._pictures += 1
        self._end_s = (pts + duration) * tick
        self._longest_s = max(self._longest_s, duration * tick)

    def _finish(
        self, encoder: av.VideoStream, track: sound.SoundTrack | None, into: av.container.OutputContainer
    ) -> None:
        self._encode(None, encoder, into)
        if self._pictures == 0 or self._broken > _MOST_BROKEN * self._packets:
            raise Unfit(f"{self._broken} of {self._packets} pictures of this video cannot be decoded whole")
        into.mux(encoder.encode(None))
        if track is not None:
            into.mux(list(track.packets(None)))
            self.notes += [track.note] if track.note else []
        elif self._container.streams.audio:
            self.notes.append("sound left out: its codec is not known")
        if self._broken:
            self.notes.append(f"{self._broken} of {self._packets} pictures could not be decoded whole")
