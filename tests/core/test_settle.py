"""Rules decide on facts just stored: what they say is done in order, each on the file as the one before left it."""

import sqlite3
from collections.abc import Iterable

import msgspec
import pytest
from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource, live, original, photo

from mediabox.contracts import Decision, Duplicate, Join, Library, Reserve, Similar
from mediabox.core import plan
from mediabox.core.alike import HashIndex
from mediabox.core.settle import Settlement
from mediabox.model.asset import Kind, Resource, ResourceState, Role
from mediabox.model.facts import Facts
from mediabox.store import assets, examined, journal
from mediabox.store.library import StoredLibrary

PICTURE = Facts(kind=Kind.PICTURE, media_type="image/jpeg")
STILL, CLIP, OTHER = "P/one/original", "P/two/live", "P/three/original"


class ScriptedRule:
    """Obeys `contracts.Rule`: says what a test lays down, once for each file named, and keeps what it saw."""

    after: tuple[str, ...] = ()

    def __init__(self, name: str, decisions: dict[int, tuple[Decision, ...]] | None = None) -> None:
        self.name, self._decisions = name, decisions or {}
        self.saw: list[Resource] = []

    def decide(self, resource: Resource, facts: Facts, library: Library) -> Iterable[Decision]:
        self.saw.append(resource)
        return self._decisions.get(resource.id, ())


class Placing(ScriptedRule):
    """A place by the file's name, for whatever is asked about."""

    def __init__(self, folder: str = "2024/2024-05") -> None:
        super().__init__("place")
        self._folder = folder

    def decide(self, resource: Resource, facts: Facts, library: Library) -> Iterable[Decision]:
        self.saw.append(resource)
        path = f"{self._folder}/{resource.id}-{resource.name}"
        return (
            () if resource.path == path else (Reserve(resource_id=resource.id, path=path, sidecar_path=f"{path}.xmp"),)
        )


@pytest.fixture
async def files(box: Catalogued, cloud: ScriptedSource) -> dict[str, Resource]:
    """A still, a clip and another still, each of an asset of its own, staged and examined."""
    cloud.say(
        photo("P/one", original("P/one", version="one")),
        photo("P/two", live("P/two", version="two")),
        photo("P/three", original("P/three", version="three")),
    )
    assert await box.intake.list_once(cloud) is not None
    found = {remote_id: await box.file(remote_id) for remote_id in (STILL, CLIP, OTHER)}

    def stage(connection: sqlite3.Connection) -> None:
        for one in found.values():
            assets.set_staged(connection, one.id, digest=f"{one.id:064x}", size_bytes=1)
            examined.put_facts(connection, one.id, PICTURE)

    await box.database.write(stage)
    return {remote_id: await box.file(remote_id) for remote_id in found}


async def settle(box: Catalogued, resource: Resource, *rules: ScriptedRule, is_late: bool = False) -> Settlement:
    def work(connection: sqlite3.Connection) -> Settlement:
        library = StoredLibrary(connection, HashIndex(examined.perceptual_hashes(connection)))
        settlement = Settlement(connection, library, now_ms=NOW_MS)
        settlement.settle(resource, PICTURE, rules, is_late=is_late)
        return settlement

    return await box.database.write(work)


async def story(box: Catalogued, one: Resource) -> list[str]:
    return [entry.event for entry in await box.ask(journal.of_resource, one.id)]


async def test_a_place_is_reserved_before_anything_is_filed(box: Catalogued, files: dict[str, Resource]) -> None:
    still = files[STILL]

    settlement = await settle(box, still, Placing())

    path = f"2024/2024-05/{still.id}-IMG_0001.HEIC"
    assert (await box.file(STILL)).path == path
    assert await box.ask(lambda connection: StoredLibrary(connection, HashIndex(())).is_taken(path.upper()))
    assert [(job.step, job.subject) for job in settlement.jobs] == [("file", str(still.id))]
    assert (await story(box, still))[-1] == "placed"


async def test_an_archived_file_is_given_another_place_without_losing_its_own(
    box: Catalogued, files: dict[str, Resource]
) -> None:
    still = files[STILL]
    await settle(box, still, Placing())
    await box.database.write(lambda connection: assets.set_archived(connection, still.id, NOW_MS))
    before = await box.file(STILL)

    settlement = await settle(box, before, Placing("1999/1999-01"))

    ((moves_to,),) = await box.rows("SELECT moves_to FROM resource WHERE id = ?", still.id)
    assert (await box.file(STILL)).path == before.path
    assert moves_to == f"1999/1999-01/{still.id}-IMG_0001.HEIC"
    assert [job.step for job in settlement.jobs] == ["relocate"]


