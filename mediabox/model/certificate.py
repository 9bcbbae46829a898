"""The proof that an asset may be freed at its source: what is signed, and how it is written.

A certificate says what was proved, at which time, under which policy. Its bytes are
canonical JSON (keys sorted, no spaces, UTF-8, no floats), so that there is one way to
write it and every altered bit shows. `cli/verify_certificate.py` reads it without us.
"""

import json

import msgspec

from mediabox.model.google_photos import PLACE
from mediabox.model.ledger import Evidence

VERIFIER = 2  # the oldest version of `cli/verify_certificate.py` that understands what is written now
FORMAT = f"mediabox-release-{VERIFIER}"
LIFE_MS = 24 * 3_600_000  # a proof ages; whoever releases later proves again
COUNTED = frozenset({Evidence.REREAD, Evidence.VERIFIED})  # the others are shown, never counted


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What "safe" means (safety model, section 3.3). The numbers of copies may be the owner's; the ages are ours."""

    copies: int = 2  # of class R or V
    domains: int = 2  # disks or hosts that do not fail together
    rereads: int = 1  # of the copies, of class R, on disks of the owner: what Google Photos gave back is no such
    newest_proof_ms: int = 24 * 3_600_000  # the newest proof is at most this old
    oldest_proof_ms: int = 45 * 86_400_000  # an older one counts as none (I7)
    settled_ms: int = 12 * 3_600_000  # one re-read this long after the write: catches lying caches and bad memory
    quarantine_ms: int = 30 * 86_400_000  # archived for this long before it may go


class CopyProof(msgspec.Struct, frozen=True, kw_only=True):
    """One copy and what proves it. Times in Unix ms."""

    volume: str
    domain: str  # what fails together with it
    locator: str  # path on the volume, or the key at a store
    evidence: Evidence
    proved_at_ms: int
    written_at_ms: int
    journal_seq: int  # the journal's row about it


class ResourceProof(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the asset as the source has it, with its copies."""

    remote_id: str
    version: str
    sha256: str
    size_bytes: int
    archived_at_ms: int
    copies: tuple[CopyProof, ...]


class ChainHead(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's newest row when the certificate was made."""

    seq: int
    sha256: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """One asset, whole (I9): every file of it with its proofs."""

    format: str = FORMAT
    source: str
    remote_id: str
    change_tag: str  # of exactly the asset that was downloaded
    issued_at_ms: int
    expires_at_ms: int
    policy: Policy
    resources: tuple[ResourceProof, ...]
    chain: ChainHead
    public_key: str  # Ed25519, 64 hex digits


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    certificate: Certificate
    signature: str  # Ed25519 over the certificate's canonical bytes, 128 hex digits


def canonical(value: msgspec.Struct) -> bytes:
    """The one way to write it."""
    text = json.dumps(
        msgspec.to_builtins(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def shortfalls(policy: Policy, resource: ResourceProof, *, now_ms: int) -> list[str]:
    """Why this file's copies do not satisfy the policy, for a person; empty when they do."""
    counted = [copy for copy in resource.copies if is_counted(policy, copy, now_ms=now_ms)]
    rereads = [copy for copy in counted if copy.evidence is Evidence.REREAD and not copy.volume.startswith(PLACE)]
    domains = {copy.domain for copy in counted}
    found = []
    if len(counted) < policy.copies:
        found.append(f"{len(counted)} of {policy.copies} proved copies")
    if len(domains) < policy.domains:
        found.append(f"copies on {len(domains)} of {policy.domains} independent disks or hosts")
    if len(rereads) < policy.rereads:
        found.append("no copy we have read again ourselves")
    elif not any(copy.proved_at_ms - copy.written_at_ms >= policy.settled_ms for copy in rereads):
        found.append(f"not read again {policy.settled_ms // 3_600_000} hours after it was written")
    if counted and now_ms - max(copy.proved_at_ms for copy in counted) > policy.newest_proof_ms:
        found.append("the newest proof is more than a day old")
    if now_ms - resource.archived_at_ms < policy.quarantine_ms:
        found.append(f"archived less than {policy.quarantine_ms // 86_400_000} days ago")
    return found


def is_counted(policy: Policy, copy: CopyProof, *, now_ms: int) -> bool:
    """Whether a copy counts: R or V, its proof neither too old nor of the future (I7, I13)."""
    return copy.evidence in COUNTED and 0 <= now_ms - copy.proved_at_ms <= policy.oldest_proof_ms
