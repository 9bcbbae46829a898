"""Time that has certainly passed: by running time, or by a clock kept right at both ends; never by a jump."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from core.release_world import DAY_MS, HOUR_MS, World

from mediabox.__main__ import main
from mediabox.cli import doctor, execute, exits, release, safe
from mediabox.clock import Clock
from mediabox.core.commands import release as release_commands
from mediabox.core.timeline import beat, passed_ms, timeline
from mediabox.core.verification import Verification
from mediabox.shell import Shell
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.store import journal
from mediabox.store.database import Database

NOW_MS = 1_790_000_000_000

JUMPED = re.compile(r"jumped (1 day|23 hours) back")  # a moment passes meanwhile


class BoxClock(Clock):
    """A box's clocks, each moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.wall, self.ran, self.start, self.is_right = NOW_MS, HOUR_MS, 1, False

    def wall_ms(self) -> int:
        return self.wall

    def running_ms(self) -> int:
        return self.ran

    def boot(self) -> str:
        return f"start {self.start}"

    def is_synchronised(self) -> bool:
        return self.is_right

    def run(self, ms: int) -> None:
        self.wall, self.ran = self.wall + ms, self.ran + ms

    def off(self, ms: int, *, wall_ms: int | None = None) -> None:
        """Switched off for a while. `wall_ms`: what the wall clock shows of it afterwards."""
        self.start, self.ran = self.start + 1, 0
        self.wall += ms if wall_ms is None else wall_ms


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(tmp_path / "mediabox.db") as opened:
        yield opened


async def note(database: Database, clock: Clock) -> None:
    await database.write(lambda connection: beat(connection, clock))


async def since_the_first(database: Database, clock: Clock) -> tuple[int, str | None]:
    """Counted since the first row `clock`, and what speaks against the wall clock."""
    time = await database.read(lambda connection: timeline(connection, clock))
    return time.since(0), time.doubt()


async def test_running_time_counts(database: Database) -> None:
    clock = BoxClock()
    await note(database, clock)
    clock.run(40 * DAY_MS)

    assert await since_the_first(database, clock) == (40 * DAY_MS, None)


@pytest.mark.parametrize("days", [31, 400, -1, -31])
@pytest.mark.parametrize("is_right", [False, True])
async def test_a_jump_counts_nothing_and_is_said(database: Database, days: int, is_right: bool) -> None:
    clock = BoxClock()
    clock.is_right = is_right
    await note(database, clock)
    clock.wall += days * DAY_MS

    counted, doubt = await since_the_first(database, clock)

    assert counted == 0
    assert doubt is not None
    assert "jumped" in str(doubt)


@pytest.mark.parametrize("days", [31, -31])
async def test_a_jump_that_was_written_down_and_taken_back_leaves_nothing(database: Database, days: int) -> None:
    clock = BoxClock()
    await note(database, clock)
    clock.wall += days * DAY_MS
    await note(database, clock)
    await database.write(lambda connection: journal.append(connection, "paused", at_ms=clock.wall))
    clock.wall -= days * DAY_MS
    await note(database, clock)
    clock.run(DAY_MS)

    assert await since_the_first(database, clock) == (DAY_MS, None)
    assert await database.read(passed_ms) <= clock.wall


async def test_a_box_without_a_battery_may_get_its_time_from_the_network(database: Database) -> None:
    clock = BoxClock()
    await note(database, clock)
    clock.wall += 20 * DAY_MS  # it had been off for so long
    clock.is_right = True

    assert await since_the_first(database, clock) == (0, None)


async def test_time_switched_off_counts_between_two_right_clocks(database: Database) -> None:
    clock = BoxClock()
    clock.is_right = True
    await note(database, clock)
    clock.off(21 * DAY_MS)

    assert await since_the_first(database, clock) == (21 * DAY_MS, None)


@pytest.mark.parametrize(("before", "after"), [(False, True), (True, False), (False, False)])
async def test_and_between_others_not(database: Database, before: bool, after: bool) -> None:
    clock = BoxClock()
    clock.is_right = before
    await note(database, clock)
    clock.off(21 * DAY_MS)
    clock.is_right = after

    assert (await since_the_first(database, clock))[0] == 0


async def test_off_after_a_jump_counts_nothing(database: Database) -> None:
    clock = BoxClock()
    clock.is_right = True
    await note(database, clock)
    clock.wall -= 60 * DAY_MS
    await note(database, clock)
    clock.off(0, wall_ms=60 * DAY_MS)

    assert (await since_the_first(database, clock))[0] == 0


async def test_a_clock_behind_times_that_have_passed_is_not_believed(database: Database) -> None:
    clock = BoxClock()
    await note(database, clock)
    clock.off(0, wall_ms=-DAY_MS)

    _, doubt = await since_the_first(database, clock)

    assert str(doubt) == "the clock is earlier than past events"


async def test_time_between_two_rows_is_counted_late_rather_than_early(database: Database) -> None:
    clock = BoxClock()
    seqs = []
    for _ in range(4):
        await database.write(lambda connection: journal.append(connection, "paused", at_ms=clock.wall))
        seqs.append((await database.read(journal.last))[0])
        await note(database, clock)
        clock.run(5 * HOUR_MS)
    time = await database.read(lambda connection: timeline(connection, clock))

    assert [time.between(seqs[0], seq) for seq in seqs] == [0, 0, 5 * HOUR_MS, 10 * HOUR_MS]
    assert [time.since(seq) for seq in seqs] == [20 * HOUR_MS, 15 * HOUR_MS, 10 * HOUR_MS, 5 * HOUR_MS]


