"""Memory while working: the highest sum over daemon and children, and whether it grows with the work done."""

import os
import statistics
from pathlib import Path

import corpus
import ground
import measure
from table import Row

MANY = int(os.environ.get("BENCH_MANY", "2000"))
FEW = 200


def many(files: list[Path]) -> Path:
    """A folder of MANY pictures, each its own file: the same coded pixels, another digest."""
    folder = ground.fresh("many")
    for number in range(MANY):
        corpus.vary(files[number % len(files)], folder / f"IMG_{number:05d}.JPG", number)
    return folder


def peak_mib(pictures: Path, items: int, runs: int) -> float:
    us = ground.ours(pictures, ground.RUNS / "home", items=items)
    return statistics.median(seen.peak_bytes for seen in measure.paired([us], runs)[0]) / 2**20


def run() -> list[Row]:
    jpeg = ground.corpus("jpeg", FEW)
    heic = ground.corpus("heic")
    at_jpeg = peak_mib(ground.linked(jpeg, "pictures"), FEW, ground.PAIRS)
    at_heic = peak_mib(ground.linked(heic, "pictures"), len(heic), ground.PAIRS)
    at_many = peak_mib(many(jpeg), MANY, 1)
    ground.fresh("many")
    return [
        Row(what=f"memory at work, {FEW} JPEG", unit="MiB", ours=at_jpeg, most=140),
        Row(what=f"memory at work, {len(heic)} HEIC", unit="MiB", ours=at_heic, most=190),
        Row(what=f"growth of memory from {FEW} to {MANY} JPEG", unit="%", ours=(at_many / at_jpeg - 1) * 100, most=5),
    ]
