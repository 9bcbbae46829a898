"""When the pages of a listing are written: each before the next is looked at, the last one with the listing's end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from core.catalogue_of import Catalogued, ScriptedSource, original, photo

from mediabox.contracts import Page
from mediabox.errors import Away
from mediabox.model.asset import RemoteResource
from mediabox.model.survey import Survey
from mediabox.store import listings

MET = Survey(listed=2)


class Surveyed(ScriptedSource):
    """Says at its end what it met; and may go away, or wait, behind a page."""

    met: Survey | None = MET
    ends: Callable[[], Any] = staticmethod(lambda: None)

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        async for page in super().pages(cursor):
            yield page
        if (ending := self.ends()) is not None:
            await ending

    def survey(self) -> Survey | None:
        return self.met


@pytest.fixture
def source() -> Surveyed:
    return Surveyed()


@pytest.fixture
def commits(box: Catalogued, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each transaction changed."""
    found: list[int] = []
    write = box.database.write

    async def counted(work: Callable[[sqlite3.Connection], Any]) -> Any:
        def counting(connection: sqlite3.Connection) -> Any:
            before = connection.total_changes
            result = work(connection)
            found.append(connection.total_changes - before)
            return result

        return await write(counting)

    monkeypatch.setattr(box.database, "write", counted)
    return found


async def known(box: Catalogued) -> tuple[int, str | None, dict[str, Survey]]:
    """How many files there are, the cursor, and what the last whole listing met."""
    ((count,),) = await box.rows("SELECT count(*) FROM resource")
    return count, await box.ask(listings.cursor, "cloud"), await box.ask(listings.surveys)


def say(source: ScriptedSource, *names: str) -> None:
    for name in names:
        source.say(photo(f"P/{name}", original(f"P/{name}", version=name)))


async def test_the_only_page_and_the_end_of_the_listing_are_one_commit(box, source, commits) -> None:
    say(source, "a")

    await box.intake.list_once(source)

    assert [changed > 0 for changed in commits] == [True]
    assert await known(box) == (1, "1", {"cloud": MET})


async def test_a_page_is_written_before_the_next_is_compared_with_what_is_known(box, source, commits) -> None:
    say(source, "a", "a", "b")  # the source tells of one photo twice

    listing = await box.intake.list_once(source)

    assert listing.new == 2
    assert [changed > 0 for changed in commits] == [True, True, True]
    assert await known(box) == (2, "3", {"cloud": MET})


async def test_a_page_of_a_source_that_says_nothing_at_its_end_is_written_at_once(box, cloud, commits) -> None:
    """A server's next page may take minutes; what came is fetched meanwhile."""
    known_then: list[int] = []
    pages = cloud.pages

    async def slow(cursor: str | None) -> AsyncIterator[Page]:
        async for page in pages(cursor):
            yield page
            known_then.append((await known(box))[0])

    cloud.pages = slow
    say(cloud, "a", "b")

    await box.intake.list_once(cloud)

    assert known_then == [1, 2]
    assert [changed > 0 for changed in commits] == [True, True]


@pytest.mark.parametrize("error", [Away("nobody answers", part="source:cloud"), RuntimeError("a bug")], ids=repr)
async def test_what_was_listed_before_something_went_wrong_counts_and_the_end_does_not(
    box, source, error: Exception
) -> None:
    async def fail() -> None:
        raise error

    source.ends = fail
    say(source, "a", "b")

    with suppress(RuntimeError):
        assert await box.intake.list_once(source) is None

    assert await known(box) == (2, "2", {})
    source.ends = lambda: None
    assert (await box.intake.list_once(source)).new == 0
    assert await known(box) == (2, "2", {"cloud": MET})


async def test_a_listing_that_is_stopped_goes_on_behind_what_is_written(box, source) -> None:
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    source.ends = hang
    say(source, "a", "b")
    listing = asyncio.create_task(box.intake.list_once(source))
    await reached.wait()
    listing.cancel()
    with suppress(asyncio.CancelledError):
        await listing
    assert await known(box) == (1, "1", {})

    source.ends = lambda: None
    await box.intake.list_once(source)

    assert await known(box) == (2, "2", {"cloud": MET})


async def test_a_listing_that_meets_the_same_again_writes_nothing(box, source, commits) -> None:
    source.script = [Page(assets=(photo("P/a", said=None),))]  # a folder: no cursor
    await box.intake.list_once(source)
    commits.clear()

    await box.intake.list_once(source)
    assert sum(commits) == 0

    source.met = Survey(listed=3)
    await box.intake.list_once(source)
    assert sum(commits) == 1
    assert (await known(box))[2] == {"cloud": Survey(listed=3)}


async def test_a_file_that_is_none_of_ours_is_remembered_with_the_end(box, source, commits) -> None:
    unnamed = RemoteResource(remote_id="t/notes", version="1", name="notes", size_bytes=5)
    source.heads = {"t/notes": b"hello"}
    source.script = [Page(assets=(), undecided=(unnamed,))]

    listing = await box.intake.list_once(source)

    assert (listing.ignored, [changed > 0 for changed in commits]) == (1, [True])
    assert await box.rows("SELECT remote_id FROM ignored") == [("t/notes",)]
