"""Whatever is wrong, the box is up, answers on its socket, and says what is wrong."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

from mediabox.cli.live import live_of
from mediabox.contracts import SurfaceTools
from mediabox.core.home import locked
from mediabox.errors import Fatal, NeedsHuman
from mediabox.model.issue import Issue
from mediabox.model.live import Live, LiveState
from mediabox.shell import SURFACES, Shell
from mediabox.store import issues as issue_rows
from mediabox.store import journal, schema
from mediabox.surfaces import local_socket
from whole.box import OURS, Household, wait_until
from whole.examiner import TableExaminer

JPEG = b"\xff\xd8\xff\xe0 a"
PATIENCE_S = 20.0
HOSTILE = (b"\xff" * 4096, b"live", b"\n\n\n", b'{"live": 1}\n', b"live\nlive\n")


@pytest.fixture
def box(tmp_path: Path) -> Household:
    household = Household(tmp_path)
    household.found({"a.jpg": JPEG})
    return household


def write(box: Household, text: str) -> None:
    (box.home / "mediabox.toml").write_text(text, encoding="utf-8")


@asynccontextmanager
async def running(box: Household, **changes: object) -> AsyncIterator[Shell]:
    with locked(box.home):
        one = Shell(box.home, **({"workers": lambda _: TableExaminer({})} | changes))  # type: ignore[arg-type]
        task = asyncio.create_task(one.run())
        try:
            yield one
            assert not task.done(), task
        finally:
            one.stop()
            await task


async def eventually(is_true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():  # noqa: ASYNC110 - threads and other tasks do it
            await asyncio.sleep(0.01)


async def answer(box: Household, *, until: Callable[[Live], object] = bool) -> Live:
    """What the socket says, as soon as it says what is waited for."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            live = await asyncio.to_thread(live_of, box.home, patience_s=PATIENCE_S)
            if live is not None and until(live):
                return live
            await asyncio.sleep(0.05)


def issues(box: Household) -> dict[tuple[str, str], Issue]:
    with closing(sqlite3.connect(box.home / "mediabox.db", timeout=10)) as connection:
        return {(one.key, one.subject): one for one in issue_rows.open_issues(connection)}


def is_archived(box: Household, name: str = "a.jpg") -> bool:
    return any(path.stat().st_size for path in box.archive.rglob(name))


# ------------------------------------------------------------ up, whatever is wrong


def without(module: str) -> str:
    """A program that runs mediabox where `module` cannot be imported."""
    return (
        f"import sys; sys.modules[{module!r}] = None\nfrom mediabox.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    )


@pytest.mark.parametrize(
    "module", ["aiohttp", "aiomqtt", "psutil", "sdnotify", "asyncinotify", "cryptography", "segno", "pyicloud"]
)
def test_it_answers_and_takes_folders_in_without_any_one_library(box: Household, module: str) -> None:
    write(box, box.configuration() + '[destinations.phone]\ntype = "pixel"\n')
    argv = [sys.executable, "-c", without(module), "run", "--home", str(box.home)]
    with subprocess.Popen(argv, env=os.environ | OURS, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: live_of(box.home) is not None)
            wait_until(lambda: is_archived(box))
            if module == "aiohttp":
                found = issues(box)["config.invalid", "destinations.phone"]
                assert "aiohttp" in str(found.message)
                assert "mediabox.toml:13" in str(found.message)
                assert "destinations.phone.type" in str(found.message)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


async def test_without_a_configuration_it_waits_for_one_and_founds_no_archive(tmp_path: Path) -> None:
    box = Household(tmp_path)
    box.home.mkdir()
    async with running(box):
        live = await answer(box, until=lambda live: live.state is LiveState.WAITING)

        assert "a source to be set up" in str(live.waiting_for)
        assert ("config.no_source", "") in issues(box)
        assert not (box.home / "archive").exists()


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ("[archive\n", "mediabox.toml:1"),
        ('[archive]\nreserve_percent = "much"\n', "mediabox.toml:2: archive.reserve_percent"),
        ("[sorces.pictures]\n", "sorces"),
        ("sources = 3\n", "sources"),
    ],
)
async def test_with_a_broken_configuration_nothing_runs_on_defaults(box: Household, broken: str, place: str) -> None:
    healthy = box.configuration()
    write(box, broken)
    async with running(box) as one:
        live = await answer(box, until=lambda live: live.state is LiveState.WAITING)

        assert "settings" in str(live.waiting_for)
        [invalid] = [issue for (key, _), issue in issues(box).items() if key == "config.invalid"]
        assert place in str(invalid.message)
        assert invalid.remedy
        assert one.joined is None
        assert not box.archive.exists()

        write(box, healthy)
        os.kill(os.getpid(), signal.SIGHUP)
        await eventually(lambda: is_archived(box))
        assert not [key for key, _ in issues(box) if key == "config.invalid"]


