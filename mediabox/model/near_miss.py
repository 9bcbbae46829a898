"""What somebody meant who wrote a name that is not known."""

import difflib
from collections.abc import Iterable

CLOSE_ENOUGH = 0.6  # difflib's ratio: `templat`, `tempalte` find `template`, `folder` does not


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'template'?`; "" when nothing known is close."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=CLOSE_ENOUGH)
    return f"did you mean {close[0]!r}?" if close else ""
