"""MP4 and QuickTime: time and place written into the index, every sample as it is.

The headers' creation times are changed where they stand. They are UTC: the local wall clock
survives only where QuickTime's keys can tell it with its zone.
"""

from collections.abc import Iterator

from mediabox.model.facts import CaptureTime
from mediabox.model.recipe import FitRequest, Recipe
from mediabox.native.boxes import Box, Malformed, Source, within
from mediabox.native.fit import movie_edits, movie_words
from mediabox.native.fit.heif_edits import box
from mediabox.native.fit.movie_edits import Edit, Movie
from mediabox.native.fit.movie_proof import same_picture
from mediabox.native.fit.unfit import Unfit

__all__ = ["fit", "same_picture"]

MAX_WORDS_BYTES = 1 << 20  # of user data or keys that are written anew; an iPhone has 500
_NO_ZONE = "zone not known: its wall clock stands for UTC"


def fit(first: Source, request: FitRequest) -> Recipe:
    """How to make a movie tell the request's time and place. Raises Unfit, Malformed."""
    movie = Movie(first)
    edits = list(_edits(movie, request))
    grown = movie_edits.growth(edits)
    if grown:
        edits += [movie_edits.resized(first, movie.moov, grown)]
        edits += movie_edits.moved_chunks(movie, grown)
    taken = request.capture_time
    return Recipe(
        pieces=movie_edits.pieces(edits, first.size),
        media_type=request.media_type,
        note=_NO_ZONE if taken is not None and taken.offset_min is None else "",
    )


def _edits(movie: Movie, request: FitRequest) -> Iterator[Edit]:
    """All but what follows from growing."""
    taken, place = request.capture_time, request.place
    if taken is not None:
        yield from _times(movie, taken)
    user_data, meta = movie.child(b"udta"), movie.child(b"meta")
    old = b"" if user_data is None else _words(movie, user_data)
    if (new := movie_words.with_words(old, taken, place)) != old:
        yield _replaced(movie, user_data, b"udta", new)
    if meta is not None:
        yield _replaced(movie, meta, b"meta", movie_words.in_meta(_words(movie, meta), taken, place))
    elif movie.is_quicktime and not movie_words.has_keys(old) and (told := movie_words.keys_told(taken, place)):
        yield _replaced(movie, None, b"meta", movie_words.with_keys(None, told))


def _times(movie: Movie, taken: CaptureTime) -> Iterator[Edit]:
    """The creation times of movie, tracks and media, in place."""
    seconds = movie_words.seconds_since_1904(taken)
    headers: list[Box | None] = [movie.child(b"mvhd")]
    for trak in movie.tracks():
        headers += [within(movie.source, trak, b"tkhd"), within(movie.source, trak, b"mdia", b"mdhd")]
    for header in headers:
        if header is None:
            raise Malformed("a track without its header")
        width = 8 if movie.source.bytes(header.payload, 1) == b"\1" else 4
        if seconds >> (8 * width):
            raise Unfit("the movie's clock ends before that time")
        if header.length < 4 + width:
            raise Malformed(f"a header of {header.length} bytes")
        yield Edit(header.payload + 4, header.payload + 4 + width, seconds.to_bytes(width, "big"))


def _words(movie: Movie, found: Box) -> bytes:
    if found.length > MAX_WORDS_BYTES:
        raise Unfit(f"the movie has {found.length:,} bytes of words beside its own")
    return movie.table(found)


def _replaced(movie: Movie, found: Box | None, kind: bytes, content: bytes) -> Edit:
    """A box of the index with new content; one that was not there goes to the index's end."""
    end = movie.children[-1].end  # before what pads the index
    return Edit(end if found is None else found.start, end if found is None else found.end, box(kind, content))
