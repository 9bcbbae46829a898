"""What a converted file is to say of itself: when and where it was taken."""

import msgspec

from mediabox.model.facts import CaptureTime
from mediabox.model.place import Place


class ShotAt(msgspec.Struct, frozen=True, kw_only=True):
    """What the conversion was given, else what the source says."""

    capture_time: CaptureTime | None = None
    place: Place | None = None
