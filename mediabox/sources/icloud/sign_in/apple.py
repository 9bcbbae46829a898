"""pyicloud, made to ask once and to say exactly what Apple answered. Only ever imported in the child.

pyicloud signs in well (SRP, trust, sessions), but it requests a code by itself, answers
most refusals by trying the next way in, and calls several of them "invalid password".
Here every HTTP answer is judged first (`verdict`); a final one ends the attempt at
once. Nothing is written to disk.

What is used of pyicloud's inside is pinned by `pyicloud<2027` and held by the tests,
which run the real one.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from pyicloud.base import PyiCloudService, TrustedPhoneNumber
from pyicloud.exceptions import (
    PyiCloud2FARequiredException,
    PyiCloudAPIResponseException,
    PyiCloudAuthRequiredException,
    PyiCloudConnectionException,
    PyiCloudFailedLoginException,
)
from pyicloud.session import PyiCloudSession

from mediabox.model.sign_in import Phone
from mediabox.sources.icloud import tolerant
from mediabox.sources.icloud.cookies import from_jar, to_jar
from mediabox.sources.icloud.endpoints import CLIENT_BUILD, CLIENT_MASTERING, Endpoints
from mediabox.sources.icloud.session import Browser
from mediabox.sources.icloud.sign_in.endings import Ended, RepairAsked, reaching
from mediabox.sources.icloud.sign_in.exact_srp import keep_salts_whole
from mediabox.sources.icloud.sign_in.messages import NeedsTerms, Refused
from mediabox.sources.icloud.sign_in.verdict import (
    PhoneVerification,
    SecurityCode,
    Seen,
    read_body,
    verdict,
    wants_repair,
)

if TYPE_CHECKING:
    from requests import Response

keep_salts_whole()

ANSWER_WITHIN_S = 30.0  # pyicloud sets no limit of its own on these calls
TOKENS_REFUSED = (
    PyiCloudFailedLoginException,
    PyiCloud2FARequiredException,
    PyiCloudAuthRequiredException,
    PyiCloudAPIResponseException,
)


class _Connection(PyiCloudSession):
    """Keeps everything in memory: cookies and tokens never touch a disk unsealed."""

    def _load_session_data(self) -> None:
        self._data: dict[str, Any] = {}

    def _save_session_data(self) -> None:
        return

    def _request(self, method: str, url: str, **kwargs: Any) -> Response:
        kwargs["timeout"] = kwargs.get("timeout") or ANSWER_WITHIN_S
        return super()._request(method, url, **kwargs)


class Apple(PyiCloudService):
    """One account at Apple's door, in this process's memory."""

    def __init__(self, apple_id: str, endpoints: Endpoints, *, password: str | None, browser: Browser | None) -> None:
        self._hosts = endpoints
        self._phone: TrustedPhoneNumber | None = None
        self._may_send = False
        with TemporaryDirectory(prefix="mediabox-") as empty:
            super().__init__(
                apple_id,
                password,
                cookie_directory=empty,
                client_id=browser.client_id if browser else None,
                china_mainland=endpoints.is_china,
                authenticate=False,
            )
            self._session = self._connect(empty, browser)
        self.params.update({"clientBuildNumber": CLIENT_BUILD, "clientMasteringNumber": CLIENT_MASTERING})

    def _setup_endpoints(self) -> None:
        self._idmsa_endpoint = self._hosts.auth
        self._auth_endpoint = self._hosts.auth_root
        self._home_endpoint = self._hosts.home
        self._setup_endpoint = self._hosts.setup_root

    def _connect(self, folder: str, browser: Browser | None) -> _Connection:
        connection = _Connection(self, client_id=self._client_id, cookie_directory=folder, verify=True)
        connection.headers.update(self._hosts.headers())
        if self._hosts.ca_file is not None:
            connection.verify = self._hosts.ca_file
            connection.trust_env = False  # REQUESTS_CA_BUNDLE would win over `verify`
        if browser is not None:
            connection.data.update(browser.echoes)
            for cookie in browser.cookies:
                connection.cookies.set_cookie(to_jar(cookie))
        connection.hooks["response"].append(self._judge)
        return connection

    # ------------------------------------------------------------ every answer

    def _judge(self, response: Response, *_args: object, **_kwargs: object) -> None:
        seen = Seen(
            method=str(response.request.method),
            step=self._step(response.url),
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=read_body(response.content),
        )
        answer = verdict(seen)
        if answer is not None and not (isinstance(answer, NeedsTerms) and self._accept_terms):
            self.session._update_session_data(response)  # noqa: SLF001 - scnt and session id go on even so
            raise Ended(answer)
        if wants_repair(seen):
            self.session._update_session_data(response)  # noqa: SLF001
            raise RepairAsked

    def _step(self, url: str) -> str:
        path = urlsplit(url).path
        for root in (self._auth_endpoint, self._setup_endpoint):
            prefix = urlsplit(root).path
            if path == prefix or path.startswith(f"{prefix}/"):
                return path.removeprefix(prefix).strip("/")
        return path

    # ------------------------------------------------------------ ways in, each tried once

    def validate(self) -> bool:
        """Whether the session of last time is still good, and trusted. One call. Raises Ended."""
        if not self.session.cookies.get("X-APPLE-WEBAUTH-TOKEN"):
            return False
        with reaching():
            try:
                told = self._validate_token()
                self.data = told if isinstance(told, dict) else {}
                self._update_state()
            except PyiCloudConnectionException:
                raise
            except TOKENS_REFUSED:
                return False
        return self.is_trusted_session

    def log_in_with_tokens(self) -> bool:
        """Whether the tokens of last time open a new session. One call. Raises Ended."""
        if not self.session.data.get("session_token"):
            return False
        with reaching():
            try:
                self._authenticate_with_token()
            except PyiCloudConnectionException:
                raise
            except TOKENS_REFUSED:
                return False
        return True

    def log_in_with_password(self) -> bool:
        """One SRP sign-in. True: signed in, this browser is trusted. False: a second factor is wanted. Raises Ended."""
        with reaching():
            try:
                self._srp_authentication()
            except RepairAsked:
                self._repair()
            if self._requires_mfa:
                return False
            try:
                self._authenticate_with_token()
            except PyiCloud2FARequiredException:  # signed in, but the tokens do not trust us: as with 409
                self._want_code()
                return False
        return True

    def _repair(self) -> None:
        """What the page does when the owner answers "not now" to what Apple would like to have repaired."""
        try:
            self.session.post(f"{self._auth_endpoint}/repair/complete", json={}, headers=self._get_auth_headers())
        except PyiCloud2FARequiredException:
            self._want_code()

    def _want_code(self) -> None:
        self._requires_mfa = True
        self._auth_data = self._get_mfa_auth_options()

    def accept_terms(self) -> None:
        """Accept new terms with the next login."""
        self._accept_terms = True

    def upload_url(self) -> str | None:
        return self._optional_webservice_url("uploadimagews")

    # ------------------------------------------------------------ second factor

    def request_2fa_code(self) -> bool:
        """pyicloud calls this in the midst of signing in; a code is only sent when a person asked for one."""
        return super().request_2fa_code() if self._may_send else False

    def send_to_devices(self) -> None:
        """Let Apple show a code on the owner's devices, once. Raises Ended."""
        self._phone = None
        with reaching():
            response = self._session_put("verify/trusteddevice/securitycode")
            if response is not None:
                self.use_existing_trusted_device_code()
                return
            if not (self._hosts.is_apple and self._supports_trusted_device_bridge()):
                raise Ended(Refused(detail="Apple would not show a code on the devices"))
            self._may_send = True  # the account's codes go over the push bridge of 2026: pyicloud speaks it
            try:
                self.request_2fa_code()
            finally:
                self._may_send = False

    def send_by_sms(self, phone: str | None) -> None:
        """Let Apple text a code to this trusted number, once. Raises Ended."""
        self._phone = next(
            (number for number in self._numbers() if phone in (None, str(number.device_id))), self._phone
        )
        if self._phone is None:
            raise Ended(Refused(detail="the account has no such trusted phone number"))
        with reaching():
            self._request_sms_2fa_code()

    def try_code(self, code: str) -> bool:
        """Whether the code was accepted and this browser is trusted now. Raises Ended."""
        if self._phone is None and self._trusted_device_bridge_state is None:
            self.use_existing_trusted_device_code()  # shown after our PUT, or read off the device's settings
        with reaching():
            try:
                return self.validate_2fa_code(code)
            except RepairAsked:
                self._repair()
            is_trusted = self.trust_session() and not self.requires_2sa
            self._requires_mfa = not is_trusted  # a code of another number is answered 412 as well (ipsw #79)
        return is_trusted

    def _can_request_sms_2fa_code(self) -> bool:
        return False  # never another way than the one that was asked for

    def _trusted_phone_number(self) -> TrustedPhoneNumber | None:
        return self._phone or super()._trusted_phone_number()

    def _session_put(self, step: str) -> Response | None:
        try:
            return self.session.put(
                f"{self._auth_endpoint}/{step}", headers=self._get_auth_headers({"Accept": "application/json"})
            )
        except PyiCloudConnectionException:
            raise
        except (PyiCloudAPIResponseException, PyiCloud2FARequiredException):
            return None

    def is_past_code(self) -> bool:
        """Whether Apple took the code, whatever came after."""
        return not self._requires_mfa  # pyicloud forgets it when it goes on to ask for trust

    # ------------------------------------------------------------ what Apple told of the second factor

    def _verification(self) -> dict[str, Any]:
        nested = self._auth_data.get("phoneNumberVerification")
        return {**self._auth_data, **(nested if isinstance(nested, dict) else {})}

    def _numbers(self) -> list[TrustedPhoneNumber]:
        found = [TrustedPhoneNumber.from_mapping(entry) for entry in self._number_entries()]
        return [number for number in found if number is not None]

    def _number_entries(self) -> list[dict[str, Any]]:
        told = self._verification()
        entries = told.get("trustedPhoneNumbers") or [told.get("trustedPhoneNumber")]
        return [entry for entry in entries if isinstance(entry, dict)]

    def phones(self) -> tuple[Phone, ...]:
        """The trusted numbers, masked by Apple."""
        return tuple(
            Phone(
                id=str(entry.get("id")),
                masked=str(entry.get("obfuscatedNumber") or entry.get("numberWithDialCode") or "a trusted number"),
            )
            for entry in self._number_entries()
        )

    def code_flags(self) -> SecurityCode:
        """Length of the codes, and whether Apple takes any now."""
        told = tolerant.decode(msgspec.json.encode(self._verification()), PhoneVerification)
        return told.securityCode or SecurityCode()

    def has_devices(self) -> bool:
        return bool(self._auth_data.get("hasTrustedDevices"))

    def wants_security_key(self) -> bool:
        return bool(self._auth_data.get("fsaChallenge") or self.security_key_names)

    # ------------------------------------------------------------ photos under Advanced Data Protection

    def photos_state(self) -> dict[str, Any]:
        """`requestWebAccessState`: whether ADP is on, and the owner has consented. One call.

        Empty when Apple will not tell: then the photos themselves will.
        """
        with reaching():
            try:
                state = self._check_pcs_consent()
            except PyiCloudConnectionException:
                raise
            except TOKENS_REFUSED:
                return {}
        return state if isinstance(state, dict) else {}

    def ask_consent(self) -> bool:
        """Whether Apple notified the owner's devices. One call."""
        with reaching():
            answer = self.session.post(f"{self._setup_endpoint}/enableDeviceConsentForPCS", params=self.params).json()
        return bool(answer.get("isDeviceConsentNotificationSent"))

    def ask_photo_keys(self) -> bool:
        """Whether the photos' keys are here now (as cookies). One call; a device may take minutes to hand them over."""
        with reaching():
            answer = self._send_pcs_request("photos", derived_from_user_action=True)
        return answer.get("status") == "success"

    # ------------------------------------------------------------ what is kept

    def browser(self) -> Browser:
        """What a browser would remember now."""
        echoes = {name: value for name, value in self.session.data.items() if isinstance(value, str)}
        return Browser(
            client_id=self._client_id,
            cookies=tuple(from_jar(cookie) for cookie in self.session.cookies),
            echoes=echoes,
        )
