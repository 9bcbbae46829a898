"""idmsa.apple.com/appleauth/auth: password, second factor, trust.

Order of a sign-in (icloudpd, pyicloud, kei): authorize/signin, signin/init,
signin/complete (409 asks for a code), the page with its boot_args, a push (only when asked
for, since early 2026), the code, 2sv/trust.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any

import msgspec
from aiohttp import web

from mediabox.simulate.icloud.answers import answer, asked
from mediabox.simulate.icloud.auth_page import page, two_factor
from mediabox.simulate.icloud.directory import Attempt, Directory, Way
from mediabox.simulate.icloud.srp import Exchange

_WRONG_PASSWORD = ("-20101", "Check the account information you entered and try again.")
_LOCKED = ("-20209", "This account has been locked for security reasons.")
_WRONG_CODE = ("-21669", "Incorrect verification code.")
_TOO_MANY_CODES = ("-22981", "Verification codes can't be sent to this phone number at this time.")


class InitRequest(msgspec.Struct, rename="camel"):
    a: str
    account_name: str
    protocols: list[str]


class CompleteRequest(msgspec.Struct, rename="camel"):
    account_name: str
    c: str
    m1: str
    m2: str = ""
    trust_tokens: list[str] = []


class SecurityCode(msgspec.Struct):
    code: str


class PhoneNumber(msgspec.Struct):
    id: int


class CodeRequest(msgspec.Struct, rename="camel"):
    security_code: SecurityCode
    phone_number: PhoneNumber | None = None


class PhoneRequest(msgspec.Struct, rename="camel"):
    phone_number: PhoneNumber
    mode: str = "sms"


class Auth:
    """Handlers. Bound to paths in `app`."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def authorize(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="<html><body></body></html>", content_type="text/html")

    async def init(self, request: web.Request) -> web.Response:
        given = await asked(request, InitRequest)
        account = self._directory.accounts.get(given.account_name.lower())
        if account is None:
            return _refused(_WRONG_PASSWORD, status=401)
        verifier = account.verifier
        if verifier.protocol not in given.protocols:
            return answer({"serviceErrors": [{"code": "-20751", "message": "No common protocol."}]}, status=400)
        try:
            exchange = Exchange(verifier, base64.b64decode(given.a))
        except (ValueError, binascii.Error):
            return _refused(_WRONG_PASSWORD, status=401)
        attempt = self._directory.begin(account, exchange)
        challenge = {
            "iteration": verifier.iterations,
            "salt": base64.b64encode(verifier.salt).decode(),
            "protocol": verifier.protocol,
            "version": 1,
            "b": base64.b64encode(exchange.b).decode(),
            "c": attempt.c,
        }
        # As recorded: JSON that calls itself HTML, and no session yet. The proof names the attempt by `c`.
        headers = {"scnt": _echoed(attempt)["scnt"], "Content-Type": "text/html;charset=UTF-8"}
        return answer(challenge, headers=headers)

    async def complete(self, request: web.Request) -> web.Response:
        given = await asked(request, CompleteRequest)
        attempt = next((each for each in self._directory.attempts.values() if each.c == given.c), None)
        if attempt is None or not attempt.exchange.is_proven(_bytes(given.m1), _bytes(given.m2)):
            return _refused(_WRONG_PASSWORD, status=401)
        account = attempt.account
        if account.is_locked:
            return _refused(_LOCKED, status=403)
        attempt.is_proven = True
        attempt.is_verified = any(self._directory.is_trusted(account, token) for token in given.trust_tokens)
        if account.needs_repair:
            return answer({"auth_type": "hsa2"}, status=412, headers=self._proven(attempt))
        return self._completed(attempt)

    async def repair(self, request: web.Request) -> web.Response:
        """The person is asked to confirm a phone number, or to accept something: `not now`."""
        attempt = self._attempt(request)
        if attempt is None:
            return _refused(_WRONG_PASSWORD, status=401)
        attempt.account.needs_repair = False
        return self._completed(attempt)

    async def page(self, request: web.Request) -> web.Response:
        attempt = self._attempt(request)
        if attempt is None:
            return _refused(_WRONG_PASSWORD, status=401)
        account, now_ms = attempt.account, self._directory.clock.wall_ms()
        accept = request.headers.get("Accept", "")  # icloudpd sends none, and reads the page
        if "json" in accept and "html" not in accept:
            return answer(two_factor(account, now_ms), headers=_echoed(attempt))
        return web.Response(text=page(account, now_ms), content_type="text/html", headers=_echoed(attempt))

    async def push_to_device(self, request: web.Request) -> web.Response:
        attempt = self._attempt(request)
        if attempt is None:
            return _refused(_WRONG_PASSWORD, status=401)
        if not attempt.account.has_trusted_devices:
            return answer({"hasError": True, "service_errors": [{"code": "-28248"}]}, status=404)
        return self._push(attempt, "device", phone=None)

    async def push_to_phone(self, request: web.Request) -> web.Response:
        attempt = self._attempt(request)
        if attempt is None:
            return _refused(_WRONG_PASSWORD, status=401)
        phone = (await asked(request, PhoneRequest)).phone_number.id
        if phone not in [each.id for each in attempt.account.phones]:
            return answer({"hasError": True, "service_errors": [{"code": "-28248"}]}, status=400)
        return self._push(attempt, "sms", phone=phone)

    async def device_code(self, request: web.Request) -> web.Response:
        return await self._code(request, "device")

    async def phone_code(self, request: web.Request) -> web.Response:
        return await self._code(request, "sms")

    async def key(self, request: web.Request) -> web.Response:
        """A security key's signature. The simulator has no key to check it with, so it says no."""
        attempt = self._attempt(request)
        return answer({"hasError": True, "service_errors": [{"code": "-21674"}]}, status=400 if attempt else 401)

    async def bridge(self, request: web.Request) -> web.Response:
        """Apple's newer prompt needs a push channel of Apple's; clients fall back to a code."""
        del request
        return answer({"hasError": True, "service_errors": [{"code": "-1"}]}, status=503)

    async def trust(self, request: web.Request) -> web.Response:
        attempt = self._attempt(request)
        if attempt is None or not attempt.is_verified:
            return _refused(_WRONG_PASSWORD, status=401)
        headers = {
            **self._signed(attempt),
            "X-Apple-TwoSV-Trust-Token": self._directory.trust_token(attempt),
            "X-Apple-OAuth-Grant-Code": secrets.token_hex(16),
        }
        return web.Response(status=204, headers=headers)

    # -- within

    def _attempt(self, request: web.Request) -> Attempt | None:
        """The attempt the client's headers name, once its password was right."""
        found = self._directory.attempts.get(request.headers.get("X-Apple-ID-Session-Id", ""))
        return found if found is not None and found.is_proven and request.headers.get("scnt") else None

    def _signed(self, attempt: Attempt) -> dict[str, str]:
        """Headers of every step that has brought the client further."""
        return {
            **_echoed(attempt),
            "X-Apple-Session-Token": self._directory.session_token(attempt),
            "X-Apple-ID-Account-Country": "CHN" if attempt.account.region else "FRA",
        }

    def _proven(self, attempt: Attempt) -> dict[str, str]:
        return {**self._signed(attempt), "X-Apple-TwoSV-Trust-Eligible": "true"}

    def _completed(self, attempt: Attempt) -> web.Response:
        headers = self._proven(attempt)
        if attempt.is_verified:
            return answer(
                {"auth_type": "hsa2"}, headers=headers
            )  # as recorded; with 409 kei and pyicloud saw `authType`
        return answer({"authType": "hsa2"}, status=409, headers=headers)

    def _two_factor(self, attempt: Attempt) -> dict[str, Any]:
        return two_factor(attempt.account, self._directory.clock.wall_ms())

    def _push(self, attempt: Attempt, way: Way, *, phone: int | None) -> web.Response:
        if self._directory.push(attempt, way, phone=phone) is None:
            flags = attempt.account.flags(self._directory.clock.wall_ms())
            body = {**_service_error(_TOO_MANY_CODES), "securityCode": flags}
            return answer(body, status=423, headers=_echoed(attempt))
        return answer(self._two_factor(attempt), status=202 if way == "device" else 200, headers=_echoed(attempt))

    async def _code(self, request: web.Request, way: Way) -> web.Response:
        attempt = self._attempt(request)
        if attempt is None:
            return _refused(_WRONG_PASSWORD, status=401)
        code = (await asked(request, CodeRequest)).security_code.code
        flags = self._directory.answer(attempt, way, code)
        if flags is not None:
            is_only_wrong = not (flags.is_closed or flags.too_many_codes_validated)
            body = {**_service_error(_WRONG_CODE), "securityCode": flags}
            headers = {**_echoed(attempt), "X-Apple-I-Ercd": _WRONG_CODE[0]}
            return answer(body, status=400 if is_only_wrong else 423, headers=headers)
        headers = {**self._signed(attempt), "X-Apple-OAuth-Grant-Code": secrets.token_hex(16)}
        if way == "device":
            return web.Response(status=204, headers=headers)
        return answer(self._two_factor(attempt), headers=headers)


def _echoed(attempt: Attempt) -> dict[str, str]:
    """Headers the client has to send back."""
    return {
        **_unknown(),
        "X-Apple-ID-Session-Id": attempt.session_id,
        "X-Apple-Auth-Attributes": base64.b64encode(attempt.c.encode()).decode(),
    }


def _unknown() -> dict[str, str]:
    """What also a refused client gets."""
    return {"scnt": base64.b64encode(secrets.token_bytes(24)).decode()}


def _service_error(error: tuple[str, str]) -> dict[str, Any]:
    code, message = error
    return {
        "service_errors": [{"code": code, "message": message, "title": "", "suppressDismissal": False}],
        "hasError": True,
    }


def _refused(error: tuple[str, str], *, status: int) -> web.Response:
    code, message = error
    return answer(
        {"serviceErrors": [{"code": code, "message": message, "suppressDismissal": False}]},
        status=status,
        headers=_unknown(),
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""
