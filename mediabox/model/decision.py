"""What a person decided, as it is kept for good: in the catalogue, and as a line of a plain file in the archive."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class DecisionKind(StrEnum):
    """Stored words. `subject` of each: what the decision is about."""

    ALBUM = "album"  # an album of ours; subject: its id. document: name, sha256s
    STACK = "stack"  # pictures shown as one; subject: SHA-256 of the one on top. document: sha256s
    HIDDEN = "hidden"  # subject: SHA-256 of the asset's main file. document: source, where only one member hides it
    KEPT_BOTH = "kept_both"  # no duplicates of each other; subject: two SHA-256s, sorted, with `+` between
    ERASED = "erased"  # gone for good, never to be taken in again; subject: SHA-256 of a file
    NAME = "name"  # of a person; subject: its id. document: name, faces


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The newest about a kind and subject counts. `by`: the actor; `is_revoked`: it was taken back."""

    kind: DecisionKind
    subject: str
    at_ms: int  # Unix ms
    by: str = ""
    is_revoked: bool = False
    document: dict[str, object] = {}
