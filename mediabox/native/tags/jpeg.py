"""Walk a JPEG's segments: which metadata it carries, its size, whether it has its end (ITU-T T.81, annex B)."""

from mediabox.model.facts import Hdr
from mediabox.native.boxes import Source
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.icc import describe_profile
from mediabox.native.tags.iptc import read_photoshop
from mediabox.native.tags.motion import google_motion, samsung_motion
from mediabox.native.tags.mpf import secondary_pictures
from mediabox.native.tags.reader import Window
from mediabox.native.tags.xmp import read_xmp
from mediabox.native.xmp.packet import Packet

MAX_SEGMENTS = 1_000  # before the scan; extended XMP of a depth map takes about 40
MAX_TAIL_SEARCH_BYTES = 256 * 1024 * 1024
_SEARCH_STEP_BYTES = 1024 * 1024

_APP1, _APP2, _APP13, _SCAN, _END = 0xE1, 0xE2, 0xED, 0xDA, 0xD9
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length: TEM, RSTn

_EXIF = b"Exif\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_MPF = b"MPF\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_END_MARKER = b"\xff\xd9"
MAX_EXTENDED_BYTES = 2 * 1024 * 1024


class Segments:
    """Where one JPEG keeps what; empty where it keeps nothing."""

    def __init__(self) -> None:
        self.exif: Window | None = None
        self.xmp = b""
        self.extended: list[Window] = []
        self.icc: list[Window] = []
        self.mpf: tuple[int, Window] | None = None  # offset its own offsets count from, and the block
        self.photoshop: list[Window] = []
        self.frame = b""  # start of frame: depth, height, width
        self.scan_at: int | None = None  # None: the file ends before its picture
        self.has_iso_gain_map = False

    def note(self, marker: int, body: Window, at: int) -> None:
        """Keep a segment's place if it is one we read. `at` is its body's offset in the source."""
        if marker in _FRAMES:
            self.frame = self.frame or body.bytes(0, min(5, body.size))
        elif marker == _APP1:
            self._note_app1(body, body.bytes(0, min(36, body.size)))
        elif marker == _APP2:
            self._note_app2(body, body.bytes(0, min(36, body.size)), at)
        elif marker == _APP13 and body.bytes(0, min(14, body.size)) == _PHOTOSHOP:
            self.photoshop.append(_behind(body, len(_PHOTOSHOP)))

    def _note_app1(self, body: Window, head: bytes) -> None:
        if head.startswith(_EXIF):
            self.exif = self.exif or _behind(body, len(_EXIF) + 1)
        elif head.startswith(_XMP):
            self.xmp = self.xmp or body.bytes(len(_XMP), body.size - len(_XMP))
        elif head.startswith(_EXTENDED):
            self.extended.append(body)

    def _note_app2(self, body: Window, head: bytes, at: int) -> None:
        if head.startswith(_ICC):
            self.icc.append(_behind(body, len(_ICC) + 2))
        elif head.startswith(_MPF):
            self.mpf = (at + len(_MPF), _behind(body, len(_MPF)))
        elif head.startswith(_ISO_GAIN_MAP):
            self.has_iso_gain_map = True


def _behind(body: Window, prefix: int) -> Window:
    return Window(body, prefix, body.size - prefix)


def read_jpeg(source: Source, found: Findings, *, is_whole_file: bool = True) -> None:
    """Take everything a JPEG's segments say, and, of a file of its own, what lies behind the picture."""
    segments = walk(source)
    if len(segments.frame) >= 5:
        found.bit_depth = segments.frame[0]
        found.height = int.from_bytes(segments.frame[1:3], "big") or None
        found.width = int.from_bytes(segments.frame[3:5], "big") or None
    packet = _read_segments(segments, found)
    _read_gain_map(source, segments, found)
    if not is_whole_file:
        return
    with Tolerant():
        found.motion = samsung_motion(source, packet)
    if packet is not None and found.motion is None:
        found.motion = google_motion(packet, source)
    with Tolerant():
        wrong = end_damage(source, segments.scan_at)
        if wrong is not None:
            found.damage.append(wrong)


