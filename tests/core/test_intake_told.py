"""What a source says beyond bytes is taken in with its files, and costs no fetch when it changes."""

import asyncio

from core.catalogue_of import NOW_MS, SAID, Catalogued, ScriptedSource, edited, live, original, photo, saying
from patience import PATIENCE_S

from mediabox.contracts import Page
from mediabox.core import switches
from mediabox.core.catalogue import describe
from mediabox.core.commands.dispatch import execute_in
from mediabox.core.commands.scan import Scan
from mediabox.errors import Away
from mediabox.model.actor import SYSTEM
from mediabox.model.asset import (
    Kind,
    Membership,
    RemoteAlbum,
    RemoteAsset,
    RemoteChange,
    RemoteResource,
    ResourceState,
    Role,
    Turn,
)
from mediabox.model.facts import TimeSource
from mediabox.model.sidecar import SidecarRecord
from mediabox.store import assets, listings, told

A = "Primary/A"


async def listed(box: Catalogued, cloud: ScriptedSource) -> None:
    assert await box.intake.list_once(cloud) is not None


async def record(box: Catalogued, remote_id: str = f"{A}/original") -> SidecarRecord:
    return (await box.ask(describe, (await box.file(remote_id)).asset_id)).record


async def test_a_photo_of_several_files_is_one_asset_with_the_roles_its_source_gives(box, cloud) -> None:
    cloud.say(photo(A, original(A), live(A), edited(A)))

    await listed(box, cloud)

    still = await box.file(f"{A}/original")
    members = await box.ask(assets.members, still.asset_id)
    assert [one.role for one in members] == [Role.ORIGINAL, Role.LIVE_VIDEO, Role.EDITED]
    assert len(await box.jobs("fetch")) == 3


async def test_an_edit_and_a_clip_that_come_later_join_the_asset(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)
    await box.archive(f"{A}/original")
    cloud.say(photo(A, original(A), edited(A)))
    cloud.say(photo(A, original(A), live(A), edited(A)))

    await listed(box, cloud)

    still = await box.file(f"{A}/original")
    assert {one.asset_id for one in (await box.file(f"{A}/edited"), await box.file(f"{A}/live"))} == {still.asset_id}
    assert len(await box.jobs("fetch")) == 2  # the original is not fetched again


async def test_another_edit_is_kept_beside_the_first(box, cloud) -> None:
    cloud.say(photo(A, original(A), edited(A, "v3")))
    await listed(box, cloud)
    await box.archive(f"{A}/original", f"{A}/edited")
    cloud.say(photo(A, original(A), edited(A, "v4")))

    await listed(box, cloud)

    members = await box.ask(assets.members, (await box.file(f"{A}/original")).asset_id)
    assert [(one.version, one.state) for one in members if one.role is Role.EDITED] == [
        ("v3", ResourceState.ARCHIVED),
        ("v4", ResourceState.SEEN),
    ]


async def test_a_page_told_twice_changes_nothing(box, cloud) -> None:
    cloud.say(photo(A, original(A), live(A)))
    await listed(box, cloud)
    before = await box.rows("SELECT count(*) FROM journal")
    cloud.say(photo(A, original(A), live(A)))

    await listed(box, cloud)

    assert await box.rows("SELECT count(*) FROM journal") == before
    assert len(await box.jobs("fetch")) == 2


async def test_a_favourite_and_a_caption_cost_no_fetch_and_one_line_of_the_story(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)
    await box.archive(f"{A}/original")
    cloud.say(photo(A, said=saying(is_favorite=True, caption="In the wind", title=None)))

    await listed(box, cloud)

    still = await box.file(f"{A}/original")
    assert await box.jobs("fetch") == []
    assert await box.jobs("describe") == [str(still.asset_id)]
    (changed,) = await box.rows("SELECT fields FROM journal WHERE event = 'told'")
    assert changed == ('{"changed":["favorite","title","caption"]}',)
    found = await record(box)
    assert (found.is_favorite, found.caption, found.title) == (True, "In the wind", None)


async def test_nothing_is_described_before_it_is_archived(box, cloud) -> None:
    cloud.say(photo(A))
    cloud.say(photo(A, said=saying(is_favorite=True)))

    await listed(box, cloud)

    assert await box.jobs("describe") == []


