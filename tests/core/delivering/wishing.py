"""A catalogue, assets archived without bytes, and a destination whose wishes a test lays down."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Container, Sequence

from core.catalogue_of import NOW_MS, Catalogued, ScriptedSource

from mediabox.clock import Clock
from mediabox.contracts import Capabilities, Deliverable, Look, Parcel
from mediabox.core.delivering import choice, record
from mediabox.core.delivering.deliveries import Deliveries
from mediabox.errors import Permanent
from mediabox.model.asset import Kind, RemoteAsset, RemoteResource, Role
from mediabox.model.delivery import Delivered, Delivery, DeliveryState, DeviceReport, Form, Room, Sighting, Wish
from mediabox.model.facts import Facts
from mediabox.model.ledger import Copy, Evidence
from mediabox.model.query import EVERYTHING, Query
from mediabox.model.said import Said
from mediabox.store import assets, copies, deliveries, examined, journal
from mediabox.store.database import Database

PIXEL = "anna"
LATER_MS = NOW_MS + 60_000  # everything has settled
NOTHING_SAID = Said()  # told as an asset of several files all the same
Wishing = Callable[[Deliverable], Sequence[Wish]]


def wish_of(asset: Deliverable) -> list[Wish]:
    """Every picture and film on its own, a still with its clip: what the plainest destination asks for."""
    clips = [one for one in asset.members if one.resource.role is Role.LIVE_VIDEO]
    stills = [one for one in asset.members if one not in clips]
    return [
        Wish(
            resource_id=one.resource.id,
            clip_id=clips[0].resource.id if clips else None,
            form=Form.MOTION if clips else Form.ORIGINAL,
            name=one.resource.name,
            size_bytes=(one.resource.size_bytes or 0),
            taken_at_ms=one.resource.modified_at_ms,
        )
        for one in stills or clips
    ]


class WishingDestination:
    """Obeys `contracts.Destination`; takes nothing by itself."""

    def __init__(
        self,
        name: str = PIXEL,
        wishing: Wishing = wish_of,
        *,
        rules: str = "1",
        query: Query = EVERYTHING,
        seen_by: frozenset[str] | None = None,
    ) -> None:
        self.name, self.rules, self._wishing = name, rules, wishing
        self.query, self.seen_by = query, seen_by
        self.capabilities = Capabilities()
        self.reports: list[DeviceReport | None] = []
        self.asked: list[Deliverable] = []
        self.shows: tuple[Sighting, ...] = ()
        self.has_room = Room(most_bytes=10**12)
        self.withdrew: list[str] = []

    def plan(self, asset: Deliverable) -> Sequence[Wish]:
        self.asked.append(asset)
        return self._wishing(asset)

    def take_report(self, report: DeviceReport | None) -> None:
        self.reports.append(report)

    async def room(self) -> Room:
        return self.has_room

    async def deliver(self, parcel: Parcel) -> Delivered:
        raise Permanent("takes nothing")

    async def look(self, out: Sequence[Delivery], *, has_stored: bool) -> Look:
        shown, self.shows = self.shows, ()
        return Look(sightings=shown)

    async def withdraw(self, delivery: Delivery) -> None:
        self.withdrew.append(delivery.name)

    async def wait(self, timeout_s: float) -> bool:
        return False

    async def close(self) -> None:
        """Nothing is held."""


class Shelf:
    """`await shelf.put("a", still("a"))`, then `shelf.plan(destination)`, then look at `shelf.all()`."""

    def __init__(self, database: Database) -> None:
        self.box = Catalogued(database)
        self.source = ScriptedSource()
        self.facts: dict[str, Facts] = {}

    def deliveries(self, clock: Clock | None = None, *, undecided: Container[str] = ()) -> Deliveries:
        """The service over this catalogue, with nothing in its memory."""
        box = self.box
        return Deliveries(
            database=box.database,
            pipeline=box._pipeline(),
            parts=box.parts,
            issues=box.issues,
            bus=box.bus,
            clock=clock or box.clock,
            undecided=undecided,
        )

    async def put(self, name: str, *files: RemoteResource, said: Said = NOTHING_SAID, archive: bool = True) -> None:
        """Told by the source; files not known before are archived."""
        self.source.say(RemoteAsset(remote_id=name, resources=files, said=said))
        assert await self.box.intake.list_once(self.source) is not None
        if archive:
            await self.archive(*(file.remote_id for file in files))

    async def archive(self, *remote_ids: str, now_ms: int = NOW_MS) -> None:
        await self.box.database.write(lambda connection: [self._archive(connection, one, now_ms) for one in remote_ids])

    def _archive(self, connection: sqlite3.Connection, remote_id: str, now_ms: int) -> None:
        row = connection.execute(
            "SELECT id, asset_id, version, name, size_bytes, kind FROM resource WHERE remote_id = ? AND state = 'seen'",
            (remote_id,),
        ).fetchone()
        if row is None:
            return
        resource_id, asset_id, version, name, size_bytes, kind = row
        digest, path = hashlib.sha256(version.encode()).hexdigest(), f"2024/{resource_id}-{name}"
        facts = self.facts.get(remote_id) or Facts(kind=Kind(kind), media_type=_MEDIA_TYPE[Kind(kind)])
        assets.set_staged(connection, resource_id, digest=digest, size_bytes=size_bytes)
        examined.put_facts(connection, resource_id, facts)
        assets.reserve(connection, resource_id, path, f"{path}.xmp")
        assets.set_archived(connection, resource_id, now_ms)
        copies.put(
            connection,
            Copy(
                resource_id=resource_id,
                volume="archive-volume",
                path=path,
                size_bytes=size_bytes,
                digest=digest,
                evidence=Evidence.REREAD,
                proved_at_ms=now_ms,
            ),
        )
        journal.append(connection, "archived", at_ms=now_ms, resource_id=resource_id, asset_id=asset_id)

    async def join(self, remote_id: str, into: str, role: Role) -> None:
        """Move one file into the asset of another, as the rule `group` does."""
        moved, target = await self.box.file(remote_id), await self.box.file(into)

        def work(connection: sqlite3.Connection) -> None:
            left = assets.join(connection, moved.id, target.asset_id, role)
            journal.append(
                connection, "joined", at_ms=NOW_MS, resource_id=moved.id, asset_id=target.asset_id, left=left
            )

        await self.box.database.write(work)

    async def note(self, event: str, remote_id: str, *, at_ms: int = NOW_MS) -> None:
        one = await self.box.file(remote_id)
        await self.box.database.write(
            lambda connection: journal.append(connection, event, at_ms=at_ms, asset_id=one.asset_id)
        )

    # ------------------------------------------------------------ deliveries

    async def plan(self, destination: WishingDestination, *, now_ms: int = LATER_MS) -> None:
        """As `Deliveries` does it: until nothing more can be done now."""
        while await self.box.database.write(lambda connection: choice.plan(connection, destination, now_ms=now_ms)):
            continue

    async def plan_all(self) -> None:
        """By the plainest destination's rules."""
        await self.plan(WishingDestination())

    async def all(self, destination: str = PIXEL) -> list[Delivery]:
        return await self.box.ask(lambda connection: deliveries.in_state(connection, destination, *DeliveryState))

    async def the(self, name: str, destination: str = PIXEL) -> Delivery:
        (one,) = [each for each in await self.all(destination) if each.name == name]
        return one

    async def admit(self, *names: str, destination: str = PIXEL) -> None:
        for name in names:
            one = await self.the(name, destination)
            await self.box.database.write(lambda connection, one=one: record.admitted(connection, one, now_ms=NOW_MS))

    async def accept(self, *names: str, destination: str = PIXEL, form: Form | None = None) -> None:
        await self.admit(*names, destination=destination)
        for name in names:
            one = await self.the(name, destination)
            taken = delivered(one, form)
            await self.box.database.write(
                lambda connection, taken=taken: deliveries.set_accepted(connection, taken, at_ms=NOW_MS)
            )

    async def show(
        self,
        name: str,
        state: DeliveryState,
        *,
        destination: str = PIXEL,
        keeps_originals: bool = True,
        evidence: Evidence = Evidence.PEER,
        hashes: frozenset[str] = frozenset(),
    ) -> list[Delivery]:
        one = await self.the(name, destination)
        sighting = Sighting(
            delivery_id=one.id, state=state, proof=f"proof of {state}", evidence=evidence, digest=one.digest or ""
        )
        able = Capabilities(keeps_originals=keeps_originals, hashes=hashes)
        return await self.box.database.write(
            lambda connection: record.seen(connection, [sighting], now_ms=NOW_MS, capabilities=able)
        )

    async def copies(self, remote_id: str, volume: str = PIXEL) -> list[Copy]:
        one = await self.box.file(remote_id)
        return [copy for copy in await self.box.ask(copies.of_resource, one.id) if copy.volume == volume]