# ---------------------------------------------------------------- the real clocks


def test_the_kernel_tells_how_long_it_runs_and_which_start_it_is() -> None:
    clock = Clock()

    assert 0 <= clock.running_ms() <= clock.running_ms()
    assert clock.boot() == clock.boot()
    assert len(clock.boot()) >= 32


def test_a_clock_that_is_faked_for_this_process_is_not_kept_right(monkeypatch) -> None:
    """As faketime(1) does it: the answers of the C library are others, the kernel's files are not."""
    import time

    real, month_ns = time.time_ns, 31 * DAY_MS * 1_000_000
    before = Clock().running_ms()
    monkeypatch.setattr(time, "time_ns", lambda: real() + month_ns)
    monkeypatch.setattr(time, "monotonic", lambda: 31 * 86_400.0)
    monkeypatch.setattr("mediabox.clock._SYNCHRONISED", Path("/proc/uptime"))

    assert not Clock().is_synchronised()
    assert Clock().running_ms() - before < HOUR_MS


# ---------------------------------------------------------------- what it holds back

CONFIG = (
    "[release]\nenabled = true\ncopies = 1\ndomains = 1\n"
    '[sources.cloud]\ntype = "icloud"\napple_id = "anna@example.com"\nrelease = true\n'
)


@pytest.fixture
async def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with Simulator(tmp_path_factory.mktemp("icloud")) as icloud:
        icloud.add_account("anna@example.com", "secret")
        async with World(tmp_path, icloud) as world:
            (tmp_path / "mediabox.toml").write_text(CONFIG)
            await world.take_in(1)
            yield world


@pytest.fixture
def say(world: World, capsys: pytest.CaptureFixture[str], monkeypatch) -> Callable[..., tuple[int, str]]:
    """The command line of a process whose clocks are the world's."""
    for module in (safe, release, doctor, execute, release_commands):
        monkeypatch.setattr(module, "Clock", lambda: world.clock)
    monkeypatch.setattr(doctor, "_decoders", lambda: ())  # children have nothing to do with it

    def say(*words: str) -> tuple[int, str]:
        code = main([*words, "--home", str(world.root)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return say


async def archived_now(world: World) -> None:
    """One more photo, just archived."""
    world.passes_ms = 0
    world.add(2)
    await world.list_all()
    await world.archive()


@pytest.mark.parametrize("days", [31, 3650])
async def test_a_clock_set_forwards_ends_no_quarantine(world: World, say, days: int) -> None:
    await archived_now(world)
    world.clock.jump(days * 86_400 + 600)  # a whole number of days, with what passes meanwhile
    words = f"the clock jumped {days:,} days forward"

    code, said = say("safe")
    assert (code, words in said, "0 of 2 photos safe" in said) == (exits.PROBLEM, True, True), said
    assert "1 not: archived less than 30 days ago" in said
    code, said = say("release", "plan")
    assert (code, words in said, "timedatectl" in said) == (exits.NEEDS_PERSON, True, True), said
    assert words in clock_of(say("doctor")[1])


async def test_and_once_it_is_right_again_doctor_and_plan_tell_the_same(world: World, say) -> None:
    await archived_now(world)
    box = Shell(world.root, clock=world.clock)
    world.clock.jump(31 * 86_400)
    async with box.database:
        await box.issues.start()
        await box.timekeeping.begin()  # the daemon ran meanwhile
        assert world.open_issues() == ["clock.not_set"]
        world.clock.jump(-31 * 86_400)
        assert clock_of(say("doctor")[1]).startswith("ok")
        assert "1 of 2 photos safe to free" in say("release", "plan")[1]
        await box.timekeeping.begin()
    assert world.open_issues() == []


async def test_a_clock_set_back_stops_plan_and_doctor_alike(world: World, say) -> None:
    world.clock.jump(-86_400)

    code, said = say("release", "plan")

    assert (code, bool(JUMPED.search(said))) == (exits.NEEDS_PERSON, True), said
    assert JUMPED.search(clock_of(say("doctor")[1]))


@pytest.mark.parametrize("hours", [13, 24 * 31])
async def test_a_reading_by_a_wrong_clock_is_no_second_reading(world: World, hours: int) -> None:
    await archived_now(world)
    (volume,) = world.volumes.values()
    world.clock.jump(hours * 3600)
    await Verification(world.database, volume, world.clock).round()
    world.clock.jump(60)  # a minute later, by the same clock

    with world.catalogue() as connection:
        obstacles = [one.obstacles for one in world.assessed(connection)]

    assert "IMG_0002.JPG: not read again 12 hours after it was written" in obstacles[1], obstacles
    assert "IMG_0002.JPG: archived less than 30 days ago" in obstacles[1]


async def test_the_run_frees_nothing_by_a_clock_that_jumped(world: World) -> None:
    world.order()
    world.clock.jump(2 * 86_400)

    await world.work()

    assert world.writes_asked() == 0


def clock_of(said: str) -> str:
    """What `doctor` says of the clock."""
    return next(line for line in said.splitlines() if "clock: " in line)
