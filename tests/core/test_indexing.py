"""The asset index follows the journal: what changed in a transaction is found, or is not found any more, after it."""

import sqlite3
from pathlib import Path

import pytest
from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource, edited, live, original, photo, saying

from mediabox.core import indexing
from mediabox.core.queries.find import FoundPage, find_assets
from mediabox.model.asset import Membership, RemoteAlbum, RemoteChange, Role, Turn
from mediabox.model.indexed import Flag
from mediabox.model.query import EVERYTHING, QueryInvalid
from mediabox.store import asset_index, asset_pages, assets, journal
from mediabox.store.database import Database

A, B = "Primary/A", "Primary/B"


@pytest.fixture
async def box(tmp_path: Path) -> Catalogued:
    async with Database(tmp_path / "mediabox.db", follow=indexing.follow) as database:
        yield Catalogued(database)


@pytest.fixture
def cloud() -> ScriptedSource:
    return ScriptedSource("anna")


async def listed(box: Catalogued, source: ScriptedSource) -> None:
    assert await box.intake.list_once(source) is not None


async def archive(box: Catalogued, *remote_ids: str) -> None:
    """With the journal's word for it."""
    await box.archive(*remote_ids)
    for remote_id in remote_ids:
        one = await box.file(remote_id)
        await box.database.write(
            lambda connection, one=one: journal.append(
                connection, "archived", at_ms=NOW_MS, resource_id=one.id, asset_id=one.asset_id
            )
        )


async def found(box: Catalogued, query: str, *, seen_by: frozenset[str] | None = None, **more: object) -> FoundPage:
    return await box.database.read(
        lambda connection: find_assets(connection, query, today="2026-12-01", seen_by=seen_by, **more)
    )


async def names(box: Catalogued, query: str, *, seen_by: frozenset[str] | None = None) -> list[str]:
    return [one.name for one in (await found(box, query, seen_by=seen_by)).assets]


async def test_what_is_not_archived_yet_is_not_found(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)

    before = await names(box, "")
    await archive(box, f"{A}/original")

    assert (before, await names(box, "")) == ([], ["IMG_0001.HEIC"])


async def test_one_asset_of_several_files_is_found_once_by_the_words_of_all(box, cloud) -> None:
    cloud.say(photo(A, original(A), live(A), edited(A)))
    await listed(box, cloud)
    await archive(box, f"{A}/original", f"{A}/live", f"{A}/edited")

    [one] = (await found(box, "IMG_E0001")).assets

    assert one.name == "IMG_0001.HEIC"
    assert set(one.flags) == {Flag.LIVE, Flag.EDITED}
    assert one.taken == "2024-05-12T20:00:00"
    assert await names(box, "date:2024-05-12 is:live format:jpeg -is:raw") == ["IMG_0001.HEIC"]


async def test_what_a_source_says_later_is_found_at_once_and_what_it_no_longer_says_is_not(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)
    await archive(box, f"{A}/original")
    assert await names(box, 'title:"a tree"')

    cloud.say(photo(A, said=saying(title="A house", is_favorite=True, keywords=("roof",))))
    await listed(box, cloud)

    assert await names(box, "title:tree") == []
    assert await names(box, "title:house keyword:roof is:favorite")


async def test_albums_are_found_by_name_and_lose_what_leaves_them(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)
    await archive(box, f"{A}/original")
    album = RemoteAlbum(remote_id="album", name="Corsica 2024")
    cloud.say(albums=(album,), memberships=(Membership(album_id="album", asset_id=A),))
    await listed(box, cloud)
    in_album = await names(box, "album:corsica")
    out = Membership(album_id="album", asset_id=A, is_in=False)
    cloud.say(memberships=(out,))
    await listed(box, cloud)

    assert (in_album, await names(box, "album:corsica")) == (["IMG_0001.HEIC"], [])


async def test_what_its_source_hides_is_hidden_and_what_it_throws_away_is_in_the_trash(box, cloud) -> None:
    cloud.say(photo(A), photo(B, original(B, version="other")))
    await listed(box, cloud)
    await archive(box, f"{A}/original", f"{B}/original")
    cloud.say(photo(A, said=saying(is_hidden=True)))
    cloud.say(changes=(RemoteChange(remote_id=B, turn=Turn.TRASHED, at_ms=NOW_MS),))
    await listed(box, cloud)

    flags = {flag for one in (await found(box, "")).assets for flag in one.flags}

    assert flags == {Flag.HIDDEN, Flag.TRASHED}
    assert len(await names(box, "is:hidden")) == len(await names(box, "is:trashed")) == 1
    assert await names(box, "is:hidden is:trashed") == []


