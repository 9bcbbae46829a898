"""Which child can decode what. Light: the daemon reads this; `preload` does the importing, in the child.

A child imports only what its profile needs, because memory is what a small box has
least of: a child that also holds FFmpeg and libheif takes twice the memory of one
that holds Pillow alone.
"""

from enum import StrEnum


class Profile(StrEnum):
    PICTURE = "picture"  # Pillow and numpy: JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, JPEG XL, previews in RAW files
    MOVIE = "movie"  # and FFmpeg and libheif: videos, HEIC
    LARGE = "large"  # Pillow and libvips: stills too large to be decoded whole in memory
    ENCODE = "encode"  # all of them, and may write into the one file it is given: new encodings for destinations


LARGEST_ENCODED_BYTES = 64 << 30  # hours of 4K

HEIF_TYPES = frozenset(("image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"))


def profile_of(media_type: str) -> Profile:
    """The child to ask first. A still it finds too large is passed on by `decoded.NeedsProfile`."""
    if media_type.startswith("video/") or media_type in HEIF_TYPES or media_type == "application/mxf":
        return Profile.MOVIE
    return Profile.PICTURE


def may_write_bytes(profile: Profile) -> int:
    """How long a file may become by the hand of such a child; 0 for those that only look."""
    return LARGEST_ENCODED_BYTES if profile is Profile.ENCODE else 0
