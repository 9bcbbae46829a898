"""MPEG streams without an index: AVCHD and other transport streams, program streams from old camcorders.

ISO/IEC 13818-1 for packets and tables, 13818-2 for the sequence header. The date of an
AVCHD clip is in its H.264 stream as user data `MDPM` (layout as in ExifTool's H264.pm).
"""

import struct
from collections.abc import Iterator

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Malformed, Source
from mediabox.native.tags.codecs import TRANSPORT, TRANSPORT_SOUNDS
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.findings import Findings, Tolerant
from mediabox.native.tags.text import decoded

LOOKED_AT_BYTES = 64 * 1024
_TAIL_BYTES = 192 * 512
_SYNC = 0x47
_PACKET_BYTES = 188
_CLOCK_HZ = 90_000
_CLOCK_WRAPS = 1 << 33
_MDPM = b"MDPM"
_DATE_TAG, _TIME_TAG, _SHUTTER_TAG, _EXPOSURE_TAG, _F_NUMBER_TAG, _MAKE_TAG = 0x18, 0x19, 0x7F, 0xA0, 0xA1, 0xE0
_MODEL_TAGS = (0xE4, 0xE5, 0xE6)  # four characters each
_MAKES = {0x0103: "Panasonic", 0x0108: "Sony", 0x1011: "Canon", 0x1104: "JVC"}
_RATES = (0.0, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0)  # 13818-2, table 6-4


def read_transport(source: Source, found: Findings) -> None:
    """Take codecs, length from the first and last clock, and the AVCHD date."""
    head = source.bytes(0, min(LOOKED_AT_BYTES, source.size))
    first, stride = (4, 192) if head[4:5] == b"G" and head[196:197] == b"G" else (0, 188)
    packets = list(_packets(head, first, stride))
    with Tolerant():
        _read_tables(packets, found)
    start = next((clock for packet in packets if (clock := _clock(packet)) is not None), None)
    tail_at = max(0, (source.size - _TAIL_BYTES) // stride * stride)
    tail = source.bytes(tail_at, source.size - tail_at)
    ends = [clock for packet in _packets(tail, first, stride) if (clock := _clock(packet)) is not None]
    if start is not None and ends:
        found.duration_s = (ends[-1] - start) % _CLOCK_WRAPS / _CLOCK_HZ or None
    with Tolerant():
        _read_camera(b"".join(_payload(packet) for packet in packets), found)


def read_program_stream(source: Source, found: Findings) -> None:
    """Take size and rate from the first sequence header of an MPEG-1 or MPEG-2 stream."""
    head = source.bytes(0, min(LOOKED_AT_BYTES, source.size))
    at = head.find(b"\0\0\x01\xb3")
    if at < 0 or at + 12 > len(head):
        return
    sizes = int.from_bytes(head[at + 4 : at + 7], "big")
    found.width, found.height = sizes >> 12, sizes & 0xFFF
    rate = head[at + 7] & 15
    found.frame_rate = _RATES[rate] if 0 < rate < len(_RATES) else None
    is_two = head.find(b"\0\0\x01\xb5", at, at + 256) >= 0  # the sequence extension came with MPEG-2
    found.video_codec = "mpeg2video" if is_two else "mpeg1video"


def _packets(held: bytes, first: int, stride: int) -> Iterator[bytes]:
    for at in range(first, len(held) - _PACKET_BYTES + 1, stride):
        if held[at] == _SYNC:
            yield held[at : at + _PACKET_BYTES]


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _payload(packet: bytes) -> bytes:
    """What a packet carries, past its adaptation field."""
    if not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _clock(packet: bytes) -> int | None:
    """The program clock of a packet that has one, in ticks of 90 kHz."""
    if not packet[3] & 0x20 or packet[4] < 7 or not packet[5] & 0x10:
        return None
    return int.from_bytes(packet[6:10], "big") << 1 | packet[10] >> 7


def _read_tables(packets: list[bytes], found: Findings) -> None:
    """Program association, then program map: the streams and their types."""
    association = _table(packets, 0)
    section = association[1 + association[0] :]
    programs = section[8 : 3 + ((section[1] & 0x0F) << 8 | section[2]) - 4]
    numbered = (programs[at : at + 4] for at in range(0, len(programs) - 3, 4))
    map_pid = next(((row[2] & 0x1F) << 8 | row[3] for row in numbered if row[:2] != b"\0\0"), 0)
    table = _table(packets, map_pid)
    section = table[1 + table[0] :]
    end = min(3 + ((section[1] & 0x0F) << 8 | section[2]) - 4, len(section))
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= end:
        kind = section[at]
        found.video_codec = found.video_codec or TRANSPORT.get(kind)
        found.audio_codec = found.audio_codec or TRANSPORT_SOUNDS.get(kind)
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])


def _table(packets: list[bytes], pid: int) -> bytes:
    """The beginning of a table, from the first packet that begins one. Raises Malformed when there is none."""
    for packet in packets:
        if _pid(packet) == pid and packet[1] & 0x40:
            return _payload(packet)
    raise Malformed(f"no table in stream {pid}")


def _read_camera(stream: bytes, found: Findings) -> None:
    """AVCHD's modified digital video pack: rows of a tag and four bytes, digits in BCD."""
    at = stream.find(_MDPM)
    if at < 0:
        return
    pack = stream[at + 4 : at + 512].replace(b"\0\0\x03", b"\0\0")  # emulation prevention, ISO/IEC 14496-10, 7.4.1
    rows = {pack[row]: pack[row + 1 : row + 5] for row in range(1, min(1 + 5 * pack[0], len(pack) - 4), 5)}
    date, time = rows.get(_DATE_TAG), rows.get(_TIME_TAG)
    if date is not None and time is not None:
        day = f"{date[1]:02x}{date[2]:02x}-{date[3]:02x}-{time[0]:02x}"
        taken = moment(f"{day}T{time[1]:02x}:{time[2]:02x}:{time[3]:02x}")
        if taken is not None:
            offset_min = _zone(date[0])
            source = TimeSource.EXIF_LOCAL if offset_min is None else TimeSource.EXIF_OFFSET
            found.times.append(candidate(taken, source, offset_min))
    found.exposure_s = _ratio(rows.get(_EXPOSURE_TAG)) or _shutter(rows.get(_SHUTTER_TAG))
    found.f_number = _ratio(rows.get(_F_NUMBER_TAG))
    found.model = decoded(b"".join(rows.get(tag, b"") for tag in _MODEL_TAGS))
    if _MAKE_TAG in rows:
        found.make = _MAKES.get(int.from_bytes(rows[_MAKE_TAG][:2], "big"), found.make)


def _ratio(row: bytes | None) -> float | None:
    above, below = struct.unpack(">HH", row) if row is not None else (0, 0)
    return above / below if above and below and below != 0xFFFF else None


def _shutter(row: bytes | None) -> float | None:
    """Camcorders count the shutter's time in 28125ths of a second; all ones: not known."""
    ticks = int.from_bytes(row[2:4], "little") & 0x7FFF if row is not None else 0x7FFF
    return ticks / 28125 if 0 < ticks < 0x7FFF else None


def _zone(packed: int) -> int | None:
    """Sign, hours and half hour in one byte (0x20 negative, 0x1e hours, 0x01 half), plus summer time (0x40)."""
    if packed == 0xFF:
        return None
    minutes = (packed >> 1 & 0x0F) * 60 + (packed & 1) * 30
    return -minutes if packed & 0x20 else minutes
