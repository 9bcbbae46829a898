"""ckdatabasews: zones, queries by rank, changes by token, lookups and counts.

Every answer is HTTP 200 with the failure inside where Apple does it so (kei, "Error Handling").
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from mediabox.simulate.icloud import indexes
from mediabox.simulate.icloud.answers import answer, asked, refusal
from mediabox.simulate.icloud.content import Links
from mediabox.simulate.icloud.directory import WebSession, request_id
from mediabox.simulate.icloud.faults import FAULT, CountOff, EmptyPage, NotIndexed, RecordRefused, Refused, What
from mediabox.simulate.icloud.journal import BadTokenError, DatabaseTokens, Position, Standing
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.modify import Modifier
from mediabox.simulate.icloud.photos import Album
from mediabox.simulate.icloud.records import Writer
from mediabox.simulate.icloud.setup import PHOTOS_COOKIE, Setup
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

_PAGE = 200  # records at most, whatever resultsLimit says
_ROOTS = ("----Root-Folder----", "----Project-Root-Folder----")
_ACCESS_DENIED = "private db access disabled for this account"
Selection = Sequence[str] | indexes.Ranked


class CloudKit:
    """Handlers. Bound to paths in `app`."""

    def __init__(self, setup: Setup, links: Links) -> None:
        self._setup = setup
        self._links = links
        self._tokens = DatabaseTokens()

    async def zones_list(self, request: web.Request) -> web.Response:
        library = self._library(request)
        zones = [
            {"zoneID": _id(zone), "syncToken": zone.journal.token, **_left(library, zone)}
            for zone in self._zones(request, library)
        ]
        token = self._tokens.token(_standings(library, self._zones(request, library)))
        return answer({"moreComing": False, "syncToken": token, "zones": zones})

    async def database_changes(self, request: web.Request) -> web.Response:
        library = self._library(request)
        given = await asked(request, DatabaseRequest)
        zones = {zone.name: zone for zone in self._zones(request, library)}
        standings = _standings(library, list(zones.values()))
        try:
            changed = list(zones) if given.sync_token is None else self._tokens.changed(given.sync_token, standings)
        except BadTokenError as err:
            return refusal("BAD_REQUEST", str(err), status=400)
        listed = [
            {"zoneID": _id(zones[name]), "syncToken": zones[name].journal.token, **_left(library, zones[name])}
            for name in changed
        ]
        return answer({"syncToken": self._tokens.token(standings), "moreComing": False, "zones": listed})

    async def zone_changes(self, request: web.Request) -> web.Response:
        library = self._library(request)
        given = await asked(request, ChangesRequest)
        fault = FAULT.get()
        return answer({"zones": [self._changes(library, each, given, fault) for each in given.zones]})

    async def query(self, request: web.Request) -> web.Response:
        library = self._library(request)
        given = await asked(request, QueryRequest)
        zone = _zone(library, given.zone_id)
        if zone is None:
            return _no_zone()
        fault = FAULT.get()
        if given.query.record_type == "CheckIndexingState":
            state = fault.state if isinstance(fault, NotIndexed) else library.indexing_state
            return answer({**_indexing(library, zone, state), **_token(request, zone, given)})
        writer = self._writer(zone, given.desired_keys)
        if given.query.record_type == "CPLAlbumByPositionLive":
            albums = [writer.write(album.name) for album in _children(zone, given.query.filters().get("parentId"))]
            return answer({"records": _failing(albums, fault), **_token(request, zone, given)})
        try:
            body = self._page(zone, given, writer, fault)
        except UnknownIndexError as err:
            return refusal("BAD_REQUEST", str(err), status=400)
        return answer({**body, **_token(request, zone, given)})

    async def lookup(self, request: web.Request) -> web.Response:
        library = self._library(request)
        given = await asked(request, LookupRequest)
        zone = _zone(library, given.zone_id)
        if zone is None:
            return _no_zone()
        writer = self._writer(zone, given.desired_keys)
        found = [writer.write(each.record_name) or _missing(each.record_name) for each in given.records]
        return answer({"records": _failing(found, FAULT.get()), "syncToken": zone.journal.token})

    async def count(self, request: web.Request) -> web.Response:
        library = self._library(request)
        given = await asked(request, BatchRequest)
        fault = FAULT.get()
        by = fault.by if isinstance(fault, CountOff) else 0
        return answer({"batch": [_counted(library, each, by) for each in given.batch]})

    async def modify(self, request: web.Request) -> web.Response:
        library = self._library(request)
        given = await asked(request, ModifyRequest)
        zone = _zone(library, given.zone_id)
        if zone is None:
            return _no_zone()
        writer = self._writer(zone, given.desired_keys)
        records = Modifier(library, zone, writer).apply(given, FAULT.get())
        return answer({"records": records, "syncToken": zone.journal.token})

    # -- who asks

    def session(self, request: web.Request) -> WebSession:
        """Raises the answer for a browser that may not: 421 expired, ACCESS_DENIED under ADP without its cookie."""
        session = self._setup.session(request)
        if session is None or not session.is_trusted or not session.account.has_web_access:
            body = {"uuid": request_id(), "serverErrorCode": "AUTHENTICATION_FAILED", "reason": "no auth method found"}
            raise web.HTTPMisdirectedRequest(text=msgspec.json.encode(body).decode(), content_type="application/json")
        key = request.cookies.get(PHOTOS_COOKIE, "").strip('"')
        if session.account.has_advanced_protection and (not key or key != session.photos_key):
            body = {"uuid": request_id(), "serverErrorCode": "ACCESS_DENIED", "reason": _ACCESS_DENIED}
            raise web.HTTPForbidden(text=msgspec.json.encode(body).decode(), content_type="application/json")
        return session

    def _library(self, request: web.Request) -> Library:
        library = self.session(request).account.library
        library.expire()
        return library

    @staticmethod
    def _zones(request: web.Request, library: Library) -> list[Zone]:
        """Owners see a shared library under /private, those invited under /shared (icloudpd #947)."""
        is_shared = request.match_info["scope"] == "shared"
        return [zone for zone in library.zones() if (zone.name in library.invited) is is_shared]

    def _writer(self, zone: Zone, desired: list[str] | None) -> Writer:
        return Writer(zone, link=self._links.linker(zone.name), desired=desired)

    # -- changes

    def _changes(self, library: Library, one: ZoneChanges, given: ChangesRequest, fault: What | None) -> dict[str, Any]:
        zone = _zone(library, one.zone_id)
        refused = {"zoneID": one.zone_id}
        if isinstance(fault, Refused):
            wait = {} if fault.retry_after_s is None else {"retryAfter": fault.retry_after_s}
            return {**refused, "serverErrorCode": fault.code, "reason": fault.reason, **wait}
        if zone is None:
            return {**refused, "serverErrorCode": "ZONE_NOT_FOUND", "reason": "Zone does not exist"}
        limit = max(1, min(one.results_limit or given.results_limit or _PAGE, _PAGE))
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

    # -- queries

    def _page(self, zone: Zone, given: QueryRequest, writer: Writer, fault: What | None) -> dict[str, Any]:
        """One page by rank. An original shared by two assets of a page stands once."""
        filters = given.query.filters()
        is_album = given.query.record_type in indexes.CONTAINERS
        names = _selection(zone, given.query.record_type, filters)
        step = -1 if filters.get("direction") == "DESCENDING" else 1
        rank = _marked(given.continuation_marker)
        if rank is None:
            rank = int(filters.get("startRank", 0))
        only = filters.get("recordName")
        if only is not None:
            names, rank = [name for name in _each(names) if name == only], 0
        taken = min(given.results_limit or _PAGE, _PAGE) // (3 if is_album else 2)
        ranks = [at for at in range(rank, rank + step * max(1, taken), step) if 0 <= at < len(names)]
        assets = [names[at] for at in ranks]
        body: dict[str, Any] = {"records": _failing(_paired(zone, writer, assets, filters, is_album=is_album), fault)}
        after = rank + step * len(ranks)
        if ranks and 0 <= after < len(names):
            body["continuationMarker"] = base64.b64encode(b"rank:%d" % after).decode()
        return body


class UnknownIndexError(ValueError):
    """A record type CloudKit has no index for."""


def _selection(zone: Zone, record_type: str, filters: dict[str, Any]) -> Selection:
    if record_type in indexes.CONTAINERS:
        by_position = record_type.endswith("ByPosition")
        return indexes.members(zone, str(filters.get("parentId", "")), by_position=by_position)
    plain, _, suffix = record_type.replace("AndMaster", "").partition(":")
    if plain == indexes.SMART:
        index = indexes.smart_index(zone, str(filters.get("smartAlbum") or suffix))
    else:
        index = indexes.index_of(record_type)
    if index is None:
        raise UnknownIndexError(f"unknown record type {record_type}")
    return indexes.Ranked(zone, index)


def _each(names: Selection) -> list[str]:
    return [names[rank] for rank in range(len(names))]


def _paired(
    zone: Zone, writer: Writer, assets: list[str], filters: dict[str, Any], *, is_album: bool
) -> list[Answered | None]:
    """All the originals first, then all the assets, then who is in the album (icloudpd's cassettes)."""
    masters = [zone.asset(name).master for name in assets]
    relations = [f"{name}-IN-{filters.get('parentId', '')}" for name in assets] if is_album else []
    return [writer.write(name) for name in dict.fromkeys((*masters, *assets, *relations))]


def _marked(marker: str | None) -> int | None:
    if not marker:
        return None
    try:
        return int(base64.b64decode(marker).removeprefix(b"rank:"))
    except (ValueError, binascii.Error) as err:
        raise UnknownIndexError("continuationMarker is not one of ours") from err


def _children(zone: Zone, parent: str | None) -> list[Album]:
    """Albums and folders of a folder; the roots are folders without a record."""
    wanted = None if parent in _ROOTS else parent
    return [album for album in zone.albums() if album.parent == wanted]


def _counted(library: Library, given: QueryRequest, by: int) -> dict[str, Any]:
    zone = _zone(library, given.zone_id)
    wanted = given.query.filters().get("indexCountID")
    if zone is None or not wanted:
        return {"serverErrorCode": "ZONE_NOT_FOUND" if zone is None else "BAD_REQUEST", "reason": "cannot count"}
    name = str(wanted[0] if isinstance(wanted, list) else wanted)
    plain, _, suffix = name.partition(":")
    filters = {"parentId": suffix, "smartAlbum": suffix}
    try:
        number = max(0, len(_selection(zone, plain, filters)) + by)
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


def _token(request: web.Request, zone: Zone, given: QueryRequest) -> dict[str, str]:
    """Only for those who ask; a query for one record gets one that changes/zone refuses."""
    if request.query.get("getCurrentSyncToken", "").lower() != "true":
        return {}
    is_lone = given.results_limit == 1 and given.query.record_type != "CheckIndexingState"
    return {"syncToken": zone.journal.query_token if is_lone else zone.journal.token}


def _failing(records: Sequence[Answered | None], fault: What | None) -> list[Answered]:
    """The records, the first replaced by an error when that is the order of the day."""
    present = [record for record in records if record is not None]
    if isinstance(fault, RecordRefused) and present:
        present[0] = RecordError(record_name=present[0].record_name, server_error_code=fault.code, reason=fault.reason)
    return present


def _missing(name: str) -> RecordError:
    return RecordError(record_name=name, server_error_code="NOT_FOUND", reason="Record not found")


def _zone(library: Library, zone_id: ZoneID | None) -> Zone | None:
    try:
        return library.zone(zone_id.zone_name if zone_id is not None else "PrimarySync")
    except KeyError:
        return None


def _id(zone: Zone) -> ZoneID:
    return ZoneID(zone_name=zone.name, owner_record_name=zone.owner, zone_type="REGULAR_CUSTOM_ZONE")


def _standings(library: Library, zones: list[Zone]) -> dict[str, Standing]:
    return {zone.name: (zone.journal.sequence, zone.name in library.zones_left) for zone in zones}


def _left(library: Library, zone: Zone) -> dict[str, bool]:
    return {"deleted": True} if zone.name in library.zones_left else {}


def _no_zone() -> web.Response:
    return refusal("ZONE_NOT_FOUND", "Zone does not exist", status=404)
