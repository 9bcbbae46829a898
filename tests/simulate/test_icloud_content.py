"""The content host: links, ranges, and how downloads break."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.faults import Cut, Dropped, Fault, Garbled, Status, WholeFile, expired
from mediabox.simulate.icloud.lives import HOUR_S
from mediabox.simulate.icloud.simulator import Simulator
from simulate.apples_names import resolving
from simulate.icloud_fixtures import Browser, link_of

BYTES = bytes(range(256)) * 4096  # 1 MiB: several chunks


@pytest.fixture
def original(icloud: Simulator) -> str:
    """The record name of an original of one megabyte."""
    return icloud.account().library.add(of_bytes(BYTES), file_name="IMG_1.JPG").master


async def link(browser: Browser, name: str, *, zone: str = "PrimarySync") -> str:
    (record,) = await browser.lookup(name, zone=zone)
    return link_of(record)


async def test_a_link_serves_all_the_bytes_without_cookies(icloud: Simulator, original: str) -> None:
    async with (
        Browser(icloud) as browser,
        browser.fetching(await link(browser, original), has_cookies=False) as response,
    ):
        assert await response.read() == BYTES
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.content_type == "application/octet-stream"
        assert response.url.path.endswith("/${f}")
        assert response.url.query["ckz"] == "PrimarySync"


@pytest.mark.parametrize("start", [0, 1, 300_000, len(BYTES) - 1])
async def test_a_range_continues_where_it_is_asked_to(icloud: Simulator, original: str, start: int) -> None:
    async with (
        Browser(icloud) as browser,
        browser.fetching(await link(browser, original), range_from=start) as response,
    ):
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {start}-{len(BYTES) - 1}/{len(BYTES)}"
        assert await response.read() == BYTES[start:]


async def test_a_range_past_the_end_is_416(icloud: Simulator, original: str) -> None:
    end = len(BYTES)
    async with Browser(icloud) as browser, browser.fetching(await link(browser, original), range_from=end) as response:
        assert response.status == 416


async def test_a_link_lives_an_hour_and_a_new_one_works(icloud: Simulator, original: str) -> None:
    async with Browser(icloud) as browser:
        old = await link(browser, original)
        icloud.clock.advance(HOUR_S - 10)
        async with browser.fetching(old) as response:
            assert response.status == 200
        icloud.clock.advance(11)
        async with browser.fetching(old) as response:
            assert response.status == 410
        async with browser.fetching(await link(browser, original)) as response:
            assert response.status == 200


async def test_an_altered_link_is_forbidden(icloud: Simulator, original: str) -> None:
    async with Browser(icloud) as browser:
        url = await link(browser, original)
        for altered in (url.replace("&e=", "&e=9"), url.replace("ckz=PrimarySync", "ckz=Other")):
            async with browser.fetching(altered) as response:
                assert response.status == 403


@pytest.mark.parametrize("has_apples_names", [False, True])
async def test_a_shared_librarys_link_wants_cookies_where_they_can_come(
    icloud_home: Path, *, has_apples_names: bool
) -> None:
    simulator = Simulator(icloud_home, has_apples_names=has_apples_names)
    library = simulator.add_account().library
    shared = library.start_sharing()
    library.add(of_bytes(BYTES[:5000]), file_name="S.JPG", zone=shared)
    async with simulator, Browser(simulator) as browser:
        with resolving(simulator):
            url = await link(browser, of_bytes(BYTES[:5000]).signature, zone=shared.name)
            async with browser.fetching(url, has_cookies=False) as response:
                assert (response.status, len(await response.read())) == (200, 5000 if has_apples_names else 17)
            async with browser.fetching(url) as response:
                assert len(await response.read()) == 5000


async def test_a_body_may_be_cut_short_of_its_length(icloud: Simulator, original: str) -> None:
    icloud.faults.add(Fault("content", Cut(400_000)))
    received = b""
    async with Browser(icloud) as browser:
        url = await link(browser, original)
        with pytest.raises(aiohttp.ClientPayloadError):
            async with browser.fetching(url) as response:
                assert response.content_length == len(BYTES)
                async for chunk in response.content.iter_any():
                    received += chunk
        assert received == BYTES[: len(received)]
        assert 0 < len(received) <= 400_000
        async with browser.fetching(url, range_from=len(received)) as response:
            assert received + await response.read() == BYTES


async def test_a_range_may_be_ignored(icloud: Simulator, original: str) -> None:
    icloud.faults.add(Fault("content", WholeFile()))
    async with Browser(icloud) as browser, browser.fetching(await link(browser, original), range_from=1000) as response:
        assert response.status == 200
        assert await response.read() == BYTES


async def test_bytes_may_be_wrong(icloud: Simulator, original: str) -> None:
    icloud.faults.add(Fault("content", Garbled(300_000)))
    async with Browser(icloud) as browser, browser.fetching(await link(browser, original)) as response:
        got = await response.read()

    assert [at for at in range(len(BYTES)) if got[at] != BYTES[at]] == [300_000]


async def test_a_link_may_end_in_the_middle_of_a_file(icloud: Simulator, original: str) -> None:
    icloud.faults.add(Fault("content", Cut(1000)))
    icloud.faults.add(Fault("content", expired()))
    async with Browser(icloud) as browser:
        url = await link(browser, original)
        with pytest.raises(aiohttp.ClientPayloadError):
            async with browser.fetching(url) as response:
                await response.read()
        async with browser.fetching(url, range_from=1000) as response:
            assert response.status == 410


async def test_a_page_may_come_instead_of_a_picture(icloud: Simulator, original: str) -> None:
    icloud.faults.add(Fault("content", Status(200, body="<html>Sign in</html>", content_type="text/html")))
    async with Browser(icloud) as browser, browser.fetching(await link(browser, original)) as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_a_connection_may_be_dropped(icloud: Simulator, original: str) -> None:
    icloud.faults.add(Fault("content", Dropped(), times=2))
    async with Browser(icloud) as browser:
        url = await link(browser, original)
        with pytest.raises(aiohttp.ClientError):
            async with browser.fetching(url) as response:
                await response.read()


async def test_a_slow_line_is_as_slow_as_it_was_told(icloud: Simulator, original: str) -> None:
    now = asyncio.get_running_loop().time
    icloud.line.first_byte_s, icloud.line.bytes_per_s = 0.05, 10_000_000
    async with Browser(icloud) as browser:
        url = await link(browser, original)
        before = now()
        async with browser.fetching(url) as response:
            await response.read()

    assert now() - before >= 0.05 + len(BYTES) / 10_000_000


async def test_apples_own_answers_come_from_as_far_away(icloud: Simulator) -> None:
    now = asyncio.get_running_loop().time
    async with Browser(icloud) as browser:
        icloud.line.first_byte_s = 0.05
        before = now()
        await browser.changes(None)

    assert now() - before >= 0.05


async def test_a_file_that_is_gone_is_not_found(icloud: Simulator, tmp_path) -> None:
    path = tmp_path / "IMG_2.JPG"
    path.write_bytes(b"soon gone")
    asset = icloud.account().library.add(path)
    async with Browser(icloud) as browser:
        url = await link(browser, asset.master)
        path.unlink()
        async with browser.fetching(url) as response:
            assert response.status == 404
