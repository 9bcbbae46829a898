"""`mediabox verify`: read the archive again, past the cache, and compare."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import bytes_words, count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core.enrolment import archive_volume
from mediabox.core.home import catalogue, database_of
from mediabox.core.verification import Report, Verification

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from mediabox.config.load import Config


def run(arguments: argparse.Namespace) -> int:
    one_in = _one_in(arguments.sample)
    home = home_of(arguments)
    with catalogue(home):  # there has to be one
        config = load(home)
    report = asyncio.run(_verify(config, one_in=one_in, is_watched=sys.stderr.isatty() and not arguments.json))
    if sys.stderr.isatty() and not arguments.json:
        sys.stderr.write("\r\x1b[K")
    write_found(report, _told(report, is_sample=one_in > 1), as_json=arguments.json)
    return exits.OK if report.is_clean else exits.PROBLEM


async def _verify(config: Config, *, one_in: int, is_watched: bool) -> Report:
    clock = Clock()
    async with database_of(config.home) as database:
        with closing(await archive_volume(database, config.path(config.archive.path), clock=clock)) as volume:
            progress = _show if is_watched else None
            return await Verification(database, volume, clock).round(one_in=one_in, progress=progress)


def _show(report: Report) -> None:
    sys.stderr.write(f"\r{count_words(report.checked, 'file')}, {bytes_words(report.bytes_read)} read ")
    sys.stderr.flush()


def _one_in(share: str) -> int:
    """'1%' -> every 100th copy."""
    try:
        percent = float(share.removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        message = f"--sample {share}: write a share above 0 and up to 100, such as 1%"
        raise exits.WrongUsage(message)
    return round(100 / percent)


def _told(report: Report, *, is_sample: bool) -> Iterator[str]:
    if report.catalogue:
        yield from (f"! The catalogue is damaged: {problem}." for problem in report.catalogue)
        yield "  No file was read and nothing was changed."
        yield "  What to do: Stop mediabox, move mediabox.db away and run `mediabox rebuild`."
        return
    yield (
        f"{count_words(report.checked, 'archived file')} read ({bytes_words(report.bytes_read)}): "
        f"{report.whole:,} whole, {len(report.missing):,} missing, {len(report.damaged):,} damaged, "
        f"{len(report.unreadable):,} unreadable; "
        f"{count_words(report.foreign_count, 'foreign file')}."
    )
    for finding in (*report.missing, *report.damaged, *report.unreadable, *report.foreign, *report.edited):
        yield f"  {finding.path}: {finding.what}"
    if report.is_clean:
        yield _verdict(report, is_sample=is_sample)


def _verdict(report: Report, *, is_sample: bool) -> str:
    if not is_sample:
        return "The archive is whole."
    return "What was read is whole." if report.checked else "No file fell into this share: ask for a larger one."
