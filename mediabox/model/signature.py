"""Say what a file is from its first 4 KiB and, where those cannot say, from its name.

Signatures follow the formats' own documents (ISO/IEC 14496-12 `ftyp`, ISO/IEC 23008-12
brands, TIFF 6.0, DNG 1.7, RFC 9559 EBML, ISO/IEC 13818-1). Media types are IANA's
where there is one, else the names ExifTool gives (`image/x-nikon-nef`).
"""

import re
import struct

from mediabox.model.asset import Kind
from mediabox.model.tables import rows

HEAD_BYTES = 4096

_XMP = "application/rdf+xml"
_PLIST = "application/x-plist"
_JSON = "application/json"

_ROWS = rows("formats")


def _marks(kind: str) -> dict[str, str]:
    """The media type of each mark of this kind, in the table's order."""
    return {mark: media_type for each, media_type, marks, *_ in _ROWS if each == kind for mark in marks.split(",")}


_NAMES, _SHARED = _marks("extension"), frozenset(_marks("shared"))
_STARTS = {bytes.fromhex(mark): media_type for mark, media_type in _marks("start").items()}
_BRANDS = {mark.ljust(4).encode(): media_type for mark, media_type in _marks("brand").items()}
_GENERIC_BRANDS = {mark.encode(): media_type for mark, media_type in _marks("generic brand").items()}
_BRAND_STARTS = {mark.encode(): media_type for mark, media_type in _marks("brand start").items()}
_RAW_MAKES = {mark.encode(): media_type for mark, media_type in _marks("make").items()}
_SYNC = 0x47
_TRANSPORT_STRIDES = (188, 192, 204)  # bytes: plain, with AVCHD's time code before it, with DVB's check bytes behind it
_PRINTED = bytes((9, 10, 12, 13, 27, *range(32, 127), *range(128, 256)))  # what a text may consist of
_OTHER_VIDEO = frozenset({"application/mxf"})
_TAKEOUT_SUFFIX = "supplemental-metadata"  # Google cuts the whole name at 51 characters, wherever that falls
_COUNTED = re.compile(r"\(\d{1,4}\)$")

_MOVIE_BOXES = frozenset({b"moov", b"mdat"})
_PADDING_BOXES = frozenset({b"wide", b"free", b"skip", b"pnot"})

_APPLE_DOUBLE = b"\0\x05\x16\x07"  # ._IMG_1.JPG on a FAT card: a Mac's notes about a file, never the file

_TAG_SUBFILE, _TAG_COMPRESSION, _TAG_MAKE, _TAG_DNG_VERSION = 0x00FE, 0x0103, 0x010F, 0xC612
# Makers' own encodings (TIFF registers none of them): Sony 32767, Nikon 34713, Kodak 65000, Pentax 65535 ...
_RAW_COMPRESSIONS = frozenset({6, 32767, 32769, 32770, 34713, 65000, 65535})


def media_type_of(head: bytes) -> str | None:
    """The media type of a file that starts with `head` (4 KiB are enough), or None when it is not known."""
    for start, media_type in _STARTS.items():
        if head.startswith(start):
            return media_type
    return (
        _tiff_type(head)
        or _iso_media_type(head)
        or _riff_type(head)
        or _ebml_type(head)
        or _bitmap_type(head)
        or _transport_type(head)
        or _text_type(head)
    )


def media_type_of_name(name: str) -> str | None:
    """The media type a file's extension stands for, or None. Takeout's JSON is `application/json`."""
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower()
    if not dot or not stem:
        return None
    if extension == "json":
        return _JSON if _is_takeout_name(stem) else None
    return _NAMES.get(extension)


def kind_of_name(name: str) -> Kind | None:
    """What a file of this name is; None when its name alone does not say, or it is a Mac's `._` twin."""
    return None if _is_shared(name) else claimed_kind(name)


def kind_of(head: bytes, name: str) -> Kind | None:
    """What a file is: its content decides, then its extension. None: nothing a household calls a photo or video.

    A file whose content is something else under a picture's name (a saved web page
    called `.jpg`) is a picture by name: it is taken in, examined and flagged. Text under a
    name that text has as well (`index.d.ts`) is none.
    """
    if head.startswith(_APPLE_DOUBLE):
        return None
    media_type = media_type_of(head)
    by_content = None if media_type is None else kind_of_type(media_type)
    if media_type == _JSON and b'"photoTakenTime"' not in head:
        by_content = None
    if media_type == _PLIST and b"adjustmentFormatIdentifier" not in head:
        by_content = None
    if by_content is None and _is_shared(name) and _is_text(head):
        return None
    return by_content or claimed_kind(name)


def kind_of_type(media_type: str) -> Kind | None:
    """The kind of resource a media type is; None for sound, text and all else."""
    if media_type.startswith("image/"):
        return Kind.PICTURE
    if media_type.startswith("video/") or media_type in _OTHER_VIDEO:
        return Kind.VIDEO
    return Kind.SIDECAR if media_type in (_XMP, _PLIST, _JSON) else None


def claimed_kind(name: str) -> Kind | None:
    """What a file of this name says it is, be it that other things have such names as well."""
    media_type = media_type_of_name(name)
    return None if media_type is None or name.startswith("._") else kind_of_type(media_type)


def _is_shared(name: str) -> bool:
    return name.rpartition(".")[2].lower() in _SHARED


