"""Which assets are safe to free at their source, why the others are not, and the signed proof of it.

An asset is all its files (I9): each as the source has it now, archived, with copies that
satisfy the policy. Whoever asks may be told "no" for a dozen reasons; "yes" needs all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.core import soundness
from mediabox.errors import NeedsHuman
from mediabox.model.asset import ResourceState
from mediabox.model.certificate import (
    COUNTED,
    LIFE_MS,
    Certificate,
    ChainHead,
    CopyProof,
    Policy,
    ResourceProof,
    Signed,
    shortfalls,
)
from mediabox.model.google_photos import PLACE
from mediabox.model.ledger import Copy, CopyState
from mediabox.model.said import Said
from mediabox.store import copies, gate, journal, releases
from mediabox.store.gate import Candidate, Filed, Story
from mediabox.store.keyed import UNREADABLE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable

    from mediabox.config.sections import Release as Settings
    from mediabox.core.signer import Signer
    from mediabox.core.timeline import Timeline
    from mediabox.store.copies import Proof

DAY_MS = 86_400_000

_said = msgspec.json.Decoder(Said)


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """One asset at its source: safe to free when nothing stands in the way.

    `contradictions` are those obstacles that no honest use of the box explains.
    """

    candidate: Candidate
    name: str
    size_bytes: int
    resources: tuple[ResourceProof, ...]
    obstacles: tuple[str, ...]
    contradictions: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        return not self.obstacles


def policy_of(settings: Settings) -> Policy:
    """The owner's numbers with the ages that are not up to anybody."""
    return Policy(
        copies=settings.copies,
        domains=settings.domains,
        quarantine_ms=settings.quarantine_days * DAY_MS,
    )


# ---------------------------------------------------------------- one asset


def assess(
    connection: sqlite3.Connection,
    candidate: Candidate,
    policy: Policy,
    *,
    time: Timeline,
    volumes: Container[str] | None = None,
) -> Assessment:
    """What is proved of an asset now.

    With `volumes`, only copies on these count: those that can be read at once, and what Google Photos gave back.
    Raises NeedsHuman for a row that cannot be read at all.
    """
    try:
        return _assess(connection, candidate, policy, time=time, volumes=volumes)
    except (ValueError, TypeError, msgspec.MsgspecError, UNREADABLE) as err:
        reason = f"the catalogue says of {candidate.remote_id} what nobody can have written ({err})"
        raise soundness.unsound(reason) from err


def _assess(
    connection: sqlite3.Connection,
    candidate: Candidate,
    policy: Policy,
    *,
    time: Timeline,
    volumes: Container[str] | None,
) -> Assessment:
    said = _said.decode(candidate.said)
    obstacles = _of_source(candidate, said)
    contradictions = [] if candidate.is_ours else [f"{candidate.remote_id}: what its source told {_FOREIGN}"]
    proofs: list[ResourceProof] = []
    wanted = _newest(gate.files(connection, candidate.remote_asset_id))
    for resource in wanted:
        kept = _keeper(connection, resource)
        if kept is None:
            obstacles.append(f"{resource.name}: {_unkept(resource)}")
            continue
        file = _File(connection, resource, kept)
        contradictions += [f"{resource.name}: {reason}" for reason in file.contradictions()]
        obstacles += [f"{resource.name}: {doubt}" for doubt in file.doubts()]
        proof = file.proof(time, volumes)
        proofs.append(proof)
        obstacles += [f"{resource.name}: {reason}" for reason in shortfalls(policy, proof, now_ms=time.now.at_ms)]
    if not wanted:
        obstacles.append("no file of it was ever taken in")
    return Assessment(
        candidate=candidate,
        name=wanted[0].name if wanted else candidate.remote_id,
        size_bytes=sum(proof.size_bytes for proof in proofs),
        resources=tuple(proofs),
        obstacles=(*contradictions, *obstacles),
        contradictions=tuple(contradictions),
    )


def _of_source(candidate: Candidate, said: Said) -> list[str]:
    found = []
    if candidate.presence != "present":
        found.append(f"it is {candidate.presence} at its source")
    if candidate.change_tag is None:
        found.append("its source has not said yet in which state it was downloaded")
    if said.unproved_files:
        found.append(f"its source has files of it that nobody here can prove: {', '.join(said.unproved_files)}")
    if said.contributors:
        found.append("it is in a shared library: freeing it would take it from everyone")
    return found


def _newest(files: list[Filed]) -> list[Filed]:
    """The newest version of each file."""
    return list({one.remote_id: one for one in files}.values())


def _keeper(connection: sqlite3.Connection, resource: Filed) -> Filed | None:
    """Under whose id the archive holds these bytes; None when it does not."""
    kept = resource
    if resource.state is ResourceState.DUPLICATE and resource.duplicate_of is not None:
        found = gate.file(connection, resource.duplicate_of)
        kept = found if found is not None and found.digest == resource.digest else resource
    return kept if kept.state is ResourceState.ARCHIVED and kept.digest is not None else None


def _unkept(resource: Filed) -> str:
    match resource.state:
        case ResourceState.QUARANTINED:
            return f"quarantined ({resource.reason})"
        case ResourceState.SEEN | ResourceState.STAGED | ResourceState.FILING:
            return "not archived yet"
        case _:
            return "not in the archive"


