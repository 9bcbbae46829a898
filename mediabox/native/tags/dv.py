"""DV as it comes from the tape: the date the camcorder recorded (IEC 61834-4; ExifTool, DV.pm)."""

from collections.abc import Iterator

from mediabox.model.facts import TimeSource
from mediabox.native.boxes import Source
from mediabox.native.tags.dates import candidate, moment
from mediabox.native.tags.findings import Findings

_BLOCK_BYTES, _SEQUENCE_BYTES, _SEQUENCES = 80, 150 * 80, 12  # of a frame; NTSC has 10
_VAUX_BLOCKS = range(3, 6)
_PACK_BYTES, _PACKS = 5, 15
_DATE, _TIME = 0x62, 0x63


def read_dv(source: Source, found: Findings) -> None:
    """Take the recording date of the first frame, by the camcorder's clock. Raises Malformed when it is cut."""
    packs = dict(_packs(source))
    if _DATE not in packs:
        return
    day, month, year = (f"{byte & mask:02x}" for byte, mask in zip(packs[_DATE][1:], (0x3F, 0x1F, 0xFF), strict=True))
    time = packs.get(_TIME, b"\xff" * 4)
    second, minute, hour = (f"{byte & mask:02x}" for byte, mask in zip(time[1:], (0x7F, 0x7F, 0x3F), strict=True))
    at = moment(f"{'20' if year < '90' else '19'}{year}-{month}-{day} {hour}:{minute}:{second}")
    if at is not None:
        found.times.append(candidate(at, TimeSource.EXIF_LOCAL))


def _packs(source: Source) -> Iterator[tuple[int, bytes]]:
    """The packs of the video's auxiliary blocks: number and four bytes."""
    for start in range(0, min(_SEQUENCES * _SEQUENCE_BYTES, source.size - _SEQUENCE_BYTES + 1), _SEQUENCE_BYTES):
        for block in _VAUX_BLOCKS:
            held = source.bytes(start + block * _BLOCK_BYTES, _BLOCK_BYTES)
            for at in range(3, 3 + _PACKS * _PACK_BYTES, _PACK_BYTES):
                yield held[at], held[at + 1 : at + _PACK_BYTES]
