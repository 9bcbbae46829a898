"""Take in photos one after another and say what is durable, until killed: `python -m durable.gathering ROOT COUNT`.

Lines: `enrolled UUID`, `archived N`, `described N`. What was said must survive any power cut.
A third argument (`sync`, `parents`) leaves one safeguard out, to show that the cuts are sharp.
"""

import random
import sys
from pathlib import Path

from durable.filing import file, pour
from mediabox.durable.directory_sync import DirectorySync
from mediabox.durable.publish import discard, replace
from mediabox.durable.spool import SpoolFolder
from mediabox.durable.volume import Volume


def photo(number: int) -> bytes:
    return random.Random(number).randbytes(40_000 + number)


def final(number: int) -> str:
    """Three to a folder, so that folders are made on the way too."""
    return f"2024/{number // 3:02d}/IMG_{number:04d}.JPG"


def description(number: int) -> bytes:
    return f"<x>{number}</x>".encode() * 100


class _NoSync(DirectorySync):
    def sync(self, volume: Volume, folder: str) -> None:
        """The safeguard left out."""


def gather(root: Path, count: int, *, without: str = "") -> None:
    with Volume.enroll(root, now_ms=1) as volume:
        print("enrolled", volume.identity.uuid, flush=True)
        if without == "parents":
            volume.makedirs = lambda relative: (root / relative).mkdir(parents=True, exist_ok=True)
        syncs = _NoSync() if without == "sync" else DirectorySync()
        spool = SpoolFolder(volume)
        spool.sweep(set(range(count)))
        for number in range(count):
            if not volume.exists(final(number)):
                pour(spool, number, photo(number))
            temp = spool.path_of(number)
            if volume.exists(temp) or not volume.exists(final(number)):
                file(volume, syncs, temp, final(number), photo(number))
            else:
                syncs.sync(volume, final(number).rpartition("/")[0])
            print("archived", number, flush=True)
            replace(volume, f"{final(number)}.xmp", description(number))
            print("described", number, flush=True)
            discard(volume, temp)


if __name__ == "__main__":
    gather(Path(sys.argv[1]), int(sys.argv[2]), without=sys.argv[3] if len(sys.argv) > 3 else "")
