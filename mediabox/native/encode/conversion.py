"""Which way a conversion goes, and whatever goes wrong on it as a verdict on the file."""

from collections.abc import Iterator
from contextlib import contextmanager

import av
import pyvips

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import CaptureTime, Facts, TimeSource
from mediabox.model.recipe import Conversion, Converted
from mediabox.native import movie
from mediabox.native.decoded import Unreadable
from mediabox.native.encode import film, still
from mediabox.native.encode.original import Original
from mediabox.native.encode.shot_at import ShotAt
from mediabox.native.encode.sink import FileSink
from mediabox.native.faults import BAD_BYTES
from mediabox.native.fit.unfit import Unfit
from mediabox.native.pixels import with_streams
from mediabox.native.tags import read_tags

# What is known from outside the bytes says nothing that a file should repeat of itself.
_OUTSIDE = (TimeSource.FILE_NAME, TimeSource.FOLDER, TimeSource.FILE_MODIFIED)
_SHORT_OF_MEMORY = ("out of memory", "cannot allocate memory", "unable to allocate")


def convert(source_fd: int, into_fd: int, conversion: Conversion) -> Converted:
    """`encode.convert`."""
    source, sink = Original(source_fd), FileSink(into_fd)
    facts = _facts(source, conversion)
    with _verdicts(facts.media_type, source, sink):
        if facts.kind is Kind.VIDEO:  # of AVI and Matroska the streams alone tell date, words and range
            facts = with_streams(facts, movie.look(source, facts.media_type))
        shot_at = ShotAt(
            capture_time=conversion.capture_time or _own_time(facts),
            place=conversion.place or facts.place,
        )
        match conversion.to, facts.kind:
            case "image/jpeg", Kind.PICTURE:
                return still.convert(source, sink, facts, shot_at, most_pixels=conversion.most_pixels)
            case "video/mp4", Kind.VIDEO:
                return film.convert(source, sink, facts, shot_at, shortest_side=conversion.shortest_side)
            case _:
                raise Unfit(f"{facts.media_type} cannot be made {conversion.to}")


def _facts(source: Original, conversion: Conversion) -> Facts:
    kind = Kind.VIDEO if conversion.to.startswith("video/") else Kind.PICTURE
    return read_tags(source, ExamineRequest(name=conversion.name, kind=kind, size_bytes=source.size))


def _own_time(facts: Facts) -> CaptureTime | None:
    found = facts.capture_time
    return None if found is None or found.source in _OUTSIDE else found.as_moment()


@contextmanager
def _verdicts(media_type: str, source: Original, sink: FileSink) -> Iterator[None]:
    """Raise OSError for what a disk did, MemoryError for the box, Unfit for what the file's bytes did."""
    try:
        yield
        source.raise_failure()  # libvips takes a failed read for the end of the file
    except MemoryError:
        raise
    except (Unfit, Unreadable, av.FFmpegError, pyvips.Error, OSError, *BAD_BYTES) as err:
        source.raise_failure()
        sink.raise_failure()
        if isinstance(err, Unfit):
            raise
        _raise_verdict(media_type, err)


def _raise_verdict(media_type: str, err: Exception) -> None:
    words = " ".join(str(getattr(err, "detail", "") or getattr(err, "strerror", "") or err).split())
    if any(word in words.lower() for word in _SHORT_OF_MEMORY):
        raise MemoryError(words) from None
    if type(err) is OSError and err.errno is not None:
        raise err
    raise Unfit(f"{media_type} cannot be encoded anew: {words or type(err).__name__}") from None
