"""A file that comes alone: its fetch and its examination share a commit, and nothing else changes for it."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from core.catalogue_of import Catalogued, ScriptedSource, original, photo
from core.test_pipeline import ScriptedStage, knowing, left, pipeline_of, raising, run_out, running, staging

from mediabox.contracts import Setback, Staged, StepResult, Work
from mediabox.core import pipeline as runner
from mediabox.errors import Away, Permanent, Retryable
from mediabox.model.asset import ResourceState
from mediabox.store import assets, issues

LONE = "P/a/original"


@pytest.fixture(autouse=True)
def _nobody_waits_for_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GATHER_S", 0.001)


async def arrive(box: Catalogued, cloud: ScriptedSource, *names: str) -> None:
    cloud.say(*(photo(f"P/{name}", original(f"P/{name}", version=name)) for name in names))
    assert await box.intake.list_once(cloud) is not None


@pytest.fixture
async def lone(box: Catalogued, cloud: ScriptedSource) -> str:
    """One photo that is listed; its id."""
    await arrive(box, cloud, "a")
    return str((await box.file(LONE)).id)


@pytest.fixture
def commits(box: Catalogued, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What each commit that changed something added to the journal."""
    found: list[int] = []
    write = box.database.write

    async def counted(work: Callable[[sqlite3.Connection], Any]) -> Any:
        def counting(connection: sqlite3.Connection) -> Any:
            before, (rows,) = connection.total_changes, connection.execute("SELECT count(*) FROM journal").fetchone()
            result = work(connection)
            if connection.total_changes > before:
                found.append(connection.execute("SELECT count(*) FROM journal").fetchone()[0] - rows)
            return result

        return await write(counting)

    monkeypatch.setattr(box.database, "write", counted)
    return found


def stages(fetching=staging, examining=knowing, *, width: int = 1) -> tuple[ScriptedStage, ScriptedStage]:
    examine = ScriptedStage("examine", examining, after=("fetch",), width=width)
    return ScriptedStage("fetch", fetching, width=width), examine


def staging_the_same(_: Work) -> StepResult:
    return StepResult(Staged(digest=f"{7:064x}", size_bytes=1))


async def test_its_fetch_and_its_examination_are_one_commit(box: Catalogued, lone: str, commits: list[int]) -> None:
    fetch, examine = stages()

    await run_out(box, fetch, examine)

    assert commits == [2]  # `fetched` and `examined`
    assert (fetch.asked, examine.asked) == ([lone], [lone])
    assert (await box.file(LONE)).state is ResourceState.STAGED
    assert await left(box) == []


async def test_the_examination_is_given_the_file_as_the_fetch_left_it_and_the_fetch_lets_go_as_ever(
    box: Catalogued, lone: str
) -> None:
    seen: list[Work] = []
    fetch, examine = stages(examining=lambda work: seen.append(work) or knowing(work))

    await run_out(box, fetch, examine)

    (work,) = seen
    assert (work.resource.state, work.resource.digest, work.resource.size_bytes) == (
        ResourceState.STAGED,
        f"{int(lone):064x}",
        1,
    )
    assert [one.resource.state for one in fetch.let_go] == [ResourceState.STAGED]  # else its bytes would be thrown away
    assert [one.job.subject for one in examine.let_go] == [lone]


async def test_files_that_come_together_are_gathered_as_ever(
    box: Catalogued, cloud: ScriptedSource, commits: list[int]
) -> None:
    await arrive(box, cloud, *"abcdef")
    commits.clear()
    written: list[int] = []
    fetch, examine = stages(examining=lambda work: written.append(sum(commits)) or knowing(work))

    await run_out(box, fetch, examine)

    assert sorted(fetch.asked) == sorted(examine.asked)
    assert (len(fetch.asked), sum(commits)) == (6, 12)
    assert written[0] >= 1  # some fetches were, before the first examination


async def test_what_stops_during_the_examination_is_fetched_again_and_nothing_is_lost(
    box: Catalogued, lone: str
) -> None:
    fetch, examine = stages()
    examine.gate = asyncio.Event()
    async with running(box, fetch, examine):
        assert await examine.begun.get() == lone
    assert (await box.file(LONE)).state is ResourceState.SEEN
    assert [(step, subject) for step, subject, *_ in await left(box)] == [("fetch", lone)]

    fetch, examine = stages()
    await run_out(box, fetch, examine)

    assert (fetch.asked, examine.asked) == ([lone], [lone])
    assert (await box.file(LONE)).state is ResourceState.STAGED


async def test_bytes_the_archive_has_are_not_looked_at(box: Catalogued, lone: str, cloud: ScriptedSource) -> None:
    await run_out(box, *stages(staging_the_same))
    await arrive(box, cloud, "b")
    fetch, examine = stages(staging_the_same)

    await run_out(box, fetch, examine)

    assert examine.asked == []
    assert (await box.file("P/b/original")).state is ResourceState.DUPLICATE
    assert len(fetch.asked) == 1


