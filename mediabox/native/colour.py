"""Small questions about colour profiles, and the one profile we write ourselves.

Source: ICC.1:2022 (profile version 4.4). A profile is carried, never converted, except
where a screen cannot show what it describes (PQ, HLG: `tone`).
"""

import struct
from functools import cache
from typing import NamedTuple

from mediabox.model.facts import Hdr

PQ, HLG = 16, 18  # transfer characteristics, ISO/IEC 23091-2
HDR_OF = {PQ: Hdr.PQ, HLG: Hdr.HLG}  # by transfer
P3_D65, P3_DCI, BT2020 = 12, 11, 9  # colour primaries

_TAGS_AT = 128
_MAX_TAGS = 100


class Nclx(NamedTuple):
    """Colour by number (ISO/IEC 23091-2): primaries, transfer, matrix; `is_full_range` 0 to 255."""

    primaries: int
    transfer: int
    matrix: int
    is_full_range: bool


def coding_of(hdr: Hdr | None, icc: bytes | None) -> Nclx | None:
    """How pixels are coded that carry no `colr` box: as their profile says, else as the tags found them to be HDR."""
    match hdr:
        case Hdr.PQ | Hdr.HLG:
            return cicp_of(icc) or Nclx(BT2020, PQ if hdr is Hdr.PQ else HLG, 0, is_full_range=True)
        case _:
            return cicp_of(icc)


def cicp_of(icc: bytes | None) -> Nclx | None:
    """The coding by number a profile carries beside its tables (`cicp` tag): how JPEG XL and PNG say PQ and HLG."""
    if icc is None or len(icc) < _TAGS_AT + 4:
        return None
    count = min(int.from_bytes(icc[_TAGS_AT : _TAGS_AT + 4], "big"), _MAX_TAGS)
    for index in range(count):
        entry = icc[_TAGS_AT + 4 + 12 * index : _TAGS_AT + 16 + 12 * index]
        if entry[:4] == b"cicp" and len(entry) == 12:
            at = int.from_bytes(entry[4:8], "big")
            data = icc[at : at + 12]
            if len(data) == 12 and data[:4] == b"cicp":
                return Nclx(data[8], data[9], data[10], bool(data[11]))
    return None


@cache
def display_p3() -> bytes:
    """A profile for pictures that say Display P3 by number only: P3 primaries, D65, sRGB curve.

    Without it a browser takes them for sRGB and shows them pale. Values are those of
    the primaries adapted to D50 (Bradford), as in every published Display P3 profile.
    """
    curve = (
        b"para"
        + bytes(4)
        + struct.pack(">HH", 3, 0)
        + b"".join(_fixed(value) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    )
    tags = {
        b"desc": _text("Display P3"),
        b"cprt": _text("CC0"),
        b"wtpt": _xyz(0.96420, 1.0, 0.82491),
        b"rXYZ": _xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": _xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": _xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": curve,
    }
    offsets: dict[bytes, tuple[int, int]] = {}
    body = b""
    start = _TAGS_AT + 4 + 12 * (len(tags) + 2)
    for name, data in tags.items():
        offsets[name] = start + len(body), len(data)
        body += data + bytes(-len(data) % 4)
    offsets[b"gTRC"] = offsets[b"bTRC"] = offsets[b"rTRC"]
    table = struct.pack(">I", len(offsets)) + b"".join(
        struct.pack(">4sII", name, *place) for name, place in offsets.items()
    )
    header = struct.pack(
        ">I4sI4s4s4s12x4s4x4x4x4x8xI12s4x16x28x",
        start + len(body), b"\0" * 4, 0x04400000, b"mntr", b"RGB ", b"XYZ ", b"acsp", 0,
        _fixed(0.96420) + _fixed(1.0) + _fixed(0.82491),
    )  # fmt: skip
    return header + table + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(x) + _fixed(y) + _fixed(z)


def _text(words: str) -> bytes:
    coded = words.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(coded), 28) + coded
