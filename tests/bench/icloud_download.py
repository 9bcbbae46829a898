"""Downloads from a simulated account.

    icloud_download.py overhead [--gigabytes 2]     CPU over plain aiohttp with hash and fsync
    icloud_download.py line [--assets 200]          80 ms to the first byte, 5 MB/s a connection: 1, 4, 8 streams
    icloud_download.py large [--gigabytes 5]        memory while one large film comes

Prints JSON lines. Promised: at most 15 % overhead, 32 MiB of extra memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import os
import tempfile
import time
from collections.abc import Awaitable, Callable

from icloud_server import Served, client, print_line, resident_bytes, served
from sources.icloud.signed_in import taken_in
from yarl import URL

from mediabox.model.asset import RemoteResource
from mediabox.sources.icloud import ICloud

GIGABYTE = 1_000_000_000
PLAIN_CHUNK_BYTES = 1 << 20


class FileSink:
    """What the spool's does: write, hash, and sync at the end."""

    def __init__(self, folder: str) -> None:
        self._fd = os.open(folder, os.O_TMPFILE | os.O_RDWR)
        self._digest = hashlib.sha256()
        self.offset = 0

    def restart(self) -> None:
        raise AssertionError("nothing fails here")

    def write(self, chunk: bytes) -> None:
        os.write(self._fd, chunk)
        self._digest.update(chunk)
        self.offset += len(chunk)

    def finish(self) -> None:
        os.fdatasync(self._fd)
        os.close(self._fd)


async def listed(source: ICloud) -> list[RemoteResource]:
    return [resource async for page in source.pages(None) for asset in page.assets for resource in asset.resources]


async def ours(source: ICloud, resource: RemoteResource, folder: str) -> None:
    sink = FileSink(folder)
    await source.fetch(taken_in(resource), sink)
    await asyncio.to_thread(sink.finish)


async def plain(source: ICloud, resource: RemoteResource, folder: str) -> None:
    """As one would write it without a second thought."""
    link = await source._downloads._links.link(taken_in(resource))
    http = await source._connection.http()
    sink = FileSink(folder)
    async with http.get(URL(link.url.replace("${f}", "file"), encoded=True)) as got:
        async for chunk in got.content.iter_chunked(PLAIN_CHUNK_BYTES):
            await asyncio.to_thread(sink.write, chunk)
    await asyncio.to_thread(sink.finish)


async def overhead(place: Served, folder: str) -> None:
    """In turn, A B A B, so that a busy machine is busy for both."""
    source = client(place, streams=1)
    files = [each for each in await listed(source) if each.role == "original"]
    cpu_s = {"plain": 0.0, "ours": 0.0}
    wall_s = {"plain": 0.0, "ours": 0.0}
    ways: dict[str, Callable[[ICloud, RemoteResource, str], Awaitable[None]]] = {"plain": plain, "ours": ours}
    for number, resource in enumerate(files):
        name = ("plain", "ours")[number % 2]
        gc.collect()
        cpu, wall = time.process_time(), time.monotonic()
        await ways[name](source, resource, folder)
        cpu_s[name] += (time.process_time() - cpu) / (resource.size_bytes or 1) * GIGABYTE
        wall_s[name] += (time.monotonic() - wall) / (resource.size_bytes or 1) * GIGABYTE
    half = len(files) // 2
    print_line(
        what="overhead",
        plain_cpu_s_per_gb=round(cpu_s["plain"] / half, 3),
        ours_cpu_s_per_gb=round(cpu_s["ours"] / half, 3),
        overhead_percent=round((cpu_s["ours"] / cpu_s["plain"] - 1) * 100, 1),
        plain_wall_s_per_gb=round(wall_s["plain"] / half, 2),
        ours_wall_s_per_gb=round(wall_s["ours"] / half, 2),
        most_mib=round(resident_bytes(at_most=True) / 2**20, 1),
    )
    await source.close()


async def line(place: Served, folder: str) -> None:
    """With the budget as it is in life."""
    for streams, has_links in ((1, True), (4, True), (8, True), (8, False)):
        source = client(place, eager=False, streams=streams)
        files = await listed(source)
        if not has_links:  # as after an hour: every link has to be looked up
            source._shelf._links.clear()
        cpu, wall = time.process_time(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            queue = iter(files)

            async def lane(source: ICloud = source, queue: object = queue) -> None:
                for resource in queue:
                    await ours(source, resource, folder)

            for _ in range(streams):
                group.create_task(lane())
        seconds = time.monotonic() - wall
        print_line(
            what="line",
            streams=streams,
            has_links=has_links,
            files=len(files),
            files_per_minute=round(len(files) / seconds * 60),
            megabytes_per_s=round(sum(each.size_bytes or 0 for each in files) / seconds / 1e6, 1),
            cpu_s=round(time.process_time() - cpu, 2),
            calls={count.endpoint: count.calls for count in source.budget.counts()},
        )
        await source.close()


async def large(place: Served, folder: str) -> None:
    source = client(place)
    (film,) = await listed(source)
    before = resident_bytes()
    wall = time.monotonic()
    await ours(source, film, folder)
    print_line(
        what="large",
        gigabytes=round((film.size_bytes or 0) / GIGABYTE, 2),
        extra_mib=round((resident_bytes(at_most=True) - before) / 2**20, 1),
        wall_s=round(time.monotonic() - wall, 1),
    )
    await source.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("what", choices=["overhead", "line", "large"])
    arguments.add_argument("--gigabytes", type=float, default=2.0)
    arguments.add_argument("--assets", type=int, default=100)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        match given.what:
            case "overhead":
                with served(40, given.gigabytes * GIGABYTE / 40, 1000, 0) as server:
                    asyncio.run(overhead(server, scratch))
            case "line":
                with served(given.assets, 2_000_000, 2_000_000, 0, 0.08, 5_000_000) as server:
                    asyncio.run(line(server, scratch))
            case "large":
                with served(1, given.gigabytes * GIGABYTE, 1000, 0) as server:
                    asyncio.run(large(server, scratch))
