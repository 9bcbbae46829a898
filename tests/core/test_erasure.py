"""Erasing for good: confirmed with a code, gone wherever it can be reached, and never let in again by itself."""

import json
from pathlib import Path

import pytest
from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource, live, original, photo
from core.test_retention import A, B, Trashing

from mediabox.contracts import Staged, StepResult, Work
from mediabox.core import decisions
from mediabox.core.commands.contract import Refused
from mediabox.core.commands.dispatch import execute_in
from mediabox.core.commands.erase import ConfirmErase, Erased, Lifted, LiftErasure, PlanErase
from mediabox.core.erasure import CODE_GOOD_MS, ErasePlan, is_erased
from mediabox.core.recording import Recording, RecordingPolicy
from mediabox.durable.volume import Volume
from mediabox.model.actor import Actor, ActorKind, Role
from mediabox.model.asset import RemoteAsset, Resource, ResourceState, Turn
from mediabox.stages.fetch import Fetch
from mediabox.store import copies, examined, jobs, journal
from mediabox.store.database import Database

ANNA = Actor(kind=ActorKind.CONSOLE, name="anna", role=Role.ADMIN)


@pytest.fixture
def volume(tmp_path: Path):
    with Volume.enroll(tmp_path / "archive", now_ms=1, reserve_percent=0) as volume:
        yield volume


@pytest.fixture
def box(database: Database) -> Catalogued:
    return Catalogued(database, mirroring=frozenset({"cloud"}))


@pytest.fixture
def trashing(box: Catalogued, cloud: ScriptedSource, volume: Volume) -> Trashing:
    return Trashing(box, cloud, volume)


@pytest.fixture
async def kept(trashing: Trashing) -> Resource:
    """A Live Photo in the archive, with another photo beside it."""
    await trashing.list(photo(A, original(A), live(A)), photo(B, original(B, version="other")))
    await trashing.archive(f"{A}/original", f"{A}/live")
    await trashing.archive(f"{B}/original")
    return await trashing.box.file(f"{A}/original")


async def give(trashing: Trashing, command, *, later_ms: int = 0, actor: Actor = ANNA):
    return await execute_in(trashing.box.database, command, actor, now_ms=NOW_MS + later_ms)


async def erased(trashing: Trashing, one: Resource) -> Erased:
    plan = await give(trashing, PlanErase(photos=(one.path,)))
    done = await give(trashing, ConfirmErase(code=plan.code))
    assert isinstance(done, Erased), done
    return done


async def test_a_plan_shows_everything_that_would_go_and_where_else_it_is(trashing, kept) -> None:
    clip = await trashing.box.file(f"{A}/live")

    plan = await give(trashing, PlanErase(photos=(kept.path,)))

    assert isinstance(plan, ErasePlan)
    assert set(plan.names) == {kept.path, clip.path}
    assert {one.place for one in plan.elsewhere} == {"cloud"}
    assert all(one.remedy for one in plan.elsewhere)
    assert trashing.path(kept.path).exists()
    assert (await trashing.box.file(f"{A}/original")).state is ResourceState.ARCHIVED


async def test_what_was_confirmed_is_gone_with_all_that_was_made_of_it(trashing, kept) -> None:
    clip, other = await trashing.box.file(f"{A}/live"), await trashing.box.file(f"{B}/original")
    done = await erased(trashing, kept)

    assert await trashing.retention.erase() == 2

    assert set(done.digests) == {kept.digest, clip.digest}
    for path in (kept.path, clip.path, f"{kept.path}.xmp"):
        assert not trashing.path(path).exists(), path
    assert trashing.path(other.path).exists()
    assert (await trashing.box.file(f"{A}/original")).state is ResourceState.REMOVED
    assert await trashing.box.ask(examined.facts, kept.id) is None
    assert await trashing.box.ask(copies.of_resource, kept.id) == []
    assert await trashing.box.rows("SELECT * FROM asset_index WHERE asset_id = ?", kept.asset_id) == []
    assert await trashing.box.jobs("manifest") == ["2024"]
    assert await trashing.retention.erase() == 0


async def test_the_journal_learns_the_digests_and_who_did_it_and_nothing_else(trashing, kept) -> None:
    before = (await trashing.box.ask(journal.last))[0]
    done = await erased(trashing, kept)
    await trashing.retention.erase()

    rows = await trashing.box.rows(
        "SELECT event, resource_id, asset_id, fields FROM journal WHERE seq > ? ORDER BY seq", before
    )

    assert [(event, resource, asset) for event, resource, asset, _ in rows] == [
        *[("erased", None, None)] * 2,
        *[("erasure_done", None, None)] * 2,
    ]
    assert {json.loads(row[3])["sha256"] for row in rows} == set(done.digests)
    assert {json.loads(row[3]).get("actor") for row in rows} == {"console:anna", None}
    assert not any(kept.name in row[3] for row in rows)


async def test_what_lies_in_the_trash_is_erased_there(trashing, kept) -> None:
    await trashing.turn(Turn.TRASHED, A)
    await trashing.run("trash")
    assert trashing.trashed(kept.path).exists()

    await erased(trashing, kept)
    await trashing.retention.erase()

    assert not trashing.trashed(kept.path).exists()
    assert not trashing.trashed(f"{kept.path}.xmp").exists()


async def test_a_crash_between_rows_and_files_is_made_good_at_the_next_look(trashing, kept) -> None:
    await erased(trashing, kept)
    trashing.path(kept.path).unlink()  # as if the power went after the first file

    assert await trashing.retention.erase() == 2

    assert await trashing.box.ask(copies.of_resource, kept.id) == []


