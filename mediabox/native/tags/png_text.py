"""A PNG's texts (W3C PNG 3rd edition, 11.3.3): XMP, a creation time, and the profiles ImageMagick hides in them.

`Raw profile type exif`: name, length and hexadecimal digits, a line each; written by ImageMagick, and by
ExifTool before eXIf was registered (`Image::ExifTool::PNG::ProcessProfile`).
"""

import zlib

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Held
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings
from mediabox.native.tags.iptc import read_iim, read_photoshop
from mediabox.native.tags.text import clean, decoded
from mediabox.native.tags.xmp import read_xmp

MAX_TEXT_BYTES = 2 * 1024 * 1024
MAX_PROFILES = 8  # in one file: Exif, IPTC, XMP, Photoshop's, and some twice
_RAW_PROFILE = "Raw profile type "
_XMP_KEYS = ("XML:com.adobe.xmp", "xmp")
_EXIF, _XMP, _PHOTOSHOP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
# The specification's word, GIMP's and Apple's spelling, and how ImageMagick carries Exif's over from another format.
_TIME_KEYS = ("creation time", "creationtime", "create-date", "exif:datetimeoriginal", "datetimeoriginal")
_CHANGE_KEYS = ("date:create", "date:modify", "exif:datetime", "datetime", "modify-date")  # ImageMagick's: its file's


def take_text(kind: bytes, body: bytes, found: Findings) -> None:
    """Take what a tEXt, zTXt or iTXt chunk says, if its keyword is one we know. Raises what `findings.LIES` names."""
    name, _, rest = body.partition(b"\0")
    key = name[:80].decode("latin-1")
    if key in _XMP_KEYS:
        read_xmp(_text(kind, rest), found)
    elif key.startswith(_RAW_PROFILE) and found.profiles < MAX_PROFILES:
        found.profiles += 1
        _take_profile(_unhexed(_text(kind, rest)), found)
    elif key == "Software":
        found.software = found.software or clean(_text(kind, rest)[:1024].decode("latin-1"))
    elif key.lower() in _TIME_KEYS + _CHANGE_KEYS and (at := moment(decoded(_text(kind, rest)[:64]) or "")) is not None:
        is_making = key.lower() in _TIME_KEYS  # as XMP's: what a program says of the picture's making
        found.times.append(candidate(at, TimeSource.XMP if is_making else TimeSource.EXIF_MODIFIED))


def _text(kind: bytes, rest: bytes) -> bytes:
    """What follows the keyword, without what only describes it, unpacked."""
    match kind:
        case b"tEXt":
            return rest
        case b"zTXt":  # the method; there is but one
            return _inflated(rest[1:])
        case _:  # flag and method, language, translated keyword
            text = rest[2:].split(b"\0", 2)[2]
            return _inflated(text) if rest[0] == 1 else text


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MAX_TEXT_BYTES)
    except zlib.error as err:
        raise ValueError(str(err)) from err


def _unhexed(text: bytes) -> bytes:
    """The bytes of a raw profile. The length it claims is not needed: the digits end it."""
    return bytes.fromhex(text.strip().split(b"\n", 2)[2].decode("ascii"))


def _take_profile(block: bytes, found: Findings) -> None:
    """By what it starts with: the profile's name is no guide (`APP1` is Exif or XMP, `iptc` is Photoshop's)."""
    if block.startswith((_EXIF, b"II*\0", b"MM\0*")):
        read_exif(Held(block), found)
    elif block.startswith((_PHOTOSHOP, b"8BIM")):
        read_photoshop(Held(block.removeprefix(_PHOTOSHOP)), found)
    elif block.startswith(b"\x1c"):
        read_iim(block, found)
    elif block.startswith((_XMP, b"<")):
        read_xmp(block.removeprefix(_XMP), found)
