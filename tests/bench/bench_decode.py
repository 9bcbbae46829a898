"""Our decode and renditions against the bare kernels, in one process (`decode.py`)."""

import json
import subprocess

import ground
from table import Row

FILES = 6


def run() -> list[Row]:
    files = [str(file) for file in ground.corpus("jpeg", FILES)]
    command = [str(ground.PYTHON), str(ground.HERE / "decode.py"), *files]
    seen = json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ground.ROOT).stdout)
    return [
        Row(
            what="decode, renditions, hash, quality against bare kernels, JPEG",
            unit="ms",
            ours=seen["ours_cpu_ms"],
            theirs=seen["kernels_cpu_ms"],
            least_ratio=0.85,
        )
    ]
