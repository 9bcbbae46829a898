"""How near the main job comes to the bare cost of its kernels (`peers/limit.py`), in CPU."""

import json
import statistics
import subprocess

import ground
import measure
from table import Row

FILES = 200
SHARE = 0.85


def kernels_ms(files: list[str]) -> float:
    """CPU of the kernels alone, a file."""
    out = ground.fresh("limit")
    command = [str(ground.PYTHON), str(ground.PEERS / "limit.py"), str(out), *files]
    return float(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["cpu_ms"])


def run() -> list[Row]:
    files = ground.corpus("jpeg", FILES)
    us = ground.ours(ground.linked(files, "pictures"), ground.RUNS / "home", items=FILES)
    shares, mine, least = [], [], []
    for _ in range(ground.PAIRS):
        least.append(kernels_ms([str(file) for file in files]))
        mine.append(measure.paired([us], 1)[0][0].cpu_s / FILES * 1000)
        shares.append(least[-1] / mine[-1])
    note = (
        f"kernels {statistics.median(least):.1f} ms, the whole job with start-up, database, second reading and events "
        f"{statistics.median(mine):.1f} ms of CPU a file, over {FILES} files"
    )
    return [Row(what="share of the codec limit, JPEG", unit="", ours=statistics.median(shares), least=SHARE, note=note)]
