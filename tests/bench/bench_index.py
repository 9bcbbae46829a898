"""The asset index: what it costs a photo, with and without it in turn; and what people's questions cost at 100,000.

CPU of this process by the kernel's account. The photos are real facts in real transactions, forty to a commit as the
runner gathers them; nothing is read or decoded, so that the index is not lost in the noise of that.
"""

import random
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import ground
import measure
from prefill import database, prefill
from table import Row

from mediabox.core import indexing
from mediabox.core.queries.find import find_assets
from mediabox.core.queries.timeline import months, timeline
from mediabox.model.wall_clock import local_of, wall_ms
from mediabox.store import asset_index, assets, copies, examined, figures, journal
from mediabox.store.database import open_beside
from mediabox.store.keyed import Keyed
from mediabox.store.transaction import transaction

MANY, NEW, GATHERED, ROUNDS = 100_000, 2_000, 40, 5
FIRST_MS, LAST_MS = wall_ms("2005-01-01"), wall_ms("2026-01-01")
MAIN_JOB_MS = 60  # CPU of a JPEG, below what RESULTS has of this machine's


def cpu_ms(work: Callable[[], object], times: int = 9) -> float:
    """Median of some runs."""
    found = []
    for _ in range(times):
        before = time.process_time()
        work()
        found.append((time.process_time() - before) * 1000)
    return statistics.median(found)


def home_of_many() -> Path:
    """100,000 photos over twenty years, nothing of them indexed."""
    home = ground.RUNS / "home-index"
    shutil.rmtree(home, ignore_errors=True)
    measure.paired([ground.ours(ground.linked(ground.corpus("jpeg", 1), "pictures"), home, items=1)], 1)
    prefill(home, MANY)
    chance = random.Random(1)
    with closing(open_beside(database(home), write=True)) as connection, transaction(connection):
        rows = connection.execute("SELECT resource_id, document FROM facts").fetchall()
        for resource_id, document in rows:
            taken = local_of(chance.randrange(FIRST_MS, LAST_MS))
            changed = document.replace('"local":"', f'"local":"{taken}","was":"', 1)
            connection.execute("UPDATE facts SET document = ? WHERE resource_id = ?", (changed, resource_id))
    return home


def archive(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """As the steps of these photos change the catalogue, each in turn."""
    for number in numbers:
        kept = assets.resource(connection, number)
        facts = examined.facts(connection, number)
        (copy,) = copies.of_resource(connection, number)
        examined.put_facts(connection, number, facts)
        for event in ("fetched", "examined", "placed", "archived"):
            if event == "archived":
                copies.put(connection, copy)
            journal.append(connection, event, at_ms=1, resource_id=number, asset_id=kept.asset_id, path=kept.path)


def cost_us(path: Path, follow: Callable[[sqlite3.Connection], None] | None, first: int) -> float:
    """CPU a photo, in microseconds."""
    with closing(open_beside(path, write=True, follow=follow)) as connection:
        before = time.process_time()
        for start in range(first, first + NEW, GATHERED):
            with transaction(connection):
                archive(connection, range(start, start + GATHERED))
        return (time.process_time() - before) / NEW * 1e6


def paired_cost_us(path: Path) -> float:
    """The median of what the index adds, each photo indexed for the first time."""
    added = []
    for turn in range(ROUNDS):
        with closing(open_beside(path, write=True)) as connection, transaction(connection):
            asset_index.set_indexed_until(connection, journal.last(connection)[0])
        on = cost_us(path, indexing.follow, 1000 + turn * NEW)
        off = cost_us(path, None, 50_000 + turn * NEW)
        added.append(on - off)
    return statistics.median(added)


def index_all(path: Path) -> None:
    with closing(open_beside(path, write=True)) as connection:
        for start in range(1, MANY + 1, 5_000):
            with transaction(connection):
                for asset_id in range(start, min(start + 5_000, MANY + 1)):
                    indexing.index(connection, asset_id)


def questions(connection: Keyed) -> list[Row]:
    everybody, one = None, frozenset({connection.execute("SELECT name FROM source LIMIT 1").fetchone()[0]})

    def row(what: str, most: float, work: Callable[[], object]) -> Row:
        work()
        return Row(what=f"{what}, {MANY:,} photos, CPU", unit="ms", ours=cpu_ms(work), most=most)

    def find(query: str) -> Callable[[], object]:
        return lambda: find_assets(connection, query, today="2026-12-01")

    return [
        row("months with their counts", 15, lambda: months(connection, seen_by=one)),
        row("120 of the timeline, the newest", 1, lambda: timeline(connection, seen_by=one)),
        row("120 of the timeline, amid it", 1, lambda: timeline(connection, seen_by=one, month="2014-06")),
        row("120 of the timeline, the oldest", 1, lambda: timeline(connection, seen_by=one, month="2005-02")),
        row("120 of everybody's, the oldest", 1, lambda: timeline(connection, seen_by=everybody, month="2005-02")),
        row("find one name", 5, find("PREFILLED_0012345")),
        row("find words begun, hundreds of hits", 5, find("PREFILLED_00123")),
        row("status, in the store", 15, lambda: figures.status(connection, now_ms=1)),
    ]


def run() -> list[Row]:
    path = database(home_of_many())
    added_us = paired_cost_us(path)
    index_all(path)
    with closing(open_beside(path)) as connection:
        asked = questions(connection)
    share = Row(what="... of the main job on a JPEG", unit="%", ours=added_us / MAIN_JOB_MS / 10, most=1)
    return [Row(what="the index, CPU more a photo", unit="µs", ours=added_us, most=150), share, *asked]
