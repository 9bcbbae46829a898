"""Tokens and deltas, as kei's reference for synctoken describes them."""

from pathlib import Path

import aiohttp
import pytest

from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.directory import Account
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.lives import DAY_S
from mediabox.simulate.icloud.simulator import Simulator
from simulate.icloud_fixtures import Browser, names_of


@pytest.fixture
def library(icloud: Simulator) -> Library:
    """Five photos."""
    library = icloud.account().library
    for number in range(5):
        library.add(of_bytes(b"%d" % number), file_name=f"IMG_{number}.JPG", taken_ms=1_700_000_000_000 + number)
    return library


def kinds(records) -> list[str]:
    return sorted(record["recordType"] or "gone" for record in records)


def field(record, name: str):
    return record["fields"].get(name, {}).get("value")


async def test_the_whole_history_starts_with_an_empty_page(icloud: Simulator, library: Library) -> None:
    async with Browser(icloud) as browser:
        first = await browser.changes(None)
        records, token = await browser.all_changes(first["syncToken"], limit=3)

        assert (first["records"], first["moreComing"]) == ([], True)
        assert kinds(records) == ["CPLAsset"] * 5 + ["CPLLibraryInfo"] + ["CPLMaster"] * 5
        again = await browser.changes(token)
        assert (again["records"], again["moreComing"], again["syncToken"]) == ([], False, token)


async def test_an_empty_token_means_caught_up(icloud: Simulator, library: Library) -> None:
    async with Browser(icloud) as browser:
        page = await browser.changes("")

    assert (page["records"], page["moreComing"]) == ([], False)
    assert page["syncToken"] == library.personal.journal.token


async def test_tokens_can_be_used_again_and_pages_have_their_own(icloud: Simulator, library: Library) -> None:
    async with Browser(icloud) as browser:
        start = (await browser.changes(None))["syncToken"]
        pages = [await browser.changes(start, limit=4) for _ in range(2)]
        small, _ = await browser.all_changes(start, limit=1)
        large, _ = await browser.all_changes(start, limit=999)

    assert pages[0] == pages[1] | {"records": pages[0]["records"]}
    assert [each["recordName"] for each in small] == [each["recordName"] for each in large]


async def test_a_query_answers_a_token_for_changes(icloud: Simulator, library: Library) -> None:
    async with Browser(icloud) as browser:
        token = (await browser.query("CPLAssetAndMasterByAddedDate", limit=2))["syncToken"]
        library.favorite(library.find("IMG_1.JPG").name)

        records, _ = await browser.all_changes(token)

        assert names_of(records) == [library.find("IMG_1.JPG").name]
        lone = (await browser.query("CPLAssetAndMasterByAddedDate", limit=1))["syncToken"]
        assert (await browser.changes(lone))["serverErrorCode"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("bm90IGEgdG9rZW4=", "Unknown sync continuation type"),
        ("AQAAWg==", "Invalid continuation format"),
        ("%%%", "Invalid continuation format"),
    ],
)
async def test_a_bad_token_is_refused_inside_200(icloud: Simulator, library: Library, token: str, reason: str) -> None:
    async with Browser(icloud) as browser:
        page = await browser.changes(token)

    assert (page["serverErrorCode"], page["reason"]) == ("BAD_REQUEST", reason)


async def test_tokens_of_the_database_of_other_zones_and_of_another_run_are_refused(
    icloud: Simulator, library: Library, tmp_path: Path
) -> None:
    shared = library.start_sharing()
    elsewhere = Library().personal.journal.token
    async with Browser(icloud) as browser:
        database = (await browser.post("/changes/database", {}))["syncToken"]
        for token in (database, shared.journal.token, elsewhere):
            assert (await browser.changes(token))["serverErrorCode"] == "BAD_REQUEST"
        missing = await browser.changes(None, zone="SharedSync")
        assert missing["serverErrorCode"] == "ZONE_NOT_FOUND"


