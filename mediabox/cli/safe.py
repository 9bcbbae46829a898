"""`mediabox safe`: which photos are safe to free at their source, and what the others lack. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import bytes_words, count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core.home import catalogue
from mediabox.core.queries.safety import safety

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from mediabox.config.load import Config
    from mediabox.core.queries.safety import FileSafety, Safety

DOMAIN = 16  # characters of a place's name
SHOWN = 50  # names in a list for people; JSON has all


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    with catalogue(home) as connection:
        config = load(home)
        report = safety(connection, config, Clock())
    write_found(report, _lines(report, config), as_json=arguments.json)
    return exits.OK if report.catalogue is None else exits.PROBLEM


def _lines(report: Safety, config: Config) -> Iterator[str]:
    if report.catalogue is not None:
        yield f"! Nothing is safe to free: {report.catalogue}."
        yield f"  What to do: {report.remedy}"
    if not report.sources:
        yield "No source here can be freed: only iCloud can."
    for one in report.sources:
        photos = count_words(one.assets, "photo")
        yield f"{one.source}: {one.safe:,} of {photos} safe to free ({bytes_words(one.safe_bytes)})."
        for reason, count in one.lacking.items():
            yield f"  {count:,} not: {reason}"
    for asset in [each for each in report.assets if each.is_safe][:SHOWN]:
        yield f"  safe: {asset.name}: {'; '.join(_proved(file) for file in asset.files)}"
    for asset in [each for each in report.assets if not each.is_safe][:SHOWN]:
        yield f"  not: {asset.name}: {'; '.join(asset.obstacles)}"
    yield from _reading_words(report)
    yield from policy_words(config)


def _reading_words(report: Safety) -> Iterator[str]:
    """A proof is as old as its reading: what a disk lost since is not known yet."""
    safe = (file for asset in report.assets if asset.is_safe for file in asset.files)
    ages = [copy.age_hours for file in safe for copy in file.copies if copy.counts]
    if ages:
        yield (
            f"Their copies were last read {min(ages):,} to {count_words(max(ages), 'hour')} ago; damage since then "
            "shows at the next reading. `mediabox release` reads every copy again before it frees, and leaves what is "
            "not whole."
        )


def _proved(file: FileSafety) -> str:
    """`R 3 h ago on 5f1c0a9e, R 12 h ago on google-photos/anna`: class, age and place of what counts."""
    return ", ".join(
        f"{copy.evidence} {copy.age_hours} h ago on {copy.domain[:DOMAIN]}" for copy in file.copies if copy.counts
    )


def policy_words(config: Config) -> Iterator[str]:
    """What is asked for, and why nothing can satisfy it where that is so."""
    wanted = config.release
    yield (
        f"Safe means: {count_words(wanted.copies, 'proved copy', 'proved copies')} of every file on "
        f"{count_words(wanted.domains, 'independent disk or host', 'independent disks or hosts')}, "
        f"archived for {count_words(wanted.quarantine_days, 'day')}, read again within a day."
    )
    if max(wanted.copies, wanted.domains) > 1:
        yield (
            "This box keeps one archive disk, and one disk is one copy: with these settings nothing is ever safe to "
            "free. To let a single proved copy be enough, at the risk that this disk is then the only place a photo "
            "is, write into mediabox.toml: [release] copies = 1 and domains = 1."
        )
    if not wanted.enabled:
        yield "Freeing sources is switched off ([release] enabled = false): nothing is ever removed."
