"""Apple's maker note: what ties a still to its video and the shots of a burst together.

Layout seen in iPhone files and in ExifTool's Apple.pm: `Apple iOS`, NUL, a version,
the byte order, then one directory whose offsets count from the note's start.
"""

from mediabox.native.boxes import Source
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.reader import Window
from mediabox.native.tags.tiff import ENTRY_STRUCTS, Directory, Tiff

SIGNATURE = b"Apple iOS\0"
_BURST_UUID, _CONTENT_IDENTIFIER = 0x000B, 0x0011
TABLE_AT = 14


class Note(Tiff):
    """Apple's note has its byte order where TIFF has none, and no link to a first directory."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.endian = "<" if source.bytes(12, 2) == b"II" else ">"
        self.is_big = False
        self.entry, self.pointer = ENTRY_STRUCTS[self.endian, False]
        self.first = TABLE_AT


def read_apple_note(note: Window, found: Findings) -> None:
    """Take the pair key and the burst's name. Raises Malformed when the note is not whole."""
    if note.bytes(0, len(SIGNATURE)) != SIGNATURE:
        return
    directory = Directory(Note(note), TABLE_AT)
    found.content_identifier = found.content_identifier or directory.text(_CONTENT_IDENTIFIER)
    found.burst_id = found.burst_id or directory.text(_BURST_UUID)
