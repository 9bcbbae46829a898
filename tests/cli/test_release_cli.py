"""`mediabox safe`, `release` and `verify-certificate`: what a person is told, and what is asked of them."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from core.release_world import World, signer

from mediabox.__main__ import main
from mediabox.cli import exits
from mediabox.model.ledger import Evidence
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.store import assets
from mediabox.store.releases import ReleaseState

ACCOUNT = '[sources.cloud]\ntype = "icloud"\napple_id = "anna@example.com"\nrelease = {release}\n'
ON = "[release]\nenabled = true\ncopies = 1\ndomains = 1\n"
PHOTOS = 21  # the first number of which 5 % is one


@pytest.fixture
async def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with Simulator(tmp_path_factory.mktemp("icloud")) as icloud:
        icloud.add_account("anna@example.com", "secret")
        async with World(tmp_path, icloud) as world:
            await world.take_in(PHOTOS)
            yield world


@pytest.fixture
def say(world: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def say(*words: str) -> tuple[int, str]:
        code = main([*words, "--home", str(world.root)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return say


def configure(world: World, text: str, *, release: bool = True) -> None:
    content = text + ACCOUNT.format(release=str(release).lower())
    (world.root / "mediabox.toml").write_text(content, encoding="utf-8")


async def test_says_in_words_that_one_disk_frees_nothing(world: World, say) -> None:
    configure(world, "")

    code, said = say("safe")

    assert code == exits.OK
    assert "cloud: 0 of 21 photos safe to free" in said
    assert "21 not: 1 of 2 proved copies" in said
    assert "one disk is one copy: with these settings nothing is ever safe" in said
    assert "switched off" in said


async def test_says_what_is_safe_with_its_proofs(world: World, say) -> None:
    configure(world, ON)

    _, said = say("safe", "--json")

    report = json.loads(said)
    assert (report["sources"][0]["safe"], report["sources"][0]["lacking"]) == (PHOTOS, {})
    (copy,) = report["assets"][0]["files"][0]["copies"]
    assert (copy["evidence"], copy["age_hours"], copy["counts"]) == ("R", 1, True)


@pytest.mark.parametrize("action", ["plan", "confirm"])
@pytest.mark.parametrize(("text", "release"), [("", True), (ON, False)])
async def test_refuses_while_it_is_off(world: World, say, action: str, text: str, release: bool) -> None:
    configure(world, text, release=release)

    code, said = say("release", action)

    assert code == exits.NEEDS_PERSON
    assert "What to do" in said
    assert world.states() == []


async def test_a_list_a_code_a_certificate_and_back(world: World, say) -> None:
    configure(world, ON)
    (world.root / "release-key.pub").write_text(signer().public_key)
    code, said = say("release", "plan")
    assert code == exits.OK
    assert "20 of them left for later days" in said

    assert say("release", "confirm", "AAAAAAAA")[0] == exits.PROBLEM
    assert "will be freed" in say("release", "confirm", said.split()[-1])[1]
    await world.work()

    assert "1 released" in say("release", "report")[1]
    said = say("release", "certificate", "1")[1]
    assert "version 2 of verify_certificate.py" in said.splitlines()[1]  # not of what is written into a file
    (world.root / "proof").write_text(said.splitlines()[0] + "\n")
    (uuid,) = world.volumes
    code, said = say("verify-certificate", str(world.root / "proof"), "--volume", f"{uuid}={world.root / 'archive'}")
    assert (code, "Copies read now: 1." in said) == (exits.OK, True), said
    for wrong in (f"WRONG={world.root / 'archive'}", uuid, f"{uuid.upper()}={world.root / 'archive'}", "=", ""):
        code, said = say("verify-certificate", str(world.root / "proof"), "--volume", wrong)
        assert (code, uuid in said, "read now" in said) == (exits.USAGE, True, False), said
    (world.root / "proof").write_text((world.root / "proof").read_text().replace("cloud", "clown"))
    assert say("verify-certificate", str(world.root / "proof"))[0] == exits.PROBLEM

    assert say("release", "undo", "all")[0] == exits.OK
    await world.work()
    assert "1 restored" in say("release", "report")[1]
    assert world.trashed() == set()


async def test_what_left_a_phone_makes_nothing_safe_and_an_older_setting_is_told_of(world: World, say) -> None:
    configure(world, "[release]\nenabled = true\nfreed_counts = true\n")
    await world.write(lambda connection: _freed_by_phone(connection, world))

    code, said = say("safe")

    assert code == exits.OK
    assert "cloud: 0 of 21 photos safe to free" in said
    assert "Google Photos" not in said
    _, said = say("safe", "--json")
    letters = {(copy["evidence"], copy["counts"]) for one in json.loads(said)["assets"] for copy in _copies(one)}
    assert letters == {("R", True), ("F", False)}
    code, said = say("config", "check")
    assert code == exits.OK
    assert "release.freed_counts no longer does anything: what has left a phone proves nothing" in said


def _copies(asset: dict[str, Any]) -> list[dict[str, Any]]:
    return [copy for file in asset["files"] for copy in file["copies"]]


def _freed_by_phone(connection: sqlite3.Connection, world: World) -> None:
    """The first photo, an hour ago."""
    resource = assets.resource(connection, 1)
    known = {"path": "IMG_0000.JPG", "digest": resource.digest, "size_bytes": resource.size_bytes}
    world.put_copy(connection, 1, "anna", evidence=Evidence.FREED, **known)


async def test_a_bit_that_flipped_since_shows_at_the_next_reading_and_safe_says_so(world: World, say) -> None:
    configure(world, ON)
    plan = say("release", "plan")[1]
    assert "will be freed" in say("release", "confirm", plan.split()[-1])[1]
    for path in (world.root / "archive" / "2024").iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    code, said = say("safe")
    assert (code, "cloud: 21 of 21 photos safe to free" in said) == (exits.OK, True), said
    assert "last read 1 to 1 hour ago" in said
    assert "reads every copy again" in said

    await world.work()

    assert (world.states(), world.trashed()) == ([ReleaseState.REFUSED], set())
    assert "cloud: 20 of 21 photos safe to free" in say("safe")[1]
