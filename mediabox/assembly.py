"""Which objects a box is made of, and how they are joined. Part of the composition root; `joined` gives them life."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from mediabox.config.given import FILE
from mediabox.config.members import member_class
from mediabox.config.problems import LeftOut, Problem
from mediabox.contracts import DestinationTools, Rule, SourceTools, Stage
from mediabox.core import enrolment
from mediabox.core.adoption import FoundAdoptions
from mediabox.core.archive import Archive
from mediabox.core.catalogue import Catalogue
from mediabox.core.commit import Committer
from mediabox.core.delivering.deliveries import Deliveries
from mediabox.core.delivering.parcels import ArchivedOriginals, Parcels
from mediabox.core.intake import Intake
from mediabox.core.pipeline import Pipeline
from mediabox.core.proofs import ArchiveProofs
from mediabox.core.retention import Retention
from mediabox.core.scrub import Scrub
from mediabox.durable.outbox import OutboxFolder
from mediabox.durable.private import write_private
from mediabox.durable.publish import remove_at
from mediabox.durable.renditions import RenditionFolder, RenditionName
from mediabox.log import get_logger
from mediabox.native.sidecar_text import compose
from mediabox.stages.dedup import Dedup
from mediabox.stages.deliver import Deliver
from mediabox.stages.describe import Describe
from mediabox.stages.examine import Examine
from mediabox.stages.fetch import Fetch
from mediabox.stages.file import File
from mediabox.stages.group import Group
from mediabox.stages.manifest import Manifest
from mediabox.stages.place import Place
from mediabox.stages.relocate import Relocate
from mediabox.stages.remove import Remove
from mediabox.stages.trash import Recover, Trash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.config.load import Config, Enabled
    from mediabox.contracts import Destination, MediaEngine, Outbox, Source
    from mediabox.core.issues import IssueBook
    from mediabox.core.parts import Parts
    from mediabox.durable.spool import SpoolFolder
    from mediabox.durable.volume import Volume
    from mediabox.ground import Ground
    from mediabox.store.database import Database

log = get_logger(__name__)

Member = TypeVar("Member")
RULES: tuple[type[Rule], ...] = (Group, Dedup, Place)
MEMORY_PER_THREAD = 700 << 20  # of the board's: a 12 MP HEIC takes 110 MB in its child, the system wants the rest


def excluded_roots(config: Config) -> tuple[Path, ...]:
    """Folders of ours that are never a source."""
    return (config.home, config.path(config.archive.path), config.path(config.renditions.path), *_outboxes(config))


def rendition_folder(config: Config) -> RenditionFolder:
    """Where smaller pictures are, and which of them the owner wants."""
    made = config.renditions
    names: dict[RenditionName, bool] = {"thumb.webp": made.thumbnails, "preview.jpg": made.preview}
    return RenditionFolder(config.path(made.path), [name for name, is_wanted in names.items() if is_wanted])


def sources(config: Config, unbuilt: list[LeftOut], *, clock: Clock, issues: IssueBook) -> dict[str, Source]:
    """Every source that is set up, by name; what cannot be built joins `unbuilt`. Nothing is read or asked yet."""
    roots = excluded_roots(config)
    shared: dict[str, object] = {}

    def build(one: Enabled) -> Source:
        tools = SourceTools(
            name=one.name,
            home=config.home,
            excluded_roots=roots,
            clock=clock,
            remove=remove_at,
            write_private=write_private,
            open_issue=issues.open,
            close_issue=issues.close,
            shared=shared,
        )
        kind: type[Source] = member_class("sources", one.type)
        return kind.build(one.settings, tools)

    return _built("sources", config.sources, build, unbuilt)


def _built(
    family: str, members: Iterable[Enabled], build: Callable[[Enabled], Member], unbuilt: list[LeftOut]
) -> dict[str, Member]:
    """Each that can be built, by name: the others go without it."""
    built: dict[str, Member] = {}
    for one in members:
        try:
            built[one.name] = build(one)
        except Exception as error:  # noqa: BLE001 - whatever a member meets is its own affair
            log.error("member_not_built", error=error, family=family, name=one.name)  # noqa: TRY400 - ours, not logging.s
            what = f"cannot be set up on this box: {str(error) or type(error).__name__}"
            problem = Problem(file=FILE, key=f"{family}.{one.name}", message=what)
            unbuilt.append(LeftOut(family=family, name=one.name, problems=(problem,)))
    return built


def _outboxes(config: Config) -> list[Path]:
    """Where copies wait for a peer, if not below home: what is delivered must not come in again.

    Also those of destinations that are set up wrongly: copies may lie there from before.
    """
    paths = [getattr(one.settings, "outbox", "") for one in config.destinations]
    paths += [path for one in config.lacks("destinations") for path in one.paths]
    return [config.path(path) for path in paths if path]


def destinations(
    config: Config,
    unbuilt: list[LeftOut],
    *,
    database: Database,
    volume: Volume,
    workers: MediaEngine,
    clock: Clock,
) -> dict[str, Destination]:
    """Every destination that is set up, by name; what cannot be built joins `unbuilt`. Nothing is opened yet."""

    def build(one: Enabled) -> Destination:
        tools = DestinationTools(
            name=one.name,
            home=config.home,
            clock=clock,
            fitter=workers,
            originals=ArchivedOriginals(volume),
            open_outbox=partial(_open_outbox, database, one.name, clock),
        )
        kind: type[Destination] = member_class("destinations", one.type)
        return kind.build(one.settings, tools)

    return _built("destinations", config.destinations, build, unbuilt)


def undecided(config: Config) -> frozenset[str]:
    """Destinations of which nobody has said whose photos go, where there are several people's to choose from."""
    several = len(config.sources) + len(config.lacks("sources")) > 1
    return frozenset(
        one.name for one in config.destinations if several and not getattr(one.settings, "has_chosen", True)
    )


