"""One conversion for Google Photos: CPU of a Live Photo's clip against ffmpeg's, of a still, and the child's memory."""

import json
import os
import subprocess

import ground
from table import Row

_CLIP = (
    "58 pictures of 1920 x 1440 HEVC to H.264, the sound to AAC. ffmpeg has the same x264 settings and one thread; "
    "decoding the result again, tags and an index that comes first are in our figure only."
)
_MOST_MIB = 400  # a child that encodes has room beside the daemon on a board of 1 GB


def run() -> list[Row]:
    folder = os.environ.get("MEDIABOX_SAMPLES", str(ground.ROOT.parent / "shared" / "samples"))
    command = [str(ground.PYTHON), str(ground.HERE / "encode.py"), folder]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ground.ROOT)
    seen = json.loads(done.stdout)
    if "skipped" in seen:
        raise ground.NotReady(seen["skipped"])
    return [
        Row(
            what="Live Photo's clip of 2 s to H.264, CPU",
            unit="s",
            ours=seen["clip_s"],
            theirs=seen["ffmpeg_s"],
            least_ratio=0.8,
            note=_CLIP,
        ),
        Row(what="12-megapixel HEIC to JPEG, CPU", unit="ms", ours=seen["still_ms"]),
        Row(what="The encoding child's memory at its highest", unit="MiB", ours=seen["peak_mib"], most=_MOST_MIB),
    ]