async def test_the_database_tells_which_zones_changed(icloud: Simulator, library: Library) -> None:
    shared = library.start_sharing()
    async with Browser(icloud) as browser:
        first = await browser.post("/changes/database", {})
        second = await browser.post("/changes/database", {"syncToken": first["syncToken"]})
        library.favorite(library.find("IMG_2.JPG").name)
        third = await browser.post("/changes/database", {"syncToken": second["syncToken"]})

    assert [each["zoneID"]["zoneName"] for each in first["zones"]] == ["PrimarySync", shared.name]
    assert second["zones"] == []
    assert second["syncToken"] != first["syncToken"]
    assert [each["zoneID"]["zoneName"] for each in third["zones"]] == ["PrimarySync"]
    assert third["zones"][0]["syncToken"] == library.personal.journal.token


async def delta(browser: Browser, library: Library, do) -> list:
    token = library.personal.journal.token
    do()
    records, _ = await browser.all_changes(token)
    return records


async def test_each_act_leaves_the_records_apple_leaves(icloud: Simulator, library: Library, tmp_path: Path) -> None:
    name = library.find("IMG_3.JPG").name
    rendition = tmp_path / "edit.jpg"
    rendition.write_bytes(b"edited")
    album = library.make_album("Holidays")
    async with Browser(icloud) as browser:
        added = await delta(browser, library, lambda: library.add(of_bytes(b"new"), file_name="N.JPG"))
        assert kinds(added) == ["CPLAsset", "CPLLibraryInfo", "CPLMaster"]

        for act in (
            lambda: library.edit(name, rendition),
            lambda: library.favorite(name),
            lambda: library.hide(name),
            lambda: library.describe(name, caption="At sea", keywords=("sea", "sun")),
        ):
            assert kinds(await delta(browser, library, act)) == ["CPLAsset", "CPLLibraryInfo"]

        trashed = await delta(browser, library, lambda: library.trash(name))
        assert kinds(trashed) == ["CPLAsset", "CPLLibraryInfo", "CPLMaster"]
        assert [field(each, "isDeleted") for each in trashed[:2]] == [1, 1]
        assert all(each["deleted"] is False for each in trashed)

        restored = await delta(browser, library, lambda: library.restore(name))
        assert kinds(restored) == ["CPLAsset", "CPLLibraryInfo"]
        assert "isDeleted" not in restored[0]["fields"]

        related = await delta(browser, library, lambda: library.add_to_album(name, album.name))
        assert kinds(related) == ["CPLAlbum", "CPLContainerRelation"]
        left = await delta(browser, library, lambda: library.remove_from_album(name, album.name))
        assert left[0] == left[0] | {"recordName": f"{name}-IN-{album.name}", "recordType": None, "deleted": True}

        purged = await delta(browser, library, lambda: library.purge(name))
        assert kinds(purged) == ["CPLLibraryInfo", "gone", "gone"]
        assert all("fields" not in each for each in purged if each["deleted"])

        twin = await delta(browser, library, lambda: library.duplicate(library.find("IMG_4.JPG").name))
        assert kinds(twin) == ["CPLAsset", "CPLLibraryInfo", "CPLMaster"]

        person = await delta(browser, library, lambda: library.add_person("Ada", [library.find("IMG_1.JPG").name]))
        assert kinds(person) == ["CPLFaceCrop", "CPLPerson"]


async def test_a_trashed_photo_is_gone_after_thirty_days(icloud: Simulator, library: Library) -> None:
    name = library.find("IMG_3.JPG").name
    library.trash(name)
    token = library.personal.journal.token
    icloud.clock.advance(30 * DAY_S)
    async with Browser(icloud) as browser:
        records, _ = await browser.all_changes(token)

    assert name in [each["recordName"] for each in records if each["deleted"]]