async def test_a_twin_that_is_fetched_meanwhile_is_kept_and_this_one_is_its_duplicate(
    box: Catalogued, lone: str, cloud: ScriptedSource
) -> None:
    fetch, examine = stages(staging_the_same, width=2)
    examine.gate = asyncio.Event()
    async with running(box, fetch, examine) as pipeline:
        await examine.begun.get()
        await arrive(box, cloud, "b")
        pipeline.wake()
        assert await examine.begun.get() != lone  # the twin's own turn: its fetch is written down
        examine.gate.set()
        async with asyncio.timeout(20):
            await pipeline.idle()

    assert (await box.file("P/b/original")).state is ResourceState.STAGED
    duplicate = await box.file(LONE)
    assert (duplicate.state, duplicate.duplicate_of) == (
        ResourceState.DUPLICATE,
        (await box.file("P/b/original")).id,
    )
    assert [row[0] for row in await box.rows("SELECT resource_id FROM facts")] == [duplicate.duplicate_of]
    assert lone in {str(work.resource.id) for work in fetch.let_go if work.resource.state is ResourceState.DUPLICATE}


@pytest.mark.parametrize("error", [Retryable("no memory"), Away("unplugged", part="volume:archive"), KeyError()])
async def test_an_examination_that_fails_is_left_to_its_own_turn(box: Catalogued, lone: str, error: Exception) -> None:
    fetch, examine = stages(examining=raising(error))

    await run_out(box, fetch, examine)

    assert (fetch.asked, examine.asked) == ([lone], [lone, lone])
    assert await left(box) == []
    assert await box.ask(issues.open_issues) == []


async def test_bytes_that_are_gone_when_they_are_looked_at_are_fetched_again(box: Catalogued, lone: str) -> None:
    answers = [StepResult(Setback.LOST)]
    fetch, examine = stages(examining=lambda work: answers.pop() if answers else knowing(work))

    await run_out(box, fetch, examine)

    assert (fetch.asked, examine.asked) == ([lone, lone], [lone, lone])
    assert (await box.file(LONE)).state is ResourceState.STAGED
    assert await left(box) == []


async def test_what_cannot_be_written_of_it_undoes_not_the_fetch(box: Catalogued, lone: str) -> None:
    answers: list[Any] = [StepResult("no outcome at all")]  # a bug behind the examination
    fetch, examine = stages(examining=lambda work: answers.pop() if answers else knowing(work))

    await run_out(box, fetch, examine)

    assert (await box.file(LONE)).state is ResourceState.STAGED
    assert (fetch.asked, examine.asked) == ([lone], [lone])
    assert [(step, state, attempts) for step, _, state, attempts in await left(box)] == [("examine", "ready", 1)]


async def test_a_large_one_is_written_down_before_it_is_looked_at(
    box: Catalogued, lone: str, commits: list[int]
) -> None:
    """A long video's examination may take minutes, a power cut meanwhile would have it fetched again."""
    size_bytes = runner.ALONE_MOST_BYTES + 1
    fetch, examine = stages(lambda _: StepResult(Staged(digest=f"{7:064x}", size_bytes=size_bytes)))

    await run_out(box, fetch, examine)

    assert commits == [1, 1]
    assert (fetch.asked, examine.asked) == ([lone], [lone])


async def test_in_an_import_nothing_is_looked_at_before_its_fetch_is_written_down(
    box: Catalogued, cloud: ScriptedSource
) -> None:
    await arrive(box, cloud, *(f"{number:03d}" for number in range(200)))
    early: list[int] = []

    def looking(work: Work) -> StepResult:
        early.append(work.job.id == 0)
        return knowing(work)

    fetch, examine = stages(examining=looking, width=2)

    await run_out(box, fetch, examine)

    assert sorted(fetch.asked) == sorted(examine.asked)
    assert (len(early), sum(early[:-1])) == (200, 0)  # the last one may find itself alone


async def test_one_that_fails_for_good_is_told_once_and_the_fetch_is_not_lost(box: Catalogued, lone: str) -> None:
    def broken(_: Work) -> StepResult:
        raise Permanent("it is not to be had")

    await run_out(box, *stages(examining=broken))

    assert [(step, state) for step, _, state, _ in await left(box)] == [("examine", "failed")]
    assert (await box.file(LONE)).state is ResourceState.STAGED


async def test_a_version_that_was_listed_meanwhile_is_fetched_and_the_old_one_not_believed(
    box: Catalogued, lone: str
) -> None:
    looked: list[str] = []
    fetch, examine = stages(examining=lambda work: looked.append(work.resource.version) or knowing(work))
    examine.gate = asyncio.Event()
    async with running(box, fetch, examine) as pipeline:
        await examine.begun.get()
        await box.database.write(lambda connection: assets.renew(connection, 1, original("P/a", version="later")))
        examine.gate.set()
        async with asyncio.timeout(20):
            await pipeline.idle()

    assert fetch.asked == [lone, lone]
    assert looked == ["a", "later"]
    assert await left(box) == []


async def test_a_box_that_is_to_rest_writes_the_fetch_down_at_once(box: Catalogued, lone: str) -> None:
    """Examining might not begin for hours."""
    fetch, examine = stages()
    fetch.gate = asyncio.Event()
    pipeline = pipeline_of(box, fetch, examine)
    task = asyncio.create_task(pipeline.run())
    await fetch.begun.get()
    pipeline._governor.pause("paused")
    with box.bus.listen() as events:
        fetch.gate.set()
        async with asyncio.timeout(20):
            await events.get()

    assert examine.asked == []
    task.cancel()
    await asyncio.wait([task])
