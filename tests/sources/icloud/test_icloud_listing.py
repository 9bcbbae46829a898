"""Listing against the simulator: everything once, then what changed, and nothing lost on the way."""

from collections.abc import AsyncIterator

import pytest

from mediabox.errors import Away, Retryable
from mediabox.model.asset import Membership, RemoteAlbum, Role
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import EmptyPage, Fault, NotIndexed, RecordRefused, Refused, Status
from mediabox.simulate.icloud.simulator import Simulator
from sources.icloud.signed_in import Reader, SimulatedKeeper, calls_of, give_stock, source_of

JPEG = b"\xff\xd8\xff\xe0 picture \xff\xd9"


def picture(text: str) -> object:
    return of_bytes(JPEG[:4] + text.encode() + JPEG[-2:])


@pytest.fixture
async def reader(icloud: Simulator) -> AsyncIterator[Reader]:
    source = source_of(icloud)
    yield Reader(source)
    await source.close()


async def test_the_first_listing_is_whole_and_newest_first(icloud: Simulator, reader: Reader) -> None:
    library = give_stock(icloud, 1000, hidden=0.02)

    await reader.look()

    assert {key.partition("/")[2] for key in reader.assets} == {asset.name for asset in library.assets()}
    seen = [asset for asset in reader.told if asset.said and not asset.said.is_hidden]
    added = [asset.said.added_at_ms for asset in seen if asset.said]
    assert added == sorted(added, reverse=True)
    assert len(seen) == len({asset.remote_id for asset in seen})


async def test_a_look_without_changes_costs_three_calls(icloud: Simulator, reader: Reader) -> None:
    give_stock(icloud, 300)
    await reader.look()
    icloud.calls.clear()

    pages = await reader.look()

    assert pages == []
    assert calls_of(icloud) == 3


async def test_whatever_people_do_is_told_at_the_next_look(icloud: Simulator, reader: Reader) -> None:
    library = give_stock(icloud, 200)
    names = [asset.name for asset in library.assets()]
    await reader.look()
    icloud.calls.clear()

    library.add(picture("new"), file_name="IMG_9001.JPG")
    library.edit(names[0], picture("edit"))
    library.favorite(names[1])
    library.hide(names[2])
    library.describe(names[3], caption="The sea", keywords=("sea",))
    library.trash(names[4])
    library.trash(names[5])
    library.restore(names[5])
    library.purge(names[6])
    await reader.look()

    told = {asset.remote_id.partition("/")[2]: asset for asset in reader.told}
    assert reader.named("IMG_9001.JPG").said is not None
    assert [resource.role for resource in told[names[0]].resources][-1] is Role.EDITED
    assert told[names[1]].said.is_favorite
    assert told[names[2]].said.is_hidden
    assert (told[names[3]].said.caption, told[names[3]].said.keywords) == ("The sea", ("sea",))
    turns = dict(reader.turns)
    assert turns[f"PrimarySync/{names[4]}"] == "trashed"
    assert turns[f"PrimarySync/{names[5]}"] == "restored"
    assert turns[f"PrimarySync/{names[6]}"] == "purged"
    assert names[4] not in told
    assert calls_of(icloud) <= 4  # two databases, one page, one lookup of masters


async def test_what_is_said_of_a_photo_never_changes_its_versions(icloud: Simulator, reader: Reader) -> None:
    library = give_stock(icloud, 10)
    await reader.look()
    before = {resource.remote_id: resource.version for resource in reader.resources()}

    for asset in list(library.assets()):
        library.favorite(asset.name)
        library.describe(asset.name, caption="again")
    await reader.look()

    assert len(reader.told) == 10
    assert {resource.remote_id: resource.version for resource in reader.resources()} == before