async def test_a_move_keeps_the_original_and_changes_the_asset(icloud: Simulator, library: Library) -> None:
    shared = library.start_sharing()
    asset = library.find("IMG_2.JPG")
    async with Browser(icloud) as browser:
        left = await delta(browser, library, lambda: library.move(asset.name, shared))
        came, token = await browser.all_changes(None, zone=shared.name)
        back_token = library.personal.journal.token
        library.move(names_of(came)[0], library.personal)
        back, _ = await browser.all_changes(back_token)
        gone, _ = await browser.all_changes(token, zone=shared.name)

    own = next(each for each in left if each["recordName"] == asset.name)
    assert (field(own, "isDeleted"), field(own, "trashReason"), field(own, "isExpunged")) == (1, 0, 1)
    assert names_of(came, "CPLMaster") == [asset.master]
    assert names_of(came) != [asset.name]
    assert field(came[0], "contributors")[0]["recordName"] == library.owner
    assert names_of(came, "CPLSharedLibraryQuota")
    assert names_of(back, "CPLMaster") == [asset.master]
    assert {field(each, "isDeleted") for each in gone if each["recordType"] in ("CPLAsset", "CPLMaster")} == {1}


async def test_an_original_two_assets_stand_on_survives_one_of_them(icloud: Simulator, library: Library) -> None:
    one = library.find("IMG_0.JPG")
    two = library.duplicate(one.name)

    library.trash(one.name)
    assert not library.personal.master(one.master).is_trashed
    library.purge(one.name)

    assert library.personal.master(one.master)
    library.purge(two.name)
    with pytest.raises(KeyError):
        library.personal.master(one.master)


async def test_those_invited_see_the_shared_library_under_shared(icloud: Simulator, library: Library) -> None:
    shared = library.start_sharing()
    guest: Account = icloud.add_account("guest@example.com")
    guest.library.join(shared)
    async with Browser(icloud, guest) as browser:
        private = await browser.post("/zones/list", {})
        invited = await browser.post("/zones/list", {}, scope="shared")

    assert [each["zoneID"]["zoneName"] for each in private["zones"]] == ["PrimarySync"]
    assert [each["zoneID"]["zoneName"] for each in invited["zones"]] == [shared.name]


async def test_a_zone_that_was_left_is_marked_deleted(icloud: Simulator, library: Library) -> None:
    shared = library.start_sharing()
    async with Browser(icloud) as browser:
        before = (await browser.post("/changes/database", {}))["syncToken"]
        library.zones_left.add(shared.name)
        listed = (await browser.post("/zones/list", {}))["zones"]
        told = (await browser.post("/changes/database", {"syncToken": before}))["zones"]

    assert [each.get("deleted") for each in listed] == [None, True]
    assert [each["deleted"] for each in told] == [True]


async def test_writing_needs_the_records_own_tag(icloud: Simulator, library: Library) -> None:
    asset = library.find("IMG_1.JPG")
    async with Browser(icloud) as browser:
        (record,) = await browser.lookup(asset.name)
        wrong = await browser.update(asset.name, "zzz", {"isDeleted": 1})
        right = await browser.update(asset.name, record["recordChangeTag"], {"isDeleted": 1})
        late = await browser.update(asset.name, record["recordChangeTag"], {"isFavorite": 1})
        forced = await browser.update(asset.name, "", {"isExpunged": 1}, operation="forceUpdate")

    assert wrong[0]["serverErrorCode"] == "CONFLICT"
    assert wrong[0]["serverRecord"]["recordChangeTag"] == record["recordChangeTag"]
    assert right[0]["fields"]["isDeleted"]["value"] == 1
    trashed_ms = right[0]["modified"]["timestamp"]
    assert right[0]["fields"]["dateExpunged"]["value"] == trashed_ms + 30 * DAY_S * 1000
    assert right[0]["expirationTime"] == trashed_ms // 1000 + 40 * DAY_S
    assert late[0]["serverErrorCode"] == "CONFLICT"
    assert forced[0]["deleted"] is True


