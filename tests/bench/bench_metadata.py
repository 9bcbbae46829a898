"""Reading metadata against ExifTool kept open, over a folder of real files (`metadata.py`)."""

import json
import os
import subprocess

import ground
from table import Row


def run() -> list[Row]:
    folder = os.environ.get("MEDIABOX_SAMPLES", str(ground.ROOT.parent / "shared" / "samples"))
    command = [str(ground.PYTHON), str(ground.HERE / "metadata.py"), folder]
    done = subprocess.run(command, capture_output=True, check=False, cwd=ground.ROOT)  # 1: its own bar missed
    seen = json.loads(done.stdout)
    if "skipped" in seen:
        raise ground.NotReady(seen["skipped"])
    return [
        Row(
            what=f"metadata of a file, CPU, against ExifTool kept open ({seen['files']} files)",
            unit="ms",
            ours=seen["ours_ms"],
            theirs=seen["exiftool_stay_open_ms"],
            least_ratio=20,
        )
    ]
