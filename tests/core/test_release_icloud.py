"""Freeing iCloud over its simulator: what goes, what stays, and what becomes of an answer that never came."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from core.catalogue_of import StoppedClock
from core.release_world import DAY_MS, EASY, STRICT, World, film, picture

from mediabox.core.release_orders import MOST_TRIES
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.model.ledger import Evidence
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import Dropped, Fault, RecordRefused, Status, throttled
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.store import assets, copies, examined, journal
from mediabox.store.releases import ReleaseState
from mediabox.store.transaction import transaction

QUEUED, INTENDED, RELEASED = ReleaseState.QUEUED, ReleaseState.INTENDED, ReleaseState.RELEASED
REFUSED, RESTORED = ReleaseState.REFUSED, ReleaseState.RESTORED
PICTURE = of_bytes(picture(1000))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("icloud")


@pytest.fixture
async def icloud(certificates: Path) -> AsyncIterator[Simulator]:
    async with Simulator(certificates) as simulator:
        simulator.add_account("anna@example.com", "secret")
        yield simulator


@pytest.fixture
async def world(tmp_path: Path, icloud: Simulator) -> AsyncIterator[World]:
    async with World(tmp_path, icloud) as world:
        yield world


# ---------------------------------------------------------------- the way it should go


async def test_frees_what_was_confirmed_and_proved(world: World) -> None:
    made = await world.take_in(3)
    world.order()

    await world.work()

    assert world.states() == [RELEASED] * 3
    assert world.trashed() == {one.name for one in made}
    assert world.events() == ["release_planned", "release_confirmed"] + ["release_intended", "released"] * 3
    assert world.all_there()


async def test_a_second_look_sends_nothing(world: World) -> None:
    await world.take_in(2)
    world.order()
    await world.work()

    await world.work()
    assert world.plan().code is None

    assert world.writes_asked() == 2


async def test_a_live_photo_goes_as_one_and_only_with_its_video(world: World) -> None:
    photo = world.add(1, live=of_bytes(film(1)))
    await world.list_all()
    await world.archive()
    world.order()

    await world.work()

    assert world.trashed() == {photo.name}
    assert world.certificate().count(b'"sha256":') == 3  # two files, and the chain


async def test_two_disks_satisfy_the_default_policy(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud, settings=STRICT) as world:
        world.add_volume("second")
        await world.take_in(1)
        world.order()

        await world.work()

        assert world.states() == [RELEASED]


async def test_what_we_freed_comes_back_from_the_listing_as_no_deletion(world: World) -> None:
    await world.take_in(1)
    world.order()
    await world.work()

    await world.list_all(mirroring=("cloud",))  # the owner chose to mirror afterwards

    assert await world.rows("SELECT state FROM resource") == [("archived",)]
    assert await world.rows("SELECT state FROM remote_asset") == [("trashed",)]
    assert await world.rows("SELECT count(*) FROM job WHERE step = 'trash'") == [(0,)]


# ---------------------------------------------------------------- off by default


async def test_does_nothing_unless_it_is_switched_on(world: World) -> None:
    await world.take_in(1)
    world.order()

    await world.service(settings=msgspec.structs.replace(EASY, enabled=False)).look()

    assert (world.states(), world.writes_asked()) == ([QUEUED], 0)


async def test_does_nothing_unless_the_account_allows_it(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud, release=False) as world:
        await world.take_in(1)
        world.order()

        await world.work()

        assert (world.states(), world.writes_asked()) == ([QUEUED], 0)


async def test_an_account_that_is_mirrored_is_never_freed(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud, deletion="mirror") as world:
        await world.take_in(1)
        world.order()

        await world.work()

        assert (world.states(), world.writes_asked()) == ([QUEUED], 0)


async def test_one_disk_is_not_enough_by_default(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud, settings=STRICT) as world:
        await world.take_in(1)

        plan = world.plan()

        assert plan.code is None
        with world.catalogue() as connection:
            (assessment,) = world.assessed(connection)
        assert assessment.obstacles == (
            "IMG_0000.JPG: 1 of 2 proved copies",
            "IMG_0000.JPG: copies on 1 of 2 independent disks or hosts",
        )


# ---------------------------------------------------------------- what has changed stays


async def test_an_edit_we_know_nothing_of_keeps_it(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.order()
    world.library.edit(photo.name, PICTURE)

    await world.work()

    assert (world.states(), world.writes_asked()) == ([REFUSED], 0)
    assert world.reasons() == ["it was changed at its source after it was downloaded"]


async def test_an_edit_listed_but_not_archived_keeps_it(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.library.edit(photo.name, PICTURE)
    await world.list_all()

    assert world.plan().code is None


async def test_an_edit_that_is_archived_too_goes_along(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.library.edit(photo.name, PICTURE)
    await world.list_all()
    await world.archive()
    world.order()

    await world.work()

    assert world.trashed() == {photo.name}


async def test_what_is_listed_anew_after_the_person_confirmed_is_asked_for_again(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.order()
    world.library.favorite(photo.name)
    await world.list_all()

    await world.work()

    assert (world.states(), world.writes_asked()) == ([REFUSED], 0)


async def test_an_edit_between_our_question_and_our_request_keeps_it(world: World) -> None:
    """The last look is Apple's own: it compares the tag when it writes."""
    (photo,) = await world.take_in(1)
    world.order()
    release = world.source.release

    async def late(state) -> None:
        world.library.edit(photo.name, PICTURE)
        await release(state)

    world.source.release = late
    await world.work()

    assert (world.states(), world.trashed()) == ([REFUSED], set())
    assert "CONFLICT" in (world.reasons()[0] or "")


