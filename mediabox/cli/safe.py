"""`mediabox safe`: which photos are safe to free at their source, and what the others lack. Changes nothing."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.home import catalogue, home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import bytes_words, count_words
from mediabox.clock import Clock
from mediabox.config.load import load
from mediabox.core import certify, soundness
from mediabox.core.timeline import ISSUE as CLOCK
from mediabox.core.timeline import REMEDY as CLOCK_REMEDY
from mediabox.core.timeline import timeline
from mediabox.errors import NeedsHuman
from mediabox.model.certificate import CopyProof, is_counted
from mediabox.store import gate, releases

if TYPE_CHECKING:
    import argparse
    import sqlite3
    from collections.abc import Iterable, Iterator

    from mediabox.config.load import Config
    from mediabox.core.certify import Assessment
    from mediabox.core.timeline import Timeline
    from mediabox.model.certificate import Policy

DOMAIN = 16  # characters of a place's name
SHOWN = 50  # names in a list for people; JSON has all


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of one file."""

    evidence: str
    age_hours: int
    domain: str
    locator: str
    counts: bool


class File(msgspec.Struct, frozen=True, kw_only=True):
    remote_id: str
    sha256: str
    size_bytes: int
    copies: tuple[Proof, ...]


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset at its source. `obstacles` is empty when it is safe to free."""

    name: str
    remote_id: str
    is_safe: bool
    obstacles: tuple[str, ...]
    files: tuple[File, ...]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """One source. `lacking`: how many assets each reason stands in the way of, the most frequent first."""

    source: str
    is_allowed: bool  # whether the owner lets this source be freed
    assets: int
    safe: int
    safe_bytes: int
    lacking: dict[str, int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    is_enabled: bool
    catalogue: str | None  # why nothing at all is safe: the catalogue, or the clock, is not to be believed
    remedy: str | None
    sources: tuple[Totals, ...]
    assets: tuple[Asset, ...]


def run(arguments: argparse.Namespace) -> int:
    home = home_of(arguments)
    with catalogue(home) as connection:
        config = load(home)
        report = report_of(connection, config)
    write_found(report, _told(report, config), as_json=arguments.json)
    return exits.OK if report.catalogue is None else exits.PROBLEM


def report_of(connection: sqlite3.Connection, config: Config) -> Report:
    """What is proved of every asset of every source that can be freed."""
    policy, time = certify.policy_of(config.release), timeline(connection, Clock())
    assessed = assess_all(connection, releases.sources(connection), policy, time)
    frozen = frozen_by(connection, config, assessed, time, is_answer=True)
    held = {source: [_held(each, frozen) for each in found] for source, found in assessed.items()}
    return Report(
        is_enabled=config.release.enabled,
        catalogue=None if frozen is None else str(frozen),
        remedy=None if frozen is None else frozen.remedy,
        sources=tuple(_totals(source, found, is_allowed=source in allowed(config)) for source, found in held.items()),
        assets=tuple(_asset(each, policy, time.now.at_ms) for found in held.values() for each in found),
    )


def assess_all(
    connection: sqlite3.Connection, sources: Iterable[str], policy: Policy, time: Timeline
) -> dict[str, list[Assessment]]:
    """What is proved of everything these sources have now."""
    return {
        source: [certify.assess(connection, each, policy, time=time) for each in gate.candidates(connection, source)]
        for source in sources
    }


def frozen_by(
    connection: sqlite3.Connection,
    config: Config,
    assessed: dict[str, list[Assessment]],
    time: Timeline,
    *,
    is_answer: bool = False,
) -> NeedsHuman | None:
    """Why nothing at all may be freed now: a catalogue, or a clock, that is not to be believed.

    `is_answer`: as for `soundness.unsoundness`.
    """
    heads = soundness.heads_of(config.home, config.path(config.archive.path))
    unsound = soundness.unsoundness(connection, *heads, is_answer=is_answer)
    if found := unsound or certify.contradiction(chain.from_iterable(assessed.values())):
        return found
    doubt = time.doubt()
    return NeedsHuman(doubt, issue=CLOCK, remedy=CLOCK_REMEDY) if doubt else None


def _held(assessment: Assessment, frozen: NeedsHuman | None) -> Assessment:
    if frozen is None:
        return assessment
    return msgspec.structs.replace(assessment, obstacles=(str(frozen), *assessment.obstacles))


def allowed(config: Config) -> frozenset[str]:
    """Names of the sources whose own settings let them be freed."""
    return frozenset(
        one.name
        for one in config.sources
        if getattr(one.settings, "release", False) and getattr(one.settings, "deletion", "keep") == "keep"
    )


def _totals(source: str, assessed: list[Assessment], *, is_allowed: bool) -> Totals:
    safe = [each for each in assessed if each.is_safe]
    reasons = Counter(reason for each in assessed for reason in {_bare(text, each) for text in each.obstacles})
    return Totals(
        source=source,
        is_allowed=is_allowed,
        assets=len(assessed),
        safe=len(safe),
        safe_bytes=sum(each.size_bytes for each in safe),
        lacking=dict(reasons.most_common()),
    )


def _bare(obstacle: str, assessment: Assessment) -> str:
    """Without the file's name: what many have in common."""
    name, between, reason = obstacle.partition(": ")
    return reason if between and not assessment.candidate.remote_id.startswith(name) else obstacle


def _asset(assessment: Assessment, policy: Policy, now_ms: int) -> Asset:
    return Asset(
        name=assessment.name,
        remote_id=assessment.candidate.remote_id,
        is_safe=assessment.is_safe,
        obstacles=assessment.obstacles,
        files=tuple(
            File(
                remote_id=proof.remote_id,
                sha256=proof.sha256,
                size_bytes=proof.size_bytes,
                copies=tuple(_proof(copy, policy, now_ms) for copy in proof.copies),
            )
            for proof in assessment.resources
        ),
    )


def _proof(copy: CopyProof, policy: Policy, now_ms: int) -> Proof:
    return Proof(
        evidence=copy.evidence,
        age_hours=max(0, now_ms - copy.proved_at_ms) // 3_600_000,
        domain=copy.domain,
        locator=copy.locator,
        counts=is_counted(policy, copy, now_ms=now_ms),
    )


def _told(report: Report, config: Config) -> Iterator[str]:
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


def _reading_words(report: Report) -> Iterator[str]:
    """A proof is as old as its reading: what a disk lost since is not known yet."""
    safe = (file for asset in report.assets if asset.is_safe for file in asset.files)
    ages = [copy.age_hours for file in safe for copy in file.copies if copy.counts]
    if ages:
        yield (
            f"Their copies were last read {min(ages):,} to {count_words(max(ages), 'hour')} ago; damage since then "
            "shows at the next reading. `mediabox release` reads every copy again before it frees, and leaves what is "
            "not whole."
        )


def _proved(file: File) -> str:
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
