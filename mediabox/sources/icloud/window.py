"""Reading an index page by page, by rank, while people add and delete.

Ranks move under us: a photo deleted before rank 500 brings number 500 to 499, and a page
that begins at 500 would miss it for good. So each page begins a little before the end of
the last one and must contain one of its last names; if it does not, we step back until it
does. What moves the other way is listed twice, which costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.sources.icloud.cursor import Progress

OVERLAP = 4
STEP_BACK = 90


def start_of(progress: Progress) -> int:
    """The rank to ask for next."""
    return max(0, progress.rank - OVERLAP) if progress.anchors else progress.rank


def advance(progress: Progress, names: Sequence[str], *, full: int, has_more: bool) -> tuple[Progress, bool]:
    """(where to go on, whether the index is at its end) after a page of these names.

    `full` is how many a whole page has. Progress at a lower rank than before means that
    ranks have moved: the page is no continuation and is to be read again from there.
    """
    start = start_of(progress)
    if progress.anchors and start > 0 and not set(progress.anchors) & set(names):
        return _at(progress, max(0, start - STEP_BACK), progress.anchors if start > STEP_BACK else ()), False
    after = start + len(names)
    if not names or (len(names) < full and not has_more):
        return _at(progress, after, ()), True
    if after <= progress.rank:  # nothing but what we had, and yet it is said to be no end: look right behind it
        return _at(progress, progress.rank, ()), False
    return _at(progress, after, tuple(names[-OVERLAP:])), False


def _at(progress: Progress, rank: int, anchors: tuple[str, ...]) -> Progress:
    return msgspec.structs.replace(progress, rank=rank, anchors=anchors)
