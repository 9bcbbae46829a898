"""Look at a new video as a stranger would, before it counts."""

from fractions import Fraction
from typing import NamedTuple

import av

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.native.encode.frames import CodedLook
from mediabox.native.encode.shot_at import ShotAt
from mediabox.native.encode.sink import FileSink
from mediabox.native.encode.still_check import check_words
from mediabox.native.fit.unfit import Unfit
from mediabox.native.movie import opened
from mediabox.native.tags import read_tags
from mediabox.native.tags.reader import Reader
from mediabox.native.window import Window

_TYPE = "video/mp4"
_NEAR_S = 0.13  # AAC's frames of 1,024 samples, at 8 kHz 0.128 s, before the first and after the last sample


class Shot(NamedTuple):
    """What was encoded, for the check. Times in seconds from the start of the file."""

    pictures: int
    end_s: Fraction  # of the last picture
    longest_s: Fraction  # a picture was shown
    sound_end_s: Fraction


def check(sink: FileSink, shot: Shot, look: CodedLook, shot_at: ShotAt) -> tuple[int, int]:
    """Width and height as displayed, once the file is proved. Raises Unfit with what is wrong."""
    reader = Reader(sink.descriptor)
    facts = read_tags(reader, ExamineRequest(name="a.mp4", kind=Kind.VIDEO, size_bytes=reader.size))
    if facts.damage or facts.media_type != _TYPE or facts.video_codec != "h264":
        raise Unfit(f"the new video is not whole: {facts.damage or facts.video_codec}")
    check_words(facts, shot_at)
    with opened(Window(reader), _TYPE) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if stream.frames != shot.pictures:
            raise Unfit(f"the new video has {stream.frames} pictures of {shot.pictures}")
        _check_ends(container, stream, shot, look)
    wanted_s = max(shot.end_s, shot.sound_end_s)
    if abs((facts.duration_s or 0.0) - float(wanted_s)) > _NEAR_S + float(shot.longest_s):
        raise Unfit(f"the new video plays {facts.duration_s} s, the source {float(wanted_s):.3f} s")
    if facts.width is None or facts.height is None:
        raise Unfit("the new video does not say how large it is")
    return facts.width, facts.height


def _check_ends(container: av.container.InputContainer, stream: av.VideoStream, shot: Shot, look: CodedLook) -> None:
    """The first and the last picture can be decoded, and the last one ends when the source's does."""
    first = next(container.decode(stream), None)
    if first is None or (first.width, first.height) != (look.width, look.height):
        raise Unfit("the new video's first picture cannot be decoded")
    tick = stream.time_base or Fraction(1)
    end_s = Fraction(0)
    container.seek(max(0, int(shot.end_s / tick)), stream=stream, backward=True)
    for frame in container.decode(stream):
        end_s = max(end_s, ((frame.pts or 0) + (frame.duration or 0)) * tick)
    if abs(end_s - shot.end_s) > shot.longest_s:
        raise Unfit(f"the new video ends at {float(end_s):.3f} s, the source at {float(shot.end_s):.3f} s")
