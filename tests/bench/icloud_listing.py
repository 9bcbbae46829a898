"""List a large simulated account: calls, CPU and memory of the first listing and of a look without changes.

    icloud_listing.py [--assets 50000]

Prints one JSON line each. Promised: at most 60 s of CPU and 64 MiB above idle for the
first, at most 3 calls and 1 s of CPU for a look without changes.
"""

from __future__ import annotations

import argparse
import asyncio
import time

from icloud_server import Served, client, print_line, resident_bytes, served


async def measure(place: Served, assets: int) -> None:
    source = client(place)
    async for _ in source.pages("never"):  # one page: connection, TLS and code are there
        break
    idle_bytes = resident_bytes()
    cursor: str | None = None
    for what in ("first listing", "no change"):
        calls = sum(count.calls for count in source.budget.counts())
        cpu_s, wall_s, found, pages = time.process_time(), time.monotonic(), 0, 0
        async for page in source.pages(cursor):
            cursor = page.cursor or cursor
            found += len(page.assets)
            pages += 1
        print_line(
            what=what,
            assets=found,
            pages=pages,
            calls=sum(count.calls for count in source.budget.counts()) - calls,
            cpu_s=round(time.process_time() - cpu_s, 3),
            wall_s=round(time.monotonic() - wall_s, 2),
            idle_mib=round(idle_bytes / 2**20, 1),
            most_mib=round(resident_bytes(at_most=True) / 2**20, 1),
            cursor_bytes=len(cursor or ""),
        )
        assert found in (assets, 0)
    await source.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--assets", type=int, default=50_000)
    given = arguments.parse_args()
    with served(given.assets, 40_000, 60_000, 0.7) as place:
        asyncio.run(measure(place, given.assets))
