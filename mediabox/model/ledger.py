"""Copies and the evidence that they exist."""

from enum import StrEnum

import msgspec


class Evidence(StrEnum):
    """How sure we are of a copy. Only `R` and `V` count toward a release (safety model, 3.3)."""

    REREAD = "R"  # re-read by us past the page cache, SHA-256 equal
    VERIFIED = "V"  # the store computed a strong hash itself and returned it
    PEER = "P"  # a peer reports it complete
    FREED = "F"  # it left the peer after that: nobody can tell why, so it proves nothing (decision 0011)
    SENT = "S"  # sent, accepted, nothing more


class CopyState(StrEnum):
    PRESENT = "present"
    MISSING = "missing"  # looked for on a proven volume and not found
    DAMAGED = "damaged"  # found with other bytes


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of one resource. `proved_at_ms` is when `evidence` was last obtained (Unix ms)."""

    resource_id: int
    volume: str  # the volume's UUID, or a destination's name
    path: str
    size_bytes: int
    digest: str
    evidence: Evidence
    proved_at_ms: int
    state: CopyState = CopyState.PRESENT


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination hands back for one delivered resource."""

    volume: str
    path: str
    size_bytes: int
    digest: str
    evidence: Evidence
