"""What moves between a source's libraries stays one asset: no second copy, no second fetch."""

import pytest
from core.catalogue_of import NOW_MS, SAID, Catalogued, ScriptedSource, edited, live, original, photo, saying

from mediabox.model.asset import Kind, RemoteChange, ResourceState, Turn
from mediabox.store import assets, told

MINE, OURS = "Primary/A", "Shared/B"


def moved(remote_id: str) -> tuple[RemoteChange, ...]:
    return (RemoteChange(remote_id=remote_id, turn=Turn.MOVED, at_ms=NOW_MS),)


async def listed(box: Catalogued, cloud: ScriptedSource) -> None:
    assert await box.intake.list_once(cloud) is not None


async def test_a_move_told_before_the_arrival_gives_the_files_their_new_ids(box, cloud) -> None:
    cloud.say(photo(MINE, original(MINE), live(MINE)))
    await listed(box, cloud)
    await box.archive(f"{MINE}/original", f"{MINE}/live")
    asset_id = (await box.file(f"{MINE}/original")).asset_id
    cloud.say(changes=moved(MINE))
    cloud.say(photo(OURS, original(OURS), live(OURS)))

    await listed(box, cloud)

    members = await box.ask(assets.members, asset_id)
    assert [one.remote_id for one in members] == [f"{OURS}/original", f"{OURS}/live"]
    assert await box.jobs("fetch") == []
    assert await box.jobs("describe") == [str(asset_id)]
    assert await box.story(asset_id) == ["moved_at_source", "arrived_at_source"]


async def test_an_arrival_told_before_the_move_is_joined_when_the_move_is_told(box, cloud) -> None:
    cloud.say(photo(OURS, original(OURS), live(OURS)))
    await listed(box, cloud)
    await box.archive(f"{OURS}/original", f"{OURS}/live")
    asset_id = (await box.file(f"{OURS}/original")).asset_id
    cloud.say(photo(MINE, original(MINE), live(MINE)))
    cloud.say(changes=moved(OURS))

    await listed(box, cloud)

    assert await box.jobs("fetch") == []
    assert (await box.file(f"{MINE}/original")).asset_id == asset_id
    assert (await box.file(f"{MINE}/original")).state is ResourceState.DUPLICATE
    assert {each.asset_id for each in await box.ask(told.of_asset, asset_id)} == {asset_id}
    assert len(await box.rows("SELECT id FROM asset")) == 1


async def test_what_moved_before_it_was_fetched_is_fetched_from_where_it_is(box, cloud) -> None:
    cloud.say(photo(MINE))
    cloud.say(changes=moved(MINE))
    cloud.say(photo(OURS))

    await listed(box, cloud)

    (waiting,) = await box.jobs("fetch")
    assert (await box.ask(assets.resource, int(waiting))).remote_id == f"{OURS}/original"


async def test_an_edit_made_after_the_move_joins_the_asset(box, cloud) -> None:
    cloud.say(photo(MINE))
    await listed(box, cloud)
    await box.archive(f"{MINE}/original")
    cloud.say(changes=moved(MINE))
    cloud.say(photo(OURS))
    cloud.say(photo(OURS, original(OURS), edited(OURS)))

    await listed(box, cloud)

    assert (await box.file(f"{OURS}/edited")).asset_id == (await box.file(f"{OURS}/original")).asset_id
    assert len(await box.jobs("fetch")) == 1


async def test_the_phones_duplicate_is_an_asset_of_its_own_and_costs_no_fetch(box, cloud) -> None:
    cloud.say(photo(MINE))
    await listed(box, cloud)
    await box.archive(f"{MINE}/original")
    cloud.say(photo("Primary/A2", said=saying(caption="the other")))

    await listed(box, cloud)

    first, second = await box.file(f"{MINE}/original"), await box.file("Primary/A2/original")
    assert second.asset_id != first.asset_id
    assert (second.state, second.duplicate_of) == (ResourceState.DUPLICATE, first.id)
    assert await box.jobs("fetch") == []


async def test_a_duplicate_that_stays_is_not_taken_for_what_moved(box, cloud) -> None:
    cloud.say(photo(MINE), photo("Primary/A2", said=saying(caption="the other")))
    await listed(box, cloud)
    cloud.say(changes=moved(MINE))
    cloud.say(photo(OURS))

    await listed(box, cloud)

    assert (await box.file("Primary/A2/original")).asset_id != (await box.file(f"{OURS}/original")).asset_id
    ours = await box.ask(told.of_asset, (await box.file(f"{OURS}/original")).asset_id)
    assert {each.remote_id for each in ours} == {MINE, OURS}


async def test_there_and_back_again_is_one_asset_still(box, cloud) -> None:
    cloud.say(photo(MINE))
    await listed(box, cloud)
    await box.archive(f"{MINE}/original")
    cloud.say(changes=moved(MINE))
    cloud.say(photo(OURS))
    cloud.say(photo("Primary/C"))
    cloud.say(changes=moved(OURS))

    await listed(box, cloud)

    assert len(await box.rows("SELECT id FROM asset")) == 1
    assert await box.jobs("fetch") == []
    (present,) = await box.rows("SELECT remote_id FROM remote_asset WHERE state = 'present'")
    assert present == ("Primary/C",)


async def test_the_same_version_of_another_original_is_fetched(box, cloud) -> None:
    """Only the source's word that both are made of the same original spares a fetch."""
    cloud.say(photo(MINE))
    await listed(box, cloud)
    await box.archive(f"{MINE}/original")
    cloud.say(photo(OURS, said=saying(content_id="another master")))

    await listed(box, cloud)

    assert len(await box.jobs("fetch")) == 1


@pytest.mark.parametrize("said", [SAID, saying(content_id=None)])
async def test_a_move_to_where_nobody_lists_changes_nothing(box, cloud, said) -> None:
    cloud.say(photo(MINE, said=said))
    await listed(box, cloud)
    await box.archive(f"{MINE}/original")
    cloud.say(changes=moved(MINE))
    cloud.say(changes=(RemoteChange(remote_id=MINE, turn=Turn.PURGED, at_ms=NOW_MS),))

    await listed(box, cloud)

    still = await box.file(f"{MINE}/original")
    assert (still.state, still.kind) == (ResourceState.ARCHIVED, Kind.PICTURE)
    assert await box.story(still.asset_id) == ["moved_at_source"]
