"""What the asset index says of copies follows every transaction that proves, delivers or loses one."""

import sqlite3
from pathlib import Path

import pytest
from core.catalogue_of import DAY_MS, NOW_MS, Catalogued, ScriptedSource, live, original, photo

from mediabox.core import indexing
from mediabox.core.queries.find import find_assets
from mediabox.core.verification import record
from mediabox.model.ledger import Copy, CopyState, Evidence
from mediabox.store import copies, journal, trash
from mediabox.store.database import Database

A = "Primary/A"


@pytest.fixture
async def box(tmp_path: Path) -> Catalogued:
    async with Database(tmp_path / "mediabox.db", follow=indexing.follow) as database:
        catalogued, cloud = Catalogued(database), ScriptedSource("anna")
        cloud.say(photo(A, original(A), live(A)))
        await catalogued.intake.list_once(cloud)
        await catalogued.archive(f"{A}/original", f"{A}/live")
        for name in ("original", "live"):
            one = await catalogued.file(f"{A}/{name}")
            await database.write(
                lambda connection, one=one: journal.append(
                    connection, "archived", at_ms=NOW_MS, resource_id=one.id, asset_id=one.asset_id
                )
            )
        yield catalogued


async def copy_of(box: Catalogued, name: str, evidence: Evidence, *, volume: str, at_ms: int) -> Copy:
    one = await box.file(f"{A}/{name}")
    return Copy(
        resource_id=one.id,
        volume=volume,
        path=f"2024/{name}",
        size_bytes=2,
        digest=one.digest or "",
        evidence=evidence,
        proved_at_ms=at_ms,
    )


async def put(box: Catalogued, name: str, evidence: Evidence, *, volume: str = "phone", at_ms: int = NOW_MS) -> None:
    copy = await copy_of(box, name, evidence, volume=volume, at_ms=at_ms)
    await box.database.write(lambda connection: copies.put(connection, copy))


async def answers(box: Catalogued, query: str) -> bool:
    page = await box.database.read(lambda connection: find_assets(connection, query, today="2026-12-01"))
    return page.total == 1


async def test_an_asset_has_as_many_copies_as_its_least_copied_file(box: Catalogued) -> None:
    before = await answers(box, "copies:1 reread:1 verified:0 delivered:0")

    await put(box, "original", Evidence.VERIFIED, volume="cloud")
    one_file = await answers(box, "copies:1")
    await put(box, "live", Evidence.VERIFIED, volume="cloud")

    assert before
    assert one_file
    assert await answers(box, "copies:2 reread:1 verified:1")


async def test_what_a_peer_shows_is_delivered_and_no_proved_copy(box: Catalogued) -> None:
    for name in ("original", "live"):
        await put(box, name, Evidence.PEER)
    there = await answers(box, "delivered:1 copies:1")

    copy = await copy_of(box, "live", Evidence.FREED, volume="phone", at_ms=NOW_MS)
    await box.database.write(lambda connection: copies.put(connection, copy))

    assert there
    assert await answers(box, "delivered:0 copies:1")


async def test_proved_is_the_oldest_of_its_files_newest_proofs_and_is_renewed_without_a_row_in_the_journal(
    box: Catalogued,
) -> None:
    files = [await box.file(f"{A}/{name}") for name in ("original", "live")]
    held = [copy for one in files for copy in await box.ask(copies.of_resource, one.id)]
    assert await answers(box, "proved:2025-10-09")  # NOW_MS

    later = NOW_MS + 40 * DAY_MS
    await box.database.write(lambda connection: record(connection, [(held[0], CopyState.PRESENT)], now_ms=later))
    one_file = await answers(box, "proved:2025-10-09")
    await box.database.write(lambda connection: record(connection, [(held[1], CopyState.PRESENT)], now_ms=later))

    assert one_file
    assert await answers(box, "proved:2025-11-18 archived:2025-10-09")


@pytest.mark.parametrize("state", [CopyState.MISSING, CopyState.DAMAGED])
async def test_a_copy_that_is_missing_or_damaged_counts_no_more(box: Catalogued, state: CopyState) -> None:
    [held] = await box.ask(copies.of_resource, (await box.file(f"{A}/live")).id)

    await box.database.write(lambda connection: record(connection, [(held, state)], now_ms=NOW_MS))

    assert await answers(box, "copies:0 -has:proved has:archived")


async def test_a_copy_that_is_forgotten_counts_no_more(box: Catalogued) -> None:
    one = await box.file(f"{A}/live")
    [held] = await box.ask(copies.of_resource, one.id)

    def forget(connection: sqlite3.Connection) -> None:
        trash.forget_copy(connection, one.id, held.path)

    await box.database.write(forget)

    assert await answers(box, "copies:0 -has:proved")
