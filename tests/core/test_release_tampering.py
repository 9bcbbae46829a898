"""A catalogue that was changed behind the box's back frees nothing, says why, and has an honest way out."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from core.attacks import (
    ATTACKS,
    add_a_trigger_that_signs,
    attack,
    bring_an_older_catalogue_back,
    cut_the_journal,
    keep_for_later,
    lose_the_head,
    lose_the_key,
    open_the_key,
    redo_row_hashes,
    rewrite_where_it_came_from,
    take_signatures_away,
    zero_a_file,
)
from core.release_world import DAY_MS, World

from mediabox.__main__ import main
from mediabox.cli import exits
from mediabox.core import acceptance, soundness
from mediabox.core.backup import Backup
from mediabox.errors import NeedsHuman
from mediabox.model.actor import Actor, ActorKind, Role
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.store import adoptable, gate, journal, witness
from mediabox.store.database import Database, open_beside
from mediabox.store.releases import ReleaseState

CONFIG = (
    "[release]\nenabled = true\ncopies = 1\ndomains = 1\n"
    '[sources.cloud]\ntype = "icloud"\napple_id = "anna@example.com"\nrelease = true\n'
)
PHOTOS = 2


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("icloud")


@pytest.fixture
async def world(tmp_path: Path, certificates: Path) -> AsyncIterator[World]:
    async with Simulator(certificates) as icloud:
        icloud.add_account("anna@example.com", "secret")
        async with World(tmp_path, icloud) as world:
            (tmp_path / "mediabox.toml").write_text(CONFIG)
            await world.take_in(PHOTOS)
            keep_for_later(world)
            yield world


@pytest.fixture
def say(world: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def say(*words: str) -> tuple[int, str]:
        code = main([*words, "--home", str(world.root)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return say


def test_an_honest_one_is_safe(world: World, say) -> None:
    assert "cloud: 2 of 2 photos safe" in say("safe")[1]
    assert say("release", "plan")[0] == exits.OK


@pytest.mark.parametrize("change", ATTACKS, ids=lambda change: change.__name__)
def test_safe_plan_and_confirm_refuse_and_say_why(world: World, say, change: Callable[[World], None]) -> None:
    plan = say("release", "plan")[1]
    change(world)

    code, said = say("safe")
    assert (code, "cloud: 0 of 2 photos safe" in said) == (exits.PROBLEM, True), said
    assert "! Nothing is safe to free: " in said
    assert "What to do: " in said
    code, said = say("release", "confirm", plan.split()[-1])
    assert (code, "nothing may be freed: " in said, "What to do: " in said) == (exits.NEEDS_PERSON, True, True), said
    code, said = say("release", "plan")
    assert (code, "nothing may be freed: " in said, "What to do: " in said) == (exits.NEEDS_PERSON, True, True), said
    assert world.open_issues() == ["release.unsound"]


@pytest.mark.parametrize("change", ATTACKS, ids=lambda change: change.__name__)
async def test_the_run_frees_nothing_and_opens_an_issue(world: World, change: Callable[[World], None]) -> None:
    world.order()
    change(world)

    async with Database(world.path) as database:  # a start of the box
        await world.service(database=database).look()

    assert world.writes_asked() == 0
    if change is not bring_an_older_catalogue_back:  # the order is gone with it
        assert "release.unsound" in world.open_issues()
        assert ReleaseState.RELEASED not in world.states()


async def test_a_running_daemon_does_not_write_over_what_shows_that_rows_were_cut(world: World, say) -> None:
    cut_the_journal(world)
    for _ in range(5):  # more rows than were cut off
        await world.write(lambda connection: journal.append(connection, "paused", at_ms=world.clock.wall_ms()))

    code, said = say("safe")

    assert (code, "was witnessed" in said) == (exits.PROBLEM, True), said


async def test_nothing_in_the_schema_signs_through_the_box_s_own_connection(world: World) -> None:
    """A trigger that wrote when the box did, and was taken away again."""
    add_a_trigger_that_signs(world)
    await world.write(lambda connection: journal.append(connection, "paused", at_ms=world.clock.wall_ms()))
    attack(world, "DROP TRIGGER later")

    with world.catalogue() as connection:
        assert soundness.unsoundness(connection) is None
        assert all("is not as this box wrote it" in one.contradictions[0] for one in world.assessed(connection))


@pytest.mark.parametrize("laundered", ["intended", "queued", "released", "undoing", "restoring"])
@pytest.mark.parametrize("withdrawn", ["undo", "refuse"])
async def test_what_was_taken_back_or_refused_is_not_sent_by_way_of_another_state(
    world: World, laundered: str, withdrawn: str
) -> None:
    """Such as `intended`: whoever finds nothing done at the source would send it again."""
    world.order()
    if withdrawn == "undo":
        world.undo()
    else:
        for volume in world.volumes.values():
            kept = {path: path.read_bytes() for path in volume.root.glob("2024/*.JPG")}
            for path in kept:
                path.write_bytes(b"x")
            await world.work()
            for path, content in kept.items():
                path.write_bytes(content)
        await world.renew()
    attack(world, f"UPDATE release SET state = '{laundered}', intended_at_ms = 1, released_at_ms = 1")

    for _ in range(4):
        await world.work()

    assert world.trashed() == set()


# ---------------------------------------------------------------- every column

TABLES = ("resource", "remote_asset", "copy", "facts", "source", "journal", "volume")


async def test_no_column_of_any_table_makes_another_certificate(world: World) -> None:
    """Of what the gate reads, now and one day: changed one at a time, each is refused or changes nothing proved."""
    with world.catalogue() as connection:
        honest = proved(world, connection)
        cells = [(table, row[1]) for table in TABLES for row in connection.execute(f"PRAGMA table_info({table})")]
    assert len(honest) == PHOTOS
    noticed = set()

    for table, column in cells:
        for change in (f"{column} - {40 * DAY_MS}", f"{column} || 'x'", "NULL"):
            bring_back = keep(world)
            if changed(world, table, column, change):
                with world.catalogue() as connection:
                    found = proved(world, connection)
                assert all(honest.get(name) == one for name, one in found.items()), (table, column, change)
                noticed |= set() if found else {f"{table}.{column}"}
            bring_back()

    assert {
        f"resource.{name}" for name in ("digest", "version", "remote_id", "archived_at_ms", "size_bytes")
    } <= noticed
    assert {f"copy.{name}" for name in ("digest", "path", "evidence", "proved_at_ms", "proved_seq", "state")} <= noticed
    assert {f"remote_asset.{name}" for name in ("change_tag", "said", "remote_id")} <= noticed
    assert {f"journal.{name}" for name in ("at_ms", "event", "fields", "hash", "mac", "resource_id")} <= noticed


def keep(world: World) -> Callable[[], None]:
    kept = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(world.path)) as now:
        now.backup(kept)

    def bring_back() -> None:
        with closing(sqlite3.connect(world.path)) as now:
            kept.backup(now)
        kept.close()

    return bring_back


def changed(world: World, table: str, column: str, change: str) -> bool:
    with closing(sqlite3.connect(world.path)) as connection:
        try:
            with connection:
                connection.execute(f"UPDATE {table} SET {column} = {change}")
                redo_row_hashes(connection)
        except sqlite3.IntegrityError:
            return False
        return True


def proved(world: World, connection: sqlite3.Connection) -> dict[str, Any]:
    """What would be certified: nothing while anything is in doubt."""
    try:
        assessed = world.assessed(connection)
    except NeedsHuman:  # a word the model does not know
        return {}
    if soundness.unsoundness(connection) or any(one.contradictions for one in assessed):
        return {}
    return {
        one.candidate.remote_id: (
            one.candidate.source,
            one.candidate.change_tag,
            [(file.remote_id, file.version, file.sha256, file.size_bytes, places(file)) for file in one.resources],
        )
        for one in assessed
        if one.is_safe
    }


def places(file: Any) -> list[tuple[Any, ...]]:
    return [(copy.volume, copy.locator, copy.evidence, copy.proved_at_ms, copy.journal_seq) for copy in file.copies]


# ---------------------------------------------------------------- the head


async def test_the_head_in_the_backup_shows_what_the_home_s_own_does_not(world: World, say) -> None:
    """The home was brought back as it was, whole, from somebody's own backup of it."""
    (volume,) = world.volumes.values()
    head = (world.root / "journal-head").read_bytes()
    await world.write(lambda connection: journal.append(connection, "paused", at_ms=world.clock.wall_ms()))
    await Backup(world.database, world.root, volume).copy()
    bring_an_older_catalogue_back(world)
    (world.root / "journal-head").write_bytes(head)
    assert "0 of 2 photos safe" in say("safe")[1]
    (world.root / "backup" / "journal-head").unlink()

    code, said = say("safe")

    assert (code, "was witnessed" in said) == (exits.PROBLEM, True), said
    await Backup(world.database, world.root, volume).copy()  # keeps the evidence
    assert "was witnessed" in say("safe")[1]


