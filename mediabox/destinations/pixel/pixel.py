"""The Pixel destination: what `contracts.Destination` promises, for one phone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from mediabox.contracts import Capabilities, Look, Made
from mediabox.destinations.pixel import evidence, rules, standing
from mediabox.destinations.pixel.evidence import Standing
from mediabox.destinations.pixel.folder import FolderState, PhoneFolder
from mediabox.destinations.pixel.foreign import ForeignFiles, Traces
from mediabox.destinations.pixel.link import client_of, folder_id_of, outbox_of
from mediabox.destinations.pixel.looking import Looking
from mediabox.destinations.pixel.making import Maker, kept_smaller
from mediabox.destinations.pixel.published import Published
from mediabox.destinations.pixel.telemetry import Telemetry
from mediabox.destinations.pixel.watch import Watch
from mediabox.destinations.pixel.withholding import Withholding
from mediabox.errors import Away, NeedsHuman, Permanent, Retryable
from mediabox.failpoints import fp
from mediabox.model.delivery import Delivered, DeliveryState
from mediabox.model.issue import Issue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediabox.contracts import Deliverable, DestinationTools, Foreign, Outbox, Parcel
    from mediabox.destinations.pixel.evidence import Reading
    from mediabox.destinations.pixel.folder import Phone
    from mediabox.destinations.pixel.settings import Settings
    from mediabox.destinations.pixel.syncthing import Syncthing
    from mediabox.model.delivery import Delivery, DeviceReport, Room, Sighting, Wish

GATHER_S = 1.0  # what happens in Syncthing happens in bursts
SHOWN_GOOD_S = 10.0  # a look's finding serves the room that is asked for right after it


class _Open(NamedTuple):
    """What is there once Syncthing and the outbox have been found."""

    client: Syncthing
    folder: PhoneFolder
    outbox: Outbox
    maker: Maker
    published: Published
    looking: Looking
    watch: Watch
    foreign: ForeignFiles


class Pixel:
    """One phone. Nothing is opened before it is needed; a lost connection is opened anew."""

    def __init__(self, settings: Settings, tools: DestinationTools) -> None:
        self.name = tools.name
        self.rules = rules.fingerprint(settings)
        self.query, self.seen_by = settings.chosen, settings.seen_by
        self.capabilities = Capabilities(keeps_originals=not settings.saves_storage)
        self._report: DeviceReport | None = None
        self._settings, self._tools = settings, tools
        self._telemetry = Telemetry(settings, clock=tools.clock)
        self._opening = asyncio.Lock()
        self._opened: _Open | None = None
        self._outbox: Outbox | None = None  # opened once: what is being made in it must not be cleared away
        self._published: Published | None = None
        self._shown: tuple[float, FolderState] | None = None
        self._traces = Traces()
        self._handed_over: set[str] = set()  # published, and not among what is out as far as we were asked
        self._withholding = Withholding()

    @classmethod
    def build(cls, settings: Settings, tools: DestinationTools) -> Self:
        return cls(settings, tools)

    # ------------------------------------------------------------ what goes

    def plan(self, asset: Deliverable) -> Sequence[Wish]:
        return rules.wishes(asset, self._settings)

    def take_report(self, report: DeviceReport | None) -> None:
        self._report = report

    async def room(self) -> Room:
        if self._settings.counts_quota and not self._settings.accept_quota:
            raise self._counts_against_quota()
        state = await self._state()
        told = standing.joined(self._report, await self._telemetry.told())
        return standing.room(self._settings, state, told, now_ms=self._tools.clock.wall_ms())

    async def deliver(self, parcel: Parcel) -> Delivered:
        """Made and read back, then published and announced, unless that was done before a crash."""
        here = await self._open()
        name = parcel.delivery.name
        # The phone may have fetched it, and let it go, before anybody could write that down.
        before = (await here.folder.files([name])).get(name)
        is_gone = before is not None and before.agreed.deleted
        delivered = await here.published.find(parcel, is_gone=is_gone)
        try:
            if delivered is None:
                delivered = await self._make(here, parcel)
                await here.published.note(parcel, delivered)
            if not is_gone:
                await self._hand_over(here, parcel, delivered)
        finally:
            await here.outbox.discard(name)
        return delivered

    async def _make(self, here: _Open, parcel: Parcel) -> Delivered:
        bundle = await here.maker.make(parcel)
        return Delivered(
            delivery_id=parcel.delivery.id,
            form=bundle.form,
            size_bytes=bundle.made.size_bytes,
            digest=bundle.made.digest,
            note="; ".join(filter(None, (bundle.note, self._kept_smaller(parcel)))),
        )

    async def _hand_over(self, here: _Open, parcel: Parcel, delivered: Delivered) -> None:
        name, taken_ms = parcel.delivery.name, rules.taken_at_ms(parcel.capture_time)
        modified_ms = parcel.first.resource.modified_at_ms if taken_ms is None else taken_ms
        made = Made(size_bytes=delivered.size_bytes, digest=delivered.digest)
        self._handed_over.add(name)
        try:
            await here.outbox.publish(name, made, modified_at_ms=modified_ms)
        except FileExistsError:
            await here.published.forget([name])
            raise
        await here.folder.announce(name)
        fp("deliver.offered")

    def _kept_smaller(self, parcel: Parcel) -> str:
        is_reduced = self._settings.saves_storage and kept_smaller(parcel.first)
        return "Google Photos keeps it smaller (storage saver: 16 megapixels, 1080p)" if is_reduced else ""

    # ------------------------------------------------------------ what it shows

    async def look(self, out: Sequence[Delivery], *, has_stored: bool) -> Look:
        try:
            return await self._look(out, has_stored=has_stored)
        except (Away, NeedsHuman):
            await self.close()  # it may come back with another key, or at another port
            raise

    async def _look(self, out: Sequence[Delivery], *, has_stored: bool) -> Look:
        here = await self._open()
        state = await self._fresh_state(here)
        readings: list[Reading] = []
        sightings: tuple[Sighting, ...] = ()
        foreign: tuple[Foreign, ...] = ()
        now_ms = self._tools.clock.wall_ms()
        if state.is_sound and state.phone is not None:
            readings, foreign = await self._readings(here, out, state.phone)
            sightings = self._judged(readings, has_stored=has_stored)
        complaints = [*standing.complaints(self.name, self._settings, state, readings, now_ms=now_ms)]
        complaints += self._withholding.complaints(self.name, readings, state.phone, here.looking.needed)
        return Look(sightings=sightings, foreign=foreign, complaints=(*complaints, *self._forgotten(readings)))

    async def _readings(
        self, here: _Open, out: Sequence[Delivery], phone: Phone
    ) -> tuple[list[Reading], tuple[Foreign, ...]]:
        """How each delivery stands, and what else lies there: found afterwards, so that a rename is never missed."""
        traces, names = self._traces, {one.name for one in out}
        await traces.follow(here.watch)
        readings = await here.looking.readings(out, phone, changed=traces.changed, now_ms=self._tools.clock.wall_ms())
        traces.changed -= {one.delivery.name for one in readings if one.standing is Standing.HELD}
        if any(one.standing is Standing.FREED for one in readings):
            await traces.follow(here.watch)
        self._handed_over -= names
        await here.published.forget(names)
        foreign = [*traces.renamed.values(), *await here.foreign.find(names | self._handed_over)]
        return evidence.traced(readings, foreign, traces), tuple(foreign)

    def _judged(self, readings: Sequence[Reading], *, has_stored: bool) -> tuple[Sighting, ...]:
        sightings = evidence.judge(
            readings,
            is_receiving=has_stored,
            now_ms=self._tools.clock.wall_ms(),
            backed_up_after_ms=int(self._settings.backed_up_after_s * 1000),
        )
        names = {one.delivery.id: one.delivery.name for one in readings}
        return tuple(
            msgspec.structs.replace(one, proof=one.proof + self._traces.proof_of(names[one.delivery_id]))
            if one.state is DeliveryState.FREED
            else one
            for one in sightings
        )

    def _forgotten(self, readings: Sequence[Reading]) -> list[Issue]:
        """Syncthing lost its index: what it does not know of proves nothing, and may be sent again by it."""
        count = sum(one.standing is Standing.UNKNOWN and one.delivery.state is DeliveryState.STORED for one in readings)
        if not count:
            return []
        return [
            Issue(
                key="destination.forgotten",
                subject=self.name,
                message=f"Syncthing has forgotten {count} files it delivered to {self.name}.",
                remedy="Its database was lost or made anew. Nothing is seen to leave the phone until it knows it "
                "again: leave the phone connected.",
            )
        ]

    async def withdraw(self, delivery: Delivery) -> None:
        here = await self._open()
        if await here.outbox.is_whole(
            delivery.name, Made(size_bytes=delivery.size_bytes, digest=delivery.digest or "")
        ):  # what somebody made of it on the phone is theirs
            await here.outbox.remove(delivery.name)
        await here.published.forget([delivery.name])
        await here.folder.announce(delivery.name)

    async def wait(self, timeout_s: float) -> bool:
        """What goes wrong while waiting is met again, and told, by the next look."""
        try:
            here = await self._open()
            has_changed = await here.watch.wait(timeout_s)
        except (Retryable, NeedsHuman, Permanent):
            await asyncio.sleep(min(timeout_s, SHOWN_GOOD_S))
            return False
        if has_changed:
            await asyncio.sleep(GATHER_S)
        return has_changed

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.client.close()
            self._opened = None

    # ------------------------------------------------------------ Syncthing and the outbox

    async def _open(self) -> _Open:
        async with self._opening:
            if self._opened is None:
                client = await asyncio.to_thread(client_of, self._settings, self.name)
                outbox = self._outbox or await self._tools.open_outbox(
                    outbox_of(self._settings, self.name, self._tools.home)
                )
                published = self._published or await Published.of(outbox)
                self._outbox, self._published = outbox, published
                folder_id = folder_id_of(self._settings, self.name)
                folder = PhoneFolder(client, folder_id, outbox=outbox.folder, device=self._settings.device)
                self._opened = _Open(
                    client=client,
                    folder=folder,
                    outbox=outbox,
                    maker=Maker(outbox, self._tools.originals, self._tools.fitter, self._settings),
                    published=published,
                    looking=Looking(folder, outbox),
                    watch=Watch(client, folder_id),
                    foreign=ForeignFiles(outbox),
                )
            return self._opened

    async def _state(self) -> FolderState:
        """As the last look found it, if that was just now."""
        if self._shown is not None and self._tools.clock.monotonic_s() - self._shown[0] < SHOWN_GOOD_S:
            return self._shown[1]
        return await self._fresh_state(await self._open())

    async def _fresh_state(self, here: _Open) -> FolderState:
        state = await here.folder.state()
        self._shown = (self._tools.clock.monotonic_s(), state)
        return state

    def _counts_against_quota(self) -> NeedsHuman:
        return NeedsHuman(
            f"Whatever {self.name} backs up counts against the Google account's storage: only Pixels up to 5 do not, "
            "2 to 5 in storage saver quality",
            issue="destination.quota",
            subject=self.name,
            remedy=f"If that is wanted, set `accept_quota = true` in [destinations.{self.name}]; nothing is delivered "
            "until then.",
        )
