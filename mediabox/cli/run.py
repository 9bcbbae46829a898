"""`mediabox run`: the daemon itself."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mediabox import log as logging_
from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.issue_lines import issue_lines
from mediabox.cli.status import status_of
from mediabox.cli.words import bytes_words, count_words, plain
from mediabox.config.load import load, load_usable
from mediabox.config.problems import ConfigInvalid
from mediabox.config.sections import Log
from mediabox.core.failures import FAILED
from mediabox.core.home import locked
from mediabox.core.queries import numbers
from mediabox.errors import Permanent
from mediabox.model.issue import Severity
from mediabox.surfaces.terminal import road_words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from mediabox.config.load import Config
    from mediabox.model.status import Status

# Without a person: a mount, a network, a program that comes back.
COME_RIGHT = {"source.missing", "volume.missing", "destination.missing", "clock.unset"}


def run(arguments: argparse.Namespace) -> int:
    if not arguments.simulated_pixel:
        return _run(arguments, _overrides(arguments))
    from mediabox.cli.simulate import room

    overrides = _overrides(arguments)
    with room().simulated_phone(home_of(arguments)) as trial:
        return _run(arguments, {**overrides, **trial.overrides})


def _run(arguments: argparse.Namespace, overrides: dict[str, object]) -> int:
    home = home_of(arguments)
    settings = partial(load if arguments.once else load_usable, home, overrides=overrides)
    config = settings() if arguments.once else _usable(settings)
    if arguments.once and config is not None and not config.sources:
        message = (
            f"no source of pictures is configured: name a folder with --pictures DIR, or write "
            f"[sources.pictures] into {home / 'mediabox.toml'}"
        )
        raise Permanent(message)
    is_watched = sys.stderr.isatty() and not arguments.quiet
    log = config.log if config else Log()
    out = logging_.set_up(level="error" if is_watched else log.level, form=log.format)
    try:
        with locked(home):
            asyncio.run(_work(home, settings, arguments, out if is_watched else None))
    finally:
        logging_.drain()
    if config is None or (not arguments.once and not is_watched):
        return exits.OK
    code = _conclusion(home, archive=config.path(config.archive.path))
    return code if arguments.once else exits.OK


def _usable(settings: Callable[[], Config]) -> Config | None:
    """None where a box that stays up has to say first what is wrong with them."""
    try:
        return settings()
    except ConfigInvalid:
        return None


async def _work(home: Path, settings: Callable[[], Config], arguments: argparse.Namespace, out: TextIO | None) -> None:
    """Run the box; with `out`, a terminal, show its progress there."""
    from mediabox.shell import SURFACES, Shell
    from mediabox.surfaces.terminal import Progress

    once, config = bool(arguments.once), _usable(settings)

    def progress() -> Progress:
        assert out is not None
        return Progress(
            out,
            count=lambda: box.query(numbers.accounting),
            waiting_for=lambda: box.waiting_for,
            at_rest=None if once else "watching; Ctrl-C ends",
            issues=None if once else lambda: box.query(numbers.open_issues),
            roads=(lambda: box.query(numbers.roads)) if config and config.destinations else None,
        )

    surfaces = {**SURFACES, "terminal": progress} if out else SURFACES
    box = Shell(home, settings=settings, surfaces=surfaces)
    await box.run(once=once, until_let_go=arguments.simulated_pixel)


def _overrides(arguments: argparse.Namespace) -> dict[str, object]:
    """`--pictures` is a source like any other, for this run. Raises Permanent for a folder that is not there."""
    if not arguments.pictures:
        return {}
    trees = [Path(folder).expanduser().absolute() for folder in arguments.pictures]
    for tree in trees:
        if not tree.is_dir():
            what = "that is a file, not a folder" if tree.exists() else "there is no such folder"
            message = f"--pictures {tree}: {what}"
            raise Permanent(message)
    return {"sources.given.type": "folder", "sources.given.trees": [str(tree) for tree in trees]}


def _conclusion(home: Path, *, archive: Path) -> int:
    """What a run has done, in a few lines, and its exit code."""
    found = status_of(home)
    accounting = found.accounting
    print(
        f"{count_words(accounting.taken_in, 'file')} taken in: {accounting.archived:,} archived "
        f"({bytes_words(found.bytes.archived)}), {count_words(accounting.duplicate, 'duplicate')}, "
        f"{accounting.quarantined:,} quarantined, {accounting.pending:,} pending."
    )
    print(f"  The archive is {plain(str(archive))}")
    if left_out := sum(survey.names - survey.listed for survey in found.surveys.values()):
        print(f"  {count_words(left_out, 'name')} left out: `mediabox status` says why")
    for road in found.roads:
        print(plain(f"  to {road.destination}: {road_words(road)}"))
    for named in found.quarantined:
        print(plain(f"  quarantined: {named.remote_id}: {named.reason}"))
    for line in issue_lines(found.issues):
        print(line)
    return _code(found)


def _code(found: Status) -> int:
    worst = {issue.severity for issue in found.issues if issue.key not in COME_RIGHT | {FAILED}}
    if worst & {Severity.WARNING, Severity.ERROR}:
        return exits.NEEDS_PERSON
    if any(step.failed for step in found.jobs):
        return exits.PROBLEM
    waits = found.accounting.pending or any(issue.severity is not Severity.NOTICE for issue in found.issues)
    return exits.TRY_LATER if waits else exits.OK