async def test_after_a_power_cut_the_head_may_be_older_than_the_journal(world: World, say) -> None:
    head = (world.root / "journal-head").read_bytes()
    await world.write(lambda connection: journal.append(connection, "paused", at_ms=world.clock.wall_ms()))
    (world.root / "journal-head").write_bytes(head)

    assert "2 of 2 photos safe" in say("safe")[1]


@pytest.mark.parametrize("torn", [b"", b"mediabox-journal-head-1 1 zz", b"\0" * 170, b"x" * 170])
def test_a_head_that_cannot_be_read_is_none(world: World, say, torn: bytes) -> None:
    (world.root / "journal-head").write_bytes(torn)

    assert "0 of 2 photos safe" in say("safe")[1]


async def test_the_head_follows_every_commit(world: World) -> None:
    for number in range(3):
        await world.write(lambda connection: journal.append(connection, "paused", at_ms=world.clock.wall_ms()))
        with world.catalogue() as connection:
            kept = witness.read(connection, world.root / "journal-head")
            assert (kept.seq, kept.sha256) == journal.last(connection), number


# ---------------------------------------------------------------- the way out


@pytest.mark.parametrize("change", [cut_the_journal, lose_the_key, lose_the_head, take_signatures_away])
async def test_proving_everything_again_is_the_way_out_and_waiting_begins_anew(world: World, say, change) -> None:
    change(world)
    async with Database(world.path):  # a start of the box: it has a key again
        pass

    code, said = await asyncio.to_thread(say, "release", "accept")

    assert (code, "2 files read again" in said) == (exits.OK, True), said
    assert world.open_issues() == []
    code, said = say("safe")
    assert code == exits.OK, said
    assert "2 not: archived less than 30 days ago" in said
    world.clock.advance(31 * DAY_MS / 1000)
    await world.renew()
    with world.catalogue() as connection:
        sound = soundness.unsoundness(connection)
        reasons = [one.obstacles for one in world.assessed(connection)]
    assert sound is None
    if change is not cut_the_journal:  # where it is not known any more where the bytes came from, it stays
        assert all("archived less than" not in "".join(each) for each in reasons), reasons


