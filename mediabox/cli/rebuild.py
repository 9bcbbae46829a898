"""`mediabox rebuild`: a new catalogue from the archive alone."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import count_words, plain
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import indexing, switches
from mediabox.core.commands import dispatch
from mediabox.core.commands.control import Pause
from mediabox.core.commit import Committer
from mediabox.core.decisions import DECISIONS
from mediabox.core.enrolment import ROLE, archive_volume, set_rebuilding
from mediabox.core.home import DATABASE, catalogue, database_of, locked
from mediabox.core.mending import mark_by_sidecars
from mediabox.core.rebuild import Rebuild, Rebuilt
from mediabox.core.soundness import heads_of
from mediabox.durable.marker import MARKER
from mediabox.durable.publish import set_aside
from mediabox.errors import Fatal, Permanent
from mediabox.model.actor import SYSTEM
from mediabox.native.worker import MediaWorkers
from mediabox.store import volumes, witness

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mediabox.config.load import Config


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    overrides = {"archive.path": arguments.archive} if arguments.archive else None
    config = load(home, overrides=overrides)
    root = config.path(config.archive.path)
    is_marked = (root / MARKER).exists()
    if not is_marked and not arguments.archive:
        message = f"{root} is not an archive of mediabox (it has no {MARKER}): name it with --archive DIR"
        raise Permanent(message)
    with locked(home):
        if not is_marked:
            _mark(home, root)
        held = _pause(home)
        kept = [set_aside(path) for path in home.glob(f"{DATABASE}*") if path.suffix in (".db", ".db-wal", ".db-shm")]
        report = asyncio.run(_rebuild(config, held, is_watched=sys.stderr.isatty() and not arguments.json))
    if sys.stderr.isatty() and not arguments.json:
        sys.stderr.write("\r\x1b[K")
    write_found(report, _told(report, kept), as_json=arguments.json)
    return exits.PROBLEM if report.damaged or report.missing else exits.OK


def _mark(home: Path, root: Path) -> None:
    """Make a volume of an archive that has lost its marker. Raises Permanent while a catalogue knows which it was."""
    with suppress(Fatal), catalogue(home) as connection:
        if volumes.enrolled(connection, ROLE) is not None:
            message = (
                f"{root} has no {MARKER}, and the catalogue in {home} knows what was in it: run "
                "`mediabox doctor --mend-marker`, or move mediabox.db away first"
            )
            raise Permanent(message)
    uuid = asyncio.run(_mark_by_sidecars(root))
    told = f"{root} had lost its marker; by its sidecars it is an archive of mediabox, now volume {uuid}."
    print(plain(told), file=sys.stderr)


async def _mark_by_sidecars(root: Path) -> str:
    workers = MediaWorkers(1)
    try:
        return await mark_by_sidecars(root, workers, now_ms=Clock().wall_ms())
    finally:
        await workers.close()


def _pause(home: Path) -> switches.Rest | None:
    """The pause a person set in the catalogue that is to be replaced, as far as it can still be read."""
    now_ms = Clock().wall_ms()
    try:
        with catalogue(home) as connection:
            return switches.rest_at(connection, now_ms=now_ms)
    except Fatal:  # none there, or it is damaged: that is why it is made anew
        return None


async def _rebuild(config: Config, held: switches.Rest | None, *, is_watched: bool) -> Rebuilt:
    clock = Clock()
    from mediabox.assembly import rendition_folder, rules, threads

    def begin(connection: sqlite3.Connection) -> None:
        set_rebuilding(connection, is_under_way=True)
        if held is not None:
            dispatch.perform(connection, Pause(until_ms=held.until_ms), SYSTEM, now_ms=clock.wall_ms())

    async with database_of(config.home) as database:
        await database.write(begin)
        volume = await archive_volume(database, config.path(config.archive.path), clock=clock, for_rebuild=True)
        workers = MediaWorkers(threads(config))
        try:
            report = await Rebuild(
                database=database,
                volume=volume,
                workers=workers,
                renditions=rendition_folder(config),
                clock=clock,
                committer=Committer(rules=rules(config), clock=clock, moving_sources=()),
                progress=_show if is_watched else lambda _: None,
            ).run()
            await indexing.finish(database)
            await database.write(lambda connection: set_rebuilding(connection, is_under_way=False))
            heads = heads_of(config.home, volume.root)  # of the journal from before
            await database.read(lambda connection: witness.begin_anew(connection, *heads))
        finally:
            await workers.close()
            volume.close()
    return report


def _show(report: Rebuilt) -> None:
    sys.stderr.write(f"\r{count_words(report.originals, 'original')} ")
    sys.stderr.flush()


def _told(report: Rebuilt, kept: Iterable[Path]) -> Iterator[str]:
    yield from (f"The old catalogue is kept as {path}." for path in kept)
    yield (
        f"{count_words(report.originals, 'original')} in the new catalogue, "
        f"{report.without_sidecar:,} of them without a sidecar."
    )
    for what, paths in (
        ("has other bytes than its sidecar tells of", report.damaged),
        ("holds the same bytes as another file of the archive", report.twice),
        ("was erased by a person and lies here again: not taken in; remove it by hand", report.erased),
        ("is told of by a sidecar, but is not there", report.missing),
        ("is a sidecar that cannot be read", report.unreadable_sidecars),
        (f"is no decision that can be read, in {DECISIONS}", report.unreadable_decisions),
    ):
        for path in paths:
            yield f"! {path} {what}"
