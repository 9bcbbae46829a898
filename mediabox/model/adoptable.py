"""Files of an older backup, and which of a source's files they may be. Pure, and never proof: bytes are.

Tools rename what they fetch. Read here: icloudpd's and kei's `IMG_1_HEVC.MOV` (a Live Photo's video),
`IMG_1-1884695.JPG` (the size, where a name was taken), `IMG_1_QWErty1.JPG` (policy `name-id7`),
`IMG_1-adjusted.JPG`, letters beyond ASCII left out and `<>:"|?*` replaced; osxphotos' `IMG_1 (1).jpg` and
`IMG_1_edited.jpeg`; the phone's own `IMG_E1.JPG` (icloudpd 3a97872 `icloudpd/base.py`, `icloudpd/paths.py`,
`pyicloud_ipd/utils.py`; kei's wiki, "Live Photos"; osxphotos #1346). What was named anew altogether, after a
date or a fingerprint, is known by its time or, when it is large, by its size alone.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import msgspec

from mediabox.model.naming import split_extension, stem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mediabox.model.asset import Resource

CLOSE_MS = 2_000  # FAT keeps even seconds only
SIZE_TELLS_BYTES = 500_000  # from here on few of 100,000 photos share a size by chance
MOST = 4  # candidates for one file

_COUNT = re.compile(r"\s*\(\d{1,4}\)$")
_ID7 = re.compile(r"_[A-Za-z0-9_-]{7}$")
_REPLACED = re.compile(r'[<>:"|?*\\/_\x00-\x1f]+')


class Adoptable(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it was when its folder was walked."""

    path: str  # absolute
    size_bytes: int
    modified_ns: int  # Unix nanoseconds
    source: str | None = None  # the one source it may be of; None: any

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def likely(files: Iterable[Adoptable], resource: Resource) -> list[Adoptable]:
    """Those that may be this resource, likeliest first, at most `MOST`."""
    ranked = [(rank, file) for file in files if (rank := _rank(file, resource))]
    ranked.sort(key=lambda each: (-each[0], each[1].path))
    return [file for _, file in ranked[:MOST]]


def _rank(file: Adoptable, resource: Resource) -> int:
    """0: another file. Its name says more than its time, and that more than its size alone."""
    if file.size_bytes != resource.size_bytes or file.source not in (None, resource.source):
        return 0
    has_name = bool(_names(file.name, file.size_bytes) & _names(resource.name, file.size_bytes))
    has_time = (
        resource.modified_at_ms is not None and abs(file.modified_ns // 1_000_000 - resource.modified_at_ms) <= CLOSE_MS
    )
    return 4 * has_name + 2 * has_time + (file.size_bytes >= SIZE_TELLS_BYTES)


def _names(name: str, size_bytes: int) -> set[str]:
    """What is left of a name when everything tools put into it or leave out of it is taken away."""
    before, extension = split_extension(unicodedata.normalize("NFC", name))
    before = before.removesuffix(f"-{size_bytes}")
    return {_plain(before, extension), _plain(_ID7.sub("", before), extension)}


def _plain(before: str, extension: str) -> str:
    """`stem` knows the marks of edits and of Live videos; the kind of file is not asked for, its size is the same."""
    before = _COUNT.sub("", before)
    left = _REPLACED.sub("_", before).encode("ascii", "ignore").decode()
    kept = left if left.strip(" _") else before  # all of it may be beyond ASCII
    return stem(f"{kept}.{extension}" if extension else kept).strip(" _")
