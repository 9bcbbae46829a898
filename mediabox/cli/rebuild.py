"""`mediabox rebuild`: a new catalogue from the archive alone."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.home import DATABASE, home_of, locked
from mediabox.cli.words import count_words, plain
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core.enrolment import archive_volume, set_rebuilding
from mediabox.core.rebuild import Rebuild, Rebuilt
from mediabox.durable.publish import set_aside
from mediabox.durable.renditions import RenditionFolder
from mediabox.errors import Permanent
from mediabox.native.worker import MediaWorkers
from mediabox.store.database import Database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from mediabox.config.load import Config


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    overrides = {"archive.path": arguments.archive} if arguments.archive else None
    config = load(home, overrides=overrides)
    root = config.path(config.archive.path)
    if not (root / ".mediabox" / "volume.json").exists():
        message = f"{root} is not an archive of mediabox (it has no .mediabox/volume.json): name it with --archive DIR"
        raise Permanent(message)
    with locked(home):
        kept = [set_aside(path) for path in home.glob(f"{DATABASE}*") if path.suffix in (".db", ".db-wal", ".db-shm")]
        report = asyncio.run(_rebuild(config, is_watched=sys.stderr.isatty() and not arguments.json))
    if sys.stderr.isatty() and not arguments.json:
        sys.stderr.write("\r\x1b[K")
    if arguments.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    else:
        for path in kept:
            print(f"The old catalogue is kept as {path}.")
        print("\n".join(map(plain, _told(report))))
    return exits.PROBLEM if report.damaged or report.missing else exits.OK


async def _rebuild(config: Config, *, is_watched: bool) -> Rebuilt:
    clock = Clock()
    from mediabox.daemon import threads

    async with Database(config.home / DATABASE) as database:
        await database.write(lambda connection: set_rebuilding(connection, is_under_way=True))
        volume = await archive_volume(database, config.path(config.archive.path), clock=clock, for_rebuild=True)
        workers = MediaWorkers(threads(config))
        try:
            report = await Rebuild(
                database=database,
                volume=volume,
                workers=workers,
                renditions=RenditionFolder(config.path(config.renditions.path)),
                clock=clock,
                progress=_show if is_watched else lambda _: None,
            ).run()
            await database.write(lambda connection: set_rebuilding(connection, is_under_way=False))
        finally:
            await workers.close()
            volume.close()
    return report


def _show(report: Rebuilt) -> None:
    sys.stderr.write(f"\r{count_words(report.originals, 'original')} ")
    sys.stderr.flush()


def _told(report: Rebuilt) -> Iterator[str]:
    yield (
        f"{count_words(report.originals, 'original')} in the new catalogue, "
        f"{report.without_sidecar:,} of them without a sidecar."
    )
    for what, paths in (
        ("has other bytes than its sidecar tells of", report.damaged),
        ("holds the same bytes as another file of the archive", report.twice),
        ("is told of by a sidecar, but is not there", report.missing),
        ("is a sidecar that cannot be read", report.unreadable_sidecars),
    ):
        for path in paths:
            yield f"! {path} {what}"
