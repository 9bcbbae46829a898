"""The file a conversion fills, as the file object that encoders and checks want."""

import os


class FileSink:
    """Everything is written at its own position: the descriptor's is shared with the daemon's and left alone.

    Emptied when made, because a child that was lost before may have begun it. Encoders
    call back from C, where an exception is easily lost: `raise_failure` raises it again.
    """

    def __init__(self, descriptor: int) -> None:
        os.ftruncate(descriptor, 0)
        self.descriptor = descriptor
        self.size = 0
        self._position = 0
        self._failure: OSError | None = None

    def write(self, piece: bytes | memoryview, /) -> int:
        """All of `piece`. Raises OSError: no room, a failing disk, larger than a child may write."""
        left = memoryview(piece).cast("B")
        try:
            while left:
                written = os.pwrite(self.descriptor, left, self._position)
                self._position += written
                left = left[written:]
        except OSError as err:
            self._failure = err
            raise
        self.size = max(self.size, self._position)
        return len(piece)

    def read(self, length: int = -1, /) -> bytes:
        """At most `length` bytes; all that is left without one."""
        left = self.size - self._position
        piece = os.pread(self.descriptor, left if length < 0 else min(length, left), self._position)
        self._position += len(piece)
        return piece

    def bytes(self, offset: int, length: int, /) -> bytes:
        """Exactly these bytes when they are there (`boxes.Source`)."""
        return os.pread(self.descriptor, length, offset)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to an offset, also past the end. Returns where it now is."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def raise_failure(self) -> None:
        """Raise what went wrong with the disk, if anything did."""
        if self._failure is not None:
            raise self._failure
