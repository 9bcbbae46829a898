"""The composition root: owns the order of start and stop of what `assembly` joins. Only the command line imports it.

Start: lock, database, archive's volume, sources, stages, services; READY. Stop is the
reverse, within ten seconds; a power cut may do it in any order.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from mediabox import assembly, probes, systemd
from mediabox.clock import Clock
from mediabox.contracts import Releasing
from mediabox.core import decisions, enrolment, indexing, switches
from mediabox.core.attention import Attention
from mediabox.core.backup import Backup
from mediabox.core.bus import Bus
from mediabox.core.delivering.deliveries import SOON_S
from mediabox.core.governor import Governor
from mediabox.core.issues import IssueBook
from mediabox.core.parts import ARCHIVE, Parts
from mediabox.core.tally import Tally
from mediabox.core.timekeeping import Timekeeping
from mediabox.durable.filesystem import filesystem_of, is_network
from mediabox.durable.private import write_private
from mediabox.durable.publish import discard_stale
from mediabox.durable.spool import SpoolFolder
from mediabox.errors import Away, Fatal, MediaboxError, NeedsHuman, Retryable
from mediabox.heartbeat import Heartbeat
from mediabox.log import get_logger
from mediabox.model.issue import Issue, Severity
from mediabox.model.version import VERSION
from mediabox.native.worker import MediaWorkers
from mediabox.probes.home_room import HomeRoom
from mediabox.store import assets, journal
from mediabox.store.database import Database
from mediabox.supervise import first, supervise
from mediabox.waiting import ends_within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
    from pathlib import Path

    from mediabox.assembly import Assembly
    from mediabox.config.load import Config
    from mediabox.contracts import Destination, Source
    from mediabox.durable.volume import Volume

    Service = Callable[[], Awaitable[None]]
    Beside = Sequence[Callable[[], Coroutine[None, None, None]]]

log = get_logger(__name__)

DATABASE = "mediabox.db"
LOOK_FOR_VOLUME_S = 5.0  # how soon an archive disk that is plugged in is found


class Box:
    """One household's box: its objects, and what runs them. Tests bring a clock and workers of their own."""

    def __init__(
        self, config: Config, *, clock: Clock | None = None, workers: Callable[[int], MediaWorkers] = MediaWorkers
    ) -> None:
        self.config, self.clock, self.bus = config, clock or Clock(), Bus()
        self._workers = workers
        self.database = Database(config.home / DATABASE, follow=indexing.follow)
        self.issues = IssueBook(self.database, self.bus, self.clock)
        self.parts = Parts(self.clock, self.issues)
        self.governor = Governor(config.work, {**probes.all_probes(), HomeRoom.name: HomeRoom(config.home)})
        self.timekeeping = Timekeeping(self.database, self.issues, self.clock)
        self._stop = asyncio.Event()
        self.attention = Attention(self.database, self.governor, self.clock)

    async def run(self, *, once: bool, until_let_go: bool = False, beside: Beside = ()) -> None:
        """Work until stopped, or with `once` until nothing more can be done.

        `until_let_go`: with `once`, follow the destinations, too, until they have let go of all they were given.
        `beside`: what else to run meanwhile (a terminal's progress). Raises Fatal;
        with `once` also Away and NeedsHuman when the archive's volume cannot be used.
        """
        _refuse_network(self.config.home)
        self._take_signals()
        _tell("starting", once=once, version=VERSION, home=self.config.home, sources=_by_type(self.config))
        async with AsyncExitStack() as stack:
            stack.enter_context(Heartbeat(self._waiting_for))
            if not once:
                await self._await_room_to_open()
            await stack.enter_async_context(self.database)
            await self.issues.start()
            await self.timekeeping.begin()
            stack.push_async_callback(self.timekeeping.end)
            for issue in _retired(self.config):
                await self.issues.open(issue)
            self.governor.look()
            self.database.waits_for_room = not once
            try:
                if once:
                    await self._refuse_paused()
                volume = await self._volume(wait=not once)
                if volume is not None:
                    stack.callback(volume.close)
                    await self._work(volume, once=once, until_let_go=until_let_go, beside=beside, stack=stack)
            except BaseExceptionGroup as group:  # what a person should read is inside
                raise first(group, Fatal) or first(group, MediaboxError) or group from None
            finally:  # what is still written on the way out must not hold that up
                self.database.waits_for_room = False
        systemd.stopping()
        _tell("stopped", once=once)

    def _waiting_for(self) -> str | None:
        """Why work waits, for a person; None when it does not."""
        is_away = self.parts.is_troubled(ARCHIVE)
        return self.governor.waiting_for or ("waiting for the archive's volume" if is_away else None)

    def stop(self) -> None:
        """Start nothing new, and end."""
        self._stop.set()

    async def _refuse_paused(self) -> None:
        """Whoever asks for one run would wait for ever."""
        if await self.database.read(partial(switches.rest_at, now_ms=self.clock.wall_ms())):
            message = "mediabox is paused here, so nothing would be done: `mediabox resume` first"
            raise Retryable(message)

    async def _await_room_to_open(self) -> None:
        """On a full disk the catalogue cannot even be opened: be up, and look again."""
        while not self._stop.is_set() and not self.governor.may_open():
            log.error("home_full", home=self.config.home, reason=self.governor.waiting_for)
            systemd.ready()
            await ends_within(self._stop.wait(), LOOK_FOR_VOLUME_S)

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.attention.poke)

    # ------------------------------------------------------------ the archive's volume

    async def _volume(self, *, wait: bool) -> Volume | None:
        """The proven volume; None when we were told to stop while it was away."""
        while not self._stop.is_set():
            try:
                archive = self.config.archive
                volume = await enrolment.archive_volume(
                    self.database,
                    self.config.path(archive.path),
                    clock=self.clock,
                    reserve_percent=archive.reserve_percent,
                )
            except (Away, NeedsHuman) as error:
                await self.parts.trip(ARCHIVE, error)
                if not wait:
                    raise
                systemd.ready()  # up, and waiting for a disk
                await ends_within(self._stop.wait(), LOOK_FOR_VOLUME_S)
            else:
                await self.parts.returned(ARCHIVE)
                return volume
        return None

    # ------------------------------------------------------------ work

    async def _work(
        self,
        volume: Volume,
        *,
        once: bool,
        until_let_go: bool,
        beside: Beside,
        stack: AsyncExitStack,
    ) -> None:
        sources = self._sources()
        for source in sources.values():
            stack.push_async_callback(source.close)
        tally = Tally(self.database, sources.values())
        stack.push_async_callback(tally.write)
        workers = self._workers(assembly.threads(self.config))
        stack.push_async_callback(workers.close)
        destinations = assembly.destinations(
            self.config, database=self.database, volume=volume, workers=workers, clock=self.clock
        )
        for destination in destinations.values():
            stack.push_async_callback(destination.close)
        spool = SpoolFolder(volume)
        await self._sweep(volume, spool)
        joined = assembly.Assembly(
            self, volume=volume, spool=spool, workers=workers, sources=sources, destinations=destinations
        )
        pipeline, intake = joined.pipeline, joined.intake
        services: dict[str, Service] = {
            "switches": lambda: self.attention.mind_switches(pipeline.wake),
            "requests": lambda: self.attention.mind_requests(sources, intake.look),
            "erasure": lambda: self.attention.mind(joined.retention.erase),
            "decisions": partial(decisions.keep_written, self.database, volume),
        }
        if not once:
            services |= self._lasting(joined, volume, sources) | {"tally": tally.run}
            services |= {f"source {one.name}": partial(intake.follow, one) for one in sources.values()}
        if not once or until_let_go:
            follow = joined.deliveries.follow
            services |= {f"destination {one.name}": partial(follow, one) for one in destinations.values()}
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(pipeline.run())]
            running += [tasks.create_task(self.governor.run(ends_when_full=True))] if once else []
            running += [tasks.create_task(self._keep(name, service)) for name, service in services.items()]
            running += [tasks.create_task(extra()) for extra in beside]
            systemd.ready()
            _tell("ready", once=once)
            last = (
                _everything(joined, sources, destinations, self.database, until_let_go=until_let_go) if once else None
            )
            await self._until_stopped(last)
            for task in running:
                task.cancel()

    def _lasting(self, joined: Assembly, volume: Volume, sources: Mapping[str, Source]) -> dict[str, Service]:
        """What a box that stays up sees to, whatever comes."""
        services: dict[str, Service] = {
            "governor": self.governor.run,
            "scrub": joined.scrub.run,
            "retention": joined.retention.run,
            "index": partial(indexing.keep_true, self.database, self.governor),
            "clock": self.timekeeping.run,
            "backup": Backup(self.database, self.config.home, volume).run,
            "watchdog": lambda: systemd.watchdog(lambda: self.database.write(journal.last)),
        }
        if self.config.release.enabled:
            services["release"] = partial(self._release, volume, sources)
        return services

    def _sources(self) -> dict[str, Source]:
        return assembly.sources(self.config, clock=self.clock, issues=self.issues)

    async def _release(self, volume: Volume, sources: Mapping[str, Source]) -> None:
        """Free sources of what people confirmed. Loaded only where the owner switched it on."""
        from mediabox.core.release import Releases
        from mediabox.core.signer import Signer
        from mediabox.sources.icloud.seal import Seal

        home = self.config.home
        signer = await asyncio.to_thread(Signer.of_home, home, Seal(home, write=write_private), write=write_private)
        freeing = Releases(
            database=self.database,
            sources={name: source for name, source in sources.items() if isinstance(source, Releasing)},
            volumes={volume.identity.uuid: volume},
            signer=signer,
            settings=self.config.release,
            parts=self.parts,
            issues=self.issues,
            clock=self.clock,
        )
        await self.attention.mind(freeing.look)

    async def _keep(self, name: str, service: Service) -> None:
        await supervise(name, service, clock=self.clock, open_issue=self.issues.open, close_issue=self.issues.close)

    async def _sweep(self, volume: Volume, spool: SpoolFolder) -> None:
        """Clear what a crash left: staged files of resources that have their end, half-written sidecars."""
        wanted = set(await self.database.read(assets.unfinished))
        folders = await self.database.read(assets.folders_being_written)
        await asyncio.to_thread(spool.sweep, wanted)
        for folder in folders:
            if await asyncio.to_thread(volume.exists, folder):
                await asyncio.to_thread(discard_stale, volume, folder)

    # ------------------------------------------------------------ until when

    async def _until_stopped(self, last: Coroutine[None, None, None] | None) -> None:
        """Until somebody says so, or `last` has been done."""
        async with asyncio.TaskGroup() as tasks:
            ends: set[asyncio.Task[object]] = {tasks.create_task(self._stop.wait())}
            if last is not None:
                ends.add(tasks.create_task(last))
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()


