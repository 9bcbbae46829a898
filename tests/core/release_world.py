"""An iCloud, a catalogue and an archive in which everything is archived for 40 days: what a release needs.

The iCloud is the simulator, over HTTPS; catalogue, disks and proofs are real. Photos were
taken in by the real listing and fetched by the real source, but filed by hand.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sources.conformance import MemorySink
from sources.icloud.signed_in import source_of

from mediabox.clock import Clock
from mediabox.config.sections import Release as Settings
from mediabox.contracts import Page
from mediabox.core import certify, release_orders
from mediabox.core.bus import Bus
from mediabox.core.issues import IssueBook
from mediabox.core.parts import Parts
from mediabox.core.release import Releases
from mediabox.core.signer import Signer
from mediabox.core.telling import Telling
from mediabox.core.timeline import beat, timeline
from mediabox.durable.volume import Volume
from mediabox.message import from_stored
from mediabox.model.asset import Resource
from mediabox.model.ledger import Copy, Evidence
from mediabox.simulate.icloud.blob import of_bytes
from mediabox.simulate.icloud.photos import Asset
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud import ICloud
from mediabox.store import assets, copies, gate, issues, journal, listings
from mediabox.store.database import Database, open_beside
from mediabox.store.releases import Release, ReleaseState
from mediabox.store.transaction import transaction

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
LONG_AGO_MS = 40 * DAY_MS
# One disk is enough here, and a day knows no share: what these tests are about is something else.
EASY = Settings(enabled=True, copies=1, domains=1, daily_percent=100)
STRICT = Settings(enabled=True, daily_percent=100)


@cache
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


class World:
    """`async with World(tmp_path, simulator) as world:`."""

    def __init__(self, root: Path, simulator: Simulator, *, settings: Settings = EASY, **source: Any) -> None:
        self.root, self.icloud, self.settings = root, simulator, settings
        self.library = simulator.account().library
        self.clock: Clock = simulator.clock
        self.source: ICloud = source_of(simulator, **{"release": True} | source)
        self.path = root / "mediabox.db"
        self.volumes: dict[str, Volume] = {}
        self.passes_ms = LONG_AGO_MS  # since a photo was archived
        self.fetched_as: dict[str, str] = {}  # more of the journal's row about a fetch
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.database = await self._stack.enter_async_context(Database(self.path))
        self._stack.push_async_callback(self.source.close)
        self.add_volume("archive")
        self.issues = IssueBook(self.database, Bus(), self.clock)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def add_volume(self, name: str) -> Volume:
        volume = Volume.enroll(self.root / name, now_ms=1, name=name, reserve_percent=0)
        self._stack.callback(volume.close)
        self.volumes[volume.identity.uuid] = volume
        return volume

    # ------------------------------------------------------------ taking in

    async def take_in(self, count: int = 1, *, archived: bool = True) -> list[Asset]:
        """So many photos in iCloud, listed, and archived 40 days ago."""
        made = [self.add(number) for number in range(count)]
        await self.list_all()
        if archived:
            await self.archive()
        return made

    def add(self, number: int, **more: Any) -> Asset:
        return self.library.add(of_bytes(picture(number)), file_name=f"IMG_{number:04}.JPG", **more)

    async def list_all(self, *, mirroring: tuple[str, ...] = ()) -> None:
        """One listing, as intake does it."""
        cursor = await self.database.read(lambda connection: listings.cursor(connection, "cloud"))
        async for page in self.source.pages(cursor):
            await self.database.write(lambda connection, page=page: self._tell(connection, page, mirroring))

    def _tell(self, connection: sqlite3.Connection, page: Page, mirroring: tuple[str, ...]) -> None:
        source = listings.source_id(connection, "cloud")
        Telling(connection, source, now_ms=self.long_ago_ms, mirroring=mirroring).take_in(page)
        if page.cursor is not None:
            listings.set_cursor(connection, source, page.cursor)

    @property
    def long_ago_ms(self) -> int:
        return self.clock.wall_ms() - LONG_AGO_MS

    async def archive(self) -> None:
        """File whatever is not yet, on every volume."""
        seen = await self.rows("SELECT id FROM resource WHERE state = 'seen' ORDER BY id")
        for (resource_id,) in seen:
            resource = await self.database.read(lambda connection, one=resource_id: assets.resource(connection, one))
            sink = MemorySink()
            await self.source.fetch(resource, sink)
            await self.database.write(
                lambda connection, one=resource, held=sink.held: self._file(connection, one, held)
            )
        await self.database.write(lambda connection: self._let_time_pass(connection, {row[0] for row in seen}))

    def _let_time_pass(self, connection: sqlite3.Connection, filed: set[int]) -> None:
        """The box ran for the 40 days up to an hour ago; then it read what was filed again."""
        counted_ms = timeline(connection, self.clock).now.counted_ms
        if not self.passes_ms:
            beat(connection, self.clock)
            return
        for ago_ms, passed_ms in ((self.passes_ms, 0), (HOUR_MS, self.passes_ms - HOUR_MS)):
            journal.append(
                connection,
                "clock",
                at_ms=self.clock.wall_ms() - ago_ms,
                boot=self.clock.boot(),
                running_ms=self.clock.running_ms() - ago_ms,
                is_synchronised=False,
                skew_ms=0,
                counted_ms=counted_ms + passed_ms,
            )
        for copy in [copy for one in filed for copy in copies.of_resource(connection, one)]:
            copies.put(connection, copy)

    def _file(self, connection: sqlite3.Connection, resource: Resource, content: bytes) -> None:
        long_ago_ms = self.long_ago_ms
        digest, path = hashlib.sha256(content).hexdigest(), f"2024/{resource.id}-{resource.name}"
        kept = assets.keeper(connection, digest)
        event = "fetched" if kept is None else "duplicate"
        fields = {"sha256": digest} | self.fetched_as
        journal.append(connection, event, at_ms=long_ago_ms, resource_id=resource.id, **fields)
        if kept is not None:
            assets.set_duplicate(connection, resource.id, of=kept, digest=digest, size_bytes=len(content))
            return
        assets.set_staged(connection, resource.id, digest=digest, size_bytes=len(content))
        assets.reserve(connection, resource.id, path, None)
        assets.set_archived(connection, resource.id, long_ago_ms)
        for uuid, volume in self.volumes.items():
            volume.makedirs("2024")
            (volume.root / path).write_bytes(content)
            self.put_copy(connection, resource.id, uuid, path=path, digest=digest, size_bytes=len(content))
            fields = {"path": path, "volume": uuid, "evidence": "R"}
            journal.append(connection, "archived", at_ms=long_ago_ms, resource_id=resource.id, **fields)

    def put_copy(self, connection: sqlite3.Connection, resource_id: int, volume: str, **known: Any) -> None:
        """A copy whose newest proof is an hour old."""
        given = {"evidence": Evidence.REREAD, "proved_at_ms": self.clock.wall_ms() - 3_600_000} | known
        copies.put(connection, Copy(resource_id=resource_id, volume=volume, **given))

    async def renew(self) -> None:
        """As after a round of the scrub: every proof is of now."""
        await self.database.write(self._renew)

    def _renew(self, connection: sqlite3.Connection) -> None:
        for volume in self.volumes:
            for copy in copies.after(connection, volume, 0, limit=1000):
                copies.put(connection, msgspec.structs.replace(copy, proved_at_ms=self.clock.wall_ms()))

    async def write(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        return await self.database.write(work)

    # ------------------------------------------------------------ what a person does

    def assessed(self, connection: sqlite3.Connection) -> list[certify.Assessment]:
        policy, time = certify.policy_of(self.settings), timeline(connection, self.clock)
        return [certify.assess(connection, one, policy, time=time) for one in gate.candidates(connection, "cloud")]

    def plan(self) -> release_orders.Plan:
        with self.catalogue() as connection, transaction(connection):
            return release_orders.plan(
                connection, self.assessed(connection), self.settings, now_ms=self.clock.wall_ms()
            )

    def confirm(self, code: str | None) -> release_orders.Confirmation:
        assert code is not None
        with self.catalogue() as connection, transaction(connection):
            return release_orders.confirm(connection, code, self.assessed(connection), now_ms=self.clock.wall_ms())

    def order(self) -> list[Release]:
        """A list, confirmed."""
        plan = self.plan()
        assert self.confirm(plan.code).refusal is None
        return list(plan.listed)

    def undo(self, what: str = "all") -> list[Release]:
        with self.catalogue() as connection, transaction(connection):
            return release_orders.undo(connection, what, now_ms=self.clock.wall_ms())

    # ------------------------------------------------------------ what the daemon does

    def service(self, **other: Any) -> Releases:
        """As the daemon makes it at each start."""
        given: dict[str, Any] = {
            "database": self.database,
            "sources": {"cloud": self.source},
            "volumes": self.volumes,
            "signer": signer(),
            "settings": self.settings,
            "parts": Parts(self.clock, self.issues),
            "issues": self.issues,
            "clock": self.clock,
        }
        return Releases(**given | other)

    async def work(self) -> None:
        """What a running daemon does when it is poked, until nothing waits that it could do."""
        await self.service().look()

    # ------------------------------------------------------------ what came of it

    def catalogue(self) -> closing[sqlite3.Connection]:
        return closing(open_beside(self.path, write=True))

    async def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return await self.database.read(lambda connection: connection.execute(sql, values).fetchall())

    def states(self) -> list[ReleaseState]:
        with self.catalogue() as connection:
            return [ReleaseState(state) for (state,) in connection.execute("SELECT state FROM release ORDER BY id")]

    def reasons(self) -> list[str | None]:
        with self.catalogue() as connection:
            rows = connection.execute("SELECT reason FROM release ORDER BY id").fetchall()
        return [None if reason is None else str(from_stored(reason)) for (reason,) in rows]

    def events(self) -> list[str]:
        with self.catalogue() as connection:
            return [
                event
                for (event,) in connection.execute("SELECT event FROM journal WHERE event GLOB 'rele*' ORDER BY seq")
            ]

    def open_issues(self) -> list[str]:
        with self.catalogue() as connection:
            return [one.key for one in issues.open_issues(connection)]

    def trashed(self) -> set[str]:
        """Names of the assets in Recently Deleted."""
        return {one.name for one in self.library.personal.trashed()}

    def all_there(self) -> bool:
        """Nothing purged, nothing lost: every asset ever added is in the library or in its bin."""
        return len(list(self.library.personal.assets())) == self.library.personal.size

    def certificate(self) -> bytes:
        """Of the newest release."""
        with self.catalogue() as connection:
            (text,) = connection.execute(
                "SELECT certificate FROM release WHERE certificate IS NOT NULL ORDER BY id DESC LIMIT 1"
            ).fetchone()
        return str(text).encode()

    def writes_asked(self) -> int:
        """How often iCloud was told to change anything."""
        return self.icloud.calls["records.modify"]


def decoded(content: bytes) -> Any:
    return msgspec.json.decode(content)


def picture(number: int) -> bytes:
    """Begins and ends as a JPEG does; what is between is of no interest here."""
    return b"\xff\xd8\xff\xe0" + b"%d\n" % number * 300 + b"\xff\xd9"


def film(number: int) -> bytes:
    """The boxes of a QuickTime film."""
    return b"".join(
        _box(kind, content) for kind, content in ((b"ftyp", b"qt  "), (b"mdat", b"%d" % number), (b"moov", b""))
    )


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content