async def test_what_belongs_together_is_one_asset_in_the_role_the_rule_gives(
    box: Catalogued, files: dict[str, Resource]
) -> None:
    still, clip = files[STILL], files[CLIP]
    join = Join(resource_id=clip.id, asset_id=still.asset_id, role=Role.LIVE_VIDEO)

    settlement = await settle(box, clip, ScriptedRule("group", {clip.id: (join,)}))

    joined = await box.file(CLIP)
    assert (joined.asset_id, joined.role) == (still.asset_id, Role.LIVE_VIDEO)
    assert [(job.step, job.subject) for job in settlement.jobs] == [("describe", str(still.asset_id))]
    assert (await story(box, clip))[-1] == "joined"


async def test_each_rule_meets_the_file_as_the_rule_before_left_it(box: Catalogued, files: dict[str, Resource]) -> None:
    still, clip = files[STILL], files[CLIP]
    join = Join(resource_id=clip.id, asset_id=still.asset_id, role=Role.LIVE_VIDEO)
    later = ScriptedRule("dedup")

    await settle(box, clip, ScriptedRule("group", {clip.id: (join,)}), later)

    assert [(one.id, one.asset_id) for one in later.saw] == [(clip.id, still.asset_id)]


async def test_every_file_of_the_asset_it_joined_is_placed_with_what_all_of_them_know(
    box: Catalogued, files: dict[str, Resource]
) -> None:
    still, clip = files[STILL], files[CLIP]
    join = Join(resource_id=clip.id, asset_id=still.asset_id, role=Role.LIVE_VIDEO)
    placing = Placing()

    await settle(box, clip, ScriptedRule("group", {clip.id: (join,)}), placing)

    assert {one.id for one in placing.saw} == {still.id, clip.id}
    placed = [(await box.file(remote_id)).path is not None for remote_id in (STILL, CLIP, OTHER)]
    assert placed == [True, True, False]


async def test_files_of_another_asset_that_got_a_member_are_placed_as_well(
    box: Catalogued, files: dict[str, Resource]
) -> None:
    still, clip, other = files[STILL], files[CLIP], files[OTHER]
    join = Join(resource_id=clip.id, asset_id=other.asset_id, role=Role.LIVE_VIDEO)
    placing = Placing()

    await settle(box, still, ScriptedRule("group", {still.id: (join,)}), placing)

    assert {one.id for one in placing.saw} == {still.id, clip.id, other.id}


async def test_pictures_that_look_alike_are_noted_and_stay_two(box: Catalogued, files: dict[str, Resource]) -> None:
    still, other = files[STILL], files[OTHER]
    alike = Similar(resource_id=other.id, of_resource_id=still.id, distance_bits=3, rotation=90)

    settlement = await settle(box, other, ScriptedRule("dedup", {other.id: (alike,)}))

    assert await box.ask(examined.similar_names, other.id) == ["IMG_0001.HEIC"]
    assert (await box.file(OTHER)).asset_id != still.asset_id
    assert settlement.jobs == []


async def test_a_companion_its_asset_has_already_is_handed_back_and_not_ended_here(
    box: Catalogued, files: dict[str, Resource]
) -> None:
    still, other = files[STILL], files[OTHER]
    twin = Duplicate(resource_id=other.id, of=still.id)

    settlement = await settle(box, other, ScriptedRule("group", {other.id: (twin,)}))

    assert settlement.duplicates == [twin]
    assert (await box.file(OTHER)).state is ResourceState.STAGED


async def test_a_file_that_is_gone_meanwhile_is_decided_by_nobody(box: Catalogued, files: dict[str, Resource]) -> None:
    gone = msgspec.structs.replace(files[STILL], id=4711)
    rule = ScriptedRule("group")

    settlement = await settle(box, gone, rule, Placing())

    assert (rule.saw, settlement.jobs) == ([], [])


@pytest.mark.parametrize(("is_late", "due_ms"), [(False, NOW_MS + plan.COMPANY_AFTER_MS), (True, 0)])
async def test_a_clip_waits_for_its_still_and_is_placed_when_it_has_waited_long_enough(
    box: Catalogued, cloud: ScriptedSource, is_late: bool, due_ms: int
) -> None:
    cloud.say(photo("P/four", original("P/four", version="four"), live("P/four", version="clip")))
    assert await box.intake.list_once(cloud) is not None
    clip = await box.file("P/four/live")

    def stage(connection: sqlite3.Connection) -> None:
        assets.set_staged(connection, clip.id, digest="c" * 64, size_bytes=1)
        examined.put_facts(connection, clip.id, Facts(kind=Kind.VIDEO, media_type="video/quicktime"))

    await box.database.write(stage)

    settlement = await settle(box, await box.file("P/four/live"), Placing(), is_late=is_late)

    assert [(job.step, job.subject, job.not_before_ms) for job in settlement.jobs] == [("file", str(clip.id), due_ms)]
    assert ((await box.file("P/four/live")).path is not None) == is_late