async def test_another_file_somebody_put_under_its_name_is_left_alone(trashing, kept) -> None:
    await erased(trashing, kept)
    trashing.path(kept.path).write_bytes(b"the family's own edit")

    assert await trashing.retention.erase() == 2

    assert trashing.path(kept.path).read_bytes() == b"the family's own edit"
    assert await trashing.box.ask(copies.of_resource, kept.id) == []
    left = await trashing.box.rows("SELECT fields FROM journal WHERE event = 'erasure_done'")
    assert [json.loads(row[0]).get("left") for row in left].count("another file") == 1


# ---------------------------------------------------------------- the code


@pytest.mark.parametrize("later_ms", [CODE_GOOD_MS + 1, -1])
async def test_a_code_is_good_for_five_minutes(trashing, kept, later_ms: int) -> None:
    plan = await give(trashing, PlanErase(photos=(kept.path,)))

    assert isinstance(await give(trashing, ConfirmErase(code=plan.code), later_ms=later_ms), Refused)
    assert isinstance(await give(trashing, ConfirmErase(code=plan.code)), Refused)  # and used up
    assert not await trashing.box.ask(is_erased, kept.digest)


async def test_three_wrong_codes_use_the_plan_up(trashing, kept) -> None:
    plan = await give(trashing, PlanErase(photos=(kept.path,)))
    wrong = "A" * 8 if plan.code != "A" * 8 else "B" * 8

    for _ in range(3):
        assert isinstance(await give(trashing, ConfirmErase(code=wrong)), Refused)

    assert isinstance(await give(trashing, ConfirmErase(code=plan.code)), Refused)
    assert (await trashing.box.file(f"{A}/original")).state is ResourceState.ARCHIVED


async def test_a_list_that_is_another_by_now_is_not_erased(trashing, kept) -> None:
    plan = await give(trashing, PlanErase(photos=(kept.path,)))
    await trashing.turn(Turn.TRASHED, A)
    await trashing.run("trash")

    refused = await give(trashing, ConfirmErase(code=plan.code))

    assert isinstance(refused, Refused)
    assert "not the one that was shown" in refused.reason


@pytest.mark.parametrize("words", ["nothing.jpg", "IMG_0001.HEIC"])
async def test_what_is_not_one_photo_is_refused(trashing, kept, words: str) -> None:
    refused = await give(trashing, PlanErase(photos=(words,)))

    assert isinstance(refused, Refused)
    assert words in str(refused.reason)


async def test_a_photo_that_is_still_taken_in_is_refused(trashing, kept) -> None:
    await trashing.list(photo("Primary/C", original("Primary/C", version="c", name="C.HEIC")))

    assert isinstance(await give(trashing, PlanErase(photos=("C.HEIC",))), Refused)


async def test_no_chat_and_no_key_erases_anything(trashing, kept) -> None:
    plan = await give(trashing, PlanErase(photos=(kept.path,)))

    for kind in (ActorKind.CHAT, ActorKind.KEY, ActorKind.BROKER, ActorKind.SYSTEM):
        actor = Actor(kind=kind, name="x", role=Role.ADMIN)
        assert isinstance(await give(trashing, ConfirmErase(code=plan.code), actor=actor), Refused)
    assert not await trashing.box.ask(is_erased, kept.digest)


# ---------------------------------------------------------------- kept out


async def fetched(trashing: Trashing, remote_id: str, digest: str) -> Resource:
    """What `fetch` found, written down."""
    one = await trashing.box.file(remote_id)

    def work(connection) -> None:
        policy = RecordingPolicy(stages=(), rules=(), moving=(), mirroring=())
        job = next(
            job for job in jobs.due(connection, "fetch", now_ms=NOW_MS * 2, limit=99) if job.subject == str(one.id)
        )
        recording = Recording(connection, policy, lambda _: None, now_ms=NOW_MS)
        result = StepResult(Staged(digest=digest, size_bytes=10))
        recording.write(Work(job=job, resource=one), Fetch, result.outcome)

    await trashing.box.database.write(work)
    return await trashing.box.file(remote_id)


async def test_the_same_bytes_do_not_come_in_again_from_anywhere_until_a_person_says_so(trashing, kept) -> None:
    await erased(trashing, kept)
    await trashing.retention.erase()
    again = "Primary/again"
    asset: RemoteAsset = photo(again, original(again, version="new", name="AGAIN.HEIC"))
    await trashing.list(asset)

    one = await fetched(trashing, f"{again}/original", kept.digest)

    assert one.state is ResourceState.REMOVED
    assert (await trashing.box.ask(journal.of_resource, one.id))[-1].event == "kept_out"
    assert await give(trashing, LiftErasure(sha256=kept.digest)) == Lifted(files=2)
    assert (await trashing.box.file(f"{again}/original")).state is ResourceState.SEEN
    assert (await fetched(trashing, f"{again}/original", kept.digest)).state is ResourceState.STAGED
    assert isinstance(await give(trashing, LiftErasure(sha256=kept.digest)), Refused)


async def test_the_tombstone_lies_in_the_archive_and_a_lifted_one_is_no_longer_one(trashing, kept, volume) -> None:
    done = await erased(trashing, kept)
    await decisions.write_out(trashing.box.database, volume)
    found, _ = decisions.read(volume)
    assert {one.subject for one in found if not one.is_revoked} == set(done.digests)

    await give(trashing, LiftErasure(sha256=kept.digest), later_ms=1)
    await decisions.write_out(trashing.box.database, volume)

    assert [one.is_revoked for one in decisions.read(volume)[0] if one.subject == kept.digest] == [False, True]
