"""One step's outcome is written down whole: what the file is now, its story, the step's end, and what follows."""

import msgspec
import pytest
from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource, original, photo

from mediabox.assembly import STAGES
from mediabox.contracts import (
    Moved,
    OriginalsMoved,
    Quarantine,
    Relocated,
    Setback,
    Staged,
    StepResult,
    TextFiles,
    Work,
    Written,
)
from mediabox.core.commit import Committed, Committer
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.facts import Facts
from mediabox.model.job import Job, JobRequest
from mediabox.model.ledger import Evidence, Receipt
from mediabox.store import assets, copies, jobs, journal
from mediabox.store.database import Database

ONE, OTHER = "P/one/original", "P/other/original"
DIGEST = "d" * 64
STAGED = Staged(digest=DIGEST, size_bytes=7)
PICTURE = Facts(kind=Kind.PICTURE, media_type="image/jpeg")
PATH = "2024/2024-05/IMG_0001.HEIC"
RECEIPT = Receipt(volume="a-volume", path=PATH, size_bytes=7, digest=DIGEST, evidence=Evidence.REREAD)


class Steps:
    """A catalogue with two files listed, and what becomes of them step by step."""

    def __init__(self, box: Catalogued, *, moving: tuple[str, ...] = ()) -> None:
        self.box = box
        self.committer = Committer(stages=tuple(STAGES), rules=(), clock=box.clock, moving_sources=moving)

    async def ends(self, step: str, remote_id: str, result: StepResult) -> Committed:
        """As when the file's next job of this step ends so."""
        work = await self.work(step, remote_id)
        return await self.box.database.write(lambda connection: self.committer.apply(connection, work, result))

    async def work(self, step: str, remote_id: str) -> Work:
        resource = await self.box.file(remote_id)
        return Work(job=await self.job(step, str(resource.id)), resource=resource)

    async def job(self, step: str, subject: str) -> Job:
        def queue(connection):
            jobs.add(connection, JobRequest(step=step, subject=subject))
            row = connection.execute("SELECT id, again FROM job WHERE step = ? AND subject = ?", (step, subject))
            job_id, again = row.fetchone()
            return Job(id=job_id, step=step, subject=subject, asked_again=again)

        return await self.box.database.write(queue)

    async def is_filed(self, remote_id: str) -> Resource:
        """Fetched, examined, placed and archived."""
        await self.ends("fetch", remote_id, StepResult(STAGED))
        await self.ends("examine", remote_id, StepResult(PICTURE))
        one = await self.box.file(remote_id)
        await self.box.database.write(lambda connection: assets.reserve(connection, one.id, PATH, f"{PATH}.xmp"))
        await self.ends("file", remote_id, StepResult(RECEIPT))
        return await self.box.file(remote_id)

    async def events(self, remote_id: str) -> list[str]:
        one = await self.box.file(remote_id)
        return [entry.event for entry in await self.box.ask(journal.of_resource, one.id)]


@pytest.fixture
async def steps(box: Catalogued, cloud: ScriptedSource) -> Steps:
    cloud.say(photo("P/one"), photo("P/other", original("P/other", version="v9")))
    assert await box.intake.list_once(cloud) is not None
    return Steps(box)


async def test_bytes_nobody_had_are_staged_and_examined_next(steps: Steps) -> None:
    done = await steps.ends("fetch", ONE, StepResult(STAGED))

    one = await steps.box.file(ONE)
    assert (one.state, one.digest, one.size_bytes) == (ResourceState.STAGED, DIGEST, 7)
    assert [(work.job.step, work.resource.id) for work in done.ready] == [("examine", one.id)]
    assert await steps.box.jobs("fetch") == [str((await steps.box.file(OTHER)).id)]
    assert await steps.events(ONE) == ["taken_in", "fetched"]


async def test_what_is_handed_out_next_knows_the_file_as_it_is_now(steps: Steps) -> None:
    done = await steps.ends("fetch", ONE, StepResult(STAGED))

    assert done.work.resource.state is ResourceState.STAGED
    assert done.ready[0].resource.digest == DIGEST