_FOREIGN = "is not as this box wrote it into the catalogue"


def disagreements(filed: Filed, story: Story) -> list[str]:
    """What the catalogue says of a file and the journal does not."""
    found = []
    if filed.digest != story.sha256 and story.sha256 is not None:
        found.append("its SHA-256 is another one than the journal's")
    if filed.state is not story.state:
        found.append(f"it is {filed.state} in the catalogue, {story.state} in the journal")
    if filed.state is ResourceState.ARCHIVED and filed.archived_at_ms != story.archived_at_ms:
        found.append("it was archived at another time by the journal")
    return found


class _File:
    """One file of an asset, the one that keeps its bytes, and what the journal says of both."""

    def __init__(self, connection: sqlite3.Connection, resource: Filed, kept: Filed) -> None:
        self._resource, self._kept = resource, kept
        self._damage = releases.damage_of(connection, kept.id)
        self._proofs = copies.proofs(connection, kept.id)
        self._stories = {each: gate.story(connection, each) for each in {resource.id, kept.id}}
        self._story = self._stories[kept.id]

    def contradictions(self) -> list[str]:
        found = []
        for one in {each.id: each for each in (self._resource, self._kept)}.values():
            found += disagreements(one, self._stories[one.id])
            found += [] if one.is_ours else [f"its row {_FOREIGN}"]
        foreign = [each.copy for each in self._proofs if not each.is_ours and each.copy.evidence in COUNTED]
        found += [f"its copy on {copy.volume} {_FOREIGN}" for copy in foreign]
        return found

    def doubts(self) -> list[str]:
        """Whether the archived bytes are the source's at all: a hash only says that they have not changed since."""
        found = []
        damage = self._damage or self._story.damage
        if damage is not None:
            found.append(f"archived, but it does not look whole ({damage})")
        ways = {one.came_whole for one in self._stories.values()}
        if False in ways:
            found.append(
                "taken from an older backup; what was never compared as a whole with the source's is not released"
            )
        elif None in ways:
            found.append("the catalogue was rebuilt and does not know that these bytes came from the source")
        return found

    def proof(self, time: Timeline, volumes: Container[str] | None) -> ResourceProof:
        """Waiting times in it are of counted time: `archived_at_ms` and `written_at_ms` are late rather than early."""
        return ResourceProof(
            remote_id=self._resource.remote_id,
            version=self._resource.version,
            sha256=self._kept.digest or "",
            size_bytes=self._kept.size_bytes or 0,
            archived_at_ms=time.now.at_ms - time.since(self._story.archived_seq),
            copies=tuple(self._copy(each, time) for each in self._proofs if self._is_whole(each, volumes)),
        )

    def _is_whole(self, each: Proof, volumes: Container[str] | None) -> bool:
        copy, kept = each.copy, self._kept
        is_same = copy.state is CopyState.PRESENT and copy.digest == kept.digest and copy.size_bytes == kept.size_bytes
        is_within_reach = volumes is None or copy.volume in volumes or copy.volume.startswith(PLACE)
        return each.is_ours and is_same and is_within_reach and copy.path not in self._story.unwhole

    def _copy(self, each: Proof, time: Timeline) -> CopyProof:
        copy = each.copy
        seq, _ = self._story.written.get(copy.volume, (0, 0))
        return CopyProof(
            volume=copy.volume,
            domain=copy.volume,  # a catalogue enrolls one disk for each role: each fails alone
            locator=copy.path,
            evidence=copy.evidence,
            proved_at_ms=copy.proved_at_ms,
            written_at_ms=copy.proved_at_ms - (time.between(seq, each.proved_seq) if seq else 0),
            journal_seq=seq,
        )


def copies_to_prove(connection: sqlite3.Connection, remote_asset_id: int) -> list[Copy]:
    """Every copy of every file of an asset: what has to be read again before it goes."""
    kept = (_keeper(connection, one) for one in _newest(gate.files(connection, remote_asset_id)))
    known = {one.id: one for one in kept if one is not None}
    return [copy for one in known for copy in copies.of_resource(connection, one)]


def contradiction(assessed: Iterable[Assessment]) -> NeedsHuman | None:
    """The first of these assets that is not as this box, honestly used, can have written it."""
    found = (reason for each in assessed for reason in each.contradictions)
    return next(map(soundness.unsound, found), None)


# ---------------------------------------------------------------- signing


def certify(
    connection: sqlite3.Connection, assessment: Assessment, policy: Policy, *, signer: Signer, now_ms: int
) -> Signed:
    """The signed proof, made in the transaction whose reading it states (I8). The asset has to be safe."""
    assert assessment.is_safe, "only what is safe is certified"
    seq, head = journal.last(connection)
    candidate = assessment.candidate
    return signer.sign(
        Certificate(
            source=candidate.source,
            remote_id=candidate.remote_id,
            change_tag=candidate.change_tag or "",
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + LIFE_MS,
            policy=policy,
            resources=assessment.resources,
            chain=ChainHead(seq=seq, sha256=head.hex()),
            public_key=signer.public_key,
        )
    )
