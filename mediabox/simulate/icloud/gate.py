"""Who may ask the photo database, and what: the cookie, the parameters, the zone in the right database.

Refusals of one's own making are HTTP 421 (kei, icloudpd: a session that is no more) and 403 (ACCESS_DENIED under
Advanced Data Protection). What a request without its parameters gets is recorded nowhere: BAD_REQUEST here.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from mediabox.simulate.icloud.directory import Directory, WebSession, request_id
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.rules import Rules
from mediabox.simulate.icloud.setup import PHOTOS_COOKIE, Setup
from mediabox.simulate.icloud.wire import ZoneID
from mediabox.simulate.icloud.zone import Zone

PARAMETERS = ("clientBuildNumber", "clientMasteringNumber", "clientId", "dsid")
_ACCESS_DENIED = "private db access disabled for this account"
_ANY_OWNER = (None, "_defaultOwner")  # kei: "can be `_defaultOwner` or the full owner record name"


class Gate:
    def __init__(self, setup: Setup, directory: Directory, rules: Rules) -> None:
        self._setup = setup
        self._directory = directory
        self._rules = rules

    def session(self, request: web.Request) -> WebSession:
        """Raises the answer for a browser that may not: 421 expired, ACCESS_DENIED under ADP without its cookie."""
        session = self._setup.session(request)
        if session is None or not session.is_trusted or not session.account.has_web_access:
            raise _refused(web.HTTPMisdirectedRequest, "AUTHENTICATION_FAILED", "no auth method found")
        key = request.cookies.get(PHOTOS_COOKIE, "").strip('"')
        if session.account.has_advanced_protection and (not key or key != session.photos_key):
            raise _refused(web.HTTPForbidden, "ACCESS_DENIED", _ACCESS_DENIED)
        return session

    def library(self, request: web.Request) -> Library:
        """The library of whoever asks. Raises as `session`, and 400 for a request without its parameters."""
        session = self.session(request)
        if self._rules.demands_parameters and not request.path.endswith("/zones/list"):  # recorded without any
            missing = [name for name in PARAMETERS if not request.query.get(name)]
            if missing:
                raise _refused(web.HTTPBadRequest, "BAD_REQUEST", f"missing {', '.join(missing)}")
            if request.query["dsid"] != session.account.dsid:
                raise _refused(web.HTTPMisdirectedRequest, "AUTHENTICATION_FAILED", "dsid is not this account's")
        library = session.account.library
        library.expire()
        return library

    @staticmethod
    def zones(request: web.Request, library: Library) -> list[Zone]:
        """Owners see a shared library under /private, those invited under /shared (icloudpd #947)."""
        is_shared = request.match_info["scope"] == "shared"
        return [zone for zone in library.zones() if (zone.name in library.invited) is is_shared]

    def zone(self, request: web.Request, library: Library, asked: ZoneID | None) -> Zone | None:
        """The zone asked for; None, which is ZONE_NOT_FOUND, when this database has none of this name and owner."""
        name = asked.zone_name if asked is not None else library.personal.name
        found = next((zone for zone in library.zones() if zone.name == name), None)
        if found is None or not self._rules.checks_owner:
            return found
        owner = asked.owner_record_name if asked is not None else None
        is_here = found in self.zones(request, library)
        return found if is_here and (owner in _ANY_OWNER or owner == found.owner) else None

    def renew(self, request: web.Request, response: web.StreamResponse) -> None:
        """A fresh token with an answer; the old one is good a while longer, for what is under way."""
        if self._rules.renews_cookies and response.status == 200 and not response.prepared:
            value = self._directory.renew(self._setup.token(request))
            if value is not None:
                self._setup.set_token(response, value)


def _refused(kind: type[web.HTTPException], code: str, reason: str) -> web.HTTPException:
    body: dict[str, Any] = {"uuid": request_id(), "serverErrorCode": code, "reason": reason}
    return kind(text=msgspec.json.encode(body).decode(), content_type="application/json")
