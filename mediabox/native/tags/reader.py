"""Random access over one open, read-only file without ever holding the file.

Header walks hop: a few bytes here, a table there. The first block is kept for good
(most formats say everything in it) and one more block follows the walk, so a typical
picture costs one or two `pread` calls. Nothing here moves the descriptor's position,
so threads may share it, each with its own `Reader`.
"""

import os

from mediabox.native.boxes import Malformed, Source

FIRST_BLOCK_BYTES = 64 * 1024  # APP1 is 64 KiB at most; a HEIC's meta box is 3 to 40 KiB
BLOCK_BYTES = 16 * 1024  # what a hop brings in: a table's worth, two SD-card sectors' read-ahead
LARGEST_READ_BYTES = 64 * 1024 * 1024  # no header is larger: a claim beyond it is a lie


class Truncated(Malformed):
    """The file ends before what was asked for. The message says what was asked and where the end is."""

    def __init__(self, offset: int, length: int, size: int) -> None:
        super().__init__(f"{length:,} bytes at {offset:,} were asked for, the file has {size:,}")
        self.offset = offset
        self.length = length
        self.size = size


class Reader:
    """Bytes of the open file `descriptor`. Does not own it: whoever opened it closes it.

    `size` is the length in bytes when the reader was made; a later change is not followed.
    """

    __slots__ = ("_block", "_block_at", "_descriptor", "_first", "_first_end", "size")

    def __init__(self, descriptor: int, *, first_block_bytes: int = FIRST_BLOCK_BYTES) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self._first = os.pread(descriptor, first_block_bytes, 0)
        self._first_end = len(self._first)
        self._block = b""
        self._block_at = 0

    def _pread(self, offset: int, length: int) -> bytes:
        """One large piece, past the blocks. A file that shrank meanwhile is `Truncated` too."""
        piece = os.pread(self._descriptor, length, offset)
        if len(piece) < length:
            raise Truncated(offset, length, self.size)
        return piece

    def bytes(self, offset: int, length: int, /) -> bytes:
        """Exactly `length` bytes from `offset`. Raises `Truncated` when the file does not have them."""
        end = offset + length
        if 0 <= offset <= end <= self._first_end:
            return self._first[offset:end]
        if offset < 0 or length < 0 or end > self.size or length > LARGEST_READ_BYTES:
            raise Truncated(offset, length, self.size)
        if self._block_at <= offset and end <= self._block_at + len(self._block):
            return self._block[offset - self._block_at : end - self._block_at]
        if length > BLOCK_BYTES:
            return self._pread(offset, length)
        self._block = os.pread(self._descriptor, BLOCK_BYTES, offset)
        self._block_at = offset
        if len(self._block) < length:
            raise Truncated(offset, length, self.size)
        return self._block[:length]


class SubReader:
    """A part of a source, addressed from its own start: an Exif block inside a JPEG. Nothing is copied."""

    __slots__ = ("_source", "_start", "size")

    def __init__(self, source: Source, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self.size = max(0, min(size, source.size - start))

    def bytes(self, offset: int, length: int, /) -> bytes:
        """Exactly `length` bytes from `offset`. Raises `Truncated` when the part does not have them."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise Truncated(offset, length, self.size)
        return self._source.bytes(self._start + offset, length)