async def test_an_atomic_batch_does_all_or_nothing(icloud: Simulator, library: Library) -> None:
    names = [library.find(f"IMG_{number}.JPG").name for number in (0, 1)]
    async with Browser(icloud) as browser:
        tags = [each["recordChangeTag"] for each in await browser.lookup(*names)]
        operations = [
            {
                "operationType": "update",
                "record": {"recordName": name, "recordType": "CPLAsset", "recordChangeTag": tag, "fields": {
                    "isDeleted": {"value": 1}}},
            }
            for name, tag in zip(names, [tags[0], "old"], strict=True)
        ]  # fmt: skip
        body = {"operations": operations, "zoneID": {"zoneName": "PrimarySync"}}
        atomic = (await browser.post("/records/modify", {**body, "atomic": True}))["records"]
        assert [each["serverErrorCode"] for each in atomic] == ["BATCH_REQUEST_FAILED", "CONFLICT"]
        assert not library.asset(names[0]).is_trashed

        single = (await browser.post("/records/modify", {**body, "atomic": False}))["records"]

    assert single[1]["serverErrorCode"] == "CONFLICT"
    assert library.asset(names[0]).is_trashed


async def test_pages_by_rank_and_by_marker_are_the_same(icloud: Simulator, library: Library) -> None:
    library.add(of_bytes(b"latest"), file_name="LATEST.JPG", taken_ms=1)
    async with Browser(icloud) as browser:
        ranked = [await browser.query("CPLAssetAndMasterByAddedDate", limit=4, startRank=rank) for rank in (0, 2, 4)]
        marked = [await browser.query("CPLAssetAndMasterByAddedDate", limit=4)]
        while "continuationMarker" in marked[-1]:
            marker = marked[-1]["continuationMarker"]
            marked.append(await browser.query("CPLAssetAndMasterByAddedDate", limit=4, marker=marker))
        oldest_first = await browser.query("CPLAssetAndMasterByAssetDateWithoutHiddenOrDeleted")

    assert [names_of(page["records"]) for page in ranked] == [names_of(page["records"]) for page in marked]
    newest = library.find("LATEST.JPG")
    assert names_of(ranked[0]["records"])[0] == newest.name
    assert names_of(oldest_first["records"])[0] == newest.name
    assert [each["recordType"] for each in ranked[0]["records"]] == ["CPLMaster"] * 2 + ["CPLAsset"] * 2


async def test_counts_follow_the_indexes(icloud: Simulator, library: Library) -> None:
    library.hide(library.find("IMG_0.JPG").name)
    library.trash(library.find("IMG_1.JPG").name)
    library.favorite(library.find("IMG_2.JPG").name)
    async with Browser(icloud) as browser:
        counts = [
            await browser.count(index)
            for index in (
                "CPLAssetByAddedDate",
                "CPLAssetHiddenByAssetDate",
                "CPLAssetDeletedByExpungedDate",
                "CPLAssetInSmartAlbumByAssetDate:Favorite",
            )
        ]
        hidden = await browser.query("CPLAssetAndMasterHiddenByAssetDate")

    assert counts == [3, 1, 1, 1]
    assert names_of(hidden["records"]) == [library.find("IMG_0.JPG").name]


async def test_only_the_fields_asked_for_are_sent(icloud: Simulator, library: Library) -> None:
    name = library.find("IMG_0.JPG").name
    asked = {
        "records": [{"recordName": name}],
        "zoneID": {"zoneName": "PrimarySync"},
        "desiredKeys": ["assetDate", "isDeleted"],
    }
    async with Browser(icloud) as browser:
        (record,) = (await browser.post("/records/lookup", asked))["records"]

    assert record["fields"].keys() == {"assetDate"}


async def test_an_unknown_record_and_an_unknown_index_are_refused(icloud: Simulator, library: Library) -> None:
    async with Browser(icloud) as browser:
        assert (await browser.lookup("nobody"))[0]["serverErrorCode"] == "NOT_FOUND"
        with pytest.raises(aiohttp.ClientResponseError, match="400"):
            await browser.query("CPLNoSuchIndex")


async def test_strangers_and_untrusted_browsers_get_421(icloud: Simulator, library: Library) -> None:
    for is_trusted, cookies in ((False, None), (True, {})):
        async with Browser(icloud, is_trusted=is_trusted) as browser:
            browser.cookies = browser.cookies if cookies is None else cookies
            async with browser.asking("/zones/list", {}) as response:
                assert response.status == 421
                assert (await response.json())["serverErrorCode"] == "AUTHENTICATION_FAILED"
