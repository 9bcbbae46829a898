"""Say what a file is from its first 4 KiB and, where those cannot say, from its name.

Signatures follow the formats' own documents (ISO/IEC 14496-12 `ftyp`, ISO/IEC 23008-12
brands, TIFF 6.0, DNG 1.7, RFC 9559 EBML, ISO/IEC 13818-1). Media types are IANA's
where there is one, else the names ExifTool gives (`image/x-nikon-nef`).
"""

import re
import struct

from mediabox.model.asset import Kind

HEAD_BYTES = 4096

_AUDIO = "audio/mp4"
_XMP = "application/rdf+xml"
_PLIST = "application/x-plist"
_JSON = "application/json"

_NAMES: dict[str, str] = {
    # pictures
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "jpe": "image/jpeg", "jfif": "image/jpeg", "mpo": "image/jpeg",
    "insp": "image/jpeg", "heic": "image/heic", "heics": "image/heic-sequence", "heif": "image/heif",
    "heifs": "image/heif-sequence", "hif": "image/heic", "avif": "image/avif", "avifs": "image/avif",
    "png": "image/png", "apng": "image/png", "webp": "image/webp", "gif": "image/gif", "tif": "image/tiff",
    "tiff": "image/tiff", "jxl": "image/jxl", "bmp": "image/bmp", "dib": "image/bmp", "jp2": "image/jp2",
    "j2k": "image/jp2", "jpx": "image/jpx", "psd": "image/vnd.adobe.photoshop", "exr": "image/x-exr",
    "livp": "image/livp",  # a ZIP of a Live Photo; only folders that ask for it take it in
    # cameras' raw files
    "dng": "image/x-adobe-dng", "gpr": "image/x-gopro-gpr", "nef": "image/x-nikon-nef", "nrw": "image/x-nikon-nrw",
    "cr2": "image/x-canon-cr2", "cr3": "image/x-canon-cr3", "crw": "image/x-canon-crw", "crm": "video/x-canon-crm",
    "arw": "image/x-sony-arw", "sr2": "image/x-sony-sr2", "srf": "image/x-sony-srf", "raf": "image/x-fujifilm-raf",
    "orf": "image/x-olympus-orf", "ori": "image/x-olympus-orf", "rw2": "image/x-panasonic-rw2",
    "rwl": "image/x-leica-rwl", "raw": "image/x-raw", "pef": "image/x-pentax-pef", "srw": "image/x-samsung-srw",
    "x3f": "image/x-sigma-x3f", "mrw": "image/x-minolta-mrw", "mef": "image/x-mamiya-mef", "mos": "image/x-leaf-mos",
    "iiq": "image/x-phaseone-iiq", "3fr": "image/x-hasselblad-3fr", "fff": "image/x-hasselblad-fff",
    "kdc": "image/x-kodak-kdc", "dcr": "image/x-kodak-dcr", "k25": "image/x-kodak-k25", "erf": "image/x-epson-erf",
    "rwz": "image/x-rawzor", "cap": "image/x-phaseone-iiq", "bay": "image/x-casio-bay",
    # videos
    "mp4": "video/mp4", "m4v": "video/x-m4v", "mov": "video/quicktime", "qt": "video/quicktime", "3gp": "video/3gpp",
    "3gpp": "video/3gpp", "3g2": "video/3gpp2", "mkv": "video/matroska", "webm": "video/webm",
    "avi": "video/x-msvideo", "divx": "video/x-msvideo", "mts": "video/mp2t", "m2ts": "video/mp2t",
    "m2t": "video/mp2t", "ts": "video/mp2t", "tod": "video/mp2t", "mod": "video/mpeg", "mpg": "video/mpeg",
    "mpeg": "video/mpeg", "mpe": "video/mpeg", "m1v": "video/mpeg", "m2v": "video/mpeg", "vob": "video/mpeg",
    "wmv": "video/x-ms-wmv", "asf": "video/x-ms-asf", "flv": "video/x-flv", "f4v": "video/mp4", "ogv": "video/ogg",
    "dv": "video/x-dv", "mxf": "application/mxf", "insv": "video/mp4", "lrv": "video/mp4", "360": "video/mp4",
    "mp": "video/mp4", "mv": "video/mp4",  # Google's Live video beside a still in Takeout: PXL_….MP
    # sidecars
    "xmp": _XMP, "aae": _PLIST,
}  # fmt: skip

# Extensions other things have as well: TypeScript (`.ts`, `.mts`), Go modules and music (`.mod`), packet captures,
# disk images, subtitles, game data. Only the content says whether these are photos or videos.
_SHARED = frozenset(
    (*("ts", "mts", "m2t", "mod", "tod", "mp", "mv", "qt", "dv", "360", "asf", "mpe", "vob"),
     *("raw", "cap", "bay", "mos", "dcr", "srf", "ori", "fff", "k25", "mef", "dib"))
)  # fmt: skip
_SYNC = 0x47
_TRANSPORT_STRIDES = (188, 192, 204)  # bytes: plain, with AVCHD's time code before it, with DVB's check bytes behind it
_PRINTED = bytes((9, 10, 12, 13, 27, *range(32, 127), *range(128, 256)))  # what a text may consist of
_OTHER_VIDEO = frozenset({"application/mxf"})
_TAKEOUT_SUFFIX = "supplemental-metadata"  # Google cuts the whole name at 51 characters, wherever that falls
_COUNTED = re.compile(r"\(\d{1,4}\)$")

