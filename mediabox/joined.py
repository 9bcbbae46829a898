"""What a shell joins: the archive's volume, sources, destinations, the pipeline and the services around them.

It is taken down and joined anew when settings change. Whatever is under way then is cancelled
where a power cut could have ended it, too: the next one goes on from there.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from mediabox import assembly, systemd
from mediabox.assembly import Assembly
from mediabox.config.problems import ConfigInvalid, LeftOut
from mediabox.contracts import Releasing
from mediabox.core import decisions, enrolment, indexing
from mediabox.core.attention import Attention
from mediabox.core.backup import Backup
from mediabox.core.delivering.deliveries import SOON_S
from mediabox.core.parts import ARCHIVE, Parts
from mediabox.core.tally import Tally
from mediabox.durable.private import write_private
from mediabox.durable.publish import discard_stale
from mediabox.durable.spool import SpoolFolder
from mediabox.errors import Away, NeedsHuman
from mediabox.log import get_logger
from mediabox.message import Text, message
from mediabox.native.worker import MediaWorkers
from mediabox.store import assets
from mediabox.supervise import supervise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mediabox.config.load import Config
    from mediabox.contracts import Source
    from mediabox.core.pipeline import Pipeline
    from mediabox.durable.volume import Volume
    from mediabox.ground import Ground

    Service = Callable[[], Awaitable[None]]

log = get_logger(__name__)

LOOK_FOR_VOLUME_S = 5.0  # how soon an archive disk that is plugged in is found
NO_VOLUME = message("waiting for the archive's disk")


class Joined:
    """Runs once; for another one make another."""

    def __init__(
        self,
        config: Config,
        ground: Ground,
        *,
        sources: Callable[..., dict[str, Source]] = assembly.sources,
        workers: Callable[[int], MediaWorkers] = MediaWorkers,
        report: Callable[[list[LeftOut]], Awaitable[None]] | None = None,
    ) -> None:
        """`report` is told what could not be built."""
        self.config, self._ground = config, ground
        self._make_sources, self._make_workers, self._report = sources, workers, report
        self.database, self.clock = ground.database, ground.clock
        self.issues, self.governor = ground.issues, ground.governor
        self.parts = Parts(self.clock, self.issues)
        self.attention = Attention(self.database, self.governor, self.clock)
        self.unbuilt: list[LeftOut] = []
        self.pipeline: Pipeline | None = None  # once everything is joined
        self.services: dict[str, Service] = {}  # that are kept running
        self._stack = AsyncExitStack()  # what is to be closed, the last first

    @property
    def waiting_for(self) -> Text | None:
        """Why work waits, for a person; None when it does not."""
        return NO_VOLUME if self.parts.is_troubled(ARCHIVE) else None

    async def run(self) -> None:
        """Work until cancelled."""
        async with self._stack:
            volume = await self._volume_when_there()
            joined = await self._join(volume)
            if self._report is not None:
                await self._report(self.unbuilt)
            self.services = self._services(joined, volume) | self._lasting(joined, volume) | self._followers(joined)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(joined.pipeline.run())
                for name, service in self.services.items():
                    tasks.create_task(self._keep(name, service))
                log.info("ready")

    async def run_once(self, *, until_let_go: bool) -> None:
        """Do all there is to do now.

        `until_let_go`: follow the destinations, too, until they have let go of all they were given.
        Raises Away and NeedsHuman when the archive's volume, a source or a destination cannot be used.
        """
        async with self._stack:
            volume = await self._volume()
            joined = await self._join(volume)
            if self.unbuilt:
                raise ConfigInvalid([problem for one in self.unbuilt for problem in one.problems])
            services = self._services(joined, volume) | (self._followers(joined) if until_let_go else {})
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(joined.pipeline.run())]
                running += [tasks.create_task(self.governor.run(ends_when_full=True))]
                running += [tasks.create_task(self._keep(name, service)) for name, service in services.items()]
                systemd.ready()
                log.debug("ready")
                await self._everything(joined, until_let_go=until_let_go)
                for each in running:
                    each.cancel()

    # ------------------------------------------------------------ the archive's volume

    async def _volume(self) -> Volume:
        """The proven volume. Raises Away and NeedsHuman, told already."""
        archive = self.config.archive
        try:
            volume = await enrolment.archive_volume(
                self.database,
                self.config.path(archive.path),
                clock=self.clock,
                reserve_percent=archive.reserve_percent,
            )
        except (Away, NeedsHuman) as error:
            await self.parts.trip(ARCHIVE, error)
            raise
        self._stack.callback(volume.close)
        await self.parts.returned(ARCHIVE)
        return volume

    async def _volume_when_there(self) -> Volume:
        while True:
            try:
                return await self._volume()
            except (Away, NeedsHuman):
                await asyncio.sleep(LOOK_FOR_VOLUME_S)

    # ------------------------------------------------------------ join

    async def _join(self, volume: Volume) -> Assembly:
        """Make everything, and clear what a crash left."""
        sources = self._make_sources(self.config, self.unbuilt, clock=self.clock, issues=self.issues)
        for source in sources.values():
            self._stack.push_async_callback(source.close)
        self._tally = Tally(self.database, sources.values())
        self._stack.push_async_callback(self._tally.write)
        workers = self._make_workers(assembly.threads(self.config))
        self._stack.push_async_callback(workers.close)
        destinations = assembly.destinations(
            self.config, self.unbuilt, database=self.database, volume=volume, workers=workers, clock=self.clock
        )
        for destination in destinations.values():
            self._stack.push_async_callback(destination.close)
        self._sources, self._destinations = sources, destinations
        spool = SpoolFolder(volume)
        await self._sweep(volume, spool)
        joined = Assembly(
            self.config,
            self._ground,
            self.parts,
            volume=volume,
            spool=spool,
            workers=workers,
            sources=sources,
            destinations=destinations,
        )
        self.pipeline = joined.pipeline
        return joined

    async def _sweep(self, volume: Volume, spool: SpoolFolder) -> None:
        """Clear what a crash left: staged files of resources that have their end, half-written sidecars."""
        wanted = set(await self.database.read(assets.unfinished))
        folders = await self.database.read(assets.folders_being_written)
        await asyncio.to_thread(spool.sweep, wanted)
        for folder in folders:
            if await asyncio.to_thread(volume.exists, folder):
                await asyncio.to_thread(discard_stale, volume, folder)

    # ------------------------------------------------------------ services

    def _services(self, joined: Assembly, volume: Volume) -> dict[str, Service]:
        """What every run has."""
        return {
            "switches": partial(self.attention.mind_switches, joined.pipeline.wake),
            "requests": partial(self.attention.mind_requests, self._sources, joined.intake.look),
            "erasure": partial(self.attention.mind, joined.retention.erase),
            "decisions": partial(decisions.keep_written, self.database, volume),
        }

    def _followers(self, joined: Assembly) -> dict[str, Service]:
        follow = joined.deliveries.follow
        return {f"destination {one.name}": partial(follow, one) for one in self._destinations.values()}

    def _lasting(self, joined: Assembly, volume: Volume) -> dict[str, Service]:
        """What a box that stays up sees to, whatever comes."""
        services: dict[str, Service] = {
            "scrub": joined.scrub.run,
            "index": partial(indexing.keep_true, self.database, self.governor),
            "backup": Backup(self.database, self.config.home, volume).run,
            "tally": self._tally.run,
        }
        services |= {f"source {one.name}": partial(joined.intake.follow, one) for one in self._sources.values()}
        is_whole = not self.config.lacks("sources") and not any(one.family == "sources" for one in self.unbuilt)
        if is_whole:  # else nobody knows whether a source that is missing here is to be mirrored
            services["retention"] = joined.retention.run
        if self.config.release.enabled:
            services["release"] = partial(self.release, volume, self._sources)
        return services

    async def release(self, volume: Volume, sources: Mapping[str, Source]) -> None:
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

    # ------------------------------------------------------------ one run

    async def _everything(self, joined: Assembly, *, until_let_go: bool) -> None:
        """One complete listing of each source, every job that can run, as much delivered as there is room for."""
        for source in self._sources.values():
            while await joined.intake.list_once(source) is not None and source.unsettled:
                await source.wait(60.0)
        joined.pipeline.wake()
        await joined.pipeline.idle()
        for destination in self._destinations.values():
            await joined.deliveries.look(destination, at_once=True)
        if self._destinations:
            joined.pipeline.wake()
            await joined.pipeline.idle()
        await indexing.finish(self.database)
        while until_let_go and await joined.deliveries.are_under_way():  # noqa: ASYNC110 - their followers see to it
            await asyncio.sleep(SOON_S)
