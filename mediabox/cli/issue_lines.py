"""Open issues as lines for a person: what is wrong, since when, what to do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mediabox.cli.words import ago, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mediabox.model.issue import Issue

MOST_OF_A_KIND = 10  # one fault can meet every file of a library


def issue_lines(issues: Iterable[Issue], *, now_ms: int | None = None) -> Iterator[str]:
    """Each issue and its remedy; of many of one kind the first ten, and how many more there are."""
    counts: Counter[str] = Counter()
    for issue in issues:
        counts[issue.key] += 1
        if counts[issue.key] <= MOST_OF_A_KIND:
            since = f" (since {ago(issue.opened_at_ms, now_ms)})" if now_ms is not None else ""
            yield plain(f"! {issue.message}{since}")
            if issue.remedy:
                yield plain(f"  What to do: {issue.remedy}")
    for key, count in counts.items():
        if count > MOST_OF_A_KIND:
            yield f"! and {count - MOST_OF_A_KIND:,} more of the kind {key}: `mediabox status --json` has them all"