async def test_an_edit_that_is_reverted_leaves_the_original(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    asset = library.add(picture("one"), file_name="IMG_0001.JPG")
    library.edit(asset.name, picture("edit"))
    await reader.look()
    assert len(reader.resources()) == 2

    library.revert(asset.name)
    await reader.look()

    assert [resource.role for resource in reader.resources()] == [Role.ORIGINAL]


async def test_a_photo_that_moves_to_the_shared_library_keeps_its_version(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    asset = library.add(picture("one"), file_name="IMG_0001.JPG")
    await reader.look()
    (before,) = reader.resources()

    shared = library.start_sharing()
    moved = library.move(asset.name, shared)
    await reader.look()

    assert dict(reader.turns)[f"PrimarySync/{asset.name}"] == "moved"
    after = reader.assets[f"{shared.name}/{moved.name}"]
    assert after.resources[0].version == before.version
    assert after.said.contributors == (library.owner,)


async def test_reads_a_shared_library_somebody_else_owns(icloud: Simulator, reader: Reader) -> None:
    friend = icloud.new_library()
    shared = friend.start_sharing()
    friend.add(picture("theirs"), file_name="IMG_0007.JPG", zone=shared)
    library = icloud.account().library
    library.join(shared)
    library.vault = friend.vault

    await reader.look()

    assert list(reader.assets) == [f"{shared.name}/{asset.name}" for asset in friend.assets()]
    library.zones_left.add(shared.name)
    friend.add(picture("more"), file_name="IMG_0008.JPG", zone=shared)
    await reader.look()
    assert shared.name not in (reader.cursor or "")


async def test_only_the_libraries_asked_for_are_read(icloud: Simulator) -> None:
    library = icloud.account().library
    shared = library.start_sharing()
    library.add(picture("mine"), file_name="IMG_0001.JPG")
    library.add(picture("ours"), file_name="IMG_0002.JPG", zone=shared)
    library.add(picture("nobody's"), file_name="IMG_0003.JPG", is_hidden=True)

    names = {}
    for choice in ({"shared": False}, {"personal": False}, {"hidden": False}, {"newest": 1}):
        source = source_of(icloud, **choice)
        reader = Reader(source)
        await reader.look()
        names[str(choice)] = sorted(resource.name for resource in reader.resources())
        await source.close()

    assert names["{'shared': False}"] == ["IMG_0001.JPG", "IMG_0003.JPG"]
    assert names["{'personal': False}"] == ["IMG_0002.JPG"]
    assert names["{'hidden': False}"] == ["IMG_0001.JPG", "IMG_0002.JPG"]


async def test_another_choice_lists_everything_again(icloud: Simulator) -> None:
    library = icloud.account().library
    library.add(picture("mine"), file_name="IMG_0001.JPG", is_hidden=True)
    without, with_hidden = Reader(source_of(icloud, hidden=False)), Reader(source_of(icloud))
    await without.look()
    with_hidden.cursor = without.cursor

    await with_hidden.look()

    assert len(with_hidden.assets) == 1
    await without.source.close()
    await with_hidden.source.close()


# -- albums


async def test_albums_come_with_their_folders_and_members(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    folder = library.make_album("Trips", is_folder=True)
    album = library.make_album("Rome", parent=folder.name)
    assets = [library.add(picture(str(n)), file_name=f"IMG_{n}.JPG", album=album.name) for n in range(150)]

    await reader.look()

    told = {each.name: each for page in reader.pages for each in page.albums}
    assert told["Rome"].folder_id == told["Trips"].remote_id == f"PrimarySync/{folder.name}"
    assert told["Trips"].is_folder
    members = [each for page in reader.pages for each in page.memberships]
    assert {each.asset_id for each in members} == {f"PrimarySync/{asset.name}" for asset in assets}
    assert len(members) == 150


async def test_albums_change_at_the_next_look(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    first, second = (library.add(picture(n), file_name=f"IMG_{n}.JPG") for n in "ab")
    album = library.make_album("Rome")
    library.add_to_album(first.name, album.name)
    await reader.look()

    library.remove_from_album(first.name, album.name)
    library.add_to_album(second.name, album.name)
    library.rename_album(album.name, "Roma")
    await reader.look()

    key = f"PrimarySync/{album.name}"
    assert [each for page in reader.pages for each in page.albums] == [RemoteAlbum(remote_id=key, name="Roma")]
    members = {each for page in reader.pages for each in page.memberships}
    assert members == {
        Membership(album_id=key, asset_id=f"PrimarySync/{first.name}", is_in=False),
        Membership(album_id=key, asset_id=f"PrimarySync/{second.name}", is_in=True),
    }
    library.delete_album(album.name)
    await reader.look()
    assert [each.is_gone for page in reader.pages for each in page.albums] == [True]


# -- kill, and change meanwhile


async def test_a_listing_killed_after_any_page_goes_on_behind_it(icloud: Simulator) -> None:
    library = give_stock(icloud, 420, hidden=0.3)
    album = library.make_album("All")
    for asset in list(library.assets())[:100]:
        library.add_to_album(asset.name, album.name)
    whole = Reader(source_of(icloud))
    pages = len(await whole.look())

    for survives in range(1, pages):
        reader = Reader(source_of(icloud))
        listing = reader.source.pages(None)
        for _ in range(survives):
            reader.take(await anext(listing))
        await listing.aclose()
        again = Reader(source_of(icloud))  # another process: nothing is left but the cursor
        again.cursor, again.assets = reader.cursor, dict(reader.assets)
        told = [asset.remote_id for asset in reader.told]
        members = [each for page in reader.pages for each in page.memberships]

        await again.look()

        told += [asset.remote_id for asset in again.told]
        members += [each for page in again.pages for each in page.memberships]
        assert again.assets == whole.assets
        assert len(told) == len(set(told))
        assert len(set(members)) == 100
        await reader.source.close()
        await again.source.close()
    await whole.source.close()


async def test_what_changes_while_everything_is_listed_is_told_in_the_same_look(
    icloud: Simulator, reader: Reader
) -> None:
    library = give_stock(icloud, 500)
    names = [asset.name for asset in library.assets()]
    listing = reader.source.pages(None)
    reader.take(await anext(listing))
    reader.take(await anext(listing))

    for name in names[400:460]:  # already listed: everything after them moves up
        library.trash(name)
    library.favorite(names[499])
    library.add(picture("late"), file_name="IMG_9001.JPG")
    async for page in listing:
        reader.take(page)

    left = {f"PrimarySync/{name}" for name in names} - {key for key, turn in reader.turns if turn == "trashed"}
    assert left <= reader.assets.keys()
    assert reader.named("IMG_9001.JPG")
    assert reader.assets[f"PrimarySync/{names[499]}"].said.is_favorite
    assert {key for key, turn in reader.turns if turn == "trashed"} == {f"PrimarySync/{n}" for n in names[400:460]}


# -- odd answers


async def test_two_assets_of_one_original_are_two_assets(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    asset = library.add(picture("one"), file_name="IMG_0001.JPG")
    library.duplicate(asset.name)

    await reader.look()

    assert len(reader.assets) == 2
    assert len({asset.said.content_id for asset in reader.assets.values()}) == 1
    assert len({resource.version for resource in reader.resources()}) == 1


async def test_an_original_that_is_still_uploading_is_waited_for(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    asset = library.add(picture("one"), file_name="IMG_0001.JPG")
    library.omit(asset.name, "resOriginalRes.downloadURL")
    await reader.look()
    assert reader.resources() == []
    assert [complaint.key for complaint in reader.source.complaints()] == ["icloud.incomplete"]

    library.omit(asset.name)
    await reader.look()

    assert [resource.name for resource in reader.resources()] == ["IMG_0001.JPG"]
    assert reader.source.complaints() == ()


async def test_a_live_video_that_comes_later_joins_its_still(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    asset = library.add(picture("one"), file_name="IMG_0001.HEIC", live=of_bytes(b"video"))
    library.detach_live(asset.name)
    await reader.look()
    assert [resource.role for resource in reader.resources()] == [Role.ORIGINAL]

    library.attach_live(asset.name, of_bytes(b"video"))
    await reader.look()

    assert [resource.role for resource in reader.resources()] == [Role.ORIGINAL, Role.LIVE_VIDEO]
    icloud.calls.clear()
    await reader.look()
    assert calls_of(icloud) == 3  # nobody is waited for any more


async def test_a_live_video_that_never_comes_is_let_go(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    asset = library.add(picture("one"), file_name="IMG_0001.HEIC", live=of_bytes(b"video"))
    library.detach_live(asset.name)
    for _ in range(10):
        await reader.look()
    icloud.calls.clear()

    await reader.look()

    assert calls_of(icloud) == 3
    assert reader.source.complaints() == ()


async def test_empty_pages_that_promise_more_are_followed(icloud: Simulator, reader: Reader) -> None:
    library = give_stock(icloud, 20)
    await reader.look()
    library.add(picture("new"), file_name="IMG_9001.JPG")
    icloud.faults.add(Fault("changes.zone", EmptyPage(), times=70))

    await reader.look()

    assert reader.named("IMG_9001.JPG")


async def test_a_token_apple_does_not_know_lists_everything_again(icloud: Simulator, reader: Reader) -> None:
    library = give_stock(icloud, 120)
    await reader.look()
    library.add(picture("new"), file_name="IMG_9001.JPG")
    icloud.faults.add(Fault("changes.zone", Refused("BAD_REQUEST", "Unknown sync continuation type")))

    await reader.look()

    assert len(reader.told) == 121 + 0
    icloud.calls.clear()
    await reader.look()
    assert calls_of(icloud) == 3


async def test_a_database_token_apple_does_not_know_is_asked_anew(icloud: Simulator, reader: Reader) -> None:
    give_stock(icloud, 20)
    await reader.look()
    refused = Status(400, '{"serverErrorCode":"BAD_REQUEST","reason":"Invalid continuation format"}')
    icloud.faults.add(Fault("changes.database", refused))

    await reader.look()

    assert len(reader.assets) == 20


async def test_indexing_is_waited_for(icloud: Simulator, reader: Reader) -> None:
    give_stock(icloud, 20)
    icloud.faults.add(Fault("records.query", NotIndexed("RUNNING")))

    with pytest.raises(Retryable, match="still indexing") as later:
        await reader.look()
    assert later.value.retry_after_s == 300

    await reader.look()
    assert len(reader.assets) == 20


async def test_a_library_that_is_gone_is_left_out(icloud: Simulator, reader: Reader) -> None:
    library = icloud.account().library
    library.add(picture("mine"), file_name="IMG_0001.JPG")
    shared = library.start_sharing()
    library.add(picture("ours"), file_name="IMG_0002.JPG", zone=shared)
    await reader.look()
    library.add(picture("more"), file_name="IMG_0003.JPG", zone=shared)
    library.zones_left.add(shared.name)
    icloud.faults.add(Fault("changes.zone", Refused("ZONE_NOT_FOUND"), only=shared.name))

    await reader.look()

    assert shared.name not in (reader.cursor or "")
    library.add(picture("again"), file_name="IMG_0004.JPG")
    await reader.look()
    assert reader.named("IMG_0004.JPG")


async def test_a_record_that_is_refused_is_complained_of_and_costs_only_itself(
    icloud: Simulator, reader: Reader
) -> None:
    give_stock(icloud, 20, live=0.0)
    icloud.faults.add(Fault("records.query", RecordRefused("INTERNAL", "?"), after=1))

    await reader.look()

    assert len(reader.assets) == 20  # its master was looked up
    assert [complaint.key for complaint in reader.source.complaints()] == ["icloud.unreadable_records"]


@pytest.mark.parametrize("code", ["THROTTLED", "RETRY_LATER"])
async def test_a_throttle_in_place_of_a_record_stops_the_listing(icloud: Simulator, reader: Reader, code: str) -> None:
    give_stock(icloud, 20)
    icloud.faults.add(Fault("records.query", RecordRefused(code), after=1))

    with pytest.raises(Away):
        await reader.look()

    await reader.look()
    assert len(reader.assets) == 20


# -- sessions


async def test_a_session_that_ends_in_the_middle_is_renewed(icloud: Simulator) -> None:
    give_stock(icloud, 300)
    keeper = SimulatedKeeper(icloud)
    reader = Reader(source_of(icloud, keeper=keeper))
    listing = reader.source.pages(None)
    reader.take(await anext(listing))
    icloud.directory.forget_sessions()

    async for page in listing:
        reader.take(page)

    assert len(reader.assets) == 300
    assert keeper.sign_ins == 2
    await reader.source.close()


async def test_an_account_that_moved_to_another_host_is_followed(icloud: Simulator) -> None:
    give_stock(icloud, 300)
    keeper = SimulatedKeeper(icloud)
    reader = Reader(source_of(icloud, keeper=keeper))
    await reader.look()
    icloud.move_partition()

    await reader.look()

    assert keeper.sign_ins == 2
    await reader.source.close()


@pytest.mark.parametrize("is_later", [False, True], ids=["first", "delta"])
async def test_an_album_keeps_a_member_that_lives_in_another_library(
    icloud: Simulator, reader: Reader, is_later: bool
) -> None:
    """kei #474: of such a member the album's page has the relation alone."""
    library = icloud.account().library
    album = library.make_album("Norway")
    ours = library.add(picture("ours"), file_name="IMG_0002.JPG", zone=library.start_sharing())
    if is_later:
        await reader.look()
    library.add_to_album(ours.name, album.name)
    await reader.look()

    key = reader.named("IMG_0002.JPG").remote_id
    assert key.startswith("SharedSync-")
    assert membership_of(reader, key) == {(f"PrimarySync/{album.name}", True)}
    library.remove_from_album(ours.name, album.name)
    await reader.look()
    assert membership_of(reader, key) == {(f"PrimarySync/{album.name}", False)}


def membership_of(reader: Reader, remote_id: str) -> set[tuple[str, bool]]:
    """What the last look said of an asset's albums."""
    said = (each for page in reader.pages for each in page.memberships)
    return {(each.album_id, each.is_in) for each in said if each.asset_id == remote_id}
