"""`mediabox adopt DIR`: what an older backup has already is not fetched from iCloud again."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.adopt_prove import prove
from mediabox.cli.execute import console
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import bytes_words, count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.config.members import member_class
from mediabox.contracts import Remote
from mediabox.core.backup_walk import BackupFindings, walk
from mediabox.core.home import DATABASE, catalogue, database_of, locked, running
from mediabox.errors import Permanent
from mediabox.model.adoptable import likely
from mediabox.store import adoptable, journal
from mediabox.store.transaction import transaction

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mediabox.config.load import Config
    from mediabox.model.adoptable import Adoptable
    from mediabox.model.asset import Resource

BATCH = 1000  # files in a transaction: a running daemon waits for it, not for the whole walk


class Offer(msgspec.Struct, kw_only=True):
    """What a walk found."""

    files: int = 0
    bytes: int = 0
    withdrawn: int = 0  # found by an earlier walk, and not there any more
    other: int = 0  # neither pictures nor videos
    unreadable: list[str] = msgspec.field(default_factory=list)  # folders


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """What it may save. Whether a file really is a source's is proved when its turn to be fetched comes."""

    waiting: int = 0  # files of remote sources that are listed and not fetched yet
    waiting_bytes: int = 0
    likely: int = 0  # of those, how many seem to be on offer: by size, and name or time
    likely_bytes: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    folder: str
    is_dry_run: bool
    offer: Offer
    prospect: Prospect


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    config = load(home)
    sources = _remote_sources(config, arguments.source)
    if getattr(arguments, "prove", False):
        return prove(config, sources, as_json=arguments.json)
    if arguments.folder is None:
        message = "name the folder of the older backup, or --prove what was taken from one"
        raise exits.WrongUsage(message)
    folder = Path(arguments.folder).expanduser().absolute()
    look = _look if arguments.dry_run else _adopt
    offer, prospect = look(config, folder, arguments.source, sources)
    report = Report(folder=str(folder), is_dry_run=arguments.dry_run, offer=offer, prospect=prospect)
    write_found(report, _told(report), as_json=arguments.json)
    return exits.PROBLEM if offer.unreadable else exits.OK


def _adopt(config: Config, folder: Path, source: str | None, sources: Sequence[str]) -> tuple[Offer, Prospect]:
    """Offer everything below the folder to what is fetched from now on."""
    _prepare(config.home)
    offer, now_ms = Offer(), Clock().wall_ms()
    with catalogue(config.home, write=True) as connection:
        found = _found(config, folder, source, offer)
        while batch := list(islice(found, BATCH)):
            with transaction(connection):
                adoptable.note(connection, batch, at_ms=now_ms)
        with transaction(connection), journal.acting(connection, str(console())):
            if not offer.unreadable:  # what is in a folder that cannot be listed may be there still
                offer.withdrawn = adoptable.forget_older(connection, str(folder.resolve()), than_ms=now_ms)
            journal.append(connection, "offered", at_ms=now_ms, path=str(folder), files=offer.files, bytes=offer.bytes)
        return offer, _prospect(connection, sources, lambda size: adoptable.of_size(connection, size))


def _look(config: Config, folder: Path, source: str | None, sources: Sequence[str]) -> tuple[Offer, Prospect]:
    """As `_adopt`, without writing anything."""
    offer = Offer()
    by_size: defaultdict[int, list[Adoptable]] = defaultdict(list)
    for file in _found(config, folder, source, offer):
        by_size[file.size_bytes].append(file)
    if not (config.home / DATABASE).exists():
        return offer, Prospect()
    with catalogue(config.home) as connection:
        return offer, _prospect(connection, sources, lambda size: by_size.get(size, ()))


def _found(config: Config, folder: Path, source: str | None, offer: Offer) -> Iterator[Adoptable]:
    """The walk, counted into `offer`."""
    findings = BackupFindings()
    roots = (config.home, config.path(config.archive.path), config.path(config.renditions.path))
    for file in walk(folder, excluded_roots=roots, source=source, findings=findings):
        offer.files += 1
        offer.bytes += file.size_bytes
        yield file
    offer.other, offer.unreadable = findings.other, findings.unreadable


def _prospect(
    connection: sqlite3.Connection, sources: Sequence[str], of_size: Callable[[int], Iterable[Adoptable]]
) -> Prospect:
    waiting = [resource for source in sources for resource in adoptable.waiting(connection, source)]
    matched = [resource for resource in waiting if likely(of_size(resource.size_bytes or 0), resource)]
    return Prospect(
        waiting=len(waiting), waiting_bytes=_bytes_of(waiting), likely=len(matched), likely_bytes=_bytes_of(matched)
    )


def _bytes_of(resources: Iterable[Resource]) -> int:
    return sum(resource.size_bytes or 0 for resource in resources)


def _remote_sources(config: Config, only: str | None) -> list[str]:
    """Names of the sources whose files are dear. Raises Permanent when the one asked for is not among them."""
    names = [one.name for one in config.sources if issubclass(member_class("sources", one.type), Remote)]
    if only is not None and only not in names:
        known = f"configured are: {', '.join(names)}" if names else "none is configured"
        raise Permanent(f"--source {only}: there is no such account of iCloud or the like; {known}")
    return names if only is None else [only]


def _prepare(home: Path) -> None:
    """A catalogue of this program's schema, so that a backup can be offered before anything was ever listed."""
    if running(home) is None:
        with locked(home):
            asyncio.run(_open_and_close(home))


async def _open_and_close(home: Path) -> None:
    async with database_of(home):
        return


def _told(report: Report) -> Iterator[str]:
    offer, prospect = report.offer, report.prospect
    how = "to be on offer" if report.is_dry_run else "on offer"
    yield f"{count_words(offer.files, 'file')} ({bytes_words(offer.bytes)}) in {report.folder} {how}."
    if offer.withdrawn:
        yield f"  Not there any more, of an earlier look: {offer.withdrawn:,}."
    if offer.other:
        yield f"  {count_words(offer.other, 'other file')} of no use here."
    for folder in offer.unreadable:
        yield f"! {folder} could not be listed: make it readable for us, then run this again"
    if prospect.waiting:
        yield (
            f"Of {count_words(prospect.waiting, 'file')} waiting to be fetched "
            f"({bytes_words(prospect.waiting_bytes)}), among them by size and name or time: "
            f"{prospect.likely:,} ({bytes_words(prospect.likely_bytes)})."
        )
    elif not report.is_dry_run:
        yield "Nothing waits to be fetched now; what is listed later is looked for there first."
    if not report.is_dry_run:
        yield "Each is proved to be the same bytes before it is used. The folder is only read; leave it where it is."
