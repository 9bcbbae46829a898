"""Death at every named instant of a delivery: nothing lost, nothing sent twice, and the box knows what became of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import pytest
from patience import PATIENCE_S

from mediabox.failpoints import POINTS
from mediabox.simulate.pixel.syncthing_process import is_installed
from whole.box import Household
from whole.delivering import Road, until

pytestmark = pytest.mark.skipif(not is_installed(), reason="syncthing is not installed")
DELIVERING = sorted(point for point in POINTS if point.startswith("deliver."))
WINDOW_BYTES = 8_000_000
STRETCHES = 1000


@pytest.fixture
def photos(media: Path) -> Iterator[Path]:
    """Real ones, each another; the smallest first."""
    found = (media / "library").rglob("*.jpg")
    different = {path.read_bytes(): path for path in sorted(found)}.values()
    return iter(sorted(different, key=lambda path: (path.stat().st_size, path.name)))


@pytest.fixture
async def road(box: Household, tmp_path: Path) -> AsyncIterator[Road]:
    box.found({})
    async with Road(box, tmp_path, window_bytes=WINDOW_BYTES, seed=4) as road:
        yield road


async def test_survives_death_at_every_point_one_after_the_other(road: Road, photos: Iterator[Path]) -> None:
    """That it dies there shows that each is passed, too."""
    await the_phone_shows_itself(road, photos)
    put(road, photos, 8)
    for point in DELIVERING:
        # At the second sight, that something was freed.
        await die_at(point, road, hit=2 if point == "deliver.sighted" else 1)
        # What was published and not written down is fetched, backed up and let go while the box is away.
        await the_phone_lives_on(road)

    await assert_all_arrived_once(road)


@pytest.fixture
def each_alone(is_full: bool) -> None:
    if not is_full:
        pytest.skip("one after the other above; each alone with --full-faults")


@pytest.mark.usefixtures("each_alone")
@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("point", DELIVERING)
async def test_survives_death_at(point: str, hit: int, road: Road, photos: Iterator[Path]) -> None:
    put(road, photos, 3)
    await die_at(point, road, hit=hit)
    await the_phone_lives_on(road)

    put(road, photos, 1)  # its arrival shows that this phone takes what it is sent
    await assert_all_arrived_once(road)


def put(road: Road, photos: Iterator[Path], count: int) -> None:
    for photo in islice(photos, count):
        road.box.add(photo.name, photo)


async def die_at(point: str, road: Road, *, hit: int = 1) -> None:
    road.start_daemon(MEDIABOX_FAILPOINT=f"{point}:{hit}")
    async with asyncio.timeout(PATIENCE_S):
        while road._daemon.poll() is None:
            await the_phone_is_used(road)
            await asyncio.sleep(0.1)
    assert road._daemon.returncode == -9
    road.end_daemon()


async def the_phone_shows_itself(road: Road, photos: Iterator[Path]) -> None:
    """Have one photo: until a phone has shown that it takes what it is sent, what it deletes is waited for."""
    put(road, photos, 1)
    road.start_daemon()

    async def live() -> None:
        await road.phone.tick(60.0)
        await road.phone.back_up()

    assert await until(road.has_shown, live, stretches=STRETCHES)
    road.end_daemon()


async def the_phone_is_used(road: Road) -> None:
    await road.phone.tick(60.0)
    await road.phone.back_up()
    if road.states()["stored"]:  # nobody frees what has only just come
        await road.phone.free_up()


async def the_phone_lives_on(road: Road) -> None:
    for _ in range(3):
        await road.phone.tick(60.0)
        await road.phone.scan()
        await road.phone.back_up()
        await asyncio.sleep(0.1)
    await road.phone.free_up()


async def assert_all_arrived_once(road: Road) -> None:
    async def live() -> None:
        if road._daemon is None:
            road.start_daemon()
        await the_phone_is_used(road)

    assert await until(lambda: is_done(road), live, stretches=STRETCHES), (road.states(), road.doubts())
    assert road.arrived() == handed_over(road)  # each once, and just those bytes: tags added to some
    assert not await road.phone.files()


def handed_over(road: Road) -> Counter[str]:
    """Digests of what the box says it has delivered."""
    return Counter(digest for (digest,) in road._ask("SELECT digest FROM delivery"))


def is_done(road: Road) -> bool:
    states = road.states()
    return states["freed"] == states.total() == road.wanted().total()
