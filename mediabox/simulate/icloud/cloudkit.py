"""ckdatabasews: zones, queries by rank, changes by token, lookups and counts.

Every answer is HTTP 200 with the failure inside where Apple does it so (kei, "Error Handling").
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from mediabox.simulate.icloud import odd
from mediabox.simulate.icloud.answers import answer, asked, refusal
from mediabox.simulate.icloud.content import Links
from mediabox.simulate.icloud.faults import (
    FAULT,
    CountOff,
    EmptyPage,
    NotIndexed,
    NoZones,
    OddFields,
    RecordRefused,
    Refused,
    What,
)
from mediabox.simulate.icloud.gate import Gate
from mediabox.simulate.icloud.journal import BadTokenError, DatabaseTokens, Position, Standing
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.modify import Modifier
from mediabox.simulate.icloud.pages import PAGE, UnknownIndexError, children, count_of, page_of
from mediabox.simulate.icloud.records import Writer
from mediabox.simulate.icloud.rules import Rules
from mediabox.simulate.icloud.wire import (
    Answered,
    BatchRequest,
    ChangesRequest,
    DatabaseRequest,
    LookupRequest,
    ModifyRequest,
    QueryRequest,
    RecordError,
    ZoneChanges,
    ZoneID,
)
from mediabox.simulate.icloud.zone import Zone


class CloudKit:
    """Handlers. Bound to paths in `app`."""

    def __init__(self, gate: Gate, links: Links, rules: Rules) -> None:
        self._gate = gate
        self._links = links
        self._rules = rules
        self._tokens = DatabaseTokens()

    async def zones_list(self, request: web.Request) -> web.Response:
        library = self._gate.library(request)
        zones = self._zones(request, library)
        listed = [_listed(library, zone) for zone in zones]
        return answer({"moreComing": False, "syncToken": self._token(library, zones), "zones": listed})

    async def database_changes(self, request: web.Request) -> web.Response:
        library = self._gate.library(request)
        given = await asked(request, DatabaseRequest)
        zones = {zone.name: zone for zone in self._zones(request, library)}
        standings = _standings(library, list(zones.values()))
        try:
            changed = list(zones) if given.sync_token is None else self._tokens.changed(given.sync_token, standings)
        except BadTokenError as err:
            return refusal("BAD_REQUEST", str(err), status=400)
        listed = [_listed(library, zones[name]) for name in changed]
        return answer({"syncToken": self._tokens.token(standings), "moreComing": False, "zones": listed})

    async def zone_changes(self, request: web.Request) -> web.Response:
        library = self._gate.library(request)
        given = await asked(request, ChangesRequest)
        found = [(each, self._gate.zone(request, library, each.zone_id)) for each in given.zones]
        fault = FAULT.get()
        return self._renewed(
            request, answer({"zones": [self._changes(zone, each, given, fault) for each, zone in found]})
        )

    async def query(self, request: web.Request) -> web.Response:
        library = self._gate.library(request)
        given = await asked(request, QueryRequest)
        zone = self._gate.zone(request, library, given.zone_id)
        if zone is None:
            return _no_zone()
        try:
            body = self._queried(library, zone, given, FAULT.get())
        except UnknownIndexError as err:
            return refusal("BAD_REQUEST", str(err), status=400)
        return self._renewed(request, answer({**body, **_query_token(request, zone, given)}))

    async def lookup(self, request: web.Request) -> web.Response:
        library = self._gate.library(request)
        given = await asked(request, LookupRequest)
        zone = self._gate.zone(request, library, given.zone_id)
        if zone is None:
            return _no_zone()
        writer = self._writer(zone, given.desired_keys)
        found = [writer.write(each.record_name) or _missing(each.record_name) for each in given.records]
        body = {"records": _failing(found, FAULT.get()), "syncToken": zone.journal.token}
        return self._renewed(request, answer(body))

    async def count(self, request: web.Request) -> web.Response:
        library = self._gate.library(request)
        given = await asked(request, BatchRequest)
        fault = FAULT.get()
        by = fault.by if isinstance(fault, CountOff) else 0
        counts = [_counted(library, self._gate.zone(request, library, one.zone_id), one, by) for one in given.batch]
        return self._renewed(request, answer({"batch": counts}))

    async def modify(self, request: web.Request) -> web.Response:
        library = self._gate.library(request)
        given = await asked(request, ModifyRequest)
        zone = self._gate.zone(request, library, given.zone_id)
        if zone is None:
            return _no_zone()
        writer = self._writer(zone, given.desired_keys)
        records = Modifier(library, zone, writer).apply(given, FAULT.get())
        return self._renewed(request, answer({"records": records, "syncToken": zone.journal.token}))

    # -- within

    def _zones(self, request: web.Request, library: Library) -> list[Zone]:
        return [] if isinstance(FAULT.get(), NoZones) else self._gate.zones(request, library)

    def _renewed(self, request: web.Request, response: web.Response) -> web.Response:
        self._gate.renew(request, response)
        return response

    def _writer(self, zone: Zone, desired: list[str] | None) -> Writer:
        return Writer(zone, link=self._links.linker(zone.name), desired=desired)

    def _token(self, library: Library, zones: list[Zone]) -> str:
        return self._tokens.token(_standings(library, zones))

    def _queried(self, library: Library, zone: Zone, given: QueryRequest, fault: What | None) -> dict[str, Any]:
        if given.query.record_type == "CheckIndexingState":
            return _indexing(library, zone, fault.state if isinstance(fault, NotIndexed) else library.indexing_state)
        writer = self._writer(zone, given.desired_keys)
        if given.query.record_type == "CPLAlbumByPositionLive":
            return {"records": _failing(self._albums(zone, given, writer), fault)}
        page = page_of(zone, given, writer, fault)
        return {"records": _failing(page.records, fault), **page.continuation}

    def _albums(self, zone: Zone, given: QueryRequest, writer: Writer) -> list[Answered | None]:
        """Asked without a parent, the root comes first, a folder without a name (recorded).

        Raises UnknownIndexError for a zone that has no albums.
        """
        if zone.name.startswith("SharedCollection-"):
            raise UnknownIndexError("Index has invalid data")  # kei #704
        parent = given.query.filters().get("parentId")
        albums: list[Answered | None] = [writer.write(album.name) for album in children(zone, parent)]
        return [writer.root(), *albums] if parent is None and self._rules.root_comes_first else albums

    # -- changes

    def _changes(
        self, zone: Zone | None, one: ZoneChanges, given: ChangesRequest, fault: What | None
    ) -> dict[str, Any]:
        refused = {"zoneID": one.zone_id}
        if isinstance(fault, Refused):
            wait = {} if fault.retry_after_s is None else {"retryAfter": fault.retry_after_s}
            return {**refused, "serverErrorCode": fault.code, "reason": fault.reason, **wait}
        if zone is None:
            return {**refused, "serverErrorCode": "ZONE_NOT_FOUND", "reason": "Zone does not exist"}
        limit = max(1, min(one.results_limit or given.results_limit or PAGE, PAGE))
        try:
            return {"zoneID": _id(zone), **self._delta(zone, one, limit, fault)}
        except BadTokenError as err:
            return {**refused, "serverErrorCode": "BAD_REQUEST", "reason": str(err)}

    def _delta(self, zone: Zone, one: ZoneChanges, limit: int, fault: What | None) -> dict[str, Any]:
        journal = zone.journal
        if one.sync_token is None:  # the whole history starts with an empty page (kei, test 10)
            start = journal.token_at(Position(sequence=0))
            return {"records": [], "syncToken": start, "moreComing": True}
        if not one.sync_token:
            return {"records": [], "syncToken": journal.token, "moreComing": False}
        position = journal.position_of(one.sync_token)
        if isinstance(fault, EmptyPage):
            further = Position(sequence=position.sequence, blanks=position.blanks + 1)
            return {"records": [], "syncToken": journal.token_at(further), "moreComing": True}
        changes = journal.since(position.sequence, limit)
        writer = self._writer(zone, one.desired_keys)
        records = [writer.write(name) for name in changes.names]
        token = journal.token_at(Position(sequence=changes.upto))
        return {"records": _failing(records, fault), "syncToken": token, "moreComing": changes.has_more}


def _counted(library: Library, zone: Zone | None, given: QueryRequest, by: int) -> dict[str, Any]:
    wanted = given.query.filters().get("indexCountID")
    if zone is None or not wanted:
        return {"serverErrorCode": "ZONE_NOT_FOUND" if zone is None else "BAD_REQUEST", "reason": "cannot count"}
    name = str(wanted[0] if isinstance(wanted, list) else wanted)
    try:
        number = max(0, count_of(zone, name) + by)
    except UnknownIndexError as err:
        return {"serverErrorCode": "BAD_REQUEST", "reason": str(err)}
    fields = {"itemCount": {"value": number, "type": "INT64"}}
    record = _made_up(library, zone, name, "IndexCountResult", fields)
    return {"records": [record], "syncToken": zone.journal.token}


def _indexing(library: Library, zone: Zone, state: str) -> dict[str, Any]:
    fields = {"state": {"value": state, "type": "STRING"}, "progress": {"value": 100, "type": "INT64"}}
    return {"records": [_made_up(library, zone, f"_{uuid.uuid4()}", "CheckIndexingState", fields)]}


def _made_up(library: Library, zone: Zone, name: str, record_type: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A record that exists only in this answer."""
    audit = {"timestamp": library.clock.wall_ms(), "userRecordName": "_10", "deviceID": "1"}
    return {
        "recordName": name,
        "recordType": record_type,
        "fields": fields,
        "pluginFields": {},
        "recordChangeTag": "0",
        "created": audit,
        "modified": audit,
        "deleted": False,
        "zoneID": _id(zone),
    }