async def _open_outbox(database: Database, destination: str, clock: Clock, root: Path) -> Outbox:
    volume = await enrolment.outbox_volume(database, root, destination=destination, clock=clock)
    outbox = OutboxFolder(volume)
    await outbox.prepare()
    await outbox.clear()
    return outbox


class Assembly:
    """The parts that need the archive's volume, joined."""

    config: Config
    database: Database
    clock: Clock
    archive: Archive
    catalogue: Catalogue
    renditions: RenditionFolder
    retention: Retention
    spool: SpoolFolder
    workers: MediaEngine
    sources: Mapping[str, Source]
    destinations: Mapping[str, Destination]

    def __init__(
        self,
        config: Config,
        ground: Ground,
        parts: Parts,
        *,
        volume: Volume,
        spool: SpoolFolder,
        workers: MediaEngine,
        sources: Mapping[str, Source],
        destinations: Mapping[str, Destination],
    ) -> None:
        database, clock = ground.database, ground.clock
        self.config, self.database, self.clock = config, database, clock
        self.renditions = rendition_folder(config)
        self.spool, self.workers, self.sources, self.destinations = spool, workers, sources, destinations
        self.archive, self.catalogue = Archive(volume, spool), Catalogue(database)
        mirroring = {name for name, source in sources.items() if source.mirrors_deletions}
        self.retention = Retention(
            database=database, volume=volume, clock=clock, mirroring=mirroring, renditions=self.renditions
        )
        self.pipeline = Pipeline(
            database=database,
            stages=[build(self) for build in STAGES.values()],
            committer=Committer(
                stages=tuple(STAGES),
                rules=rules(config),
                clock=clock,
                moving_sources={name for name, source in sources.items() if source.removes_after_archiving},
                mirroring_sources=mirroring,
            ),
            governor=ground.governor,
            parts=parts,
            issues=ground.issues,
            bus=ground.bus,
            clock=clock,
        )
        self.intake = Intake(
            database=database,
            pipeline=self.pipeline,
            parts=parts,
            issues=ground.issues,
            bus=ground.bus,
            clock=clock,
            governor=ground.governor,
            mirroring=mirroring,
        )
        self.deliveries = Deliveries(
            database=database,
            pipeline=self.pipeline,
            parts=parts,
            issues=ground.issues,
            bus=ground.bus,
            clock=clock,
            undecided=undecided(config),
        )
        self.scrub = Scrub(
            database=database,
            volume=volume,
            governor=ground.governor,
            clock=clock,
            days=config.scrub.days,
            bytes_per_s=config.scrub.bandwidth_mb_s * 1_000_000,
        )


# Every stage, and how it is made of the parts.
STAGES: dict[type[Stage], Callable[[Assembly], Stage]] = {
    Fetch: lambda at: Fetch(at.sources, at.spool, FoundAdoptions(at.database)),
    Examine: lambda at: Examine(at.spool, at.workers, at.renditions, threads=threads(at.config)),
    File: lambda at: File(at.archive),
    Relocate: lambda at: Relocate(at.catalogue, at.archive),
    Describe: lambda at: Describe(at.catalogue, at.archive, at.workers, compose=compose),
    Manifest: lambda at: Manifest(at.catalogue, at.archive),
    Remove: lambda at: Remove(at.sources, ArchiveProofs(at.database, at.archive, at.clock)),
    Trash: lambda at: Trash(at.retention, at.archive),
    Recover: lambda at: Recover(at.retention, at.archive),
    Deliver: lambda at: Deliver(at.destinations, Parcels(at.database)),
}


def rules(config: Config) -> list[Rule]:
    """In their order."""
    return [Group(), Dedup(config.dedup.max_distance), Place(config.archive.template)]


def threads(config: Config) -> int:
    """Decoding threads: as set, else one for each core as far as the board's memory allows."""
    if config.work.threads:
        return config.work.threads
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(os.cpu_count() or 1, memory // MEMORY_PER_THREAD))
