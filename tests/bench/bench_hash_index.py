"""Looking up what looks alike: one picture's four rotations among 100,000 and a million others."""

import random
import resource
import time

from table import Row

from mediabox.core.alike import HashIndex

WITHIN_BITS = 6
QUERIES = 300
BARS_MS = {100_000: 0.6, 1_000_000: 6.0}


def resident_mib() -> float:
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize() / 2**20


def run() -> list[Row]:
    rows = []
    for count, most in BARS_MS.items():
        chance = random.Random(count)
        before = resident_mib()
        index = HashIndex()
        for identifier in range(1, count + 1):
            index.add(identifier, chance.getrandbits(64))
        grown = resident_mib() - before
        start = time.process_time()
        for _ in range(QUERIES):
            index.near([chance.getrandbits(64) for _ in range(4)], within_bits=WITHIN_BITS)
        cost_ms = (time.process_time() - start) / QUERIES * 1000
        rows.append(Row(what=f"look-alikes among {count:,}, CPU", unit="ms", ours=cost_ms, most=most))
        rows.append(Row(what=f"memory of the index of {count:,}", unit="MiB", ours=grown))
        del index
    return rows
