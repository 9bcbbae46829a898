"""Looking again at an unchanged tree of 10,000 files: no file is opened, and it takes little time."""

import os
import re
import subprocess
from pathlib import Path

import corpus
import ground
import measure
from table import Row

FILES = int(os.environ.get("BENCH_TREE", "10000"))
SMALL = ground.ROOT / "tests" / "media" / "library" / "Orientation" / "landscape_1.jpg"


def tree() -> Path:
    """Small pictures in folders of 200, each its own file."""
    folder = ground.fresh("pictures")
    for number in range(FILES):
        part = folder / f"{number // 200:03d}"
        part.mkdir(exist_ok=True)
        corpus.vary(SMALL, part / f"IMG_{number:05d}.JPG", number)
    return folder


def opens(command: measure.Command, log: Path) -> int:
    """How many picture files any process opened, by strace."""
    trace = ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2", "-o", str(log)]
    subprocess.run([*trace, *command.argv], check=True, capture_output=True)
    pattern = re.compile(r"IMG_\d{5}\.JPG")
    with log.open(errors="replace") as lines:
        return sum(1 for line in lines if pattern.search(line) and "O_PATH" not in line)


def run() -> list[Row]:
    pictures, home = tree(), ground.RUNS / "home"
    (first,) = measure.paired([ground.ours(pictures, home, items=FILES)], 1)
    again = ground.ours(pictures, home, items=FILES, clean=False, name="second run")
    (seen,) = measure.paired([again], ground.PAIRS)
    summary = measure.summarise(again, seen)
    return [
        Row(what=f"first run, {FILES:,} small files, CPU a file", unit="ms", ours=first[0].cpu_s / FILES * 1000),
        Row(what="second run, unchanged tree, time", unit="s", ours=summary.wall_ms_per_item * FILES / 1000),
        Row(what="second run, unchanged tree, CPU a file", unit="ms", ours=summary.cpu_ms_per_item, most=0.2),
        Row(what="second run, files opened", unit="", ours=opens(again, ground.RUNS / "strace.log"), most=0),
    ]
