"""Bytes that were taken in."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Likeness(StrEnum):
    """What a file of an older backup was held against. Kept in the journal: only the first proves it whole."""

    CHECKSUM = "checksum"  # the source's own, of all its bytes
    SAMPLES = "samples"  # the source's bytes where they were looked at


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """A resource's bytes are durable in the spool."""

    digest: str
    size_bytes: int
    adopted_from: str | None = None  # path of the file that was taken instead of fetching
    adopted_by: Likeness | None = None  # what it was held against
