"""What Apple insists on, and what it may answer at any time: names, cookies, zones, pages, odd fields."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import BlankPage, Fault, NoZones, OddFields, SparsePage
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.lives import MINUTE_S
from mediabox.simulate.icloud.rules import Rules
from mediabox.simulate.icloud.setup import TOKEN_COOKIE
from mediabox.simulate.icloud.simulator import Simulator
from simulate.apples_names import resolving
from simulate.icloud_fixtures import Browser, names_of

NEWEST = "CPLAssetAndMasterByAddedDate"


@pytest.fixture
def library(icloud: Simulator) -> Library:
    library = icloud.account().library
    for number in range(5):
        library.add(of_bytes(b"photo %d" % number), file_name=f"IMG_{number}.JPG")
    return library


async def status_of(browser: Browser, path: str, body: Any, *, scope: str = "private") -> int:
    async with browser.asking(path, body, scope=scope) as response:
        return int(response.status)


# -- names


async def test_each_host_serves_its_own_paths_only(icloud: Simulator) -> None:
    hosts = icloud.hosts
    database = f"{hosts.database}/database/1/com.apple.photos.cloud/production/private/zones/list"
    async with Browser(icloud) as browser:
        for url, status in (
            (f"{hosts.setup}/validate", 200),
            (f"{hosts.setup}/validate".replace("setup.", "www."), 404),
            (database, 200),
            (database.replace("ckdatabasews", "photosws"), 404),
            (f"{hosts.setup_origin}/appleauth/auth/signin/init", 404),
            (f"{hosts.content}/setup/ws/1/validate", 404),
        ):
            parameters = browser.parameters
            async with browser.http.post(url, data="{}", params=parameters, headers=browser.cookie) as response:
                assert (url, response.status) == (url, status)


async def test_the_names_are_certified_by_an_authority_of_our_own_alone(icloud: Simulator) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=ssl.create_default_context())) as stranger:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.post(f"{icloud.hosts.setup}/validate")


async def test_no_other_name_is_resolved(icloud: Simulator) -> None:
    async with Browser(icloud) as browser:
        with pytest.raises(aiohttp.ClientConnectorDNSError):
            await browser.http.get("https://gateway.icloud.example/")


# -- cookies


async def test_an_answer_renews_the_token_and_the_old_one_ends_a_while_later(
    icloud: Simulator, library: Library
) -> None:
    async with Browser(icloud) as old, Browser(icloud) as new:
        new.cookies = dict(old.cookies)
        await new.query(NEWEST)
        assert new.cookies[TOKEN_COOKIE] != old.cookies[TOKEN_COOKIE]

        assert await status_of(old, "/zones/list", {}) == 200
        icloud.clock.advance(16 * MINUTE_S)
        assert await status_of(old, "/zones/list", {}) == 421
        assert await status_of(new, "/zones/list", {}) == 200


async def test_a_renewed_token_stands_in_quotes_and_is_for_all_of_icloud(icloud: Simulator, library: Library) -> None:
    question = {"query": {"recordType": NEWEST}, "zoneID": {"zoneName": "PrimarySync"}}
    async with Browser(icloud) as browser, browser.asking("/records/query", question) as response:
        (line,) = response.headers.getall("Set-Cookie")
    assert line.startswith(f'{TOKEN_COOKIE}="v=2:t=')
    assert line.partition('";')[2] == "Path=/;Domain=.icloud.com;Secure;HttpOnly"


async def test_a_token_without_its_quotes_may_be_refused(icloud_home: Path) -> None:
    simulator = Simulator(icloud_home, has_apples_names=True, rules=Rules(demands_quotes=True))
    simulator.add_account()
    async with simulator, Browser(simulator) as browser:
        with resolving(simulator):
            assert await status_of(browser, "/zones/list", {}) == 200
            browser.cookies = {name: value.strip('"') for name, value in browser.cookies.items()}
            assert await status_of(browser, "/zones/list", {}) == 421


async def test_a_browser_that_is_not_trusted_gets_no_token(icloud: Simulator) -> None:
    """8 of 9 recorded answers to a sign-in without trust: `-HSA-LOGIN` instead."""
    attempt = icloud.directory.begin(icloud.account(), None)  # type: ignore[arg-type]
    names = []
    for is_verified in (False, True):
        attempt.is_verified = is_verified
        given = {"dsWebAuthToken": icloud.directory.session_token(attempt)}
        async with (
            Browser(icloud) as browser,
            browser.http.post(f"{icloud.hosts.setup}/accountLogin", json=given) as got,
        ):
            names.append({line.partition("=")[0] for line in got.headers.getall("Set-Cookie")})
    assert [TOKEN_COOKIE in each for each in names] == [False, True]
    assert ["X-APPLE-WEBAUTH-HSA-LOGIN" in each for each in names] == [True, False]


# -- zones


async def test_a_zone_is_found_in_its_own_database_and_by_its_own_owner(icloud: Simulator, library: Library) -> None:
    other = Library(owner="_other")
    theirs = other.start_sharing()
    library.join(theirs)
    mine = {"zoneName": "PrimarySync"}
    found = [
        ("private", {**mine, "ownerRecordName": library.owner}, 200),
        ("private", {**mine, "ownerRecordName": "_defaultOwner"}, 200),
        ("private", {**mine, "ownerRecordName": "_other"}, 404),
        ("shared", mine, 404),
        ("private", {"zoneName": theirs.name, "ownerRecordName": "_other"}, 404),
        ("shared", {"zoneName": theirs.name, "ownerRecordName": "_other"}, 200),
        ("shared", {"zoneName": theirs.name, "ownerRecordName": library.owner}, 404),
    ]
    async with Browser(icloud) as browser:
        for scope, zone, status in found:
            body = {"query": {"recordType": NEWEST}, "zoneID": zone}
            assert (scope, zone, await status_of(browser, "/records/query", body, scope=scope)) == (scope, zone, status)


async def test_other_zones_are_listed_among_the_libraries(icloud: Simulator, library: Library) -> None:
    album, link = library.share_an_album(), library.share_a_link()
    async with Browser(icloud) as browser:
        listed = [zone["zoneID"]["zoneName"] for zone in (await browser.post("/zones/list", {}))["zones"]]
        assert listed == ["PrimarySync", album.name, link.name]
        await browser.query("CheckIndexingState", zone=album.name)
        with pytest.raises(aiohttp.ClientResponseError, match="400"):  # kei #704
            await browser.query("CPLAlbumByPositionLive", zone=album.name)


async def test_there_may_be_no_personal_library(icloud: Simulator, library: Library) -> None:
    library.has_personal = False
    async with Browser(icloud) as browser:
        assert (await browser.post("/changes/database", {}))["zones"] == []
        assert (await browser.changes(None))["serverErrorCode"] == "ZONE_NOT_FOUND"


async def test_no_zone_may_be_named_once(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("changes.database", NoZones()))
    async with Browser(icloud) as browser:
        assert [len((await browser.post("/changes/database", {}))["zones"]) for _ in range(2)] == [0, 1]


# -- albums


async def test_the_root_comes_first_and_has_no_name(icloud: Simulator, library: Library) -> None:
    library.make_album("Rome")
    body = {"query": {"recordType": "CPLAlbumByPositionLive"}, "zoneID": {"zoneName": "PrimarySync"}}
    async with Browser(icloud) as browser:
        root, rome = (await browser.post("/records/query", body))["records"]
    assert (root["recordName"], root["fields"]["albumType"]["value"]) == ("----Root-Folder----", 3)
    assert "albumNameEnc" not in root["fields"]
    assert "albumNameEnc" in rome["fields"]


async def test_an_album_may_hold_what_lives_in_another_zone(icloud: Simulator, library: Library) -> None:
    album = library.make_album("Rome")
    here, there = library.find("IMG_0.JPG"), library.move(library.find("IMG_1.JPG").name, library.start_sharing())
    for asset in (here, there):
        library.add_to_album(asset.name, album.name)
    async with Browser(icloud) as browser:
        page = await browser.query("CPLContainerRelationLiveByPosition", parentId=album.name)
    members = [record["fields"]["itemId"]["value"] for record in page["records"] if "itemId" in record["fields"]]
    assert sorted(members) == sorted([here.name, there.name])
    assert names_of(page["records"]) == [here.name]


# -- pages


async def test_a_page_may_be_short_and_not_the_last(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("records.query", SparsePage(photos=1)))
    async with Browser(icloud) as browser:
        first = await browser.query(NEWEST, limit=4)
        second = await browser.query(NEWEST, limit=4, marker=first["continuationMarker"])
    assert len(names_of(first["records"])) == 1
    assert len(names_of(second["records"])) == 2


async def test_a_page_may_be_empty_and_not_the_last(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("records.query", BlankPage(), after=1))
    async with Browser(icloud) as browser:
        seen, marker = [], None
        while True:
            page = await browser.query(NEWEST, limit=4, marker=marker)
            seen.append(len(names_of(page["records"])))
            marker = page.get("continuationMarker")
            if marker is None:
                break
    assert seen == [2, 0, 2, 1]


# -- odd fields


@pytest.mark.parametrize(
    ("path", "how", "shown"),
    [
        ("filenameEnc", "null", None),
        ("filenameEnc", "null_value", {"value": None, "type": "ENCRYPTED_BYTES"}),
        ("originalOrientation", "text", {"value": "1", "type": "INT64"}),
        ("originalOrientation", "boolean", {"value": True, "type": "INT64"}),
        ("filenameEnc", "missing", "away"),
        ("isDeleted", "null", None),
    ],
)
async def test_a_field_may_be_of_another_kind(
    icloud: Simulator, library: Library, path: str, how: str, shown: object
) -> None:
    icloud.faults.add(Fault("records.lookup", OddFields({path: how})))  # type: ignore[dict-item]
    master = library.find("IMG_0.JPG").master
    async with Browser(icloud) as browser:
        (record,) = await browser.lookup(master)
    assert record["fields"].get(path, "away") == shown
    assert "resOriginalRes" in record["fields"]


async def test_a_file_may_have_no_checksum(icloud: Simulator, library: Library) -> None:
    icloud.faults.add(Fault("records.lookup", OddFields({"resOriginalRes.fileChecksum": "missing"})))
    async with Browser(icloud) as browser:
        (record,) = await browser.lookup(library.find("IMG_0.JPG").master)
    assert "fileChecksum" not in record["fields"]["resOriginalRes"]["value"]
    assert "downloadURL" in record["fields"]["resOriginalRes"]["value"]
