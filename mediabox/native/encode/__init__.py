"""Encode a file anew for a destination that does not take the original, or wants it smaller.

`convert` is the door: stills become JPEG (`still`), videos H.264 in MP4 (`film`). It runs
in a child of `Profile.ENCODE`, which can write into the file it is given and into nothing
else. What was written is opened and decoded again before it counts.

Light until called: the daemon reads `limits` from here and imports no decoder.
"""

from mediabox.model.recipe import Conversion, Converted


def convert(source_fd: int, into_fd: int, conversion: Conversion) -> Converted:
    """Read the open file `source_fd`, fill `into_fd` (open for reading and writing) with its new encoding.

    What `into_fd` held before is thrown away. Raises Unfit when this file cannot be
    converted, OSError when a disk fails or is full, MemoryError when the box is too small.
    """
    from mediabox.native.encode import conversion as work

    return work.convert(source_fd, into_fd, conversion)
