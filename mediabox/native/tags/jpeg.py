"""Walk a JPEG's segments: which metadata it carries, its size, whether it has its end (ITU-T T.81, annex B)."""

from mediabox.model.facts import Hdr
from mediabox.native import jpeg_segments
from mediabox.native.boxes import Source
from mediabox.native.jpeg_segments import (
    APP1,
    APP2,
    APP13,
    END_MARKER,
    EXIF,
    EXTENDED_XMP,
    ICC,
    ISO_GAIN_MAP,
    MPF,
    PHOTOSHOP,
    SCAN,
    XMP,
    Segment,
)  # fmt: skip
from mediabox.native.tags.exif import read_exif
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.icc import describe_profile
from mediabox.native.tags.iptc import read_photoshop
from mediabox.native.tags.motion import google_motion, samsung_motion
from mediabox.native.tags.mpf import read_table
from mediabox.native.tags.reader import SubReader
from mediabox.native.tags.xmp import read_xmp
from mediabox.native.xmp.packet import Packet

MAX_TAIL_SEARCH_BYTES = 256 * 1024 * 1024
MAX_EXTENDED_BYTES = 2 * 1024 * 1024
_SEARCH_STEP_BYTES = 1024 * 1024
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_EXIF = EXIF[:5]  # whatever follows
_FRAME_BYTES = 5  # depth, height, width


class Segments:
    """Where one JPEG keeps what; empty where it keeps nothing."""

    def __init__(self) -> None:
        self.exif: SubReader | None = None
        self.xmp = b""
        self.extended: list[SubReader] = []
        self.icc: list[SubReader] = []
        self.mpf: tuple[int, SubReader] | None = None  # offset its own offsets count from, and the block
        self.photoshop: list[SubReader] = []
        self.frame = b""  # start of frame: depth, height, width
        self.scan_at: int | None = None  # None: the file ends before its picture
        self.has_iso_gain_map = False

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height as the frame tells them; a height of 0 comes later, in the scan."""
        return (int.from_bytes(self.frame[3:5], "big"), int.from_bytes(self.frame[1:3], "big")) if self.frame else None

    def note(self, segment: Segment, source: Source) -> None:
        """Keep a segment's place if it is one we read."""
        marker, head = segment.marker, segment.head
        if marker in _FRAMES and len(head) >= _FRAME_BYTES:
            self.frame = self.frame or head[:_FRAME_BYTES]
        elif marker == APP1:
            self._note_app1(SubReader(source, segment.body, segment.end - segment.body), head)
        elif marker == APP2:
            self._note_app2(SubReader(source, segment.body, segment.end - segment.body), head, segment.body)
        elif marker == APP13 and head.startswith(PHOTOSHOP):
            at = segment.body + len(PHOTOSHOP)
            self.photoshop.append(SubReader(source, at, segment.end - at))

    def _note_app1(self, body: SubReader, head: bytes) -> None:
        if head.startswith(_EXIF):
            self.exif = self.exif or _behind(body, len(EXIF))
        elif head.startswith(XMP):
            self.xmp = self.xmp or body.bytes(len(XMP), body.size - len(XMP))
        elif head.startswith(EXTENDED_XMP):
            self.extended.append(body)

    def _note_app2(self, body: SubReader, head: bytes, at: int) -> None:
        if head.startswith(ICC):
            self.icc.append(_behind(body, len(ICC) + 2))
        elif head.startswith(MPF):
            self.mpf = (at + len(MPF), _behind(body, len(MPF)))
        elif head.startswith(ISO_GAIN_MAP):
            self.has_iso_gain_map = True


def _behind(body: SubReader, prefix: int) -> SubReader:
    return SubReader(body, prefix, body.size - prefix)


def read_jpeg(source: Source, found: Findings, *, is_whole_file: bool = True) -> None:
    """Take everything a JPEG's segments say, and, of a file of its own, what lies behind the picture."""
    segments = walk(source)
    if (size := segments.size) is not None:
        found.bit_depth, found.width, found.height = segments.frame[0], size[0] or None, size[1] or None
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
    for segment in jpeg_segments.segments(source):
        if segment.marker == SCAN:
            found.scan_at = segment.at
        else:
            found.note(segment, source)
    return found


def end_damage(source: Source, scan_at: int | None) -> str | None:
    """What is wrong with the end of a JPEG whose scan starts at `scan_at`, or None.

    Within a scan 0xFF is always followed by 0 or a restart marker, so the end marker
    cannot appear by chance. Most files end with it and cost one look; only those with
    something after it (motion photo, maker's trailer, padding) or cut are searched.
    """
    if scan_at is None:
        return "the JPEG ends before its picture"
    if source.bytes(source.size - 2, 2) == END_MARKER:
        return None
    at, last = scan_at, b""
    stop = min(source.size, scan_at + MAX_TAIL_SEARCH_BYTES)
    while at < stop:
        piece = source.bytes(at, min(_SEARCH_STEP_BYTES, stop - at))
        if END_MARKER in piece or last + piece[:1] == END_MARKER:
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
        table = read_table(block)
        for size, offset in () if table is None else table.rows:
            found.hdr = gain_map_of(walk(SubReader(source, base + offset, size))) if offset else None
            if found.hdr is not None:
                return


def gain_map_of(other: Segments) -> Hdr | None:
    """What a second picture is a gain map of, if it is one."""
    if other.has_iso_gain_map or b"hdrgm:" in other.xmp:
        return Hdr.ULTRA_HDR
    return Hdr.APPLE_GAIN_MAP if b"hdrgainmap" in other.xmp.lower() else None


def _joined(blocks: list[SubReader]) -> bytes:
    """Extended XMP put together: each block says whose it is, how long the whole is and where its part goes.

    Adobe XMP specification part 3, section 1.1.3.1: GUID of 32 bytes, full length, offset.
    """
    header = len(EXTENDED_XMP) + 40
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