async def test_a_wrong_value_stops_its_source_alone(box: Household) -> None:
    write(box, box.configuration() + '[sources.card]\ntype = "folder"\ntrees = []\n')
    async with running(box):
        await eventually(lambda: is_archived(box))

        left_out = issues(box)["config.invalid", "sources.card"]
        assert "mediabox.toml:14: sources.card.trees" in str(left_out.message)
        assert left_out.remedy


@pytest.mark.parametrize("error", [NeedsHuman("no", issue="config.credential"), RuntimeError("no"), ImportError("no")])
async def test_a_source_that_cannot_be_built_stops_alone(
    box: Household, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mediabox.sources.icloud import ICloud

    def build(*_: object) -> object:
        raise error

    monkeypatch.setattr(ICloud, "build", build)
    write(box, box.configuration() + '[sources.anna]\ntype = "icloud"\napple_id = "anna@example.com"\n')
    async with running(box):
        await eventually(lambda: is_archived(box))

        assert "no" in str(issues(box)["config.invalid", "sources.anna"].message)


async def test_the_outbox_of_a_destination_that_is_left_out_is_still_no_source(box: Household) -> None:
    outbox = box.pictures / "outbox"
    outbox.mkdir()
    (outbox / "delivered.jpg").write_bytes(JPEG + b"delivered")
    destination = f'[destinations.phone]\ntype = "pixel"\noutbox = "{outbox}"\nmodel = "none"\n'
    write(box, box.configuration() + destination)
    async with running(box):
        await eventually(lambda: is_archived(box))
        await answer(box, until=lambda live: live.state is LiveState.WATCHING)

        assert ("config.invalid", "destinations.phone") in issues(box)
        assert not is_archived(box, "delivered.jpg")


async def test_with_a_source_left_out_the_trash_is_left_alone(box: Household) -> None:
    write(box, box.configuration() + '[sources.anna]\ntype = "icloud"\n')
    async with running(box) as one:
        await eventually(lambda: one.joined and one.joined.pipeline)

        assert one.joined is not None
        assert "retention" not in one.joined.services

    write(box, box.configuration())
    async with running(box) as one:
        await eventually(lambda: one.joined and one.joined.pipeline)
        assert "retention" in one.joined.services  # type: ignore[union-attr]


async def test_the_archive_away_is_waited_for_and_joined_when_it_comes(
    box: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediabox.joined.LOOK_FOR_VOLUME_S", 0.05)
    assert box.run().returncode == 0
    away = box.archive.rename(box.archive.with_name("unplugged"))
    box.add("b.jpg", JPEG + b"b")
    async with running(box):
        live = await answer(box, until=lambda live: live.state is LiveState.WAITING)
        assert "archive" in str(live.waiting_for)
        assert ("volume.missing", "archive") in issues(box)

        away.rename(box.archive)
        await eventually(lambda: is_archived(box, "b.jpg"))
        assert ("volume.missing", "archive") not in issues(box)
    box.sources = {}


async def test_a_catalogue_of_a_newer_schema_is_said_from_memory_and_left_as_it_is(
    box: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection:
        connection.execute("PRAGMA user_version = 999")
    async with running(box):
        live = await answer(box, until=lambda live: live.issues)
        assert live.state is LiveState.WAITING
        assert "schema 999" in str(live.waiting_for)
        assert [(one.key, one.subject) for one in live.issues] == [("catalogue.closed", "catalogue")]

        said = await asyncio.to_thread(box.say, "status")
        assert "is running" in said
        assert "schema 999" in said
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (999,)


async def test_it_answers_before_the_catalogue_is_open_and_how_far_an_upgrade_is(
    box: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    known = schema.migrations()
    with closing(sqlite3.connect(box.home / "mediabox.db")) as connection:
        schema.migrate(connection)
    monkeypatch.setattr(schema, "migrations", lambda: [*known, "SELECT 1;", "SELECT hold();"])
    add_functions = schema.add_functions

    def with_hold(connection: sqlite3.Connection) -> None:
        add_functions(connection)
        connection.create_function("hold", 0, lambda: goes_on.wait(PATIENCE_S))

    monkeypatch.setattr(schema, "add_functions", with_hold)
    async with running(box):
        live = await answer(box, until=lambda live: live.percent == 50)
        assert live.state is LiveState.UPGRADING
        goes_on.set()
        await eventually(lambda: is_archived(box))


# ------------------------------------------------------------ surfaces


class Failing:
    """A surface that raises at once."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error

    async def run(self, _: SurfaceTools) -> None:
        if self._error is not None:
            raise self._error


class Watching:
    """A new surface: it has tools, and the box runs it."""

    def __init__(self) -> None:
        self.saw: list[object] = []

    async def run(self, tools: SurfaceTools) -> None:
        with tools.events() as events:
            while True:
                self.saw += [await events.get(), tools.live().state, tools.settings()]


@pytest.mark.parametrize(
    "error", [RuntimeError("port in use"), Fatal("disk"), SystemExit(3), None, OSError(98, "in use")]
)
async def test_a_surface_that_ends_is_an_issue_and_nothing_else_stops(
    box: Household, error: BaseException | None
) -> None:
    def unmade() -> Failing:
        raise ImportError("No module named 'page'")

    surfaces = {**SURFACES, "page": partial(Failing, error), "chat": unmade}
    async with running(box, surfaces=surfaces):
        await eventually(lambda: is_archived(box))
        assert await answer(box)
        assert ("surface.failing", "surface page") in issues(box)
        assert "No module named 'page'" in str(issues(box)["surface.failing", "surface chat"].message)


async def test_a_surface_is_added_by_handing_it_to_the_shell(box: Household) -> None:
    surface = Watching()
    async with running(box, surfaces={"mine": lambda: surface}) as one:
        await eventually(lambda: is_archived(box) and surface.saw)

        assert one.settings.config in surface.saw


async def test_photos_are_taken_in_while_a_person_asks_something_that_takes_long(box: Household) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> object:
        row = connection.execute("SELECT count(*) FROM journal").fetchone()
        begun.set()
        may_end.wait(60)
        return row

    async with running(box) as one:
        await eventually(lambda: one.joined and one.joined.pipeline)
        asked = asyncio.create_task(one.query(slow))
        try:
            await eventually(begun.is_set)
            await eventually(lambda: is_archived(box))
            async with asyncio.timeout(PATIENCE_S):
                assert await one.database.read(journal.last)
                assert await one.query(journal.last)
            assert not asked.done()
        finally:
            may_end.set()
        assert await asked


# ------------------------------------------------------------ settings


async def test_a_changed_source_is_joined_anew_and_no_file_is_lost(box: Household, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for number in range(30):
        (more / f"{number}.jpg").write_bytes(JPEG + bytes([number]))
    async with running(box) as one:
        await eventually(lambda: one.joined and one.joined.pipeline)
        before = one.joined
        for turn in range(3):  # also in the middle of its work
            text = box.configuration().replace('trees = ["', f'trees = ["{more}", "')
            write(box, f"{text}[scrub]\ndays = {9 + turn}\n")
            os.kill(os.getpid(), signal.SIGHUP)
            config = one.settings.config
            await eventually(lambda: one.settings.config is not config)  # noqa: B023 - awaited in this turn
        await eventually(lambda: all(is_archived(box, f"{number}.jpg") for number in range(30)))
        assert one.joined is not before
    box.sources = {}
    assert box.run().returncode == 0
    assert box.status()["accounting"]["archived"] == 31


async def test_settings_broken_later_leave_those_of_before_in_force(box: Household) -> None:
    async with running(box) as one:
        await eventually(lambda: is_archived(box))
        joined = one.joined
        write(box, box.configuration() + "[[[")
        os.kill(os.getpid(), signal.SIGHUP)

        await eventually(lambda: ("config.invalid", "mediabox.toml") in issues(box))
        assert "stay in force" in str(issues(box)["config.invalid", "mediabox.toml"].message)
        assert one.joined is joined


# ------------------------------------------------------------ the socket


async def test_hostile_bytes_slow_readers_and_200_connections_stop_nothing(box: Household, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    box.home = Path(os.rename(box.home, deep / "home") or deep / "home")
    async with running(box, surfaces={**SURFACES}) as one:
        await answer(box)
        connections = []
        for number in range(200):
            connections.append(socket.socket(socket.AF_UNIX))
            connections[-1].setblocking(False)
            descriptor = os.open(box.home, os.O_RDONLY)
            try:
                connections[-1].connect(f"/proc/self/fd/{descriptor}/mediabox.sock")
                connections[-1].send(HOSTILE[number % len(HOSTILE)])
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass
            finally:
                os.close(descriptor)
            if number % 20 == 0:
                await asyncio.sleep(0)
        await eventually(lambda: is_archived(box))
        for connection in connections:
            connection.close()
        assert (await answer(box)).pid == os.getpid()
        assert ("surface.failing", "surface socket") not in issues(box)
        assert one.joined is not None
    assert not (box.home / "mediabox.sock").exists()


def test_only_the_boxs_own_user_and_root_are_answered() -> None:
    assert local_socket.is_allowed(1000, own_uid=1000)
    assert local_socket.is_allowed(0, own_uid=1000)
    assert not local_socket.is_allowed(1001, own_uid=1000)
    assert not local_socket.is_allowed(1000, own_uid=0)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_user_who_can_open_the_socket_gets_no_answer(box: Household) -> None:
    ask = (
        "import os, socket, sys; os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(20)\n"
        "s.connect(sys.argv[1]); s.sendall(b'live\\n') ; sys.stdout.buffer.write(s.recv(10))"
    )
    async with running(box):
        await answer(box)
        path = box.home / "mediabox.sock"
        path.chmod(0o777)
        for folder in [box.home, *box.home.parents]:
            if folder != Path("/") and not folder.stat().st_mode & 1:
                folder.chmod(folder.stat().st_mode | 0o11)
        argv = [sys.executable, "-c", ask, str(path)]
        done = await asyncio.to_thread(partial(subprocess.run, argv, capture_output=True, timeout=60, check=False))

        assert b"Permission" not in done.stderr
        assert done.stdout == b""
        assert await answer(box)


def test_what_has_the_sockets_name_and_is_none_stays(tmp_path: Path) -> None:
    from mediabox.durable.local_socket import discard, listen

    (tmp_path / "mediabox.sock").write_text("mine")
    with pytest.raises(OSError):
        listen(tmp_path, "mediabox.sock")
    discard(tmp_path, "mediabox.sock")

    assert (tmp_path / "mediabox.sock").read_text() == "mine"