def _is_text(head: bytes) -> bool:
    """UTF-8, Latin-1 or UTF-16 with its mark, without control characters that no text has."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return bool(head) and not head.translate(None, _PRINTED)


def _is_takeout_name(stem: str) -> bool:
    """Whether `stem` (without `.json`) is `<media>` or `<media>.supplemental-metadata`, cut short or counted."""
    bare = _COUNTED.sub("", stem)
    inner, dot, suffix = bare.rpartition(".")
    if not dot or not inner:
        return False
    return suffix.lower() in _NAMES or _TAKEOUT_SUFFIX.startswith(suffix)


def _iso_media_type(head: bytes) -> str | None:
    """ISO base media by its brands (14496-12, 4.3), or QuickTime from before `ftyp` by its first box."""
    box = head[4:8]
    if box == b"ftyp" and len(head) >= 12:
        return _brand_type(head)
    if box in _MOVIE_BOXES or (box in _PADDING_BOXES and head[0] == 0):
        return "video/quicktime"
    return None


def _brand_type(head: bytes) -> str:
    """The major brand decides; a generic one (`mif1`) leaves it to the compatible brands."""
    end = min(int.from_bytes(head[:4], "big"), len(head), 256)
    major = head[8:12]
    compatible = [head[at : at + 4] for at in range(16, end - 3, 4)]
    if major in _BRANDS:
        return _BRANDS[major]
    if major in _GENERIC_BRANDS:
        return next((_BRANDS[brand] for brand in compatible if brand in _BRANDS), _GENERIC_BRANDS[major])
    return next((media_type for start, media_type in _BRAND_STARTS.items() if major.startswith(start)), "video/mp4")


def _riff_type(head: bytes) -> str | None:
    if head[:4] not in (b"RIFF", b"RIFX"):
        return None
    return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12])


def _ebml_type(head: bytes) -> str | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return "video/webm" if b"\x42\x82\x84webm" in head[:128] else "video/matroska"


def _bitmap_type(head: bytes) -> str | None:
    """`BM` alone could be a word: the length of the header that follows must be one that exists."""
    if head[:2] != b"BM" or len(head) < 18:
        return None
    return "image/bmp" if int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124) else None


def _transport_type(head: bytes) -> str | None:
    """MPEG-2 transport packets: 0x47 at every packet's start, wherever the recording begins (13818-1, 2.4.3.2)."""
    for stride in _TRANSPORT_STRIDES:
        for first in range(min(stride, len(head))):
            marks = head[first::stride]
            enough = 3 if first in (0, 4) else 12  # not where packets usually begin: by chance it must not be
            if head[first] == _SYNC and len(marks) >= enough and marks.count(_SYNC) == len(marks):
                return None if _is_text(head) else "video/mp2t"
    return None


def _text_type(head: bytes) -> str | None:
    """Sidecars are text: XMP, property lists, Takeout's JSON."""
    if head.startswith(b"bplist00"):
        return _PLIST
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<", b"\0\0\0<", b"\0\0\xfe\xff")):  # UTF-16, UTF-32
        head = head.replace(b"\0", b"").lstrip(b"\xff\xfe")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1024]
    if start.startswith(b"{") and b'"' in start:
        return _JSON
    if not start.startswith(b"<"):
        return None
    if b"<plist" in start:
        return _PLIST
    return _XMP if any(mark in start for mark in (b"<x:xmpmeta", b"<?xpacket", b"<rdf:RDF")) else None


def _tiff_type(head: bytes) -> str | None:
    """TIFF and the raw formats built on it: told apart by their magic, or by what their first directory says."""
    magic = head[:4]
    if head[6:14] == b"HEAPCCDR" and magic[:2] == b"II":
        return "image/x-canon-crw"
    if magic not in (b"II*\0", b"MM\0*"):
        return None
    if head[8:10] == b"CR" and magic == b"II*\0":
        return "image/x-canon-cr2"
    if head[8:12] == b"IIII":
        return "image/x-phaseone-iiq"
    return _raw_of_directory(head, "<" if magic == b"II*\0" else ">") or "image/tiff"


def _raw_of_directory(head: bytes, endian: str) -> str | None:
    """The raw format the first directory tells of, as far as it lies within the head (TIFF 6.0, section 2)."""
    make, is_reduced, compression = b"", False, 1
    try:
        (at,) = struct.unpack_from(endian + "I", head, 4)
        (count,) = struct.unpack_from(endian + "H", head, at)
        for index in range(min(count, 256)):
            tag, form, length, value = struct.unpack_from(endian + "HHII", head, at + 2 + 12 * index)
            short = value if form == 4 or endian == "<" else value >> 16
            if tag == _TAG_DNG_VERSION:
                return "image/x-adobe-dng"
            if tag == _TAG_SUBFILE:
                is_reduced = bool(short & 1)
            elif tag == _TAG_COMPRESSION:
                compression = short & 0xFFFF
            elif tag == _TAG_MAKE:
                make = head[value : value + min(length, 64)]
    except struct.error:  # the directory lies beyond the head: a large TIFF; its name may still say raw
        return None
    if not is_reduced and compression not in _RAW_COMPRESSIONS:
        return None
    return next((media_type for start, media_type in _RAW_MAKES.items() if make.startswith(start)), None)
