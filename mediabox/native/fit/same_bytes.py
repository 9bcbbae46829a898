"""Whether parts of two files are the same, byte for byte, without holding either."""

from mediabox.native.boxes import Source

_PIECE_BYTES = 256 * 1024  # fits a small processor's cache twice


def is_same(one: Source, one_at: int, other: Source, other_at: int, length: int) -> bool:
    """Whether `length` bytes from `one_at` are those from `other_at`; not when either file ends before."""
    if one_at < 0 or other_at < 0 or one_at + length > one.size or other_at + length > other.size:
        return False
    for done in range(0, length, _PIECE_BYTES):
        part = min(_PIECE_BYTES, length - done)
        if one.bytes(one_at + done, part) != other.bytes(other_at + done, part):
            return False
    return True
