"""A Live Photo made a Motion Photo: CPU of the whole way (`motion_photo.py`), and against exiftool's."""

import json
import os
import subprocess

import ground
from table import Row

_NOTE = (
    "Fit, assemble (copy, fsync, SHA-256 of still, clip and result) and check, of daemon and child together, without "
    "the child's start. exiftool writes the same XMP once, its start included, proves and hashes nothing."
)


def run() -> list[Row]:
    folder = os.environ.get("MEDIABOX_SAMPLES", str(ground.ROOT.parent / "shared" / "samples"))
    command = [str(ground.PYTHON), str(ground.HERE / "motion_photo.py"), folder]
    done = subprocess.run(command, capture_output=True, check=False, cwd=ground.ROOT)  # 1: its own bar missed
    seen = json.loads(done.stdout)
    if "skipped" in seen:
        raise ground.NotReady(seen["skipped"])
    return [row(name, pair, seen) for name, pair in seen["pairs"].items()]


def row(name: str, pair: dict[str, float], seen: dict[str, float]) -> Row:
    is_plain = name == "JPEG"
    return Row(
        what=f"Motion Photo of a {name}, {pair['bytes'] / 1e6:.1f} MB, CPU",
        unit="ms",
        ours=pair["ms"],
        theirs=seen["exiftool_ms"] if is_plain else None,
        most=seen["bar_ms"],
        note=_NOTE,
    )