_PICTURE_BRANDS = {
    b"crx ": "image/x-canon-cr3",
    b"avif": "image/avif", b"avis": "image/avif",
    b"heic": "image/heic", b"heix": "image/heic", b"heim": "image/heic", b"heis": "image/heic",
    b"hevc": "image/heic-sequence", b"hevx": "image/heic-sequence",
    b"hevm": "image/heic-sequence", b"hevs": "image/heic-sequence",
}  # fmt: skip
_GENERIC_PICTURE_BRANDS = {
    b"mif1": "image/heif", b"mif2": "image/heif", b"mif3": "image/heif", b"miaf": "image/heif",
    b"tmap": "image/heif", b"msf1": "image/heif-sequence",
}  # fmt: skip
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A "})
_MOVIE_BOXES = frozenset({b"moov", b"mdat"})
_PADDING_BOXES = frozenset({b"wide", b"free", b"skip", b"pnot"})

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"FUJIFILMCCD-RAW", "image/x-fujifilm-raf"),
    (b"FOVb", "image/x-sigma-x3f"),
    (b"\0MRM", "image/x-minolta-mrw"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),  # a bare codestream
    (b"8BPS\0\x01", "image/vnd.adobe.photoshop"),
    (b"8BPS\0\x02", "image/vnd.adobe.photoshop"),  # PSB, for large documents
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x1f\x07\0", "video/x-dv"),
    (b"V6\0\0", "application/x-moi"),  # a camcorder's notes about a MOD, with its size: less than 64 KiB
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "application/mxf"),
)
_APPLE_DOUBLE = b"\0\x05\x16\x07"  # ._IMG_1.JPG on a FAT card: a Mac's notes about a file, never the file

_RAW_MAKES: tuple[tuple[bytes, str], ...] = (
    (b"NIKON", "image/x-nikon-nef"),
    (b"SONY", "image/x-sony-arw"),
    (b"PENTAX", "image/x-pentax-pef"),
    (b"RICOH", "image/x-pentax-pef"),
    (b"SAMSUNG", "image/x-samsung-srw"),
    (b"Hasselblad", "image/x-hasselblad-3fr"),
    (b"Mamiya", "image/x-mamiya-mef"),
    (b"Leaf", "image/x-leaf-mos"),
    (b"Phase One", "image/x-phaseone-iiq"),
    (b"EASTMAN KODAK", "image/x-kodak-dcr"),
    (b"Kodak", "image/x-kodak-dcr"),
    (b"SEIKO EPSON", "image/x-epson-erf"),
    (b"Canon", "image/x-canon-cr2"),
)
_TAG_SUBFILE, _TAG_COMPRESSION, _TAG_MAKE, _TAG_DNG_VERSION = 0x00FE, 0x0103, 0x010F, 0xC612
# Makers' own encodings (TIFF registers none of them): Sony 32767, Nikon 34713, Kodak 65000, Pentax 65535 ...
_RAW_COMPRESSIONS = frozenset({6, 32767, 32769, 32770, 34713, 65000, 65535})


def media_type_of(head: bytes) -> str | None:
    """The media type of a file that starts with `head` (4 KiB are enough), or None when it is not known."""
    for start, media_type in _STARTS:
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
    if major in _PICTURE_BRANDS:
        return _PICTURE_BRANDS[major]
    if major in _GENERIC_PICTURE_BRANDS:
        named = [_PICTURE_BRANDS[brand] for brand in compatible if brand in _PICTURE_BRANDS]
        return named[0] if named else _GENERIC_PICTURE_BRANDS[major]
    if major in _AUDIO_BRANDS:
        return _AUDIO
    if major == b"qt  ":
        return "video/quicktime"
    if major.startswith((b"3g2", b"kddi")):
        return "video/3gpp2"
    if major.startswith(b"3g"):
        return "video/3gpp"
    if major.startswith(b"M4V"):
        return "video/x-m4v"
    if major == b"jxl ":
        return "image/jxl"
    return "video/mp4"


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
    if magic in (b"IIRO", b"IIRS", b"MMOR"):
        return "image/x-olympus-orf"
    if magic == b"IIU\0":
        return "image/x-panasonic-rw2"
    if head[6:14] == b"HEAPCCDR" and magic[:2] == b"II":
        return "image/x-canon-crw"
    if magic in (b"II+\0", b"MM\0+"):
        return "image/tiff"
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
    return next((media_type for start, media_type in _RAW_MAKES if make.startswith(start)), None)
