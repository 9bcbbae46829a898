"""One track of a movie: its handler, size, turn, codec, rate and colour (ISO/IEC 14496-12, 8.3 to 8.7)."""

import struct
from datetime import datetime
from itertools import islice

import msgspec

from mediabox.model.facts import Hdr
from mediabox.native.boxes import Box, Malformed, Source, boxes
from mediabox.native.colour import HDR_OF
from mediabox.native.tags.codecs import codec_of
from mediabox.native.tags.dates import movie_instant
from mediabox.native.tags.findings import Tolerant

MAX_CHILDREN = 64
_ONE = 0x10000  # 16.16 fixed point
_VISUAL_ENTRY_BYTES = 78  # before the boxes of a visual sample entry (14496-12, 12.1.3)
_MAX_ENTRY_BYTES = 16 * 1024

# Signs of the matrix's a, b, c, d and the EXIF orientation that shows the same.
_TURNS = {
    (1, 0, 0, 1): 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, 1, -1, 0): 6, (0, -1, -1, 0): 7, (0, -1, 1, 0): 8,
}  # fmt: skip


class Track(msgspec.Struct, kw_only=True):
    """What one track says. Sizes in pixels, as stored; `handler` is `vide`, `soun`, `pict`, `meta` ..."""

    handler: bytes = b""
    is_enabled: bool = False
    width: int | None = None
    height: int | None = None
    orientation: int = 1
    codec: str | None = None
    samples: int | None = None
    duration_s: float | None = None
    bit_depth: int | None = None
    hdr: Hdr | None = None
    color_profile: str | None = None
    last_chunk_at: int = 0
    created: list[datetime] = []

    @property
    def frame_rate(self) -> float | None:
        """Mean pictures per second, from their number."""
        if not self.samples or not self.duration_s:
            return None
        return round(self.samples / self.duration_s, 3)


def read_track(source: Source, trak: Box) -> Track:
    """Read a `trak` box. Raises Malformed when a box in it contradicts itself."""
    track = Track()
    for box in boxes(source, trak.payload, trak.end, limit=MAX_CHILDREN):
        if box.type == b"tkhd":
            _read_header(source.bytes(box.payload, min(box.length, 96)), track)
        elif box.type == b"mdia":
            _read_media(source, box, track)
    return track


def _read_header(header: bytes, track: Track) -> None:
    """`tkhd`: enabled, creation time, matrix, presentation size."""
    _read_creation(header, track)
    at = 52 if header[0] == 1 else 40
    track.is_enabled = bool(header[3] & 1)
    a, b, _, c, d = struct.unpack_from(">iiiii", header, at)
    track.orientation = _TURNS.get((_sign(a), _sign(b), _sign(c), _sign(d)), 1)
    width, height = struct.unpack_from(">II", header, at + 36)
    track.width, track.height = round(width / _ONE) or None, round(height / _ONE) or None


