"""Which libraries an account has. The personal one is never forgotten because an answer leaves it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.errors import NeedsHuman
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.sources.icloud import cursor as cursors
from mediabox.sources.icloud.cloudkit import TokenRefused
from mediabox.sources.icloud.questions import PERSONAL

if TYPE_CHECKING:
    from mediabox.sources.icloud.cloudkit import CloudKit
    from mediabox.sources.icloud.cursor import Cursor
    from mediabox.sources.icloud.questions import LibraryZone, Scope
    from mediabox.sources.icloud.settings import Settings

log = get_logger(__name__)

SHARED = "SharedSync-"


class Libraries:
    """Those the settings ask for. Others (SharedCollection, CMM, AppLibrarySync) are no libraries of photos."""

    def __init__(self, cloud: CloudKit, *, settings: Settings, name: str) -> None:
        self._cloud, self._settings, self._name = cloud, settings, name

    def scopes(self) -> tuple[Scope, ...]:
        """An owner's shared library is among the private zones; one somebody invited us to is not."""
        return ("private", "shared") if self._settings.shared else ("private",)

    def is_wanted(self, name: str) -> bool:
        if name == PERSONAL:
            return self._settings.personal
        return self._settings.shared and name.startswith(SHARED)

    def in_order(self, cursor: Cursor) -> list[str]:
        """Names of those to read, the personal one first: it waits for no other."""
        names = [each.name for each in cursor.libraries if self.is_wanted(each.name)]
        return sorted(names, key=lambda name: name != PERSONAL)

    async def look(self, cursor: Cursor, scope: Scope) -> tuple[Cursor, str | None, set[str]]:
        """(cursor with new libraries and without lost ones, the token from now on, names of those that changed).

        Raises NeedsHuman when the account has no photo library, what CloudKit raises.
        """
        token = cursor.database.get(scope) or None
        names: set[str] = set()
        while True:
            try:
                answer = await self._cloud.changes_database(scope, token)
            except TokenRefused:
                if token is None:
                    raise
                token = None
                continue
            for zone in answer.zones:
                name = zone.zone_id.zone_name
                if zone.deleted and name != PERSONAL:  # of the personal one its own answers have the last word
                    cursor = cursor.drop(name)
                elif self.is_wanted(name):
                    names.add(name)
                    if cursor.library(name) is None and not zone.deleted:
                        cursor = cursor.put(cursors.beginning(scope, zone.zone_id))
            if not answer.more_coming or answer.sync_token in (None, token):
                break
            token = answer.sync_token
        if scope == "private" and self.is_wanted(PERSONAL) and cursor.library(PERSONAL) is None:
            cursor = await self._with_personal(cursor)
        return cursor, answer.sync_token or token, names

    async def is_there(self, library: LibraryZone) -> bool:
        """A second witness, when Apple says of a library that it does not exist."""
        zones = await self._cloud.zones(library.scope)
        return any(zone.zone_id.zone_name == library.name and not zone.deleted for zone in zones)

    async def _with_personal(self, cursor: Cursor) -> Cursor:
        for zone in await self._cloud.zones("private"):
            if zone.zone_id.zone_name == PERSONAL and not zone.deleted:
                return cursor.put(cursors.beginning("private", zone.zone_id))
        raise no_library(self._name)


def no_library(name: str) -> NeedsHuman:
    """What a person has to look after (docker-icloudpd #878: "iCloud setup is not complete")."""
    return NeedsHuman(
        message("iCloud reports no photo library for this account. Everything known is kept; nothing is deleted."),
        issue="icloud.no_library",
        subject=name,
        remedy=message(
            "Open icloud.com/photos in a browser. If there are no photos, open Settings on the iPhone, your name, "
            "iCloud, "
            "Photos, turn on 'Sync this iPhone' and complete what iCloud asks for. mediabox checks again automatically."
        ),
    )