async def test_albums_in_folders_reach_the_sidecar_in_whatever_order_they_are_told(box, cloud) -> None:
    cloud.say(memberships=(Membership(album_id="Primary/rome", asset_id=A),))
    cloud.say(photo(A), albums=(RemoteAlbum(remote_id="Primary/rome", name="Rome", folder_id="Primary/trips"),))
    await listed(box, cloud)
    await box.archive(f"{A}/original")
    cloud.say(albums=(RemoteAlbum(remote_id="Primary/trips", name="Trips", is_folder=True),))

    await listed(box, cloud)

    assert (await record(box)).albums == (("Trips", "Rome"),)
    assert await box.jobs("describe") == [str((await box.file(f"{A}/original")).asset_id)]


async def test_a_renamed_folder_a_left_album_and_a_deleted_one_are_told_to_the_sidecar(box, cloud) -> None:
    trips = RemoteAlbum(remote_id="P/trips", name="Trips", is_folder=True)
    rome = RemoteAlbum(remote_id="P/rome", name="Rome", folder_id="P/trips")
    best = RemoteAlbum(remote_id="P/best", name="Best")
    in_both = tuple(Membership(album_id=album, asset_id=A) for album in ("P/rome", "P/best"))
    cloud.say(photo(A), albums=(trips, rome, best), memberships=in_both)
    await listed(box, cloud)
    await box.archive(f"{A}/original")
    assert (await record(box)).albums == (("Best",), ("Trips", "Rome"))

    cloud.say(albums=(RemoteAlbum(remote_id="P/trips", name="Journeys", is_folder=True),))
    await listed(box, cloud)
    assert (await record(box)).albums == (("Best",), ("Journeys", "Rome"))

    cloud.say(memberships=(Membership(album_id="P/rome", asset_id=A, is_in=False),))
    cloud.say(albums=(RemoteAlbum(remote_id="P/best", name="Best", is_gone=True),))
    await listed(box, cloud)
    assert (await record(box)).albums == ()
    assert (await box.story((await box.file(f"{A}/original")).asset_id)).count("told") == 4


async def test_folders_in_a_ring_do_not_hang_the_box(box, cloud) -> None:
    ring = (
        RemoteAlbum(remote_id="P/a", name="a", folder_id="P/b", is_folder=True),
        RemoteAlbum(remote_id="P/b", name="b", folder_id="P/a", is_folder=True),
    )
    cloud.say(photo(A), albums=ring, memberships=(Membership(album_id="P/a", asset_id=A),))

    await listed(box, cloud)

    assert len((await box.ask(told.albums_of, (await box.file(f"{A}/original")).asset_id))[0]) == told.DEEPEST


async def test_trash_and_return_are_part_of_the_story_and_move_nothing_when_the_owner_keeps(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)
    await box.archive(f"{A}/original")
    for turn in (Turn.TRASHED, Turn.TRASHED, Turn.RESTORED, Turn.RESTORED, Turn.TRASHED, Turn.PURGED):
        cloud.say(changes=(RemoteChange(remote_id=A, turn=turn, at_ms=NOW_MS),))
    cloud.say(changes=(RemoteChange(remote_id="Primary/never seen", turn=Turn.PURGED, at_ms=NOW_MS),))

    await listed(box, cloud)

    still = await box.file(f"{A}/original")
    assert await box.story(still.asset_id) == [
        "trashed_at_source",
        "restored_at_source",
        "trashed_at_source",
        "purged_at_source",
    ]
    assert still.state is ResourceState.ARCHIVED
    assert await box.jobs("trash") == []


async def test_a_listing_that_has_it_again_says_that_it_is_back(box, cloud) -> None:
    cloud.say(photo(A), changes=())
    cloud.say(changes=(RemoteChange(remote_id=A, turn=Turn.TRASHED, at_ms=NOW_MS),))
    cloud.say(photo(A))

    await listed(box, cloud)

    (row,) = await box.ask(told.of_asset, (await box.file(f"{A}/original")).asset_id)
    assert row.presence is told.Presence.PRESENT


