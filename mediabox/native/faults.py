"""Tell a broken picture from a broken box: what decoders raise for bad bytes becomes `Unreadable`."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from mediabox.native.boxes import Malformed
from mediabox.native.decoded import Unreadable
from mediabox.native.tags.reader import Truncated

# Pillow's plug-ins are written to trust the format's own words; on foreign bytes each of these has been seen.
BAD_BYTES = (
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    SystemError,  # "tile cannot extend outside image"
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Malformed,
    Truncated,
)


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Raise Unreadable for whatever the bytes did; a failing disk (an OSError with a number) stays what it is."""
    try:
        yield
    except OSError as err:
        if err.errno is not None:
            raise
        raise Unreadable(f"{what}: {err}") from None
    except BAD_BYTES as err:  # `from None`: a traceback would keep the file's buffers alive
        raise Unreadable(f"{what}: {err}") from None
