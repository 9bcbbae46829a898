"""A file met again under another name costs a reading, no decoding."""

import os

import ground
import measure
from table import Row

FILES = 200


def run() -> list[Row]:
    files = ground.corpus("jpeg", FILES)
    pictures, home = ground.linked(files, "pictures"), ground.RUNS / "home"
    measure.paired([ground.ours(pictures, home, items=FILES)], 1)
    idle = measure.paired([ground.ours(pictures, home, items=FILES, clean=False, name="nothing new")], 1)[0][0]
    (pictures / "again").mkdir()
    for file in files:
        os.link(file, pictures / "again" / f"copy of {file.name}")
    again = measure.paired([ground.ours(pictures, home, items=FILES, clean=False, name="all known")], 1)[0][0]
    cost_ms = (again.cpu_s - idle.cpu_s) / FILES * 1000
    return [Row(what="a known file met again, CPU", unit="ms", ours=cost_ms, most=8)]