def _sign(value: int) -> int:
    """-1, 0 or 1; small residues of a computed rotation are 0."""
    return (value > _ONE // 2) - (value < -_ONE // 2)


def _read_media(source: Source, mdia: Box, track: Track) -> None:
    for box in boxes(source, mdia.payload, mdia.end, limit=MAX_CHILDREN):
        if box.type == b"mdhd":
            _read_media_header(source.bytes(box.payload, min(box.length, 32)), track)
        elif box.type == b"hdlr":
            track.handler = source.bytes(box.payload + 8, 4)
        elif box.type == b"minf" and track.handler in (b"vide", b"soun", b"pict"):
            for inner in boxes(source, box.payload, box.end, limit=MAX_CHILDREN):
                if inner.type == b"stbl":
                    _read_samples(source, inner, track)


def _read_creation(header: bytes, track: Track) -> None:
    """As in `mvhd`, which programs that cut or copy a film renew, and leave this."""
    (created,) = struct.unpack_from(">Q" if header[0] == 1 else ">I", header, 4)
    if (at := movie_instant(created)) is not None:
        track.created.append(at)


def _read_media_header(header: bytes, track: Track) -> None:
    _read_creation(header, track)
    scale, duration = struct.unpack_from(">IQ", header, 20) if header[0] == 1 else struct.unpack_from(">II", header, 12)
    unknown = (1 << 64) - 1 if header[0] == 1 else (1 << 32) - 1
    if scale and 0 < duration < unknown:
        track.duration_s = duration / scale


def _read_samples(source: Source, stbl: Box, track: Track) -> None:
    """The sample table: what the samples are, how many, where the last chunk is."""
    for box in boxes(source, stbl.payload, stbl.end, limit=MAX_CHILDREN):
        with Tolerant():
            match box.type:
                case b"stsd":
                    _read_description(source, box, track)
                case b"stsz" | b"stz2":
                    track.samples = int.from_bytes(source.bytes(box.payload + 8, 4), "big")
                case b"stco" | b"co64":
                    track.last_chunk_at = _last_offset(source, box)
                case _:
                    continue


def _last_offset(source: Source, box: Box) -> int:
    width = 4 if box.type == b"stco" else 8
    count = int.from_bytes(source.bytes(box.payload + 4, 4), "big")
    at = box.payload + 8 + (count - 1) * width
    if not count or at + width > box.end:
        return 0
    return int.from_bytes(source.bytes(at, width), "big")


def _read_description(source: Source, stsd: Box, track: Track) -> None:
    """The first sample entry: codec, coded size, and the boxes that tell depth, colour and Dolby Vision."""
    for entry in islice(boxes(source, stsd.payload + 8, stsd.end), 1):
        body = source.bytes(entry.payload, min(entry.length, _MAX_ENTRY_BYTES))
        track.codec = codec_of(entry.type, body, is_sound=track.handler == b"soun")
        if track.handler == b"soun" or len(body) < _VISUAL_ENTRY_BYTES:
            return
        width, height = struct.unpack_from(">HH", body, 24)
        track.width, track.height = width or track.width, height or track.height
        _read_extensions(source, entry, track)


def _read_extensions(source: Source, entry: Box, track: Track) -> None:
    try:
        for box in boxes(source, entry.payload + _VISUAL_ENTRY_BYTES, entry.end, limit=MAX_CHILDREN):
            body = source.bytes(box.payload, min(box.length, 64))
            with Tolerant():
                _read_extension(box.type, body, track)
    except Malformed:  # old QuickTime ends its entries with four zero bytes or with private data
        return


def _read_extension(kind: bytes, body: bytes, track: Track) -> None:
    match kind:
        case b"hvcC" | b"lhvC":
            track.bit_depth = (body[17] & 7) + 8  # 14496-15, 8.3.3.1
        case b"av1C":
            track.bit_depth = (12 if body[2] & 0x20 else 10) if body[2] & 0x40 else 8
        case b"vpcC":
            track.bit_depth = body[6] >> 4
            _take_transfer(body[7], body[8], body[9], track)
        case b"avcC":
            track.bit_depth = 10 if body[1] in (110, 122) else 8  # High 10, High 4:2:2 profiles
        case b"colr" if body[:4] in (b"nclx", b"nclc"):
            primaries, transfer, matrix = struct.unpack_from(">HHH", body, 4)
            _take_transfer(primaries, transfer, matrix, track)
        case b"pasp":
            across, down = struct.unpack_from(">II", body)
            if track.width and across and down and across != down and across < down * 8:
                track.width = round(track.width * across / down)  # shown pixels are square
        case b"dvcC" | b"dvvC" | b"dvwC":
            track.hdr = Hdr.DOLBY_VISION
        case _:
            return


def _take_transfer(primaries: int, transfer: int, matrix: int, track: Track) -> None:
    track.color_profile = f"{primaries}/{transfer}/{matrix}"
    track.hdr = track.hdr or HDR_OF.get(transfer)
