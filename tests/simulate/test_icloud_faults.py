"""Whatever can be ordered happens, as often as ordered and where."""

import aiohttp
import pytest

from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import (
    CountOff,
    Dropped,
    EmptyPage,
    Fault,
    NotIndexed,
    RecordRefused,
    Refused,
    Status,
    access_denied,
    bad_token,
    throttled,
)
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.simulator import Simulator
from simulate.icloud_fixtures import Browser, names_of

ADDED = "CPLAssetAndMasterByAddedDate"


@pytest.fixture
def library(icloud: Simulator) -> Library:
    library = icloud.account().library
    for number in range(3):
        library.add(of_bytes(b"%d" % number), file_name="IMG_0001.JPG")
    return library


async def statuses(browser: Browser, number: int) -> list[int]:
    found = []
    for _ in range(number):
        async with browser.asking("/zones/list", {}) as response:
            found.append(response.status)
    return found


async def test_a_fault_waits_for_its_turn_and_is_over(icloud: Simulator) -> None:
    icloud.faults.add(Fault("zones.list", Status(500), times=2, after=1))
    async with Browser(icloud) as browser:
        assert await statuses(browser, 5) == [200, 500, 500, 200, 200]

    assert icloud.faults.fired["zones.list"] == 2
    assert icloud.calls["zones.list"] == 5


async def test_a_fault_without_end_ends_when_cleared(icloud: Simulator) -> None:
    icloud.faults.add(Fault("zones.*", Status(500), times=None))
    async with Browser(icloud) as browser:
        assert await statuses(browser, 3) == [500] * 3
        icloud.faults.clear()
        assert await statuses(browser, 1) == [200]


def test_a_fault_for_no_endpoint_is_refused(icloud: Simulator) -> None:
    with pytest.raises(ValueError, match=r"records\.query"):
        icloud.faults.add(Fault("record.query", Status(500)))


async def test_a_fault_may_be_for_some_requests_only(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("records.query", Status(500), times=None, only="ByAddedDate"))
    async with Browser(icloud) as browser:
        assert (await browser.query("CPLAssetAndMasterHiddenByAssetDate"))["records"] == []
        with pytest.raises(aiohttp.ClientResponseError, match="500"):
            await browser.query(ADDED)


@pytest.mark.parametrize("retry_after_s", [None, 7])
async def test_throttled_says_when_to_come_back_or_not(
    icloud: Simulator, library: Library, retry_after_s: int | None
) -> None:
    icloud.faults.add(Fault("records.modify", throttled(retry_after_s)))
    async with Browser(icloud) as browser, browser.asking("/records/modify", {}) as response:
        assert response.status == 503
        assert response.headers.get("Retry-After") == (str(retry_after_s) if retry_after_s else None)


@pytest.mark.parametrize("code", ["RETRY_LATER", "TRY_AGAIN_LATER", "THROTTLED", "CAS_OP_LOCK", "ZONE_NOT_FOUND"])
async def test_refusals_come_inside_200_too(icloud: Simulator, library: Library, code: str) -> None:
    icloud.faults.add(Fault("changes.zone", Refused(code, "not now", retry_after_s=3)))
    icloud.faults.add(Fault("records.query", Refused(code, "not now", retry_after_s=3)))
    async with Browser(icloud) as browser:
        page = await browser.changes(None)
        answered = await browser.query(ADDED)

    for refused in (page, answered):
        assert (refused["serverErrorCode"], refused["retryAfter"]) == (code, 3)


async def test_access_denied_of_the_passing_kind(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("records.query", access_denied()))
    async with Browser(icloud) as browser:
        assert (await browser.query(ADDED))["serverErrorCode"] == "ACCESS_DENIED"
        assert (await browser.query(ADDED))["records"]


async def test_a_single_record_may_be_refused_among_good_ones(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("records.query", RecordRefused("TRY_AGAIN_LATER", "busy")))
    async with Browser(icloud) as browser:
        records = (await browser.query(ADDED))["records"]

    assert [each.get("serverErrorCode") for each in records] == ["TRY_AGAIN_LATER"] + [None] * 5


async def test_pages_may_be_empty_and_go_on(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("changes.zone", EmptyPage(), times=3, after=1))
    async with Browser(icloud) as browser:
        pages = [await browser.changes(None)]
        while pages[-1]["moreComing"]:
            pages.append(await browser.changes(pages[-1]["syncToken"]))

    assert [len(page["records"]) for page in pages] == [0, 0, 0, 0, 7]
    assert len({page["syncToken"] for page in pages}) == 5


async def test_a_token_may_be_refused(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("changes.zone", bad_token()))
    async with Browser(icloud) as browser:
        page = await browser.changes(library.personal.journal.token)

    assert page["serverErrorCode"] == "BAD_REQUEST"


@pytest.mark.parametrize("by", [5, -2])
async def test_counts_may_be_wrong(icloud: Simulator, library: Library, by: int) -> None:
    icloud.faults.add(Fault("records.count", CountOff(by)))
    async with Browser(icloud) as browser:
        assert await browser.count("CPLAssetByAddedDate") == 3 + by


