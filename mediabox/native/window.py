"""A file, or a part of it, as the file object that decoders want: nothing is copied before it is asked for."""

import os
from typing import IO, cast

from mediabox.native.boxes import Source

JPEG_END = b"\xff\xd9"


class Window:
    """`length` bytes of `source` from `start` on, readable and seekable.

    `ending` is handed out once when a decoder reads past the end, and `ran_out` then
    tells that it did: with an end marker there, libjpeg gives the part of a cut
    picture that is left, without switching Pillow's checks off for every thread.
    """

    def __init__(self, source: Source, start: int = 0, length: int | None = None, *, ending: bytes = b"") -> None:
        self._source = source
        self._start = start
        self._length = max(source.size - start, 0) if length is None else max(min(length, source.size - start), 0)
        self._ending = ending
        self._position = 0
        self.ran_out = False

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes; all that is left without one; empty at the end."""
        left = self._length - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted <= 0:
            return self._read_past_end() if size else b""
        taken = self._source.bytes(self._start + self._position, wanted)
        self._position += len(taken)
        return taken

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to an offset; never before the start. Returns where it now is."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    @property
    def file(self) -> IO[bytes]:
        """Itself, to those who ask for a whole `IO` but only read and seek."""
        return cast("IO[bytes]", self)

    def close(self) -> None:
        """Nothing to close: the descriptor is not ours."""

    def _read_past_end(self) -> bytes:
        if self.ran_out:
            return b""
        self.ran_out = True
        return self._ending
