"""Waits grow, are spread, are bounded, and are never shorter than the other side asked for."""

import random
import re
from pathlib import Path

import pytest

from mediabox import supervise
from mediabox.core import parts, retry
from mediabox.model.backoff import Backoff
from mediabox.sources.icloud import dead_links

ROOT = Path(__file__).parents[2] / "mediabox"
ALL = [retry.JOBS, supervise.BACKOFF, parts.BACKOFF, dead_links.BACKOFF, Backoff(first_s=4, longest_s=300, spread=1)]


@pytest.mark.parametrize("backoff", ALL)
def test_waits_double_up_to_the_longest(backoff: Backoff) -> None:
    dice = random.Random(1)
    for failures in range(40):
        ceiling = min(backoff.longest_s, backoff.first_s * 2**failures)
        least = ceiling * (1 - backoff.spread)
        assert all(least <= backoff.wait_s(failures, dice=dice) <= ceiling for _ in range(20))


@pytest.mark.parametrize("backoff", ALL)
def test_the_other_sides_wish_is_a_minimum(backoff: Backoff) -> None:
    assert backoff.wait_s(0, asked_s=backoff.longest_s * 2) == backoff.longest_s * 2
    assert backoff.wait_s(20, asked_s=0.001) >= backoff.longest_s * (1 - backoff.spread)


def test_waits_are_spread_only_where_that_is_wanted() -> None:
    assert len({retry.JOBS.wait_s(5) for _ in range(20)}) == 20
    assert {parts.BACKOFF.wait_s(2) for _ in range(20)} == {8.0}


def test_nobody_else_doubles_waits_of_their_own() -> None:
    own = re.compile(r"2 ?\*\* ?min\(|_s \* 2\b|\b2 \* self\._\w*_s\b")
    rooms = [path for path in ROOT.rglob("*.py") if not {"simulate", "native"} & set(path.parts)]

    found = [str(path.relative_to(ROOT)) for path in rooms if own.search(path.read_text(encoding="utf-8"))]

    assert found == ["model/backoff.py"]