async def test_a_damaged_copy_keeps_it_and_is_said(world: World) -> None:
    made = await world.take_in(2)
    world.order()
    (volume,) = world.volumes.values()
    victim = next(volume.root.glob("2024/*IMG_0000*"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")

    await world.work()

    assert sorted(world.states()) == [REFUSED, RELEASED]
    assert world.trashed() == {made[1].name}
    assert world.open_issues() == ["archive.damaged"]


async def test_a_missing_copy_keeps_it(world: World) -> None:
    await world.take_in(1)
    world.order()
    (volume,) = world.volumes.values()
    next(volume.root.glob("2024/*")).unlink()

    await world.work()

    assert (world.states(), world.writes_asked()) == ([REFUSED], 0)


async def test_a_copy_that_cannot_be_read_now_does_not_count_now(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud, settings=STRICT) as world:
        second = world.add_volume("second")
        await world.take_in(1)
        world.order()
        del world.volumes[second.identity.uuid]

        await world.work()

        assert (world.states(), world.writes_asked()) == ([REFUSED], 0)


async def test_a_shared_library_is_left_alone(world: World) -> None:
    world.add(1, zone=world.library.start_sharing())
    await world.list_all()
    await world.archive()

    assert world.plan().code is None


async def test_a_file_that_came_without_the_assets_own_mark_keeps_it(world: World) -> None:
    """Only the original's record changed: a clip, a RAW twin."""
    (photo,) = await world.take_in(1)
    world.order()
    zone = world.library.personal
    master = zone.master(photo.master)
    zone.put(msgspec.structs.replace(master, live=world.library.part(of_bytes(film(1)), "x.mov")))

    await world.work()

    assert (world.states(), world.writes_asked()) == ([REFUSED], 0)
    assert world.reasons() == ["not archived: IMG_0000.MOV"]


async def test_a_live_photo_whose_video_has_not_arrived_stays(world: World) -> None:
    photo = world.add(1, live=of_bytes(film(1)))
    world.library.detach_live(photo.name)
    await world.list_all()
    await world.archive()
    world.order()

    await world.work()

    assert (world.states(), world.writes_asked()) == ([REFUSED], 0)
    assert world.reasons() == ["iCloud does not have all of its files yet"]


async def test_what_arrived_damaged_stays(world: World) -> None:
    await world.take_in(1)
    facts = Facts(kind=Kind.PICTURE, media_type="image/jpeg", damage="it ends early")
    await world.write(lambda connection: examined.put_facts(connection, 1, facts))

    assert world.plan().code is None


@pytest.mark.parametrize(("likeness", "goes"), [(None, False), ("samples", False), ("checksum", True)], ids=str)
async def test_what_an_older_backup_gave_stays(world: World, likeness: str | None, goes: bool) -> None:
    world.fetched_as = {"adopted_from": "/old/IMG.JPG"} | ({"likeness": likeness} if likeness else {})
    await world.take_in(1)
    assert (world.plan().code is not None) is goes

    ((digest,),) = await world.rows("SELECT digest FROM resource")
    agreed = {"at_ms": world.long_ago_ms, "resource_id": 1, "sha256": digest}
    await world.write(lambda connection: journal.append(connection, "checksum_agreed", **agreed))

    assert world.plan().code is not None


async def test_what_a_rebuilt_catalogue_found_stays(world: World) -> None:
    await world.take_in(1)
    await world.write(lambda connection: connection.execute("UPDATE journal SET event = 'x' WHERE event = 'fetched'"))

    with world.catalogue() as connection:
        (assessment,) = world.assessed(connection)
    assert "was rebuilt" in assessment.obstacles[0]


async def test_the_phones_duplicate_goes_with_the_bytes_kept_once(world: World) -> None:
    (photo,) = await world.take_in(1)
    twin = world.library.duplicate(photo.name)
    await world.list_all()
    await world.archive()
    world.order()

    await world.work()

    assert world.trashed() == {photo.name, twin.name}
    assert await world.rows("SELECT state FROM resource ORDER BY id") == [("archived",), ("duplicate",)]


async def test_what_is_taken_back_while_it_is_proved_stays(world: World) -> None:
    await world.take_in(1)
    world.order()
    state_of = world.source.state_of

    async def slow(remote_ids):
        world.undo()
        return await state_of(remote_ids)

    world.source.state_of = slow
    await world.work()

    assert (world.states(), world.writes_asked()) == ([ReleaseState.CANCELLED], 0)


async def test_a_quarantined_file_keeps_its_whole_asset(world: World) -> None:
    world.add(1, live=of_bytes(film(1)))
    await world.list_all()
    await world.archive()
    ((video,),) = await world.rows("SELECT id FROM resource WHERE role = 'live_video'")
    await world.write(lambda connection: assets.set_quarantined(connection, video, "empty"))

    assert world.plan().code is None


async def test_only_proof_that_counts_counts(world: World) -> None:
    await world.take_in(1)
    ((row,),) = await world.rows("SELECT resource_id FROM copy")
    (copy,) = await world.database.read(lambda connection: copies.of_resource(connection, row))
    for worse in (
        {"evidence": Evidence.SENT},
        {"evidence": Evidence.PEER},
        {"proved_at_ms": copy.proved_at_ms - 2 * DAY_MS},
        {"proved_at_ms": copy.proved_at_ms - 46 * DAY_MS},
        {"proved_at_ms": copy.proved_at_ms + 2 * DAY_MS},
    ):
        await world.write(
            lambda connection, worse=worse: copies.put(connection, msgspec.structs.replace(copy, **worse))
        )

        assert world.plan().code is None, worse


async def test_a_flipped_bit_in_the_ledger_stops_everything(world: World) -> None:
    await world.take_in(2)
    world.order()
    await world.write(lambda connection: connection.execute("UPDATE copy SET proved_at_ms = proved_at_ms + 1"))

    await world.work()

    assert (world.states(), world.writes_asked()) == ([QUEUED] * 2, 0)
    assert world.open_issues() == ["release.unsound"]


async def test_an_order_that_is_not_the_confirmed_one_is_refused(world: World) -> None:
    await world.take_in(3)
    world.order()
    await world.write(lambda connection: connection.execute("DELETE FROM release WHERE id = 1"))

    await world.work()

    assert (set(world.states()), world.writes_asked()) == ({REFUSED}, 0)


async def test_nothing_is_freed_by_a_clock_that_is_behind(world: World) -> None:
    await world.take_in(1)
    world.order()

    await world.service(clock=StoppedClock(world.clock.wall_ms() - 60_000)).look()

    assert (world.states(), world.writes_asked()) == ([QUEUED], 0)


# ---------------------------------------------------------------- limits, codes


async def test_a_day_has_its_limits(tmp_path: Path, icloud: Simulator) -> None:
    settings = msgspec.structs.replace(EASY, daily_limit=3)
    async with World(tmp_path, icloud, settings=settings) as world:
        await world.take_in(7)
        plan = world.plan()
        assert (len(plan.listed), plan.safe, plan.held_back) == (3, 7, 4)
        world.confirm(plan.code)
        assert world.plan().code is None  # three wait already
        await world.work()
        assert world.plan().code is None

        world.icloud.clock.advance(86_401)

        assert len(world.plan().listed) == 0  # the proofs have aged as well
        await world.renew()
        assert len(world.plan().listed) == 3


async def test_at_most_a_twentieth_of_a_library_goes_in_a_day(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud, settings=msgspec.structs.replace(EASY, daily_percent=5)) as world:
        await world.take_in(45)

        assert len(world.plan().listed) == 2


async def test_of_a_library_too_small_for_the_share_one_photo_goes_in_a_day(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud, settings=msgspec.structs.replace(EASY, daily_percent=5)) as world:
        await world.take_in(3)

        world.order()
        await world.work()

        assert world.states() == [RELEASED]
        assert world.plan().code is None  # and not another one today


async def test_what_has_a_file_in_icloud_that_nobody_knows_is_not_safe(world: World) -> None:
    await world.take_in(2)
    with world.catalogue() as connection, transaction(connection):
        unknown = """json_set(said, '$.unproved_files', json('["resSpatialFull"]'))"""
        connection.execute(f"UPDATE remote_asset SET said = {unknown} WHERE id = 1")

    plan = world.plan()

    assert (plan.safe, len(plan.listed)) == (1, 1)


async def test_a_limit_lowered_after_the_order_holds(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud) as world:
        await world.take_in(4)
        world.order()

        await world.service(settings=msgspec.structs.replace(EASY, daily_limit=1)).look()

        assert sorted(world.states()) == [QUEUED] * 3 + [RELEASED]


async def test_a_code_works_once_for_five_minutes_and_three_tries(world: World) -> None:
    await world.take_in(1)
    for _ in range(MOST_TRIES):
        plan = world.plan()
        assert world.confirm("AAAAAAAA").refusal
    assert world.confirm(plan.code).refusal is None  # each plan has its own tries
    assert world.confirm(plan.code).refusal

    world.undo()
    plan = world.plan()
    for _ in range(MOST_TRIES):
        world.confirm("AAAAAAAA")
    assert world.confirm(plan.code).refusal

    plan = world.plan()
    world.icloud.clock.advance(301)
    assert "five minutes" in (world.confirm(plan.code).refusal or "")
    assert QUEUED not in world.states()


async def test_a_new_list_makes_the_old_code_worthless(world: World) -> None:
    await world.take_in(1)
    old = world.plan()

    world.plan()

    assert world.confirm(old.code).refusal


async def test_what_waited_for_days_is_asked_for_anew(world: World) -> None:
    await world.take_in(1)
    world.order()
    world.icloud.clock.advance(3 * 86_400 + 1)

    await world.work()

    assert (world.states(), world.writes_asked()) == ([REFUSED], 0)


# ---------------------------------------------------------------- answers that never came


async def test_an_answer_that_was_lost_is_asked_for_and_found(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.order()
    world.icloud.faults.add(Fault("records.modify", Dropped(is_done=True)))

    await world.work()
    assert (world.states(), world.trashed()) == ([INTENDED], {photo.name})
    await settle(world)

    assert world.states() == [RELEASED]
    assert world.writes_asked() == 1


async def test_a_request_that_never_arrived_is_made_once_more_after_asking(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.order()
    world.icloud.faults.add(Fault("records.modify", Dropped(is_done=False)))

    await world.work()
    assert (world.states(), world.trashed()) == ([INTENDED], set())
    await settle(world)

    assert (world.states(), world.trashed()) == ([RELEASED], {photo.name})
    assert world.events()[2:] == ["release_intended", "release_not_done", "release_intended", "released"]


async def test_what_icloud_never_does_is_given_up(world: World) -> None:
    await world.take_in(1)
    world.order()
    world.icloud.faults.add(Fault("records.modify", Status(400, body="what?"), times=None))

    await settle(world)

    assert (world.states(), world.writes_asked(), world.trashed()) == ([REFUSED], 3, set())
    assert "after 3 attempts" in (world.reasons()[0] or "")


async def test_nothing_is_read_that_cannot_go_today(tmp_path: Path, icloud: Simulator) -> None:
    async with World(tmp_path, icloud) as world:
        await world.take_in(4)
        world.order()
        before = dict(await world.rows("SELECT resource_id, proved_at_ms FROM copy"))

        await world.service(settings=msgspec.structs.replace(EASY, daily_limit=1)).look()

        after = dict(await world.rows("SELECT resource_id, proved_at_ms FROM copy"))
        assert sum(after[one] != before[one] for one in after) == 1


async def test_what_the_person_brought_back_meanwhile_is_not_taken_again(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.order()
    world.icloud.faults.add(Fault("records.modify", Dropped(is_done=True)))
    await world.work()
    world.library.restore(photo.name)

    await settle(world)

    assert (world.states(), world.trashed()) == ([REFUSED], set())
    assert world.writes_asked() == 1
    assert "release_not_done" not in world.events()


@pytest.mark.parametrize("where", ["records.lookup", "records.modify"])
async def test_a_busy_icloud_is_waited_for(world: World, where: str) -> None:
    made = await world.take_in(3)
    world.order()
    world.icloud.faults.add(Fault(where, throttled(5), times=2))

    await world.work()
    assert world.trashed() == set()
    await settle(world)

    assert world.states() == [RELEASED] * 3
    assert world.trashed() == {one.name for one in made}


async def test_a_record_icloud_will_not_change_stays(world: World) -> None:
    made = await world.take_in(2)
    world.order()
    world.icloud.faults.add(Fault("records.modify", RecordRefused("CONFLICT", "somebody else")))

    await world.work()

    assert sorted(world.states()) == [REFUSED, RELEASED]
    assert len(world.trashed()) == len(made) - 1


async def settle(world: World) -> None:
    """Let pauses pass and look again until nothing waits; the proofs stay young enough."""
    for _ in range(10):
        world.icloud.clock.advance(400)
        await world.work()
        if not {QUEUED, INTENDED, ReleaseState.UNDOING, ReleaseState.RESTORING} & set(world.states()):
            return


# ---------------------------------------------------------------- taking back


async def test_undo_brings_everything_back(world: World) -> None:
    await world.take_in(3)
    world.order()
    await world.work()
    assert len(world.trashed()) == 3

    assert len(world.undo()) == 3
    await world.work()

    assert (world.states(), world.trashed()) == ([RESTORED] * 3, set())
    assert world.all_there()


async def test_undo_before_anything_happened_keeps_it(world: World) -> None:
    await world.take_in(2)
    world.order()

    world.undo("IMG_0000.JPG")
    await world.work()

    assert sorted(world.states()) == [ReleaseState.CANCELLED, RELEASED]


async def test_undo_whose_answer_was_lost_is_asked_about(world: World) -> None:
    await world.take_in(1)
    world.order()
    await world.work()
    world.undo()
    world.icloud.faults.add(Fault("records.modify", Dropped(is_done=True)))

    await world.work()
    await settle(world)

    assert (world.states(), world.trashed()) == ([RESTORED], set())
    assert world.writes_asked() == 2


async def test_undo_is_too_late_after_thirty_days(world: World) -> None:
    await world.take_in(1)
    world.order()
    await world.work()
    world.icloud.clock.advance(31 * 86_400)

    assert world.undo() == []


async def test_undo_of_what_somebody_purged_says_so(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.order()
    await world.work()
    world.library.purge(photo.name)
    world.undo()

    await world.work()

    assert world.states() == [ReleaseState.LOST]
    assert world.open_issues() == ["release.lost"]


async def test_what_was_brought_back_may_be_freed_again(world: World) -> None:
    (photo,) = await world.take_in(1)
    world.order()
    await world.work()
    world.undo()
    await world.work()
    await world.list_all()
    assert world.plan().code is None  # it was this day's share of the library

    world.icloud.clock.advance(86_401)
    await world.renew()
    world.order()
    await world.work()

    assert world.states() == [RESTORED, RELEASED]
    assert world.trashed() == {photo.name}
