"""Keep one destination supplied: plan, look, admit, again and again.

A look at a destination is a few questions and one transaction. What it shows is written
down before anything new is admitted, so that room which has become free at a peer is used at once, and
the admission itself is the intent: whatever a crash leaves half done is an admitted
delivery with a job.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mediabox.contracts import Device
from mediabox.core import switches
from mediabox.core.delivering import choice, record, strangers
from mediabox.core.delivering.window import Out, admit, why_not
from mediabox.errors import Away, NeedsHuman, Retryable
from mediabox.failpoints import fp
from mediabox.log import get_logger
from mediabox.model.delivery import DeliveryState
from mediabox.model.events import DeliveryChanged
from mediabox.model.issue import Issue
from mediabox.store import deliveries, jobs, planning

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container

    from mediabox.clock import Clock
    from mediabox.contracts import Destination, Look
    from mediabox.core.bus import Bus
    from mediabox.core.issues import IssueBook
    from mediabox.core.parts import Parts
    from mediabox.core.pipeline import Pipeline
    from mediabox.model.delivery import Delivery, Room
    from mediabox.store.database import Database

log = get_logger(__name__)

DOUBTED = DeliveryState.DOUBTED
LOOK_EVERY_S = 30.0
NAMED = 5  # unverified ones in a message; all are a command away
SOON_S = 2.0  # while something was chosen a moment ago, or waits to be
MOST_AT_A_TIME = 100  # admitted in one transaction; the next look goes on


class Deliveries:
    """For all destinations; one `follow` for each."""

    def __init__(
        self,
        *,
        database: Database,
        pipeline: Pipeline,
        parts: Parts,
        issues: IssueBook,
        bus: Bus,
        clock: Clock,
        undecided: Container[str] = (),
    ) -> None:
        """`undecided`: destinations of which nobody has said whose photos go."""
        self._undecided = undecided
        self._database, self._pipeline, self._parts = database, pipeline, parts
        self._issues, self._bus, self._clock = issues, bus, clock
        self._waits: dict[str, str] = {}  # why nothing is admitted, by destination
        self._taken_up: set[str] = set()  # destinations whose deliveries of before are under way again

    async def follow(self, destination: Destination) -> None:
        """Look whenever something may have changed, until cancelled."""
        while True:
            is_busy = await self.look(destination)
            await destination.wait(SOON_S if is_busy else LOOK_EVERY_S)

    async def look(self, destination: Destination, *, at_once: bool = False) -> bool:
        """One round. Whether the next may find more soon; never raises for what a destination is to blame for.

        `at_once`: everything is archived, nothing more comes of any asset.
        """
        has_more = await self._plan(destination, at_once=at_once)
        part = f"destination:{destination.name}"
        if self._parts.is_resting(part):
            return False
        try:
            await self._take_up(destination.name)
            await self._withdraw(destination)
            if destination.capabilities.lists:
                await self._sight(destination)
            admitted = await self._admit(destination)
        except (Away, NeedsHuman) as error:
            await self._parts.trip(part, error)
            await self._tell_wait(destination.name, str(error))
            return False
        except Retryable as error:
            log.warning("destination_waits", destination=destination.name, reason=str(error))
            return False
        await self._parts.returned(part)
        return has_more or admitted

    async def are_under_way(self) -> bool:
        """Whether anything waits, is being made, or is held at a destination."""
        return await self._database.read(deliveries.are_under_way)

    async def _take_up(self, name: str) -> None:
        """Once: what was admitted has a job again. A destination that was not configured for a while has lost them."""
        if name in self._taken_up:
            return
        self._taken_up.add(name)

        def work(connection: sqlite3.Connection) -> None:
            for delivery in deliveries.in_state(connection, name, DeliveryState.ADMITTED):
                jobs.add(connection, record.job_of(delivery))

        await self._database.write(work)
        self._pipeline.wake()

    # ------------------------------------------------------------ choosing

    async def _plan(self, destination: Destination, *, at_once: bool) -> bool:
        """Whether assets are left to choose from, now or in a moment."""
        if await self._is_undecided(destination.name):
            return False
        settled_ms = 0 if at_once else choice.SETTLED_MS
        choose = partial(choice.plan, destination=destination, now_ms=self._clock.wall_ms(), settled_ms=settled_ms)
        while await self._database.write(choose):
            continue
        return await self._database.read(partial(planning.is_planning, destination=destination.name))

    async def _is_undecided(self, name: str) -> bool:
        """Whether it still has to be said whose photos go; what was under way before anybody was asked goes on."""
        return name in self._undecided and not await self._database.read(partial(deliveries.has_any, destination=name))

    # ------------------------------------------------------------ looking

    async def _sight(self, destination: Destination) -> None:
        name = destination.name
        out = await self._database.read(
            lambda connection: deliveries.in_state(connection, name, DeliveryState.ACCEPTED, DeliveryState.STORED)
        )
        has_stored = await self._database.read(partial(deliveries.has_stored, destination=name))
        look = await destination.look(out, has_stored=has_stored)
        if look.sightings or look.foreign:
            fp("deliver.sighted")
            for delivery in await self._database.write(partial(self._record, destination=destination, look=look)):
                self._tell(delivery)
        doubts = await self._database.read(
            lambda connection: _doubts(
                name,
                deliveries.in_state(connection, name, DOUBTED, limit=NAMED),
                deliveries.in_state_count(connection, name, DOUBTED),
            )
        )
        strange = await self._database.read(partial(strangers.found, destination=name, foreign=look.foreign))
        doubts += [*strangers.complaints(name, strange), *await self._open(name)]
        await self._issues.report(f"destination:{name}", [*look.complaints, *doubts])

    def _record(self, connection: sqlite3.Connection, *, destination: Destination, look: Look) -> list[Delivery]:
        now_ms = self._clock.wall_ms()
        changed = record.seen(connection, look.sightings, now_ms=now_ms, capabilities=destination.capabilities)
        return [*changed, *record.came_back(connection, destination.name, look.foreign, now_ms=now_ms)]

    async def _open(self, name: str) -> list[Issue]:
        if not await self._is_undecided(name):
            return []
        return [
            Issue(
                key="destination.whose",
                subject=name,
                message=f"Nobody has said whose photos go to {name}; nothing is sent.",
                remedy=f"`mediabox pixel pair {name}` asks, or takes `--photos-of SOURCE` (or `everyone`).",
            )
        ]

    def _tell(self, delivery: Delivery) -> None:
        log.info(
            "delivery_seen",
            asset=delivery.asset_id,
            destination=delivery.destination,
            state=delivery.state,
        )
        self._bus.publish(
            DeliveryChanged(
                delivery_id=delivery.id,
                destination=delivery.destination,
                name=delivery.name,
                state=delivery.state,
            )
        )

    # ------------------------------------------------------------ admitting

    async def _admit(self, destination: Destination) -> bool:
        now_ms = self._clock.wall_ms()
        if isinstance(destination, Device):
            report = partial(switches.device_of, destination=destination.name, now_ms=now_ms)
            destination.take_report(await self._database.read(report))
        room = await destination.room()
        choose = partial(self._choose, name=destination.name, room=room, now_ms=now_ms)
        admitted, reason = await self._database.write(choose)
        await self._tell_wait(destination.name, reason)
        if admitted:
            self._pipeline.wake()
        return bool(admitted)

    def _choose(self, connection: sqlite3.Connection, *, name: str, room: Room, now_ms: int) -> tuple[int, str]:
        """How many may go now, and why no more do."""
        since_ms = now_ms - room.recent_ms
        waiting = [
            deliveries.queued(connection, name, since_ms=since_ms, recent=recent, limit=MOST_AT_A_TIME)
            for recent in (True, False)
        ]
        out = Out(*deliveries.bytes_out(connection, name, since_ms=since_ms))
        chosen = admit(waiting[0], waiting[1], room, out)
        for delivery in chosen:
            request = record.admitted(connection, delivery, now_ms=now_ms)
            jobs.add(connection, request)
        is_held_up = any(waiting) and not chosen
        return len(chosen), room.reason or (why_not(out) if is_held_up else "")

    async def _tell_wait(self, name: str, reason: str) -> None:
        """Where `status` finds it: why nothing is sent now, or that something may be."""
        if self._waits.get(name) == reason:
            return
        self._waits[name] = reason
        await self._database.write(lambda connection: switches.set_wait(connection, name, reason or None))
        log.info("delivery_waits" if reason else "delivery_goes_on", destination=name, reason=reason)

    # ------------------------------------------------------------ taking back

    async def _withdraw(self, destination: Destination) -> None:
        """Carry out what people decided; the row first, the file after it."""
        withdrawn = await self._database.read(partial(deliveries.to_withdraw, destination=destination.name))
        if withdrawn and not destination.capabilities.deletes:
            await self._issues.open(_cannot_delete(destination.name, len(withdrawn)))
            return
        for delivery in withdrawn:
            await destination.withdraw(delivery)
            await self._database.write(partial(deliveries.set_removed, delivery_id=delivery.id))


def _cannot_delete(name: str, count: int) -> Issue:
    return Issue(
        key="destination.cannot_delete",
        subject=name,
        message=f"{count} files were taken back from {name}, which cannot delete: they are still there.",
        remedy=f"Delete them at {name} yourself; nothing more is sent in their place.",
    )


def _doubts(name: str, first: list[Delivery], count: int) -> list[Issue]:
    """What may never have been backed up: only a person can know whether it is in Google Photos."""
    if not count:
        return []
    listed = "; ".join(f"{one.name} ({one.note})" for one in first)
    more = f"; and {count - len(first)} more" if count > len(first) else ""
    return [
        Issue(
            key="destination.doubted",
            subject=name,
            message=f"Unverified at {name}, perhaps never backed up: {count}. {listed}{more}.",
            remedy=f"All of them: `mediabox pixel unverified {name}`. Look into Google Photos. Is a photo there: "
            f"`mediabox pixel believe {name} PHOTO`. If not: `mediabox pixel resend {name} PHOTO`. No PHOTO means all.",
        )
    ]
