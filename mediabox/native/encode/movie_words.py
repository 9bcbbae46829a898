"""What a converted MP4 says in words: QuickTime's keys as an iPhone writes them, and Android's `©xyz`."""

from typing import NamedTuple

from mediabox.model.facts import CaptureTime, Facts
from mediabox.native.encode.shot_at import ShotAt
from mediabox.native.fit.heif_edits import box
from mediabox.native.fit.movie_words import APPLE, keys_told, seconds_since_1904, with_keys, with_words
from mediabox.native.fit.unfit import Unfit


class Words(NamedTuple):
    """For the index: seconds since 1904 (UTC), and boxes ready to be put in."""

    created_s: int | None
    meta: bytes  # goes into `moov`
    user_data: bytes  # goes into `udta`


def of(facts: Facts, shot_at: ShotAt) -> Words:
    """What the new file is to say: the source's words, with the time and place that were decided on."""
    taken, camera = shot_at.capture_time, facts.camera
    texts = {
        b"make": camera.make if camera else None,
        b"model": camera.model if camera else None,
        b"software": facts.software,
        b"content.identifier": facts.content_identifier,
        b"title": facts.title,
        b"description": facts.caption,
        b"keywords": ",".join(facts.keywords),
    }
    told = keys_told(
        None if taken is None or taken.offset_min is None else taken, shot_at.place
    )  # the key wants a zone
    told |= {APPLE + name: text.encode() for name, text in texts.items() if text}
    meta = box(b"meta", with_keys(None, told)) if told else b""
    return Words(None if taken is None else _created_s(taken), meta, with_words(b"", None, shot_at.place))


def _created_s(taken: CaptureTime) -> int | None:
    """For headers of 32 bits; None for what they cannot say."""
    try:
        seconds = seconds_since_1904(taken)
    except Unfit:
        return None
    return seconds if seconds < 1 << 32 else None