async def _everything(
    joined: Assembly,
    sources: Mapping[str, Source],
    destinations: Mapping[str, Destination],
    database: Database,
    *,
    until_let_go: bool,
) -> None:
    """One complete listing of each source, every job that can be run, and as much delivered as there is room for."""
    for source in sources.values():
        while await joined.intake.list_once(source) is not None and source.unsettled:
            await source.wait(60.0)
    joined.pipeline.wake()
    await joined.pipeline.idle()
    for destination in destinations.values():
        await joined.deliveries.look(destination, at_once=True)
    if destinations:
        joined.pipeline.wake()
        await joined.pipeline.idle()
    await indexing.finish(database)
    while until_let_go and await joined.deliveries.are_under_way():  # noqa: ASYNC110 - seen to by those who follow them
        await asyncio.sleep(SOON_S)


def _tell(event: str, *, once: bool, **fields: object) -> None:
    """A line of the daemon's life. One run is silent: cron mails every word."""
    (log.debug if once else log.info)(event, **fields)


def _by_type(config: Config) -> str:
    """How many sources of each type: "folder 2, icloud 1"."""
    counts = Counter(source.type for source in config.sources)
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _retired(config: Config) -> Iterator[Issue]:
    """Settings of before that are still in the person's file."""
    for note in config.notes:
        remedy = "Take the line out of the file; nothing else is to be done."
        yield Issue(key="config.retired", subject=note.key, severity=Severity.NOTICE, message=f"{note}.", remedy=remedy)


def _refuse_network(home: Path) -> None:
    """SQLite on NFS or SMB loses what it promised (Sonarr #1886, Jellyfin #11387; invariant I12)."""
    filesystem = filesystem_of(home)
    if is_network(filesystem):
        message = (
            f"the home folder {home} is on a network file system ({filesystem}), where a database is not safe: "
            "choose a --home on a local disk; the archive may stay on the network"
        )
        raise Fatal(message)