async def test_bytes_that_are_kept_end_as_a_duplicate_before_any_decode(steps: Steps) -> None:
    await steps.ends("fetch", ONE, StepResult(STAGED))
    done = await steps.ends("fetch", OTHER, StepResult(STAGED))

    other = await steps.box.file(OTHER)
    assert (other.state, other.duplicate_of) == (ResourceState.DUPLICATE, (await steps.box.file(ONE)).id)
    assert done.ready == ()
    assert await steps.box.jobs("examine") == [str((await steps.box.file(ONE)).id)]


async def test_an_outcome_of_an_older_version_is_not_believed_and_the_newer_is_fetched(steps: Steps) -> None:
    work = await steps.work("fetch", ONE)
    stale = msgspec.structs.replace(work, resource=msgspec.structs.replace(work.resource, version="v0"))

    await steps.box.database.write(lambda connection: steps.committer.apply(connection, stale, StepResult(STAGED)))

    assert (await steps.box.file(ONE)).state is ResourceState.SEEN
    assert str(work.resource.id) in await steps.box.jobs("fetch")


async def test_an_outcome_of_a_step_whose_time_is_over_changes_nothing(steps: Steps) -> None:
    one = await steps.is_filed(ONE)

    await steps.ends("fetch", ONE, StepResult(Staged(digest="e" * 64, size_bytes=9)))

    assert await steps.box.file(ONE) == one


async def test_what_is_filed_is_a_proved_copy_and_is_described_and_listed(steps: Steps) -> None:
    one = await steps.is_filed(ONE)

    (copy,) = await steps.box.ask(copies.of_resource, one.id)
    assert one.state is ResourceState.ARCHIVED
    assert (copy.path, copy.digest, copy.evidence, copy.proved_at_ms) == (PATH, DIGEST, Evidence.REREAD, NOW_MS)
    assert await steps.box.jobs("describe") == [str(one.asset_id)]
    assert await steps.box.jobs("manifest") == ["2024/2024-05"]
    assert (await steps.events(ONE))[-1] == "archived"


async def test_an_archived_outcome_written_twice_is_one_copy(steps: Steps) -> None:
    one = await steps.is_filed(ONE)

    await steps.ends("file", ONE, StepResult(RECEIPT))

    assert len(await steps.box.ask(copies.of_resource, one.id)) == 1


@pytest.mark.parametrize(("moving", "removed"), [((), 0), (("cloud",), 2)])
async def test_sources_copies_may_go_only_where_the_owner_moves(
    box: Catalogued, steps: Steps, moving: tuple[str, ...], removed: int
) -> None:
    moves = Steps(box, moving=moving)
    await moves.ends("fetch", ONE, StepResult(STAGED))
    await moves.ends("fetch", OTHER, StepResult(STAGED))
    assert await box.jobs("remove") == []  # nothing is archived yet

    await moves.is_filed(ONE)

    assert len(await box.jobs("remove")) == removed


async def test_staged_bytes_that_are_lost_are_fetched_again_and_so_are_those_that_counted_on_them(
    steps: Steps,
) -> None:
    await steps.ends("fetch", ONE, StepResult(STAGED))
    await steps.ends("fetch", OTHER, StepResult(STAGED))

    await steps.ends("examine", ONE, StepResult(Setback.LOST))

    both = [await steps.box.file(ONE), await steps.box.file(OTHER)]
    assert [one.state for one in both] == [ResourceState.SEEN, ResourceState.SEEN]
    assert sorted(await steps.box.jobs("fetch")) == sorted(str(one.id) for one in both)


async def test_whoever_counted_on_bytes_that_cannot_be_an_original_is_read_itself(steps: Steps) -> None:
    await steps.ends("fetch", ONE, StepResult(STAGED))
    await steps.ends("fetch", OTHER, StepResult(STAGED))

    await steps.ends("examine", ONE, StepResult(Quarantine("it is empty")))

    one, other = await steps.box.file(ONE), await steps.box.file(OTHER)
    assert (one.state, one.reason) == (ResourceState.QUARANTINED, "it is empty")
    assert other.state is ResourceState.SEEN
    assert str(other.id) in await steps.box.jobs("fetch")


