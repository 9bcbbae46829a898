"""`mediabox run`: the daemon itself."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mediabox import log as logging_
from mediabox.cli import exits
from mediabox.cli.home import catalogue, home_of, locked
from mediabox.cli.status import status_of
from mediabox.cli.words import bytes_words, count_words
from mediabox.config.load import load
from mediabox.errors import Permanent
from mediabox.model.issue import Severity
from mediabox.store import figures, jobs

if TYPE_CHECKING:
    import argparse

    from mediabox.config.load import Config
    from mediabox.model.status import Status


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    config = load(home, overrides=_overrides(arguments))
    if not config.sources:
        message = (
            f"no source of pictures is configured: name a folder with --pictures DIR, or write "
            f"[sources.pictures] into {home / 'mediabox.toml'}"
        )
        raise Permanent(message)
    is_watched = sys.stderr.isatty() and not arguments.quiet
    logging_.set_up(level="warning" if is_watched and arguments.once else config.log.level, form=config.log.format)
    with locked(home):
        asyncio.run(_work(config, once=arguments.once, is_watched=is_watched))
    return _conclusion(home) if arguments.once else exits.OK


async def _work(config: Config, *, once: bool, is_watched: bool) -> None:
    from mediabox.daemon import Box
    from mediabox.surfaces.terminal import Progress

    box = Box(config)
    progress = Progress(
        sys.stderr,
        count=lambda: box.database.read(figures.accounting),
        waiting_for=lambda: box.governor.waiting_for,
    )
    await box.run(once=once, beside=[progress.run] if is_watched else [])


def _overrides(arguments: argparse.Namespace) -> dict[str, object]:
    """`--pictures` is a source like any other, for this run. Raises Permanent for a folder that is not there."""
    if not arguments.pictures:
        return {}
    trees = [Path(folder).expanduser().absolute() for folder in arguments.pictures]
    for tree in trees:
        if not tree.is_dir():
            message = f"--pictures {tree}: there is no such folder"
            raise Permanent(message)
    return {"sources.given.type": "folder", "sources.given.trees": [str(tree) for tree in trees]}


def _conclusion(home: Path) -> int:
    """What a run to the end has done, in a few lines, and its exit code."""
    found = status_of(home)
    accounting = found.accounting
    print(
        f"{count_words(accounting.taken_in, 'file')} taken in: {accounting.archived:,} archived "
        f"({bytes_words(found.bytes.archived)}), {accounting.duplicate:,} duplicates, "
        f"{accounting.quarantined:,} quarantined, {accounting.pending:,} pending."
    )
    for named in found.quarantined:
        print(f"  quarantined: {named.remote_id}: {named.reason}")
    for issue in found.issues:
        print(f"! {issue.message}")
        if issue.remedy:
            print(f"  What to do: {issue.remedy}")
    return _code(home, found)


def _code(home: Path, found: Status) -> int:
    with catalogue(home) as connection:
        failed = any(state == "failed" for _, state in jobs.counts(connection))
        pending = figures.pending(connection)
    if any(issue.severity is Severity.ERROR for issue in found.issues) and (pending or failed):
        return exits.NEEDS_PERSON
    if failed:
        return exits.PROBLEM
    return exits.TRY_LATER if pending or found.issues else exits.OK
