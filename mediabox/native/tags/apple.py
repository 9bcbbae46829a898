"""Apple's maker note: what ties a still to its video and the shots of a burst together.

Layout seen in iPhone files and in ExifTool's Apple.pm: `Apple iOS`, NUL, a version,
the byte order, then one directory whose offsets count from the note's start.
"""

from mediabox.native.tags.findings import Findings
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.tiff import Directory, Note

_SIGNATURE = b"Apple iOS\0"
_BURST_UUID, _CONTENT_IDENTIFIER = 0x000B, 0x0011


def directory_of(note: SubReader) -> Directory | None:
    """The note's directory; None for another maker's. Raises Malformed when it is not whole."""
    if note.bytes(0, len(_SIGNATURE)) != _SIGNATURE:
        return None
    return Directory(Note(note, order_at=12, first=14), 14)


def read_apple_note(note: SubReader, found: Findings) -> None:
    """Take the pair key and the burst's name. Raises Malformed when the note is not whole."""
    directory = directory_of(note)
    if directory is None:
        return
    found.content_identifier = found.content_identifier or directory.text(_CONTENT_IDENTIFIER)
    found.burst_id = found.burst_id or directory.text(_BURST_UUID)
