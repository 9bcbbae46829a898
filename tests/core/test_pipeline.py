"""The runner: each job run once, what follows handed on, errors kept with their jobs, nothing lost at a stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource, original, photo
from patience import PATIENCE_S

from mediabox.config.sections import Work as Limits
from mediabox.contracts import Stage, Staged, StepResult, Subject, Work
from mediabox.core import pipeline as runner
from mediabox.core.failures import FAILED
from mediabox.core.governor import Governor
from mediabox.core.pipeline import Pipeline
from mediabox.errors import Away, Fatal, Permanent, Retryable
from mediabox.message import from_stored
from mediabox.model.asset import ResourceState
from mediabox.model.events import ResourceChanged
from mediabox.model.facts import Facts, Kind
from mediabox.model.job import JobRequest
from mediabox.store import issues, jobs

Answer = Callable[[Work], StepResult]


class ScriptedStage(Stage):
    """Obeys `contracts.Stage`: answers what a test says and keeps what it was asked."""

    def __init__(
        self, name: str, answer: Answer = lambda _: StepResult(), *, after: tuple[str, ...] = (), width: int = 1
    ) -> None:
        self.name, self.after, self.width, self._answer = name, after, width, answer
        self.subject = Subject.RESOURCE if name in ("fetch", "examine") else Subject.ASSET
        self.asked: list[str] = []
        self.begun: asyncio.Queue[str] = asyncio.Queue()  # the same, for whoever waits for it
        self.let_go: list[Work] = []
        self.at_once = self.most_at_once = 0
        self.gate: asyncio.Event | None = None  # until it is set, nothing ends

    async def run(self, work: Work) -> StepResult:
        self.asked.append(work.job.subject)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.put_nowait(work.job.subject)
        try:
            if self.gate is not None:
                await self.gate.wait()
            return self._answer(work)
        finally:
            self.at_once -= 1

    async def committed(self, works: Sequence[Work]) -> None:
        self.let_go += works


def raising(*errors: Exception) -> Answer:
    """Each of these once, then well."""
    left = list(errors)

    def answer(_: Work) -> StepResult:
        if left:
            raise left.pop(0)
        return StepResult()

    return answer


def staging(work: Work) -> StepResult:
    return StepResult(Staged(digest=f"{work.resource.id:064x}", size_bytes=1))


def knowing(_: Work) -> StepResult:
    return StepResult(Facts(kind=Kind.PICTURE, media_type="image/jpeg"))


@pytest.fixture(autouse=True)
def _nobody_waits_for_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GATHER_S", 0.001)


def pipeline_of(box: Catalogued, *stages: ScriptedStage) -> Pipeline:
    unlimited = Limits(max_temperature_c=0, min_free_memory_mb=0)
    return Pipeline(
        database=box.database,
        stages=stages,
        committer=box.committer,
        governor=Governor(unlimited, {}),
        parts=box.parts,
        issues=box.issues,
        bus=box.bus,
        clock=box.clock,
    )


@asynccontextmanager
async def running(box: Catalogued, *stages: ScriptedStage) -> AsyncIterator[Pipeline]:
    pipeline = pipeline_of(box, *stages)
    task = asyncio.create_task(pipeline.run())
    try:
        yield pipeline
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def run_out(box: Catalogued, *stages: ScriptedStage) -> None:
    """Until nothing can be run any more."""
    pipeline = pipeline_of(box, *stages)
    tasks = [asyncio.create_task(pipeline.run()), asyncio.create_task(pipeline.idle())]
    async with asyncio.timeout(PATIENCE_S):
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in done:
        await task  # raises what ended the runner


async def queue(box: Catalogued, step: str, *subjects: str, not_before_ms: int = 0) -> None:
    def work(connection) -> None:
        for subject in subjects:
            jobs.add(connection, JobRequest(step=step, subject=subject, not_before_ms=not_before_ms))

    await box.database.write(work)


async def left(box: Catalogued) -> list[tuple]:
    return await box.rows("SELECT step, subject, state, attempts FROM job ORDER BY id")


@pytest.fixture
async def photos(box: Catalogued, cloud: ScriptedSource) -> list[str]:
    """Three photos that are listed; their ids."""
    cloud.say(*(photo(f"P/{name}", original(f"P/{name}", version=name)) for name in "abc"))
    assert await box.intake.list_once(cloud) is not None
    return [str(row[0]) for row in await box.rows("SELECT id FROM resource ORDER BY id")]


async def test_every_job_is_run_once_and_is_gone(box: Catalogued) -> None:
    await queue(box, "describe", *"12345")
    stage = ScriptedStage("describe")

    await run_out(box, stage)

    assert sorted(stage.asked) == [*"12345"]
    assert await left(box) == []


async def test_many_more_jobs_than_a_lane_holds_are_each_run_once(box: Catalogued) -> None:
    subjects = [f"{number:03}" for number in range(150)]
    await queue(box, "describe", *subjects)
    stage = ScriptedStage("describe", width=4)

    await run_out(box, stage)

    assert sorted(stage.asked) == subjects


async def test_what_a_step_leads_to_runs_without_a_look_at_the_table(box: Catalogued, photos: list[str]) -> None:
    fetch, examine = ScriptedStage("fetch", staging), ScriptedStage("examine", knowing, after=("fetch",))

    await run_out(box, fetch, examine)

    assert sorted(fetch.asked) == sorted(examine.asked) == photos
    assert {(await box.file(f"P/{name}/original")).state for name in "abc"} == {ResourceState.STAGED}


async def test_a_step_lets_go_only_after_its_outcome_is_written_down(box: Catalogued, photos: list[str]) -> None:
    fetch = ScriptedStage("fetch", staging)

    await run_out(box, fetch, ScriptedStage("examine", knowing))

    assert [work.resource.state for work in fetch.let_go] == [ResourceState.STAGED] * 3


async def test_a_stage_runs_as_many_at_once_as_its_width_and_no_more(box: Catalogued) -> None:
    await queue(box, "describe", *"123456")
    stage = ScriptedStage("describe", width=3)
    stage.gate = asyncio.Event()

    async with running(box, stage) as pipeline, asyncio.timeout(PATIENCE_S):
        for _ in range(3):
            await stage.begun.get()
        stage.gate.set()
        await pipeline.idle()

    assert stage.most_at_once == 3


async def test_a_job_whose_error_may_pass_waits_longer_each_time(box: Catalogued) -> None:
    await queue(box, "describe", "1")
    stage, waits = ScriptedStage("describe", raising(*(Retryable("later") for _ in range(3)))), []

    for _ in range(3):
        await run_out(box, stage)
        ((not_before_ms,),) = await box.rows("SELECT not_before_ms FROM job")
        waits.append(not_before_ms - box.clock.now_ms)
        box.clock.now_ms = not_before_ms

    assert stage.asked == ["1"] * 3
    assert 0 < waits[0] <= 5_000 < waits[1] + 2_500 <= 12_500 < waits[2] + 5_000
    assert await left(box) == [("describe", "1", "ready", 3)]


async def test_a_job_that_waits_long_enough_asked_for_is_not_run_sooner(box: Catalogued) -> None:
    await queue(box, "describe", "1")

    await run_out(box, ScriptedStage("describe", raising(Retryable("busy", retry_after_s=7_000))))

    ((not_before_ms,),) = await box.rows("SELECT not_before_ms FROM job")
    assert not_before_ms >= NOW_MS + 7_000_000


async def test_an_error_for_good_is_kept_as_failed_and_told_once(box: Catalogued, photos: list[str]) -> None:
    fetch = ScriptedStage("fetch", raising(Permanent("it is no picture")))

    await run_out(box, fetch)

    ((subject, state, error),) = await box.rows("SELECT subject, state, last_error FROM job WHERE step = 'fetch'")
    (issue,) = await box.ask(issues.open_issues)
    assert (subject, state, error) == (fetch.asked[0], "failed", "it is no picture")
    assert (issue.key, issue.subject) == (FAILED, f"fetch:{subject}")
    assert len(fetch.asked) == 3  # the others went on


async def test_a_failed_step_that_succeeds_when_it_is_tried_again_is_no_issue_any_more(box: Catalogued) -> None:
    await queue(box, "describe", "1")
    stage = ScriptedStage("describe", raising(Permanent("no")))
    await run_out(box, stage)

    await box.database.write(jobs.retry_failed)
    await run_out(box, stage)

    assert stage.asked == ["1", "1"]
    assert await box.ask(issues.open_issues) == []


async def test_a_bug_in_a_stage_is_tried_three_times_and_stops_nothing_else(box: Catalogued) -> None:
    await queue(box, "describe", "bad", "good")

    def answer(work: Work) -> StepResult:
        if work.job.subject == "bad":
            raise ZeroDivisionError
        return StepResult()

    stage = ScriptedStage("describe", answer)
    for _ in range(4):
        await run_out(box, stage)
        box.clock.now_ms += 3_600_000

    assert (stage.asked.count("bad"), stage.asked.count("good")) == (3, 1)
    assert await left(box) == [("describe", "bad", "failed", 3)]


async def test_an_outcome_that_cannot_be_written_costs_its_own_job_alone(box: Catalogued, photos: list[str]) -> None:
    def answer(work: Work) -> StepResult:
        return StepResult(Staged(digest=object(), size_bytes=1)) if work.job.subject == photos[1] else staging(work)

    await run_out(box, ScriptedStage("fetch", answer), ScriptedStage("examine", knowing))

    states = [(await box.file(f"P/{name}/original")).state for name in "abc"]
    assert states == [ResourceState.STAGED, ResourceState.SEEN, ResourceState.STAGED]
    assert [row[:2] for row in await left(box) if row[0] == "fetch"] == [("fetch", photos[1])]


async def test_what_waits_for_a_source_that_is_away_costs_no_attempt(box: Catalogued, photos: list[str]) -> None:
    def answer(_: Work) -> StepResult:
        raise Away("cloud is not there", part="source:cloud")

    await run_out(box, ScriptedStage("fetch", answer))

    assert {row[3] for row in await left(box) if row[0] == "fetch"} == {0}
    assert [one.subject for one in await box.ask(issues.open_issues)] == ["cloud"]


async def test_a_job_queued_for_later_waits_unless_nothing_else_is_left(box: Catalogued) -> None:
    await queue(box, "describe", "1", not_before_ms=NOW_MS + 30_000)
    stage = ScriptedStage("describe")

    async with running(box, stage) as pipeline, asyncio.timeout(PATIENCE_S):
        await queue(box, "describe", "2")
        pipeline.wake()
        assert await stage.begun.get() == "2"
        await pipeline.idle()

    assert stage.asked == ["2", "1"]


async def test_stopped_amid_a_step_its_job_is_there_at_the_next_start(box: Catalogued) -> None:
    await queue(box, "describe", "1")
    stage = ScriptedStage("describe")
    stage.gate = asyncio.Event()
    async with running(box, stage), asyncio.timeout(PATIENCE_S):
        await stage.begun.get()
    assert await left(box) == [("describe", "1", "ready", 0)]

    again = ScriptedStage("describe")
    await run_out(box, again)

    assert again.asked == ["1"]


async def test_listeners_hear_of_what_is_written_and_not_before(box: Catalogued, photos: list[str]) -> None:
    heard: list[tuple[str, str]] = []
    with box.bus.listen() as events:
        await run_out(box, ScriptedStage("fetch", staging), ScriptedStage("examine"))
        while not events.empty():
            event = events.get_nowait()
            if isinstance(event, ResourceChanged):
                heard.append((str(event.resource_id), event.event))

    assert sorted(heard) == [(one, "fetched") for one in photos]


async def test_a_fault_nobody_can_go_on_with_ends_the_runner(box: Catalogued) -> None:
    await queue(box, "describe", "1")
    pipeline = pipeline_of(box, ScriptedStage("describe", raising(Fatal("the disk is gone"))))

    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(PATIENCE_S):
            await pipeline.run()

    assert raised.group_contains(Fatal, match="the disk is gone", depth=1)
    assert await left(box) == [("describe", "1", "ready", 0)]


async def test_no_stage_is_given_a_file_that_the_catalogue_does_not_have(box: Catalogued) -> None:
    await queue(box, "fetch", "4711")
    fetch = ScriptedStage("fetch", staging)

    await run_out(box, fetch)

    ((state, error),) = await box.rows("SELECT state, last_error FROM job")
    assert fetch.asked == []
    assert (state, "(number 4711) is not in the catalogue" in str(from_stored(error))) == ("failed", True)