async def test_an_asset_is_seen_by_those_who_have_it_also_where_only_one_copy_is_kept(box, cloud) -> None:
    bob = ScriptedSource("bob")
    cloud.say(photo(A), photo(B, original(B, version="only Anna's")))
    bob.say(photo("Bob/A", said=saying(is_hidden=True, content_id="other")))
    await listed(box, cloud)
    await listed(box, bob)
    await archive(box, f"{A}/original", f"{B}/original")
    kept, twin = await box.file(f"{A}/original"), await box.file("Bob/A/original")

    def same_bytes(connection: sqlite3.Connection) -> None:
        assets.set_duplicate(connection, twin.id, of=kept.id, digest=kept.digest or "", size_bytes=2)
        journal.append(connection, "duplicate", at_ms=NOW_MS, resource_id=twin.id, asset_id=twin.asset_id)

    await box.database.write(same_bytes)

    assert len(await names(box, "", seen_by=frozenset({"anna"}))) == 2
    assert len(await names(box, "", seen_by=frozenset({"bob"}))) == 1
    assert await names(box, "", seen_by=frozenset({"carol"})) == []
    assert await names(box, "", seen_by=frozenset()) == []
    assert len(await names(box, "source:bob source:anna")) == 1
    assert await names(box, "is:hidden") == []  # Anna does not hide it


async def test_an_older_catalogue_is_indexed_in_pieces_and_says_how_far_it_is(box, cloud, monkeypatch) -> None:
    cloud.say(*(photo(f"P/{number}", original(f"P/{number}", version=str(number))) for number in range(6)))
    await listed(box, cloud)
    await archive(box, *(f"P/{number}/original" for number in range(6)))

    def forget(connection: sqlite3.Connection) -> None:
        for one in asset_pages.page(connection, EVERYTHING, seen_by=None, limit=100):
            asset_index.remove(connection, one.asset_id)
        asset_index.set_indexed_until(connection, 0)

    await box.database.write(forget)
    monkeypatch.setattr(indexing, "BATCH", 5)
    percents = []
    while not await box.database.write(indexing.catch_up):
        percents.append((await found(box, "")).indexed_percent)
        # What happens meanwhile is not lost either, and does not have to index everything first.
        await box.database.write(lambda connection: journal.append(connection, "paused", at_ms=NOW_MS))

    page = await found(box, "")
    assert percents == sorted(percents)
    assert percents[0] < 100
    assert (page.total, page.indexed_percent) == (6, 100)


async def test_pages_are_followed_by_their_mark_alone(box, cloud) -> None:
    cloud.say(*(photo(f"P/{number}", original(f"P/{number}", version=str(number))) for number in range(5)))
    await listed(box, cloud)
    await archive(box, *(f"P/{number}/original" for number in range(5)))

    seen, after = [], None
    while True:
        page = await found(box, "", after=after, limit=2)
        seen += [one.id for one in page.assets]
        if (after := page.next_after) is None:
            break

    assert len(seen) == len(set(seen)) == page.total == 5
    with pytest.raises(QueryInvalid, match="where a page ended"):
        await found(box, "", after="5.x")


async def test_a_transaction_that_fails_leaves_the_index_as_it_was(box, cloud) -> None:
    cloud.say(photo(A))
    await listed(box, cloud)
    await archive(box, f"{A}/original")
    one = await box.file(f"{A}/original")

    def fail(connection: sqlite3.Connection) -> None:
        journal.append(connection, "told", at_ms=NOW_MS, asset_id=one.asset_id)
        asset_index.remove(connection, one.asset_id)
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await box.database.write(fail)

    assert await names(box, "") == ["IMG_0001.HEIC"]


async def test_an_asset_that_a_file_left_is_indexed_again_like_the_one_it_joined(box, cloud) -> None:
    cloud.say(photo(A, original(A), edited(A)), photo(B, original(B, version="other")))
    await listed(box, cloud)
    await archive(box, f"{A}/original", f"{A}/edited", f"{B}/original")
    file, other = await box.file(f"{A}/edited"), await box.file(f"{B}/original")

    def join(connection: sqlite3.Connection) -> None:
        assets.join(connection, file.id, other.asset_id, Role.EDITED)
        journal.append(
            connection, "joined", at_ms=NOW_MS, resource_id=file.id, asset_id=other.asset_id, left=file.asset_id
        )

    before = await names(box, "is:edited")
    await box.database.write(join)
    [left, joined] = sorted((await found(box, "")).assets, key=lambda one: one.id)

    assert before == ["IMG_0001.HEIC"]
    assert (Flag.EDITED in left.flags, Flag.EDITED in joined.flags) == (False, True)
