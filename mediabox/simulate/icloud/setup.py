"""setup.icloud.com/setup/ws/1: what a session may do, cookies, terms, and consent under Advanced Data Protection."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from aiohttp import web

from mediabox.simulate.icloud.answers import answer, asked
from mediabox.simulate.icloud.directory import Account, Directory, WebSession
from mediabox.simulate.icloud.hosts import Hosts

TOKEN_COOKIE = "X-APPLE-WEBAUTH-TOKEN"  # noqa: S105 - a cookie's name
PHOTOS_COOKIE = "X-APPLE-WEBAUTH-PCS-Photos"
SHARING_COOKIE = "X-APPLE-WEBAUTH-PCS-Sharing"
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

    def __init__(self, directory: Directory, hosts: Hosts) -> None:
        self._directory = directory
        self._hosts = hosts

    async def validate(self, request: web.Request) -> web.Response:
        session = self.session(request)
        if session is None:
            return answer(_NO_TOKEN, status=421)
        response = answer(self._account(session))
        self._set(response, "X-APPLE-WEBAUTH-VALIDATE", f"v=1:t={secrets.token_urlsafe(30)}", life_s=None)
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
        self._directory.close(request.cookies.get(TOKEN_COOKIE))
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
        for name in (PHOTOS_COOKIE, SHARING_COOKIE):
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
        return self._directory.session(request.cookies.get(TOKEN_COOKIE))

    # -- within

    def _is_consented(self, account: Account) -> bool:
        return account.consented_until_ms > self._directory.clock.wall_ms()

    def _account(self, session: WebSession) -> dict[str, Any]:
        account = session.account
        return {
            "dsInfo": {
                "dsid": account.dsid,
                "appleId": account.apple_id,
                "fullName": account.apple_id.partition("@")[0],
                "languageCode": "en-us",
                "countryCode": "CHN" if account.region else "FRA",
                "hsaVersion": 2,
                "hsaEnabled": True,
                "hasICloudQualifyingDevice": True,
                "isWebAccessAllowed": account.has_web_access,
                "iCDPEnabled": account.has_advanced_protection,
                "statusCode": 2,
            },
            "hsaTrustedBrowser": session.is_trusted,
            "hsaChallengeRequired": not session.is_trusted,
            "pcsEnabled": True,
            "pcsDeleted": False,
            "pcsServiceIdentitiesIncluded": True,
            "termsUpdateNeeded": account.pending_terms is not None,
            "isExtendedLogin": True,
            "isRepairNeeded": False,
            "webservices": {
                "ckdatabasews": {"pcsRequired": True, "url": self._hosts.database, "status": "active"},
                "uploadimagews": {"url": self._hosts.upload, "status": "active"},
                "photosupload": {"pcsRequired": True, "url": self._hosts.upload, "status": "active"},
                "account": {"url": self._hosts.home, "status": "active"},
            },
            "apps": {"photos": {}, "find": {"canLaunchWithOneFactor": True}},
            "requestInfo": {"country": "FR", "timeZone": "Europe/Paris", "region": "IDF"},
        }

    def _set_cookies(self, response: web.Response, session: WebSession, token: str) -> None:
        lives = self._directory.lives
        suffix = secrets.token_hex(4).upper()
        self._set(response, TOKEN_COOKIE, token, life_s=lives.token_cookie_s)
        self._set(response, "X-APPLE-WEBAUTH-USER", f"v=1:s=0:d={session.account.dsid}", life_s=lives.user_cookie_s)
        self._set(response, f"X_APPLE_WEB_KB-{suffix}", secrets.token_urlsafe(30), life_s=lives.browser_cookie_s)
        self._set(response, "X-APPLE-DS-WEB-SESSION-TOKEN", secrets.token_urlsafe(40), life_s=None)
        if session.is_trusted:
            trust = secrets.token_urlsafe(30)
            self._set(response, f"X-APPLE-WEBAUTH-HSA-TRUST-{suffix}", trust, life_s=lives.browser_cookie_s)
        else:
            self._set(response, "X-APPLE-WEBAUTH-HSA-LOGIN", secrets.token_urlsafe(30), life_s=None)
        if session.is_trusted and not session.account.has_advanced_protection:
            session.photos_key = secrets.token_urlsafe(24)
            for name in (PHOTOS_COOKIE, SHARING_COOKIE):
                self._set(response, name, session.photos_key, life_s=lives.token_cookie_s)

    def _set(self, response: web.Response, name: str, value: str, *, life_s: int | None) -> None:
        """`life_s` None: gone when the browser ends, and pyicloud's when the process does."""
        response.set_cookie(name, value, max_age=life_s, secure=True, httponly=True, path="/")
