"""A library of any size, from nothing."""

import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.native.tags import read_tags
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.photos import Asset, Master
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.simulate.icloud.synthetic import Mixture, SyntheticStock
from mediabox.sources.icloud.checksum import checksum_of
from simulate.icloud_fixtures import Browser, link_of, names_of


class Bytes:
    """`native.boxes.Source` over bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)

    def bytes(self, offset: int, length: int, /) -> bytes:
        return self.content[offset : offset + length]


def test_an_asset_takes_a_few_bytes() -> None:
    count = 5_000
    tracemalloc.start()
    library = Library.synthetic(count, seed=1)
    index = library.personal.ranked("all", lambda _: True, lambda asset, slot: (-asset.added_ms, slot))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(index) == count
    assert (kept - (1 << 20)) / count < 100  # beside the megabyte of padding; a record would be 3000


def test_the_same_seed_makes_the_same_library() -> None:
    one, same, other = (SyntheticStock(100, seed=seed) for seed in (1, 1, 2))

    assert [one.asset(number) for number in range(100)] == [same.asset(number) for number in range(100)]
    assert {one.names(number) for number in range(100)} & {other.names(number) for number in range(100)} == set()


@given(number=st.integers(0, 999), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_names_and_signatures_lead_back_to_their_pair(number: int, seed: int) -> None:
    stock = SyntheticStock(1000, seed=seed)
    master, asset = stock.names(number)

    assert stock.number(master) == stock.number(asset) == number
    assert stock.asset(number).master == master == stock.master(number).name
    blob = stock.blob(master)
    assert blob is not None
    assert blob.size_bytes == len(blob.read(0, 1 << 30))


def test_when_asked_to_it_signs_as_apple_does() -> None:
    stock = SyntheticStock(5, seed=4, mixture=Mixture(live=0.5, still_bytes=3_000_000))
    assert checksum_of(f"{stock.names(0)[0]}-1") is None
    stock.sign()

    for number in range(5):
        master = stock.master(number)
        assert stock.number(master.name) == number
        for part in (master.original, master.live) if master.live is not None else (master.original,):
            found, checksum = stock.blob(part.blob.signature), checksum_of(f"{part.blob.signature}-1")
            assert found is not None and checksum is not None
            checksum.feed(found.read(0, 1 << 30))
            assert checksum.agrees


@pytest.mark.parametrize("size_bytes", [1_000, 40_000, 65_400, 65_401, 200_000, 3_000_000])
def test_pictures_are_whole_jpegs_with_a_date(size_bytes: int) -> None:
    stock = SyntheticStock(50, seed=3, mixture=Mixture(still_bytes=size_bytes))
    for number in range(0, 50, 7):
        master = stock.master(number)
        content = master.original.blob.read(0, 1 << 30)

        Image.open(io.BytesIO(content)).load()
        request = ExamineRequest(name="IMG_1.JPG", kind=Kind.PICTURE, size_bytes=len(content))
        facts = read_tags(Bytes(content), request)

        assert len(content) == master.original.blob.size_bytes
        assert content.endswith(b"\xff\xd9")
        assert facts.damage is None
        assert facts.capture_time is not None
        assert facts.capture_time.offset_min == 120


def test_live_videos_are_boxes_that_add_up() -> None:
    stock = SyntheticStock(10, seed=3, mixture=Mixture(live=1.0))
    live = stock.master(4).live
    assert live is not None
    content = live.blob.read(0, 1 << 30)

    facts = read_tags(Bytes(content), ExamineRequest(name="x.mov", kind=Kind.VIDEO, size_bytes=len(content)))

    assert len(content) == live.blob.size_bytes
    assert facts.media_type == "video/quicktime"
    assert facts.damage is None or "track" in facts.damage


def test_a_film_of_five_gigabytes_is_read_from_anywhere() -> None:
    stock = SyntheticStock(1, mixture=Mixture(live=1.0, video_bytes=5 << 30))
    live = stock.master(0).live
    assert live is not None
    at = live.blob.size_bytes - 1000

    assert live.blob.read(at - 500, 1000)[500:] == live.blob.read(at, 500)
    assert len(live.blob.read(at, 99_999)) == 1000


async def test_it_is_listed_served_and_changed_like_any_other(icloud: Simulator) -> None:
    library = Library.synthetic(1_000, seed=5)
    icloud.add_account("many@example.com", "secret", library=library)
    async with Browser(icloud, icloud.account("many@example.com")) as browser:
        page = await browser.query("CPLAssetAndMasterByAddedDate")
        newest, second = names_of(page["records"])[:2]
        history, token = await browser.all_changes(None)
        library.favorite(newest)
        library.purge(second)
        changed, _ = await browser.all_changes(token)
        again, _ = await browser.all_changes(None)
        async with browser.fetching(link_of(page["records"][0])) as response:
            content = await response.read()

    assert len(page["records"]) == 200
    assert len(history) == 2_000
    second_master = page["records"][1]["recordName"]
    assert {each["recordName"] for each in changed} == {newest, second, second_master, "PrimarySync-0000-LI"}
    assert len(again) == 2_001
    assert content.startswith(b"\xff\xd8")
    assert isinstance(library.personal.get(newest), Asset)
    assert isinstance(library.personal.get(page["records"][0]["recordName"]), Master)
