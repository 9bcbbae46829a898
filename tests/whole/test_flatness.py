"""A photo must cost the same in a large library as in a small one: nothing that is asked for each may read them all."""

import sqlite3
from collections import Counter
from typing import Any

import pytest

from mediabox.store.database import open_beside
from mediabox.store.keyed import Keyed
from whole.box import Household
from whole.examiner import read_table
from whole.family import FAMILY, pictures
from whole.plain_box import run_to_the_end

PHOTOS = 30
GROWING = ("resource", "asset", "facts", "copy", "written", "journal", "remote_asset", "membership", "similar")


def test_no_question_asked_for_each_photo_reads_a_whole_table(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """`resource_state` is the index of states: most of a catalogue is `archived`, so by that alone is all of it."""
    asked = counting(monkeypatch)
    box.found({**FAMILY, **pictures(PHOTOS)})

    run_to_the_end(box.home, read_table(box.table))

    often = [statement for statement, times in asked.items() if times >= PHOTOS // 2]
    with open_beside(box.home / "mediabox.db") as catalogue:
        plans = {statement: plan(catalogue, statement) for statement in often}
    assert len(plans) > 10, "nothing was overheard"
    assert not {statement: steps for statement, steps in plans.items() if reads_all(statement, steps)}


def counting(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """From now on, how often each statement is run, by any connection."""
    asked: Counter[str] = Counter()

    class Overheard(Keyed):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            asked[statement] += 1
            return super().execute(statement, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: connect(*args, **named | {"factory": Overheard}))
    return asked


def plan(catalogue: sqlite3.Connection, statement: str) -> list[str]:
    """SQLite's way to answer it; nothing for what has none (BEGIN, PRAGMA)."""
    if statement.split(maxsplit=1)[0] not in {"SELECT", "UPDATE", "DELETE"}:
        return []
    marks = max(statement.count("?"), 9)  # more values than it takes are refused, so find out by trying
    for count in range(marks + 1):
        try:
            return [row[3] for row in catalogue.execute(f"EXPLAIN QUERY PLAN {statement}", (None,) * count)]
        except sqlite3.ProgrammingError:
            continue
    raise AssertionError(statement)


def reads_all(statement: str, steps: list[str]) -> bool:
    """Whether it goes through a whole table that grows. In order of the rows and up to a LIMIT it ends at once."""
    is_sorted = any("TEMP B-TREE" in step for step in steps)
    if "LIMIT" in statement and not is_sorted:
        return False
    scans = any(step.split()[:2] == ["SCAN", table] for step in steps for table in GROWING)
    return scans or any("INDEX resource_state (state=?)" in step for step in steps)
