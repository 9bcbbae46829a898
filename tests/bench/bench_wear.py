"""What a small photo makes the daemon write, for SD cards die of writing; and whether `status` is quick meanwhile."""

import resource
import shutil
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

import ground
from bench_flatness import LARGE, prepared
from table import Row
from wear import Wear, small_pictures, take_in

ALONE, TOGETHER = 60, 200
FACTOR, A_FILE_KB = 1.5, 24  # what may be written: 1.5 times what is kept, and 24 kB a file
ALONE_KB = 34  # in place of 24, reached by one that comes alone: its three commits write 57 kB of the log
ASKED = ("status", "where PREFILLED_0050000.JPG", "safe")
NOTE = "Kept: original, sidecar, list, renditions and the catalogue's growth. Written: `write_bytes` of proc(5)."


def cpu_s(home: Path, words: str) -> float:
    """CPU of one command about this home."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    argv = [str(ground.MEDIABOX), *words.split(), "--home", str(home)]
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows_of(what: str, wear: Wear, count: int, *, a_file_kb: int = A_FILE_KB) -> list[Row]:
    written, kept = (figure / count / 1000 for figure in (wear.written, wear.kept))
    most = round(FACTOR * kept + a_file_kb, 1)
    return [
        Row(what=f"written a small photo, {what}", unit="kB", ours=written, most=most, note=NOTE),
        Row(what=f"kept of a small photo, {what}", unit="kB", ours=kept, note=NOTE),
    ]


def asking(home: Path, found: dict[str, float]) -> Callable[[], None]:
    def ask() -> None:
        found.update({words: statistics.median(cpu_s(home, words) for _ in range(3)) for words in ASKED})

    return ask


def run() -> list[Row]:
    pictures = small_pictures(TOGETHER)
    ground.compile_ours()
    home = ground.RUNS / "home"
    shutil.rmtree(home, ignore_errors=True)
    rows = rows_of("one at a time", take_in(pictures[:ALONE], home, alone=True), ALONE, a_file_kb=ALONE_KB)
    shutil.rmtree(home)
    rows += rows_of("all at once", take_in(pictures, home, alone=False), TOGETHER)
    shutil.rmtree(home)
    shutil.copytree(prepared(LARGE), home, symlinks=True)
    found: dict[str, float] = {}
    large = take_in(pictures, home, alone=False, meanwhile=asking(home, found))
    rows += rows_of(f"all at once, {LARGE:,} there", large, TOGETHER)
    bars = {"status": 1.5, ASKED[1]: 1.5}
    return rows + [
        Row(what=f"`{words}` of {LARGE:,} while it takes in, CPU", unit="s", ours=cpu, most=bars.get(words))
        for words, cpu in found.items()
    ]
