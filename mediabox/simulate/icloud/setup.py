"""setup.icloud.com/setup/ws/1: what a session may do, cookies, terms, and consent under Advanced Data Protection."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from email.utils import format_datetime
from typing import Any

import msgspec
from aiohttp import web

from mediabox.simulate.icloud.account_answer import account_answer
from mediabox.simulate.icloud.answers import answer, asked
from mediabox.simulate.icloud.directory import Account, Directory, WebSession
from mediabox.simulate.icloud.hosts import Hosts
from mediabox.simulate.icloud.rules import Rules

TOKEN_COOKIE = "X-APPLE-WEBAUTH-TOKEN"  # noqa: S105 - a cookie's name
PHOTOS_COOKIE = "X-APPLE-WEBAUTH-PCS-Photos"
SHARING_COOKIE = "X-APPLE-WEBAUTH-PCS-Sharing"
_TOKEN = re.compile(rf'(?:^|;\s*){TOKEN_COOKIE}=("?)([^";]*)')
_VALIDATE_COOKIE, _CLIENT_COOKIE = "X-APPLE-WEBAUTH-VALIDATE", "X-APPLE-UNIQUE-CLIENT-ID"
_SEEN_BY_SCRIPTS = (_VALIDATE_COOKIE, _CLIENT_COOKIE)
_KEYS = (PHOTOS_COOKIE, SHARING_COOKIE, *(f"X-APPLE-WEBAUTH-PCS-{app}" for app in ("Documents", "News", "Notes")))
_NO_TOKEN = {"success": False, "error": "Missing X-APPLE-WEBAUTH-TOKEN cookie"}
_BAD_TOKEN = {"success": False, "error": "Invalid Session Token"}


class LoginRequest(msgspec.Struct, rename="camel"):
    ds_web_auth_token: str | None = None
    trust_token: str | None = None


class LogoutRequest(msgspec.Struct, rename="camel"):
    trust_browser: bool = False
    all_browsers: bool = False


class PcsRequest(msgspec.Struct, rename="camel"):
    app_name: str
    derived_from_user_action: bool = False


class TermsRequest(msgspec.Struct, rename="camel"):
    accepted_i_cloud_terms: int | None = None


class Setup:
    """Handlers. Bound to paths in `app`."""

    def __init__(self, directory: Directory, hosts: Hosts, rules: Rules) -> None:
        self._directory = directory
        self._hosts = hosts
        self._rules = rules

    async def validate(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        response = answer(self._account(session))
        self._set(response, _VALIDATE_COOKIE, f"v=1:t={secrets.token_urlsafe(30)}", life_s=None)
        lives = self._directory.lives
        renewed = self._directory.renew(self.token(request)) if self._rules.renews_cookies else None
        if renewed is not None:
            self._set(response, TOKEN_COOKIE, renewed, life_s=lives.token_cookie_s)
            session_token = secrets.token_urlsafe(40)
            self._set(response, "X-APPLE-DS-WEB-SESSION-TOKEN", session_token, life_s=lives.token_cookie_s)
        if session.photos_key is not None and not session.account.has_advanced_protection:
            for name in _KEYS:
                self._set(response, name, session.photos_key, life_s=lives.token_cookie_s)
        return response

    async def login(self, request: web.Request) -> web.Response:
        given = await asked(request, LoginRequest)
        grant = self._directory.granted(given.ds_web_auth_token or "")
        if grant is None:
            return answer(_BAD_TOKEN, status=421)
        if grant.account.region != self._hosts.region:
            return answer({"domainToUse": f"iCloud.com{grant.account.region}"})
        is_trusted = grant.is_verified or self._directory.is_trusted(grant.account, given.trust_token or "")
        cookie = self._directory.open(grant.account, is_trusted=is_trusted)
        session = self._directory.sessions[cookie]
        response = answer(self._account(session))
        self._set_cookies(response, session, cookie)
        return response

    async def logout(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        given = await asked(request, LogoutRequest)
        self._directory.close(self.token(request))
        if given.all_browsers:
            self._directory.forget_sessions(session.account)
        if not given.trust_browser:
            self._directory.forget_trust(session.account)
        return answer({"success": True})

    async def web_access(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        account = session.account
        return answer(
            {
                "isICDRSDisabled": account.has_advanced_protection,
                "isDeviceConsentedForPCS": not account.has_advanced_protection or self._is_consented(account),
            }
        )

    async def consent(self, request: web.Request) -> web.Response:
        """A prompt appears on the person's devices; `Simulator.consent` is their tap."""
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        return answer({"isDeviceConsentNotificationSent": True})

    async def pcs(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        given = await asked(request, PcsRequest)
        account = session.account
        if not self._is_consented(account):
            return answer({"status": "failure", "message": "Requested the device to upload cookies."})
        if not account.are_device_cookies_there:
            return answer({"status": "failure", "message": "Cookies not available yet on server."})
        response = answer({"status": "success", "message": f"PCS cookies for {given.app_name}"})
        session.photos_key = secrets.token_urlsafe(24)
        for name in _KEYS:
            self._set(response, name, session.photos_key, life_s=self._directory.lives.token_cookie_s)
        return response

    async def terms(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        return answer({"iCloudTerms": {"version": session.account.pending_terms, "text": "Be kind to Apple."}})

    async def terms_done(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        given = await asked(request, TermsRequest)
        if given.accepted_i_cloud_terms == session.account.pending_terms:
            session.account.pending_terms = None
        return answer({"success": True})

    # -- for the other hosts

    def session(self, request: web.Request) -> WebSession | None:
        """Whose browser this is, by its cookie."""
        return self._directory.session(self.token(request))

    def token(self, request: web.Request) -> str | None:
        """The token a request brings, without quotes. None also when they are demanded and missing."""
        found = _TOKEN.search(request.headers.get("Cookie", ""))
        if found is None or (self._rules.demands_quotes and not found[1]):
            return None
        return found[2]

    def set_token(self, response: web.StreamResponse, token: str) -> None:
        """A renewed token, as CloudKit's answers bring it: to the end of the browser's life."""
        self._set(response, TOKEN_COOKIE, token, life_s=None)

    # -- within

    def _is_consented(self, account: Account) -> bool:
        return account.consented_until_ms > self._directory.clock.wall_ms()

    def _account(self, session: WebSession) -> dict[str, Any]:
        return account_answer(session, self._hosts)

    def _set_cookies(self, response: web.Response, session: WebSession, token: str) -> None:
        lives = self._directory.lives
        suffix = secrets.token_hex(4).upper()
        self._set(response, "X-APPLE-WEBAUTH-USER", f"v=1:s=0:d={session.account.dsid}", life_s=lives.user_cookie_s)
        self._set(response, f"X_APPLE_WEB_KB-{suffix}", secrets.token_urlsafe(30), life_s=lives.browser_cookie_s)
        session_token = secrets.token_urlsafe(40)
        self._set(response, "X-APPLE-DS-WEB-SESSION-TOKEN", session_token, life_s=lives.user_cookie_s)
        self._set(response, _VALIDATE_COOKIE, f"v=1:t={secrets.token_urlsafe(30)}", life_s=None)
        self._set(response, _CLIENT_COOKIE, secrets.token_urlsafe(12), life_s=None)
        self._set(response, "X-APPLE-WEBAUTH-LOGIN", f"v=1:t={secrets.token_urlsafe(30)}", life_s=None)
        if session.is_trusted:  # no token before (8 of 8 recordings)
            self._set(response, TOKEN_COOKIE, token, life_s=lives.token_cookie_s)
            trust = secrets.token_urlsafe(30)
            self._set(response, f"X-APPLE-WEBAUTH-HSA-TRUST-{suffix}", trust, life_s=lives.browser_cookie_s)
        else:
            self._set(response, "X-APPLE-WEBAUTH-HSA-LOGIN", secrets.token_urlsafe(30), life_s=None)
        if session.is_trusted and not session.account.has_advanced_protection:
            session.photos_key = secrets.token_urlsafe(24)
            for name in _KEYS:
                self._set(response, name, session.photos_key, life_s=lives.token_cookie_s)

    def _set(self, response: web.StreamResponse, name: str, value: str, *, life_s: int | None) -> None:
        """As recorded: value in quotes, for all of iCloud. `life_s` None: gone when the browser ends."""
        parts = [f'{name}="{value}"']
        if life_s is not None:
            until = dt.datetime.fromtimestamp(self._directory.clock.wall_ms() / 1000 + life_s, dt.UTC)
            parts.append(f"Expires={format_datetime(until, usegmt=True)}")
        parts.append("Path=/")
        if self._hosts.cookie_domain is not None:
            parts.append(f"Domain={self._hosts.cookie_domain}")
        parts.append("Secure")
        if name not in _SEEN_BY_SCRIPTS:
            parts.append("HttpOnly")
        response.headers.add("Set-Cookie", ";".join(parts))
