"""Open issues as lines for a person: what is wrong, since when, what to do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mediabox.cli.words import plain
from mediabox.message import A_MOMENT_S
from mediabox.messages.reader import in_words, tr

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
            yield plain(f"! {_dated(issue, now_ms)}")
            if issue.remedy:
                yield plain(tr("  What to do: {remedy}", remedy=issue.remedy))
    for key, count in counts.items():
        if count > MOST_OF_A_KIND:
            more = count - MOST_OF_A_KIND
            yield tr("! and {more:n} more of kind {key}; `mediabox status --json` lists all", more=more, key=key)


def _dated(issue: Issue, now_ms: int | None) -> str:
    age_s = 0 if now_ms is None else (now_ms - issue.opened_at_ms) / 1000
    if age_s < A_MOMENT_S:
        return in_words(issue.message)
    return tr("{message} ({age:ago})", message=issue.message, age=age_s)