async def test_an_original_in_the_trash_can_come_back_and_its_folder_is_listed_each_time(steps: Steps) -> None:
    one = await steps.is_filed(ONE)
    await steps.box.database.write(lambda connection: connection.execute("DELETE FROM job WHERE step = 'manifest'"))
    trash, recover = await steps.job("trash", str(one.asset_id)), await steps.job("recover", str(one.asset_id))
    states = []

    for job, in_trash in ((trash, True), (recover, False)):
        outcome = StepResult(OriginalsMoved(moved=(Moved(resource_id=one.id, path=PATH, in_trash=in_trash),)))
        work = Work(job=job)
        await steps.box.database.write(
            lambda connection, work=work, outcome=outcome: steps.committer.apply(connection, work, outcome)
        )
        states.append((await steps.box.file(ONE)).state)

    assert states == [ResourceState.TRASHED, ResourceState.ARCHIVED]
    assert (await steps.events(ONE))[-2:] == ["trashed", "recovered"]
    assert await steps.box.jobs("manifest") == ["2024/2024-05"]


async def test_a_moved_original_is_known_at_its_new_path(steps: Steps) -> None:
    await steps.is_filed(ONE)

    await steps.ends("relocate", ONE, StepResult(Relocated("2025/2025-01/IMG_0001.HEIC")))

    assert (await steps.box.file(ONE)).path == "2025/2025-01/IMG_0001.HEIC"
    assert set(await steps.box.jobs("manifest")) == {"2024/2024-05", "2025/2025-01"}


async def test_a_sidecar_of_ours_is_remembered_as_its_assets(steps: Steps) -> None:
    one = await steps.is_filed(ONE)
    job = await steps.job("describe", str(one.asset_id))
    outcome = StepResult(TextFiles(written=Written(path=f"{PATH}.xmp", digest="f" * 64, size_bytes=3)))

    await steps.box.database.write(lambda connection: steps.committer.apply(connection, Work(job=job), outcome))

    assert (await steps.box.ask(copies.sidecar_of, one.asset_id)).digest == "f" * 64
    assert await steps.box.jobs("describe") == []


async def test_content_decides_what_a_file_is_whatever_its_name_says(steps: Steps) -> None:
    await steps.ends("fetch", ONE, StepResult(STAGED))

    await steps.ends("examine", ONE, StepResult(Facts(kind=Kind.VIDEO, media_type="video/mp4")))

    one = await steps.box.file(ONE)
    assert (one.kind, one.role) == (Kind.VIDEO, Role.ORIGINAL)


async def test_a_stages_own_next_jobs_are_queued_and_handed_out(steps: Steps) -> None:
    later = JobRequest(step="describe", subject="7", not_before_ms=NOW_MS + 1)
    now = JobRequest(step="describe", subject="8", not_before_ms=NOW_MS)

    done = await steps.ends("fetch", ONE, StepResult(next_jobs=(later, now)))

    assert await steps.box.jobs("describe") == ["7", "8"]
    assert [work.job.subject for work in done.ready] == ["8"]


async def test_a_file_whose_row_is_gone_ends_its_job_quietly(steps: Steps, database: Database) -> None:
    job = await steps.job("fetch", "4711")

    done = await database.write(lambda connection: steps.committer.apply(connection, Work(job=job), StepResult(STAGED)))

    assert (done.ready, done.work.resource) == ((), None)
    assert "4711" not in await steps.box.jobs("fetch")


async def test_an_archived_original_is_never_quarantined_whatever_a_step_finds(steps: Steps) -> None:
    one = await steps.is_filed(ONE)

    await steps.ends("remove", ONE, StepResult(Quarantine("it looks odd")))

    assert await steps.box.file(ONE) == one
