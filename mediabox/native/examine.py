"""All the child does for one file: read its tags, then have one look at its pixels.

Whatever a file's bytes do ends in `facts.damage`. Only three things escape: MemoryError
(the box, or a bomb), NeedsProfile (another child can) and OSError (the disk).
"""

import errno
import re
import sys
import traceback

import msgspec

from mediabox.contracts import Examination, ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.native import pixels
from mediabox.native.decoded import NeedsProfile
from mediabox.native.profiles import HEIF_TYPES
from mediabox.native.tags import read_tags
from mediabox.native.tags.reader import Reader

# Stills we can decode: one that gives no picture is damaged. Of other stills (a raw file without a preview
# inside, Photoshop, JPEG 2000) we simply have no picture, which says nothing against the file.
_DECODED = HEIF_TYPES | {
    "image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/bmp", "image/avif", "image/jxl",
}  # fmt: skip
_SANDBOX_REFUSALS = frozenset({errno.EPERM, errno.EACCES, errno.ENOENT, errno.ENOSYS})
# How libvips, FFmpeg, libheif and libwebp say MemoryError. libheif's own limits speak of memory too.
_SHORT_OF_MEMORY = re.compile(r"(?i)out of memory|cannot allocate memory|memory allocation|insufficient memory")
_OWN_LIMIT = re.compile(r"(?i)security limit")
_UNKNOWN_TYPE = "application/octet-stream"
_SHOWN_FRAMES = 3  # of a traceback: enough to find the decoder


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one look gave. `is_odd`: a decoder failed in a way bad bytes do not explain; do not trust its state."""

    examination: Examination
    is_odd: bool = False


def examine(descriptor: int, request: ExamineRequest, *, with_pixels: bool = True) -> Seen:
    """Look at one open file; at its tags only when `with_pixels` is false.

    Raises NeedsProfile when another child must, OSError when the file cannot be
    read, MemoryError when it is too large for this child.
    """
    facts = Facts(kind=request.kind, media_type=_UNKNOWN_TYPE)
    try:
        reader = Reader(descriptor)
        facts = read_tags(reader, request)
        if not with_pixels or facts.kind is Kind.SIDECAR or reader.size == 0:
            return Seen(examination=Examination(facts=facts))
        seen = pixels.examine(reader, facts, wants_renditions=request.renditions)
    except (NeedsProfile, MemoryError):
        raise
    except OSError as err:
        if err.errno not in _SANDBOX_REFUSALS:
            raise
        return _odd(facts, f"its decoder wanted what it may not have ({err})")
    except Exception as err:  # noqa: BLE001 - foreign bytes in foreign code: a verdict on the file, not our end
        return _odd(facts, f"its decoder failed ({type(err).__name__}: {err})")
    damage = seen.facts.damage or ""
    if _SHORT_OF_MEMORY.search(damage) and not _OWN_LIMIT.search(damage):
        raise MemoryError(damage)
    return Seen(examination=_fair(seen, before=facts))


def _odd(facts: Facts, reason: str) -> Seen:
    traceback.print_exc(limit=-_SHOWN_FRAMES, file=sys.stderr)
    damage = f"{facts.damage}; {reason}" if facts.damage else reason
    return Seen(examination=Examination(facts=msgspec.structs.replace(facts, damage=damage)), is_odd=True)


def _fair(seen: Examination, *, before: Facts) -> Examination:
    """No picture of a still we have no decoder for is no damage."""
    has_picture = seen.facts.perceptual_hashes or seen.preview is not None or seen.facts.quality is not None
    if has_picture or before.kind is Kind.VIDEO or before.media_type in _DECODED:
        return seen if seen.facts.damage is None else _on_one_line(seen, seen.facts.damage)
    return Examination(facts=before)


def _on_one_line(seen: Examination, damage: str) -> Examination:
    """Libraries end their sentences as they like; a person reads this one in a list."""
    tidy = msgspec.structs.replace(seen.facts, damage=" ".join(damage.split()))
    return msgspec.structs.replace(seen, facts=tidy)
