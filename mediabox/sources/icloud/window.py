"""Reading an index page by page, by rank, while people add and delete.

Ranks move under us: a photo deleted before rank 500 brings number 500 to 499, and a page
that begins at 500 would miss it for good. So each page begins a little before the end of
the last one and must contain one of its last names; if it does not, we step back until it
does. What moves the other way is listed twice, which costs nothing.

A short page is no end, and an empty one neither (kei #536: 1,236 photos short of the count):
it is asked for again, then behind it; a marker that came with it is followed instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.sources.icloud.cursor import LibraryCursor

OVERLAP = 4
STEP_BACK = 90
MOST_EMPTY = 3  # pages in a row with nothing new: asked again, then what is behind (kei asks five times)
MOST_PROMISED = 20  # and where each of them says with a marker that there is more


def start_of(progress: LibraryCursor, *, full: int) -> int:
    """The rank to ask for next."""
    if progress.empties > 1:
        return progress.rank + full * (progress.empties - 1)
    return max(0, progress.rank - OVERLAP) if progress.anchors else progress.rank


def advance(
    progress: LibraryCursor, names: Sequence[str], *, full: int, marker: str | None
) -> tuple[LibraryCursor, bool]:
    """(where to go on, whether the index is at its end) after a page of these names.

    `full` is how many a whole page has, `marker` what came with it. Progress at a lower rank than before
    means that ranks have moved: the page is no continuation and is to be read again from there.
    """
    start, known = start_of(progress, full=full), set(progress.anchors)
    is_ranked = progress.marker is None and progress.empties < 2
    if names and known and start > 0 and is_ranked and not known & set(names):
        return _step_back(progress, start), False
    doubt = f"{start} {' '.join(progress.anchors)}"
    if not names and known and progress.empties == 1 and doubt != progress.doubted:
        # What is left may have moved to before this rank. Once: if it stands where it stood, this is a gap.
        return msgspec.structs.replace(_step_back(progress, start), doubted=doubt), False
    if not set(names) - known:
        return _nothing_new(progress, names, marker)
    if progress.marker is None:
        rank = max(progress.rank, start + len(names))  # lower only where a page is to be read again
        return _at(progress, rank, tuple(names[-OVERLAP:])), False
    # Ranks do not count what an empty page stood for: from here on the markers lead, and behind the last the ranks.
    anchors = tuple(names[-OVERLAP:]) if marker is not None else ()
    return msgspec.structs.replace(_at(progress, progress.rank + len(names), anchors), marker=marker), False


def _nothing_new(progress: LibraryCursor, names: Sequence[str], marker: str | None) -> tuple[LibraryCursor, bool]:
    # What we had comes once more: this is not the answer's mistake, so it is not asked for again.
    empties = max(progress.empties + 1, 2 if names else 0)
    if empties >= (MOST_PROMISED if marker is not None else MOST_EMPTY):
        return _at(progress, progress.rank, ()), True
    return msgspec.structs.replace(progress, empties=empties, marker=marker), False


def _step_back(progress: LibraryCursor, start: int) -> LibraryCursor:
    return _at(progress, max(0, start - STEP_BACK), progress.anchors if start > STEP_BACK else ())


def _at(progress: LibraryCursor, rank: int, anchors: tuple[str, ...]) -> LibraryCursor:
    return msgspec.structs.replace(progress, rank=rank, anchors=anchors, empties=0, marker=None)