async def test_what_was_confirmed_before_is_asked_for_again(world: World) -> None:
    world.order()
    lose_the_head(world)
    (volume,) = world.volumes.values()
    await acceptance.accept(world.database, volume, world.clock)

    await world.work()

    assert world.writes_asked() == 0
    assert set(world.states()) == {ReleaseState.REFUSED}


async def test_who_accepted_the_catalogue_is_in_the_journal(world: World) -> None:
    (volume,) = world.volumes.values()
    anna = Actor(kind=ActorKind.CONSOLE, name="anna", role=Role.ADMIN)

    await acceptance.accept(world.database, volume, world.clock, actor=anna)

    with world.catalogue() as connection:
        (row,) = journal.of_event(connection, journal.ACCEPTED)
        assert row.fields["actor"] == "console:anna"
        assert journal.first_broken_link(connection) is None
        assert journal.accepted(connection) == row.seq


async def test_bytes_the_journal_does_not_know_are_not_accepted(world: World, say) -> None:
    zero_a_file(world)

    code, said = await asyncio.to_thread(say, "release", "accept")

    assert (code, "another SHA-256" in said, "What to do" in said) == (exits.NEEDS_PERSON, True, True), said
    assert "0 of 2 photos safe" in say("safe")[1]


@pytest.mark.parametrize("also", [lambda world: None, lose_the_key, lose_the_head])
async def test_a_bad_file_whose_story_was_rewritten_may_be_accepted_and_is_never_released(
    world: World, say, also
) -> None:
    """Bytes, catalogue and journal agree: nothing but the source can tell that the file is not its own."""
    zero_a_file(world)
    rewrite_where_it_came_from(world)
    also(world)
    async with Database(world.path):
        pass

    code, said = await asyncio.to_thread(say, "release", "accept")

    assert code == exits.OK, said
    world.clock.advance(31 * DAY_MS / 1000)
    await world.renew()
    with world.catalogue() as connection:
        assert soundness.unsoundness(connection) is None
        bad = gate.file(connection, 1)
        [found] = [one for one in world.assessed(connection) if one.candidate.remote_asset_id == bad.remote_asset_id]
        assert "does not know that these bytes came from the source" in "".join(found.obstacles)
        assert 1 in {one.id for one in adoptable.unproved(connection, "cloud")}


