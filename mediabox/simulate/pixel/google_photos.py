"""Google Photos on the phone: backs up what the media scanner knows, and frees the phone of what is backed up.

What it takes: support.google.com/photos/answer/6193313 (formats; 200 MB, 200 megapixels and more than 256 x 256
for a still, 10 GB for a video; seen 2026-11). "Free up space" removes only what is backed up as it is now.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from mediabox.model.asset import Kind
from mediabox.simulate.pixel.cloud import Backup
from mediabox.simulate.pixel.generation import is_reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from mediabox.simulate.pixel.cloud import Cloud
    from mediabox.simulate.pixel.generation import Model
    from mediabox.simulate.pixel.media_store import Known

PICTURES = frozenset(
    {
        "image/jpeg", "image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence", "image/avif",
        "image/png", "image/apng", "image/webp", "image/gif",
        # "most RAW files"
        "image/x-adobe-dng", "image/x-canon-cr2", "image/x-canon-cr3", "image/x-nikon-nef", "image/x-nikon-nrw",
        "image/x-sony-arw", "image/x-sony-sr2", "image/x-sony-srf", "image/x-panasonic-rw2", "image/x-olympus-orf",
        "image/x-pentax-pef", "image/x-samsung-srw", "image/x-fujifilm-raf", "image/x-leica-rwl",
    }
)  # fmt: skip
VIDEOS = frozenset(
    {
        "video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2", "video/matroska",
        "video/x-msvideo", "video/mp2t", "video/mpeg", "video/x-ms-asf", "video/x-ms-wmv",
    }
)  # fmt: skip
_LARGEST_BYTES = {Kind.PICTURE: 200_000_000, Kind.VIDEO: 10_000_000_000}
_MOST_PIXELS = 200_000_000
_DAY_MS = 86_400_000
_CHUNK_BYTES = 1 << 20


class GooglePhotos:
    """Blocking: backing up reads whole files."""

    def __init__(
        self, root: Path, cloud: Cloud, *, model: Model, now_ms: Callable[[], int], smallest_side: int = 0
    ) -> None:
        """`smallest_side`: stills with fewer pixels on one side are left alone."""
        self._root = root
        self._cloud = cloud
        self._model = model
        self._now_ms = now_ms
        self._smallest_side = smallest_side
        self._credit_bytes = 0.0  # of the line, towards the file that is being sent

    def waiting(self, known: Iterable[Known]) -> list[Known]:
        """What it would back up, newest first as Google Photos does."""
        missing = [one for one in known if self._takes(one) and not self._is_backed_up(one)]
        return sorted(missing, key=lambda one: (one.modified_at_ns, one.name), reverse=True)

    def work(self, known: Iterable[Known], *, budget_bytes: float) -> int:
        """Send with this much of the line; how many files arrived. What is left over counts for the next time."""
        waiting = self.waiting(known)
        self._credit_bytes = self._credit_bytes + budget_bytes if waiting else 0.0
        done = 0
        for one in waiting:
            if one.size_bytes > self._credit_bytes:
                break
            self._credit_bytes -= one.size_bytes
            done += self._back_up(one)
        return done

    def freeable(self, files: Mapping[str, os.stat_result], *, min_age_days: float = 0.0) -> list[str]:
        """What "Free up space" would remove: backed up as it is now and, with an age, taken at least so long ago."""
        newest_ns = (self._now_ms() - min_age_days * _DAY_MS) * 1_000_000
        return [
            name
            for name, status in files.items()
            if self._cloud.has_version(name, status.st_ctime_ns)
            and (not min_age_days or status.st_mtime_ns <= newest_ns)
        ]

    def trickling(self, files: Mapping[str, os.stat_result], *, min_age_days: float) -> list[str]:
        """What Smart Storage (Files by Google) may remove, the longest backed up first.

        It permanently deletes what was backed up so long ago, 60 days where nobody set another time, and a little
        at a time (9to5google.com/2021/09/10/google-smart-storage-files-pixel; Android's own Storage manager of 8
        to 11 offers 30, 60 and 90 days).
        """
        newest_ms = self._now_ms() - min_age_days * _DAY_MS
        found = [self._cloud.version(name, status.st_ctime_ns) for name, status in files.items()]
        old = [backup for backup in found if backup is not None and backup.at_ms <= newest_ms]
        return [backup.name for backup in sorted(old, key=lambda one: (one.at_ms, one.name))]

    def _takes(self, one: Known) -> bool:
        """Whether Google Photos backs up such a file at all."""
        if one.media_type in VIDEOS:
            return one.size_bytes <= _LARGEST_BYTES[Kind.VIDEO]
        is_picture = one.media_type in PICTURES and one.size_bytes <= _LARGEST_BYTES[Kind.PICTURE]
        return is_picture and (one.sides is None or self._has_right_sides(*one.sides))

    def _has_right_sides(self, width: int, height: int) -> bool:
        return width * height <= _MOST_PIXELS and min(width, height) >= self._smallest_side

    def _is_backed_up(self, one: Known) -> bool:
        return self._cloud.has_version(one.name, one.changed_at_ns)

    def _back_up(self, one: Known) -> bool:
        """Whether it arrived: not when it is gone or another since the scanner looked."""
        try:
            with (self._root / one.name).open("rb") as file:
                backup = self._sent(one, file)
                if os.fstat(file.fileno()).st_ctime_ns != one.changed_at_ns:
                    return False
        except FileNotFoundError:
            return False
        self._cloud.add(backup)
        return True

    def _sent(self, one: Known, file: BinaryIO) -> Backup:
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
        quality = self._model.quality
        return Backup(
            name=one.name,
            digest=digest.hexdigest(),
            size_bytes=one.size_bytes,
            at_ms=self._now_ms(),
            media_type=one.media_type or "",
            quality=quality,
            is_reduced=is_reduced(quality, one.kind, one.sides),
            counts_quota=self._model.counts_quota,
            is_again=self._cloud.has(digest.hexdigest()),
            changed_at_ns=one.changed_at_ns,
        )
