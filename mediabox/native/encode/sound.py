"""A video's sound: AAC goes over as it is, everything else is encoded to AAC."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.audio.resampler import AudioResampler

_BITS_PER_CHANNEL = 96_000  # per second; twice what speech needs, nobody hears the difference in a clip
_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # AAC's that phones play
_FRAME_SAMPLES = 1024  # ISO/IEC 14496-3: of one AAC frame
_MOST_CHANNELS = 2  # ambisonics and 5.1 are mixed down: a phone plays two


def chosen(container: av.container.InputContainer) -> av.AudioStream | None:
    """The stream to keep: AAC where there is one (a phone may put spatial sound beside it)."""
    streams = [one for one in container.streams.audio if cast("object", one.codec_context) is not None]
    ready = [one for one in streams if is_ready(one)]
    best = container.streams.best("audio")
    found = ready or streams
    return next((one for one in found if one is best), found[0] if found else None)


def is_ready(stream: av.AudioStream) -> bool:
    """Whether its packets can go over as they are."""
    return stream.codec_context.codec.canonical_name == "aac" and bool(stream.codec_context.rate)


class SoundTrack:
    """The sound of the new file. `packets(None)` after the last packet. `note` says what was done to it."""

    def __init__(self, stream: av.AudioStream, into: av.container.OutputContainer, *, start_s: Fraction) -> None:
        self._stream = stream
        self._start_s = start_s
        self.note = ""
        self._is_copied = is_ready(stream)
        self._is_begun = False
        self.end_s = Fraction(0)  # when the source's sound ends
        self._next = 0  # the earliest time the next frame or packet may have, in ticks of its own clock
        if self._is_copied:
            self._into = into.add_stream_from_template(stream)
            return
        context = stream.codec_context
        context.thread_count = 1
        self._rate = rate = min(_RATES, key=lambda known: abs(known - context.rate))
        layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        self._into = into.add_stream("aac", rate=rate, layout=layout)
        self._into.bit_rate = _BITS_PER_CHANNEL * (1 if layout == "mono" else _MOST_CHANNELS)
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=_FRAME_SAMPLES)
        self.note = f"sound encoded anew from {context.codec.canonical_name}"

    def packets(self, packet: av.Packet[av.AudioStream] | None) -> Iterator[av.Packet[av.AudioStream]]:
        """What is to be written once `packet` is in."""
        if self._is_copied:
            if packet is not None and packet.dts is not None:
                yield self._moved(packet)
            return
        for frame in self._frames(packet):
            self._time(frame)
            yield from self._into.encode(frame)
        if packet is None:
            yield from self._into.encode(None)

    def _time(self, frame: av.AudioFrame) -> None:
        """Count in samples from the start, never back: old containers repeat times."""
        at = self._next
        if frame.pts is not None and frame.time_base is not None:
            at = max(round(frame.pts * frame.time_base * self._rate), at)
        frame.pts, frame.time_base = at, Fraction(1, self._rate)
        self._next = at + frame.samples

    def _moved(self, packet: av.Packet[av.AudioStream]) -> av.Packet[av.AudioStream]:
        dts = (packet.dts or 0) - round(self._start_s / packet.time_base)
        if self._is_begun:
            dts = max(dts, self._next)  # AVI repeats times, and a muxer refuses to go back
        packet.dts = packet.pts = dts  # AAC is stored in the order it is heard
        self._next, self._is_begun = dts + 1, True
        self.end_s = (dts + (packet.duration or 0)) * packet.time_base
        packet.stream = self._into
        return packet

    def _frames(self, packet: av.Packet[av.AudioStream] | None) -> Iterator[av.AudioFrame]:
        """Decoded, in frames of AAC's length; a broken packet is a gap in the sound, not the end of it."""
        try:
            decoded = self._stream.codec_context.decode(packet)
        except av.FFmpegError:
            decoded = []
        for frame in decoded:
            tick = frame.time_base or Fraction(1, frame.sample_rate)
            if frame.pts is not None:
                frame.pts -= round(self._start_s / tick)
                self.end_s = frame.pts * tick + Fraction(frame.samples, frame.sample_rate)
            yield from self._resampler.resample(frame)
        if packet is None:
            yield from self._resampler.resample(None)
