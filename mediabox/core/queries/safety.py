"""Which photos are safe to free at their source, and what the others lack."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from mediabox.core import certify, soundness
from mediabox.core.timeline import ISSUE as CLOCK
from mediabox.core.timeline import REMEDY as CLOCK_REMEDY
from mediabox.core.timeline import timeline
from mediabox.errors import NeedsHuman
from mediabox.message import Text
from mediabox.model.certificate import CopyProof, is_counted
from mediabox.store import gate, releases

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mediabox.clock import Clock
    from mediabox.config.load import Config
    from mediabox.core.certify import Assessment
    from mediabox.core.timeline import Timeline
    from mediabox.model.certificate import Policy


class ProofShown(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of one file."""

    evidence: str
    age_hours: int
    domain: str
    locator: str
    counts: bool


class FileSafety(msgspec.Struct, frozen=True, kw_only=True):
    remote_id: str
    sha256: str
    size_bytes: int
    copies: tuple[ProofShown, ...]


class AssetSafety(msgspec.Struct, frozen=True, kw_only=True):
    """One asset at its source. `obstacles` is empty when it is safe to free."""

    name: str
    remote_id: str
    is_safe: bool
    obstacles: tuple[str, ...]
    files: tuple[FileSafety, ...]


class SourceSafety(msgspec.Struct, frozen=True, kw_only=True):
    """One source. `lacking`: how many assets each reason stands in the way of, the most frequent first."""

    source: str
    is_allowed: bool  # whether the owner lets this source be freed
    assets: int
    safe: int
    safe_bytes: int
    lacking: dict[str, int]


class Safety(msgspec.Struct, frozen=True, kw_only=True):
    is_enabled: bool
    catalogue: str | None  # why nothing at all is safe: the catalogue, or the clock, is not to be believed
    remedy: Text | None
    sources: tuple[SourceSafety, ...]
    assets: tuple[AssetSafety, ...]


def safety(connection: sqlite3.Connection, config: Config, clock: Clock) -> Safety:
    """What is proved of every asset of every source that can be freed."""
    policy, time = certify.policy_of(config.release), timeline(connection, clock)
    assessed = assess_all(connection, releases.sources(connection), policy, time)
    frozen = frozen_by(connection, config, assessed, time, is_answer=True)
    held = {source: [_held(each, frozen) for each in found] for source, found in assessed.items()}
    return Safety(
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


def _totals(source: str, assessed: list[Assessment], *, is_allowed: bool) -> SourceSafety:
    safe = [each for each in assessed if each.is_safe]
    reasons = Counter(reason for each in assessed for reason in {_bare(text, each) for text in each.obstacles})
    return SourceSafety(
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


def _asset(assessment: Assessment, policy: Policy, now_ms: int) -> AssetSafety:
    return AssetSafety(
        name=assessment.name,
        remote_id=assessment.candidate.remote_id,
        is_safe=assessment.is_safe,
        obstacles=assessment.obstacles,
        files=tuple(
            FileSafety(
                remote_id=proof.remote_id,
                sha256=proof.sha256,
                size_bytes=proof.size_bytes,
                copies=tuple(_proof(copy, policy, now_ms) for copy in proof.copies),
            )
            for proof in assessment.resources
        ),
    )


def _proof(copy: CopyProof, policy: Policy, now_ms: int) -> ProofShown:
    return ProofShown(
        evidence=copy.evidence,
        age_hours=max(0, now_ms - copy.proved_at_ms) // 3_600_000,
        domain=copy.domain,
        locator=copy.locator,
        counts=is_counted(policy, copy, now_ms=now_ms),
    )
