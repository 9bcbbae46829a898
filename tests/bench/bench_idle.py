"""The daemon with nothing to do, after a day's work: memory and CPU; and how soon it is there."""

import os
import shutil
import statistics
import time

import ground
import measure
from daemon import daemon
from table import Row

FILES = 60
SETTLE_S = float(os.environ.get("BENCH_SETTLE_S", "90"))  # children and caches are let go after a minute
IDLE_S = float(os.environ.get("BENCH_IDLE_S", "180"))


def start_ups() -> list[Row]:
    """Five starts over an empty folder, the first one left out: it may write byte code."""
    pictures, home = ground.fresh("pictures"), ground.RUNS / "home"
    wall, cpu = [], []
    for _ in range(6):
        shutil.rmtree(home, ignore_errors=True)
        with daemon(pictures, home) as running:
            wall.append(running.ready_wall_s)
            cpu.append(running.ready_cpu_s)
    return [
        Row(what="start to ready, time", unit="s", ours=statistics.median(wall[1:]), most=0.8),
        Row(what="start to ready, CPU", unit="s", ours=statistics.median(cpu[1:])),
    ]


def run() -> list[Row]:
    rows = start_ups()
    files = ground.corpus("jpeg", FILES)
    pictures, home = ground.linked(files, "pictures"), ground.RUNS / "home"
    measure.paired([ground.ours(pictures, home, items=FILES)], 1)
    with daemon(pictures, home) as running:
        time.sleep(SETTLE_S)
        before, start = running.cpu_s(), time.monotonic()
        time.sleep(IDLE_S)
        share = (running.cpu_s() - before) / (time.monotonic() - start) * 100
        tree, own = running.bytes() / 2**20, running.resident_bytes() / 2**20
    return [
        *rows,
        Row(what="idle memory, all processes (PSS)", unit="MiB", ours=tree, most=45),
        Row(what="idle memory, daemon (RSS)", unit="MiB", ours=own, most=48),
        Row(what="idle CPU of one core", unit="%", ours=share, most=0.1),
    ]
