"""A child gives memory back after large files, and now and then after ordinary ones."""

import subprocess
import sys
from pathlib import Path

from patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]

# Blocks too small to be mapped on their own, every second one freed: gaps that only a trim gives back.
FULL_OF_GAPS = """
import ctypes, os
from mediabox.native.child import _TRIM_AFTER_FILES, Heap

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
heap = Heap()
blocks = [libc.malloc(100_000) for _ in range(600)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
for block in blocks[::2]:
    libc.free(block)
full = heap._resident_bytes()
for _ in range(_TRIM_AFTER_FILES - 1):
    heap.settle()
before = heap._resident_bytes()
heap.settle()
print(full, before, heap._resident_bytes())
"""


def test_gaps_are_given_back_after_so_many_files_and_not_before() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_OF_GAPS], cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )

    full, before, after = map(int, done.stdout.split())
    assert before > full - 5_000_000
    assert after < full - 20_000_000