async def test_the_library_may_not_be_indexed_yet(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("records.query", NotIndexed("RUNNING")))
    asked = {"query": {"recordType": "CheckIndexingState"}, "zoneID": {"zoneName": "PrimarySync"}}
    async with Browser(icloud) as browser:
        assert (await browser.query(ADDED))["records"]  # others are not concerned
        states = [
            (await browser.post("/records/query", asked))["records"][0]["fields"]["state"]["value"] for _ in range(2)
        ]

    assert states == ["RUNNING", "FINISHED"]


@pytest.mark.parametrize("is_done", [True, False])
async def test_an_answer_may_be_lost_before_or_after_the_work(
    icloud: Simulator, library: Library, is_done: bool
) -> None:
    icloud.faults.add(Fault("records.modify", Dropped(is_done=is_done)))
    name = library.find("IMG_0001.JPG").name
    async with Browser(icloud) as browser:
        (record,) = await browser.lookup(name)
        with pytest.raises(aiohttp.ClientError):
            await browser.update(name, record["recordChangeTag"], {"isDeleted": 1})

    assert library.asset(name).is_trashed is is_done


async def test_the_partition_may_move(icloud: Simulator, library: Library) -> None:
    async with Browser(icloud) as browser:
        old = icloud.hosts.database
        icloud.move_partition()
        url = f"{old}/database/1/com.apple.photos.cloud/production/private/zones/list"
        async with browser.http.post(url, data="{}", headers=browser.cookie) as response:
            assert response.status == 421
        async with browser.http.post(f"{icloud.hosts.setup}/validate", data="null", headers=browser.cookie) as response:
            moved = (await response.json())["webservices"]["ckdatabasews"]["url"]

        assert moved == icloud.hosts.database != old
        assert await statuses(browser, 1) == [200]


async def test_sessions_may_be_forgotten_in_the_middle_of_a_run(icloud: Simulator) -> None:
    async with Browser(icloud) as browser:
        assert await statuses(browser, 1) == [200]
        icloud.directory.forget_sessions()
        assert await statuses(browser, 1) == [421]


async def test_records_may_lack_what_they_ought_to_have(icloud: Simulator, library: Library) -> None:
    asset = library.find("IMG_0001.JPG")
    library.omit(asset.name, "itemType", "filenameEnc", "resOriginalRes.downloadURL", "timeZoneOffset")
    async with Browser(icloud) as browser:
        master, record = await browser.lookup(asset.master, asset.name)

    assert not {"itemType", "filenameEnc"} & master["fields"].keys()
    assert "downloadURL" not in master["fields"]["resOriginalRes"]["value"]
    assert "timeZoneOffset" not in record["fields"]


async def test_a_live_video_may_be_missing_and_come_later(icloud: Simulator) -> None:
    library = icloud.account().library
    asset = library.add(of_bytes(b"still"), file_name="IMG_0002.HEIC", live=of_bytes(b"clip"))
    library.detach_live(asset.name)
    async with Browser(icloud) as browser:
        (missing,) = await browser.lookup(asset.master)
        token = library.personal.journal.token
        library.attach_live(asset.name, of_bytes(b"clip"))
        records, _ = await browser.all_changes(token)

    assert "resOriginalVidComplRes" not in missing["fields"]
    assert names_of(records, "CPLMaster") == [asset.master]
    assert records[0]["fields"]["resOriginalVidComplRes"]["value"]["size"] == 4


async def test_faults_and_changes_can_be_ordered_over_http(icloud: Simulator, library: Library) -> None:
    name = library.find("IMG_0001.JPG").name
    base = icloud.hosts.control
    async with Browser(icloud) as browser:

        async def order(path: str, body: object) -> int:
            async with browser.http.post(f"{base}/{path}", json=body) as response:
                return response.status

        cut = {"where": "zones.list", "what": {"type": "status", "code": 503, "retry_after_s": 2}, "times": 1}
        assert await order("faults", cut) == 200
        assert await order("faults", {**cut, "where": "nowhere"}) == 400
        assert await statuses(browser, 2) == [503, 200]
        assert await order("library", {"do": "favorite", "name": "IMG_0001.JPG"}) == 200
        assert await order("library", {"do": "trash", "name": "nothing.jpg"}) == 404
        assert library.asset(name).is_favorite
        before_ms = icloud.clock.wall_ms()
        assert await order("clock", {"advance_s": 3600}) == 200
        assert icloud.clock.wall_ms() - before_ms >= 3_600_000
        assert await order("line", {"first_byte_s": 0.01, "bytes_per_s": 5e6}) == 200
        assert (icloud.line.first_byte_s, icloud.line.bytes_per_s) == (0.01, 5e6)
        assert await order("account", {"has_web_access": False}) == 200
        assert await statuses(browser, 1) == [421]
        async with browser.http.get(f"{base}/state") as response:
            state = await response.json()

    assert state["fired"] == {"zones.list": 1}
    assert state["calls"]["zones.list"] == 3


async def test_asking_all_of_it_leaves_the_calls_counted(icloud: Simulator, library: Library) -> None:
    async with Browser(icloud) as browser:
        await browser.all_changes(None)
        await browser.post("/changes/database", {})
        await browser.query(ADDED)

    assert icloud.calls == {"changes.zone": 2, "changes.database": 1, "records.query": 1}