def delivered(delivery: Delivery, form: Form | None = None) -> Delivered:
    return Delivered(
        delivery_id=delivery.id,
        form=form or delivery.form,
        size_bytes=delivery.size_bytes,
        digest=hashlib.sha256(delivery.name.encode()).hexdigest(),
    )


_MEDIA_TYPE = {
    Kind.PICTURE: "image/jpeg",
    Kind.VIDEO: "video/quicktime",
    Kind.SIDECAR: "application/rdf+xml",
}


def still(name: str, *, size_bytes: int = 100, taken_at_ms: int | None = None, file: str = "") -> RemoteResource:
    return _file(
        f"{name}/original",
        f"{name} as shot",
        file or f"{name}.JPG",
        role=Role.ORIGINAL,
        size_bytes=size_bytes,
        modified_at_ms=taken_at_ms,
    )


def clip(name: str, *, size_bytes: int = 50) -> RemoteResource:
    return _file(f"{name}/live", f"{name} as filmed", f"{name}.MOV", role=Role.LIVE_VIDEO, size_bytes=size_bytes)


def edit(name: str, *, size_bytes: int = 80) -> RemoteResource:
    return _file(f"{name}/edited", f"{name} as edited", f"{name}_E.JPG", role=Role.EDITED, size_bytes=size_bytes)


def film(name: str, *, size_bytes: int = 50) -> RemoteResource:
    """On its own."""
    return _file(f"{name}/original", f"{name} as filmed", f"{name}.MOV", role=Role.ORIGINAL, size_bytes=size_bytes)


def _file(
    remote_id: str, version: str, name: str, *, role: Role, size_bytes: int, modified_at_ms: int | None = None
) -> RemoteResource:
    return RemoteResource(
        remote_id=remote_id,
        version=version,
        name=name,
        kind=Kind.VIDEO if name.endswith(".MOV") else Kind.PICTURE,
        role=role,
        size_bytes=size_bytes,
        modified_at_ms=modified_at_ms,
    )
