"""2,000 photos, 3 GB, through 1 GB of a phone, while box, phone and both Syncthings are killed 60 times.

The daemon, both Syncthings and the kills are real; the phone's owner and Google Photos are simulated.
BENCH_WINDOW_PHOTOS: how many photos; kills in proportion.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from table import Row

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from whole.pixel_window import pass_window

PHOTOS = int(os.environ.get("BENCH_WINDOW_PHOTOS", "2000"))
SIZE_BYTES = 1_500_000


def run() -> list[Row]:
    kills = max(1, 60 * PHOTOS // 2000)
    with tempfile.TemporaryDirectory() as folder:
        passage = asyncio.run(pass_window(Path(folder), photos=PHOTOS, size_bytes=SIZE_BYTES, kills=kills))
    sys.stderr.write("\n".join(passage.complaints))
    what = f"{passage.photos} photos through a third of their size, {passage.kills} kills"
    return [
        Row(what=f"{what}: lost", unit="", ours=passage.lost, most=0),
        Row(what=f"{what}: sent twice", unit="", ours=passage.doubled, most=0),
        Row(what=f"{what}: complaints", unit="", ours=len(passage.complaints), most=0),
        Row(what=f"{what}: time a photo", unit="s", ours=passage.took_s / passage.photos),
    ]
