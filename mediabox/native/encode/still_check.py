"""Look at a new JPEG as a stranger would, before it counts."""

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.native import jpeg
from mediabox.native.decoded import Unreadable, displayed
from mediabox.native.encode.shot_at import ShotAt
from mediabox.native.encode.sink import FileSink
from mediabox.native.fit.unfit import Unfit
from mediabox.native.tags import read_tags
from mediabox.native.tags.reader import Reader
from mediabox.native.window import JPEG_END, Window

_NEAR_DEGREES = 0.001


def check(sink: FileSink, shot_at: ShotAt, *, width: int, height: int, orientation: int) -> None:
    """Every scan line decodes, and the tags say what they should. Sizes as stored. Raises Unfit."""
    reader = Reader(sink.descriptor)
    facts = read_tags(reader, ExamineRequest(name="a.jpg", kind=Kind.PICTURE, size_bytes=reader.size))
    if facts.damage or facts.media_type != "image/jpeg":
        raise Unfit(f"the new picture is not whole: {facts.damage or facts.media_type}")
    try:
        decoded = jpeg.decode(Window(reader, ending=JPEG_END), orientation=facts.orientation)
    except Unreadable as err:
        raise Unfit(f"the new picture cannot be decoded: {err}") from None
    if decoded.damage:
        raise Unfit(f"the new picture is not whole: {decoded.damage}")
    size = displayed(width, height, orientation)
    if (decoded.width, decoded.height) != size or (facts.width, facts.height) != size:
        raise Unfit(f"the new picture is {decoded.width} x {decoded.height}, not {size[0]} x {size[1]}")
    check_words(facts, shot_at)


def check_words(facts: Facts, shot_at: ShotAt) -> None:
    """The new file, picture or video, says when and where it was taken. Raises Unfit."""
    there, wanted = facts.place, shot_at.place
    if wanted is not None and (
        there is None
        or abs(there.latitude - wanted.latitude) > _NEAR_DEGREES
        or abs(there.longitude - wanted.longitude) > _NEAR_DEGREES
    ):
        raise Unfit("the new file does not say where it was taken")
    if shot_at.capture_time is not None and facts.capture_time is None:
        raise Unfit("the new file does not say when it was taken")
