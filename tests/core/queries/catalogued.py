"""Puts files, deliveries and copies into a catalogue as the daemon would, without one."""

import hashlib
import sqlite3

from mediabox.model.asset import Kind, RemoteResource, Role
from mediabox.model.delivery import DeliveryState, Wish
from mediabox.model.ledger import Copy, Evidence
from mediabox.store import assets, copies, deliveries, listings

NOW_MS = 1_760_000_000_000
VOLUME = "5f1c0a9e-0000-4000-8000-000000000000"


def digest_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def seen(connection: sqlite3.Connection, name: str, *, folder: str = "DCIM/100CANON", source: str = "card") -> int:
    """A file that was listed; its id."""
    remote = RemoteResource(
        remote_id=f"{folder}/{name}", version="1", name=name, kind=Kind.PICTURE, role=Role.ORIGINAL, size_bytes=1000
    )
    asset_id, source_id = assets.add_asset(connection), listings.source_id(connection, source)
    return assets.add_resource(connection, asset_id, source_id, remote, stem=name, at_ms=NOW_MS)


def archived(connection: sqlite3.Connection, name: str, *, path: str | None = None, **where: str) -> int:
    """One that is kept, with its copy on the archive's volume."""
    resource_id, digest, path = seen(connection, name, **where), digest_of(name), path or f"2024/{name}"
    assets.set_staged(connection, resource_id, digest=digest, size_bytes=1000)
    assets.reserve(connection, resource_id, path, f"{path}.xmp")
    assets.set_archived(connection, resource_id, NOW_MS)
    copied(connection, resource_id, volume=VOLUME, path=path, digest=digest)
    return resource_id


def copied(connection: sqlite3.Connection, resource_id: int, *, volume: str, path: str, digest: str) -> None:
    evidence, at_ms = Evidence.REREAD, NOW_MS
    copies.put(
        connection,
        Copy(
            resource_id=resource_id,
            volume=volume,
            path=path,
            size_bytes=1000,
            digest=digest,
            evidence=evidence,
            proved_at_ms=at_ms,
        ),
    )


def delivered(
    connection: sqlite3.Connection, resource_id: int, name: str, state: DeliveryState, *, to: str = "pixel"
) -> int:
    """A file on its way there; the delivery's id."""
    delivery_id = deliveries.add(connection, to, Wish(resource_id=resource_id, name=name, size_bytes=1000), name=name)
    deliveries.set_state(connection, delivery_id, state, at_ms=NOW_MS)
    return delivery_id