def _read_segments(segments: Segments, found: Findings) -> Packet | None:
    """Exif, then IPTC, then XMP; one that lies does not spoil the others."""
    if segments.exif is not None:
        with Tolerant():
            read_exif(segments.exif, found)
    for block in segments.photoshop:
        with Tolerant():
            read_photoshop(block, found)
    for profile in segments.icc[:1]:  # the name is in the first chunk of every profile seen
        with Tolerant():
            found.color_profile = describe_profile(profile)
    with Tolerant():
        return read_xmp(segments.xmp, found, extended=lambda: _joined(segments.extended))
    return None


def walk(source: Source) -> Segments:
    """Note every segment up to the scan. Stops, without an error, where the segments stop making sense."""
    found = Segments()
    at = 2
    for _ in range(MAX_SEGMENTS):
        if at + 4 > source.size:
            break
        lead, marker, high, low = source.bytes(at, 4)
        if lead != 0xFF:
            break
        if marker == 0xFF or marker in _ALONE:  # fill bytes may come before any marker
            at += 1 if marker == 0xFF else 2
            continue
        length = high << 8 | low
        if marker == _SCAN:
            found.scan_at = at
        if marker in (_SCAN, _END) or length < 2:
            break
        found.note(marker, Window(source, at + 4, length - 2), at + 4)
        at += 2 + length
    return found


def end_damage(source: Source, scan_at: int | None) -> str | None:
    """What is wrong with the end of a JPEG whose scan starts at `scan_at`, or None.

    Within a scan 0xFF is always followed by 0 or a restart marker, so the end marker
    cannot appear by chance. Most files end with it and cost one look; only those with
    something after it (motion photo, maker's trailer, padding) or cut are searched.
    """
    if scan_at is None:
        return "the JPEG ends before its picture"
    if source.bytes(source.size - 2, 2) == _END_MARKER:
        return None
    at, last = scan_at, b""
    stop = min(source.size, scan_at + MAX_TAIL_SEARCH_BYTES)
    while at < stop:
        piece = source.bytes(at, min(_SEARCH_STEP_BYTES, stop - at))
        if _END_MARKER in piece or last + piece[:1] == _END_MARKER:
            return None
        last = piece[-1:]
        at += len(piece)
    return "the JPEG ends before its end marker" if stop == source.size else None


def _read_gain_map(source: Source, segments: Segments, found: Findings) -> None:
    """Which way, if any, the JPEG carries HDR: its own XMP or ISO block, or that of a second picture behind it."""
    if segments.has_iso_gain_map or b"hdrgm:Version" in segments.xmp:
        found.hdr = Hdr.ULTRA_HDR
        return
    if segments.mpf is None:
        return
    base, block = segments.mpf
    with Tolerant():
        for start, size in secondary_pictures(block, base):
            found.hdr = gain_map_of(walk(Window(source, start, size)))
            if found.hdr is not None:
                return


def gain_map_of(other: Segments) -> Hdr | None:
    """What a second picture is a gain map of, if it is one."""
    if other.has_iso_gain_map or b"hdrgm:" in other.xmp:
        return Hdr.ULTRA_HDR
    return Hdr.APPLE_GAIN_MAP if b"hdrgainmap" in other.xmp.lower() else None


def _joined(blocks: list[Window]) -> bytes:
    """Extended XMP put together: each block says whose it is, how long the whole is and where its part goes.

    Adobe XMP specification part 3, section 1.1.3.1: GUID of 32 bytes, full length, offset.
    """
    header = len(_EXTENDED) + 40
    parts: list[tuple[int, bytes]] = []
    held = 0
    for block in blocks:
        held += block.size
        if held > MAX_EXTENDED_BYTES or block.size < header:
            return b""
        offset = int.from_bytes(block.bytes(header - 4, 4), "big")
        parts.append((offset, block.bytes(header, block.size - header)))
    parts.sort()
    return b"".join(part for _, part in parts)