async def test_a_rebuilt_catalogue_recognises_what_its_source_tells(box, cloud) -> None:
    """After `mediabox rebuild` files are known by their sidecars, and nothing of what the source says."""
    cloud.say(photo(A, original(A), live(A), said=None))
    await listed(box, cloud)
    await box.archive(f"{A}/original")
    cloud.say(photo(A, original(A), live(A)))

    await listed(box, cloud)

    still, clip = await box.file(f"{A}/original"), await box.file(f"{A}/live")
    (row,) = await box.ask(told.of_asset, still.asset_id)
    assert (still.remote_asset_id, clip.remote_asset_id, clip.asset_id) == (row.id, row.id, still.asset_id)
    assert len(await box.rows("SELECT id FROM resource")) == 2


async def test_a_file_whose_content_tells_its_kind_joins_its_asset(box, cloud) -> None:
    nameless = RemoteResource(remote_id=f"{A}/raw", version="v9", name="IMG_0001", role=Role.RAW, size_bytes=9)
    cloud.heads[nameless.remote_id] = b"\xff\xd8\xff\xe0" + bytes(60)
    cloud.say(photo(A), undecided=(nameless,))

    await listed(box, cloud)

    found = await box.file(f"{A}/raw")
    assert (found.asset_id, found.kind) == ((await box.file(f"{A}/original")).asset_id, Kind.PICTURE)


async def test_a_source_of_mere_files_has_no_assets_of_its_own(box, cloud) -> None:
    cloud.say(RemoteAsset(remote_id="t/a.jpg", resources=(original("t", name="a.jpg"),)))

    await listed(box, cloud)

    assert await box.rows("SELECT id FROM remote_asset") == []
    assert len(await box.jobs("fetch")) == 1


async def test_the_sidecar_has_the_sources_time_when_the_file_has_none(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)
    await box.archive(f"{A}/original")

    taken = (await record(box)).capture_time

    assert taken is not None
    assert (taken.local, taken.offset_min, taken.source) == ("2024-05-12T20:00:00", 120, TimeSource.SOURCE)
    assert SAID.offset_min == 120


async def test_a_full_listing_that_was_asked_for_begins_with_the_first_page_once(box, cloud) -> None:
    cloud.say(photo(A))
    cloud.say(photo("Primary/B"))
    await listed(box, cloud)
    await execute_in(box.database, Scan(sources=(cloud.name,), is_full=True), SYSTEM, now_ms=NOW_MS)
    cloud.script[0] = Page(assets=(photo(A, original(A), edited(A)),), cursor="1")

    await listed(box, cloud)

    assert await box.file(f"{A}/edited")
    assert not await box.ask(switches.is_full_listing_asked, cloud.name)
    assert await box.ask(listings.cursor, cloud.name) == "2"


async def test_a_source_that_waits_for_a_day_is_listed_at_once_when_somebody_asks(box, cloud, monkeypatch) -> None:
    waits: list[float] = []
    listings_done = asyncio.Event()

    async def wait(timeout_s: float) -> bool:
        waits.append(timeout_s)
        listings_done.set()
        await asyncio.Event().wait()
        return False

    monkeypatch.setattr(cloud, "wait", wait)
    following = asyncio.create_task(box.intake.follow(cloud))
    async with asyncio.timeout(PATIENCE_S):
        await listings_done.wait()
        listings_done.clear()
        cloud.say(photo(A))
        box.intake.look(cloud.name)
        await listings_done.wait()
    following.cancel()

    assert len(waits) == 2
    assert await box.file(f"{A}/original")


async def test_a_page_whose_files_could_not_be_looked_at_comes_again_when_the_source_is_back(box, cloud) -> None:
    unnamed = RemoteResource(remote_id=f"{A}/original", version="v1", name="scan0001", size_bytes=10)
    cloud.say(undecided=(unnamed,))
    cloud.is_away = True
    peek = cloud.peek

    async def away(resource: RemoteResource) -> bytes:
        if cloud.is_away:
            raise Away("nobody answers", part=f"source:{cloud.name}")
        return await peek(resource)

    cloud.peek = away
    assert await box.intake.list_once(cloud) is None

    cloud.is_away, cloud.heads[unnamed.remote_id] = False, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
    await listed(box, cloud)

    assert (await box.file(unnamed.remote_id)).kind is Kind.PICTURE