def _query_token(request: web.Request, zone: Zone, given: QueryRequest) -> dict[str, str]:
    """Only for those who ask; a query for one record gets one that changes/zone refuses."""
    if request.query.get("getCurrentSyncToken", "").lower() != "true":
        return {}
    is_lone = given.results_limit == 1 and given.query.record_type != "CheckIndexingState"
    return {"syncToken": zone.journal.query_token if is_lone else zone.journal.token}


def _failing(records: Sequence[Answered | None], fault: What | None) -> list[Any]:
    """The records, as the order of the day has them: one replaced by an error, or with odd fields."""
    present: list[Any] = [record for record in records if record is not None]
    if isinstance(fault, RecordRefused) and present:
        present[0] = RecordError(record_name=present[0].record_name, server_error_code=fault.code, reason=fault.reason)
    return odd.spoiled(present, fault) if isinstance(fault, OddFields) else present


def _missing(name: str) -> RecordError:
    return RecordError(record_name=name, server_error_code="NOT_FOUND", reason="Record not found")


def _id(zone: Zone) -> ZoneID:
    return ZoneID(zone_name=zone.name, owner_record_name=zone.owner, zone_type="REGULAR_CUSTOM_ZONE")


def _listed(library: Library, zone: Zone) -> dict[str, Any]:
    left = {"deleted": True} if zone.name in library.zones_left else {}
    return {"zoneID": _id(zone), "syncToken": zone.journal.token, **left}


def _standings(library: Library, zones: list[Zone]) -> dict[str, Standing]:
    return {zone.name: (zone.journal.sequence, zone.name in library.zones_left) for zone in zones}


def _no_zone() -> web.Response:
    return refusal("ZONE_NOT_FOUND", "Zone does not exist", status=404)
