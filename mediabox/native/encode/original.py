"""The file a conversion reads, remembering what its disk did.

Decoders call back from C, where an exception is easily lost and a failing disk looks like
a broken file: `raise_failure` raises it again.
"""

from mediabox.native.tags.reader import Reader


class Original(Reader):
    """A `Reader` for decoders that swallow what goes wrong while they read."""

    __slots__ = ("_failure",)

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._failure: OSError | None = None

    def bytes(self, offset: int, length: int, /) -> bytes:
        """Exactly these bytes. Raises `Truncated` when the file does not have them, OSError when the disk fails."""
        try:
            return super().bytes(offset, length)
        except OSError as err:
            self._failure = err
            raise

    def raise_failure(self) -> None:
        """Raise what went wrong with the disk, if anything did."""
        if self._failure is not None:
            raise self._failure
