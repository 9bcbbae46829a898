"""Death at every named instant of a release: nothing freed that was not proved, and nothing asked for twice."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from core.release_world import EASY, World
from patience import PATIENCE_S

from mediabox.config.load import load
from mediabox.failpoints import POINTS
from mediabox.joined import Joined
from mediabox.shell import Shell
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.store.releases import ReleaseState
from whole.releasing import look_in_child

PHOTOS = 3
RELEASING = sorted(point for point in POINTS if point.startswith("release."))
MAY_BE_TRASHED = {ReleaseState.INTENDED, ReleaseState.RELEASED}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("icloud")


@pytest.fixture
async def world(tmp_path: Path, certificates: Path) -> AsyncIterator[World]:
    async with Simulator(certificates) as icloud:
        icloud.add_account("anna@example.com", "secret")
        async with World(tmp_path, icloud) as world:
            await world.take_in(PHOTOS)
            world.order()
            yield world


@pytest.mark.parametrize("hit", [1, PHOTOS])
@pytest.mark.parametrize("point", RELEASING)
async def test_survives_death_at(point: str, hit: int, world: World) -> None:
    assert await look_in_child(world, env={"MEDIABOX_FAILPOINT": f"{point}:{hit}"}) == -9
    await assert_honest(world)

    assert await look_in_child(world) == 0

    await assert_all_freed(world)
    assert world.writes_asked() == PHOTOS  # each photo was asked for exactly once


@pytest.mark.parametrize("hit", [1, 2, 3, 4])
@pytest.mark.parametrize("point", ["journal.before_commit", "journal.committed"])
async def test_survives_death_at_a_commit(point: str, hit: int, world: World) -> None:
    assert await look_in_child(world, env={"MEDIABOX_FAILPOINT": f"{point}:{hit}"}) == -9
    await assert_honest(world)

    assert await look_in_child(world) == 0

    await assert_all_freed(world)
    assert world.writes_asked() == PHOTOS


async def test_survives_death_at_any_moment(world: World) -> None:
    dice = random.Random(22)
    for _ in range(6):
        await look_in_child(world, kill_after_s=dice.uniform(0.3, 0.9))
        await assert_honest(world)

    assert await look_in_child(world) == 0

    await assert_all_freed(world)


async def test_passes_every_point(world: World, tmp_path: Path) -> None:
    await look_in_child(world, env={"MEDIABOX_FAILPOINT_LOG": str(tmp_path / "passed")})

    assert set(RELEASING) <= set((tmp_path / "passed").read_text().split())


async def assert_honest(world: World) -> None:
    """What is in the bin went there with a certificate, and what is said to be there is there."""
    known = await world.rows(
        "SELECT remote_id, release.state, certificate FROM release "
        "JOIN remote_asset ON remote_asset.id = release.remote_asset_id"
    )
    states = {remote_id.partition("/")[2]: (state, certificate) for remote_id, state, certificate in known}
    for name in world.trashed():
        state, certificate = states[name]
        assert state in MAY_BE_TRASHED
        assert certificate is not None
    assert {name for name, (state, _) in states.items() if state == ReleaseState.RELEASED} <= world.trashed()
    assert world.all_there()


async def assert_all_freed(world: World) -> None:
    assert world.states() == [ReleaseState.RELEASED] * PHOTOS
    assert len(world.trashed()) == PHOTOS
    await assert_honest(world)


async def test_the_box_looks_by_itself_and_when_it_is_poked(world: World) -> None:
    """As `Joined.run` starts it where `[release] enabled` is set."""
    (world.root / "mediabox.toml").write_text("[release]\nenabled = true\ncopies = 1\ndomains = 1\n")
    box = Shell(world.root, clock=world.clock)
    joined = Joined(msgspec.structs.replace(load(world.root), release=EASY), box.ground)
    (volume,) = world.volumes.values()
    async with box.database, asyncio.timeout(PATIENCE_S):
        service = asyncio.create_task(joined.release(volume, {"cloud": world.source}))
        await reached(world, ReleaseState.RELEASED, joined)
        world.undo()
        await reached(world, ReleaseState.RESTORED, joined)
        service.cancel()

    assert (world.root / "release-key.pub").read_text().strip() in world.certificate().decode()


async def reached(world: World, state: ReleaseState, joined: Joined) -> None:
    while world.states() != [state] * PHOTOS:
        joined.attention.poke()
        await asyncio.sleep(0.02)
