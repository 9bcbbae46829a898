"""What a household may expect, in few words: the model the state machine compares the box with."""

import hashlib
import os
from pathlib import Path

from whole.soundness import Original

EPOCH_S = 1_700_000_000


class Model:
    """What the owner has, what the box has said it keeps, and what is broken at the moment."""

    def __init__(self) -> None:
        self.sources: dict[Path, Original] = {}  # files the owner has not deleted
        self.kept: set[str] = set()  # digests seen whole in the archive: they stay, for good
        self.rotten: set[str] = set()  # those the disk has damaged since
        self.ticks = 0
        self.archive_away = self.source_away = self.is_swapped = self.is_full = False
        self.is_clock_wrong = False

    def wrote(self, path: Path, *, mtime_ns: int | None = None) -> None:
        """A file of the owner's is new, or new again; its time differs from every earlier one."""
        self.ticks += 1
        time_ns = mtime_ns if mtime_ns is not None else (EPOCH_S + self.ticks) * 10**9
        os.utime(path, ns=(time_ns, time_ns))
        self.sources[path] = Original(hashlib.sha256(path.read_bytes()).hexdigest(), time_ns)

    @property
    def is_able(self) -> bool:
        """Nothing keeps the box from finishing all its work."""
        return not (self.archive_away or self.source_away or self.is_swapped or self.is_full or self.is_clock_wrong)

    @property
    def has_archive(self) -> bool:
        return not (self.archive_away or self.is_swapped)

    def archive_shows(self, digests: set[str]) -> list[str]:
        """I1, I10: what was kept is still there."""
        lost = self.kept - self.rotten - digests
        self.kept |= digests
        return [f"LOST from the archive: {digest}" for digest in sorted(lost)]
