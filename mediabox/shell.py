"""The shell of a box: up, and answering, within a second whatever is wrong. Only the command line imports it.

Start: surfaces (the socket is one), settings, catalogue; then what the settings ask for is joined
(`joined`), and anew whenever they change. What is wrong is an issue, held in memory until
there is a catalogue. Stop is the reverse, within ten seconds; a power cut may do it in any order.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from mediabox import probes, systemd
from mediabox.clock import Clock
from mediabox.config.load import load_usable
from mediabox.config.sections import Work
from mediabox.contracts import Surface, SurfaceTools
from mediabox.core import enrolment, indexing, switches
from mediabox.core.bus import Bus
from mediabox.core.commands import dispatch
from mediabox.core.governor import Governor
from mediabox.core.issues import IssueBook
from mediabox.core.timekeeping import Timekeeping
from mediabox.durable.filesystem import refuse_network
from mediabox.errors import Away, Fatal, MediaboxError, Permanent, Retryable
from mediabox.ground import Ground
from mediabox.heartbeat import Heartbeat
from mediabox.in_force import InForce
from mediabox.live import live
from mediabox.log import get_logger
from mediabox.message import Text, message
from mediabox.model.issue import Issue, Severity
from mediabox.model.version import VERSION
from mediabox.probes.home_room import HomeRoom
from mediabox.store import journal, volumes
from mediabox.store.database import Database
from mediabox.supervise import GIVE_UP_AFTER, first, supervise
from mediabox.waiting import together, until_first_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path
    from typing import Any

    from mediabox.config.load import Config
    from mediabox.joined import Joined
    from mediabox.model.actor import Actor
    from mediabox.model.live import Live

    Service = Callable[[], Awaitable[None]]

log = get_logger(__name__)

T = TypeVar("T")

DATABASE = "mediabox.db"
LOOK_FOR_ROOM_S = 5.0  # how soon a full disk of the home folder is found to have room again
FRESH_S = 1.0  # of a live snapshot


def _surface(module: str) -> Surface:
    made: Surface = import_module(f"mediabox.surfaces.{module}").SURFACE()
    return made


SURFACES: Mapping[str, Callable[[], Surface]] = {
    "socket": partial(_surface, "local_socket"),
}


class Shell:
    """One household's box. Tests bring settings, a clock, workers, sources and surfaces of their own."""

    def __init__(
        self,
        home: Path,
        *,
        settings: Callable[[], Config] | None = None,
        clock: Clock | None = None,
        surfaces: Mapping[str, Callable[[], Surface]] = SURFACES,
        **making: Any,
    ) -> None:
        """`making`: how to make `sources` and `workers`, else as `Joined` does."""
        self.home, self._surfaces, self._making = home, surfaces, making
        self.clock, self.bus = clock or Clock(), Bus()
        self.database = Database(home / DATABASE, follow=indexing.follow)
        self.has_catalogue = False
        self.issues = IssueBook(self.database, self.bus, self.clock, has_catalogue=False)
        self.settings = InForce(settings or partial(load_usable, home), self.issues)
        self.governor = Governor(Work(), {**probes.all_probes(), HomeRoom.name: HomeRoom(home)})
        self.timekeeping = Timekeeping(self.database, self.issues, self.clock)
        self.ground = Ground(self.database, self.issues, self.governor, self.bus, self.clock)
        self.joined: Joined | None = None
        self._threads: ThreadPoolExecutor | None = None  # of what is joined
        self._waits: Text | None = None
        self._stop, self._poked, self._anew = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._snapshot: tuple[float, Live] | None = None

    # ------------------------------------------------------------ life

    async def run(self, *, once: bool = False, until_let_go: bool = False) -> None:
        """Work until stopped, or with `once` until nothing more can be done.

        `until_let_go`: with `once`, follow the destinations, too, until they have let go of all they were given.
        Raises Fatal; with `once` also what stops the work: Away, NeedsHuman, Retryable.
        """
        self._take_signals()
        try:
            async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
                stack.enter_context(Heartbeat(lambda: self.waiting_for))
                surfaces = [tasks.create_task(self._serve(*each)) for each in self._surfaces.items()]
                try:
                    await (self._run_once(stack, until_let_go=until_let_go) if once else self._stay(stack))
                finally:  # what is still written on the way out must not hold that up
                    self.database.waits_for_room = False
                    for surface in surfaces:
                        surface.cancel()
        except BaseExceptionGroup as group:  # what a person should read is inside
            raise first(group, Fatal) or first(group, MediaboxError) or group from None
        systemd.stopping()
        (log.debug if once else log.info)("stopped")

    async def _run_once(self, stack: AsyncExitStack, *, until_let_go: bool) -> None:
        config = self.settings.require()
        self._begin(log.debug)
        await self._open(stack)
        await self.settings.report()
        await self._refuse_paused()
        self.joined = await self._make_joined(config)
        await until_first_of(self._stop.wait(), self.joined.run_once(until_let_go=until_let_go))

    async def _stay(self, stack: AsyncExitStack) -> None:
        """Until stopped, whatever is wrong."""
        systemd.ready()
        services: dict[str, Service] = {
            "governor": self.governor.run,
            "watchdog": lambda: systemd.watchdog(self._proof),
            "settings": self._follow_settings,
        }
        keep = (self._keep(name, service) for name, service in services.items())
        await until_first_of(self._stop.wait(), together(*keep, self._live(stack)))

    async def _live(self, stack: AsyncExitStack) -> None:
        await self.settings.read()
        self._begin(log.info)
        await self._keep("catalogue", partial(self._open_when_possible, stack), key="catalogue.closed", report_after=1)
        self.database.waits_for_room = True
        await together(self._keep("clock", self.timekeeping.run), self._keep_joined())

    def _begin(self, write: Callable[..., None]) -> None:
        config = self.settings.config
        if config is not None:
            self.governor.limits = config.work
        counts = Counter(source.type for source in config.sources) if config else {}
        sources = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        write("starting", version=VERSION, home=self.home, sources=sources)

    def stop(self) -> None:
        """Start nothing new, and end."""
        self._stop.set()

    def poke(self) -> None:
        """Somebody changed something: look now."""
        self._poked.set()
        if self.joined is not None:
            self.joined.attention.poke()

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.poke)

    async def _proof(self) -> None:
        """That we are alive; an upgrade holds the writer for as long as it takes."""
        if self.has_catalogue:
            await self.database.write(journal.last)

    async def _keep(
        self, name: str, service: Service, *, key: str = "service.failing", report_after: int = GIVE_UP_AFTER
    ) -> None:
        issues = self.issues
        await supervise(
            name,
            service,
            clock=self.clock,
            open_issue=issues.open,
            close_issue=issues.close,
            key=key,
            report_after=report_after,
        )

    # ------------------------------------------------------------ catalogue

    async def _open(self, stack: AsyncExitStack) -> None:
        """Open the catalogue, until `stack` ends. Raises Fatal."""
        refuse_network(self.home)
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self.database)
            await self.issues.start()
            await self.timekeeping.begin()
            opening.push_async_callback(self.timekeeping.end)
            stack.push_async_callback(opening.pop_all().aclose)
        self.governor.look()
        self.has_catalogue = True

    async def _open_when_possible(self, stack: AsyncExitStack) -> None:
        """Raises Permanent where it cannot be opened: then it is tried again, later."""
        while not self.governor.may_open():
            await self.issues.open(_full(self.governor.waiting_for or ""))
            await asyncio.sleep(LOOK_FOR_ROOM_S)
        await self.issues.close("home.full", "")
        try:
            await self._open(stack)
        except Fatal as error:
            self._waits = message("waiting: {reason}", reason=error.text)
            raise Permanent(error.text) from error
        self._waits = None

    async def _refuse_paused(self) -> None:
        """Whoever asks for one run would wait for ever."""
        if await self.database.read(partial(switches.rest_at, now_ms=self.clock.wall_ms())):
            raise Retryable(message("mediabox is paused, so nothing would be done; run `mediabox resume` first"))

    # ------------------------------------------------------------ what is joined

    async def _follow_settings(self) -> None:
        """Whoever changes them sends SIGHUP."""
        while True:
            await self._poked.wait()
            self._poked.clear()
            if await self.settings.read():
                log.info("settings_changed")
                self._anew.set()

    async def _keep_joined(self) -> None:
        """What the settings ask for, anew whenever they change."""
        while True:
            self._anew.clear()
            self._waits = await self._hindrance()
            if self._waits is None:
                work = self._keep("work", self._work, key="work.failing", report_after=1)
                await until_first_of(self._anew.wait(), work)
            else:
                await self._anew.wait()

    async def _hindrance(self) -> Text | None:
        """Why nothing can be joined, for a person. No archive is founded before its first source."""
        if self.settings.config is None:
            return message("waiting for valid settings")
        is_new = not await self.database.read(lambda connection: volumes.enrolled(connection, enrolment.ROLE))
        has_sources = bool(self.settings.config.sources)
        return message("waiting for a source to be set up") if is_new and not has_sources else None

    async def _work(self) -> None:
        await self._await_threads()
        config = self.settings.require()
        self.governor.limits = config.work
        self.joined = await self._make_joined(config)
        try:
            await self.joined.run()
        finally:
            self.joined = None

    async def _make_joined(self, config: Config) -> Joined:
        """Its modules are many: meanwhile the loop turns."""
        module = await asyncio.to_thread(import_module, "mediabox.joined")
        joined: Joined = module.Joined(config, self.ground, report=self.settings.report, **self._making)
        return joined

    async def _await_threads(self) -> None:
        """No thread of what was taken down may write where the next one does: a disk that hangs holds it up."""
        before, self._threads = self._threads, ThreadPoolExecutor(thread_name_prefix="work")
        asyncio.get_running_loop().set_default_executor(self._threads)
        if before is not None:
            self._waits = message("waiting for a disk or network share that does not respond")
            await asyncio.to_thread(before.shutdown)
            self._waits = None

    # ------------------------------------------------------------ surfaces

    async def _serve(self, name: str, make: Callable[[], Surface]) -> None:
        """Keep one surface running. It never ends the box, not even with what ends a program."""

        async def serve() -> None:
            try:
                await make().run(self.tools)
            except (Fatal, SystemExit) as error:
                raise Permanent(str(error)) from error
            raise Permanent(message("it ended unexpectedly"))

        await self._keep(f"surface {name}", serve, key="surface.failing", report_after=1)

    @property
    def tools(self) -> SurfaceTools:
        return SurfaceTools(
            home=self.home,
            execute=self._execute,
            query=self.query,
            events=self.bus.listen,
            live=self.live,
            settings=lambda: self.settings.config,
            clock=self.clock,
        )

    async def _execute(self, command: Any, actor: Actor) -> Any:
        self._require_catalogue()
        now_ms = self.clock.wall_ms()
        return await dispatch.execute_in(self.database, command, actor, now_ms=now_ms, wake=self.poke)

    async def query(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """See `contracts.surface.Querying`."""
        self._require_catalogue()
        return await self.database.query(question)

    def _require_catalogue(self) -> None:
        if not self.has_catalogue:
            reason = self._waits or message("it is being opened")
            raise Away(message("the catalogue is not open: {reason}", reason=reason), part="catalogue")

    # ------------------------------------------------------------ live

    @property
    def waiting_for(self) -> Text | None:
        """Why work waits, for a person; None when it does not."""
        return self._waits or self.governor.waiting_for or (self.joined.waiting_for if self.joined else None)

    def live(self) -> Live:
        """What only we know; at most a second old."""
        now_s = self.clock.monotonic_s()
        if self._snapshot is None or now_s - self._snapshot[0] >= FRESH_S:
            pipeline = self.joined.pipeline if self.joined else None
            self._snapshot = now_s, live(self.ground, pipeline, self.waiting_for, is_stopping=self._stop.is_set())
        return self._snapshot[1]


def _full(reason: Text) -> Issue:
    remedy = message("Free up space on that disk; work resumes automatically.")
    return Issue(key="home.full", subject="", severity=Severity.ERROR, message=reason, remedy=remedy)
