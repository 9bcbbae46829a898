"""The zones of one person: the personal library, shared ones, and what else lies beside them."""

from __future__ import annotations

import uuid

from mediabox.clock import Clock
from mediabox.simulate.icloud.blob import Vault
from mediabox.simulate.icloud.lives import Lives
from mediabox.simulate.icloud.photos import Asset, Note
from mediabox.simulate.icloud.zone import Zone

PRIMARY = "PrimarySync"


class Zones:
    """Which zones there are, and where an asset lives."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        owner: str | None = None,
        vault: Vault | None = None,
        personal: Zone | None = None,
        lives: Lives | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.owner = owner or "_" + uuid.uuid4().hex
        self.vault = vault or Vault()
        self.lives = lives or Lives()
        self.personal = personal or Zone(PRIMARY, owner=self.owner)
        self.shared: dict[str, Zone] = {}
        self.others: dict[str, Zone] = {}  # CMM- and SharedCollection-: no libraries, and listed with them
        self.has_personal = True  # False: PrimarySync is neither listed nor found (docker-icloudpd #878)
        self.invited: set[str] = set()  # shared zones somebody else owns: listed under /shared
        self.zones_left: set[str] = set()  # listed with "deleted": true
        self.indexing_state = "FINISHED"

    def zone(self, name: str) -> Zone:
        """Raises KeyError, which is ZONE_NOT_FOUND."""
        return {zone.name: zone for zone in self.zones()}[name]

    def zones(self) -> list[Zone]:
        """As they are listed: the libraries, then what else there is."""
        personal = [self.personal] if self.has_personal else []
        return [*personal, *self.shared.values(), *self.others.values()]

    def start_sharing(self) -> Zone:
        """Make a shared library of one's own."""
        zone = Zone(f"SharedSync-{str(uuid.uuid4()).upper()}", owner=self.owner)
        self.shared[zone.name] = zone
        return zone

    def share_a_link(self) -> Zone:
        """`Copy iCloud Link`: a zone CMM-… holds copies for a month (kei #289)."""
        return self._beside("CMM")

    def share_an_album(self) -> Zone:
        """A shared album of 2026: a zone SharedCollection-…, without an index of albums (kei #704)."""
        return self._beside("SharedCollection")

    def join(self, zone: Zone) -> None:
        """Take part in somebody else's shared library."""
        self.shared[zone.name] = zone
        self.invited.add(zone.name)

    def zone_of(self, asset: str) -> Zone:
        """Where an asset lives. Raises KeyError."""
        for zone in self.zones():
            row = zone.get(asset)
            if isinstance(row, Asset) and not row.is_moved:
                return zone
        raise KeyError(f"no asset {asset}")

    def asset(self, name: str) -> Asset:
        return self.zone_of(name).asset(name)

    def assets(self) -> list[Asset]:
        """Everything in every zone that is neither trashed nor moved away."""
        return [asset for zone in self.zones() for asset in zone.assets() if not asset.is_trashed]

    def find(self, file_name: str) -> Asset:
        """The first asset whose original is called so. Raises KeyError."""
        for zone in self.zones():
            for asset in zone.assets():
                if not asset.is_moved and zone.master(asset.master).file_name == file_name:
                    return asset
        raise KeyError(f"nothing here is called {file_name}")

    # -- for those who change them

    def _beside(self, kind: str) -> Zone:
        zone = Zone(f"{kind}-{str(uuid.uuid4()).upper()}", owner=self.owner)
        self.others[zone.name] = zone
        return zone

    def _count(self, zone: Zone) -> None:
        """CPLLibraryInfo comes along with every change; its numbers are counted when it is written."""
        zone.put(Note(
            name=f"{zone.name}-0000-LI", record_type="CPLLibraryInfo", fields={}, modified_ms=self.clock.wall_ms()
        ))  # fmt: skip
        if zone.is_shared:
            quota: dict[str, int | str] = {"contributedQuotaInSharedLibrary": 1}
            zone.put(Note(
                name=f"{zone.name}-quota-{self.owner}",
                record_type="CPLSharedLibraryQuota",
                fields=quota,
                modified_ms=self.clock.wall_ms(),
            ))  # fmt: skip


def new_name() -> str:
    """A record name as Photos makes them."""
    return str(uuid.uuid4()).upper()