def a_folder_for_a_key(world: World) -> None:
    lose_the_key(world)
    (world.root / "keys" / "catalogue").mkdir()


def a_link_for_keys(world: World) -> None:
    (world.root / "keys").rename(world.root / "away")
    (world.root / "keys").symlink_to("/nowhere/keys")


@pytest.mark.parametrize("change", [open_the_key, a_folder_for_a_key, a_link_for_keys])
async def test_without_a_key_of_ours_alone_nothing_is_accepted(world: World, say, change) -> None:
    change(world)

    code, said = await asyncio.to_thread(say, "release", "accept")

    assert (code, "keys/catalogue" in said, "What to do" in said) == (exits.NEEDS_PERSON, True, True), said
    assert "0 of 2 photos safe" in say("safe")[1]


async def test_a_damaged_file_is_not_accepted(world: World) -> None:
    lose_the_head(world)
    (volume,) = world.volumes.values()
    next(volume.root.glob("2024/*")).write_bytes(b"x")

    with pytest.raises(NeedsHuman, match="differs from what was archived"):
        await acceptance.accept(world.database, volume, world.clock)

    with world.catalogue() as connection:
        assert soundness.unsoundness(connection)


# ---------------------------------------------------------------- a home from before


async def test_a_home_of_the_version_before_is_told_what_to_do_once_wherever_it_is_met(world: World, say) -> None:
    """No key, no head, no signatures: what 0005 left."""
    take_signatures_away(world)
    lose_the_key(world)
    lose_the_head(world)
    async with Database(world.path):  # the start after the update
        pass

    places = (("safe",), ("release", "plan"), ("status",), ("doctor",))
    met = {words: await asyncio.to_thread(say, *words) for words in places}
    accepted = await asyncio.to_thread(say, "release", "accept")

    assert [code for code, _ in met.values()][:2] == [exits.PROBLEM, exits.NEEDS_PERSON]
    for said in (said for _, said in met.values()):
        assert "was not verified after the update" in said, said
        assert "What to do: Run `mediabox release accept` once: it reads all 1.2 kB of the archive again" in said
        assert "(about 1 minute)" in said
        assert "Only the removal from iCloud waits for it" in said
    assert "warning  catalogue: " in met["doctor",][1]
    assert accepted[0] == exits.OK
    assert say("safe")[0] == exits.OK
    assert "after the update" not in say("status")[1]


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [(5_000_000_000, "about 1 minute"), (60 * 10**9, "about 10 minutes"), (2 * 10**12, "about 5 hours")],
)
def test_how_long_a_proof_takes_is_said(size_bytes: int, said: str) -> None:
    assert said in str(soundness.proof_remedy(size_bytes))


def test_the_key_is_for_its_owner_alone(world: World) -> None:
    assert (world.root / "keys" / "catalogue").stat().st_mode & 0o777 == 0o600
    with closing(open_beside(world.path)) as connection:
        (content,) = connection.execute("SELECT count(*) FROM resource WHERE mac IS NOT NULL").fetchone()
    assert content == PHOTOS
