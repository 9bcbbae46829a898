"""The child's side: one request in, one answer out. Each request asks Apple at most once for each step."""

from __future__ import annotations

from typing import assert_never

from pyicloud.exceptions import PyiCloudServiceNotActivatedException

from mediabox.clock import Clock
from mediabox.model.sign_in import AcceptTerms, Method, RequestCode, RequestConsent, SubmitCode
from mediabox.sources.icloud.endpoints import is_address
from mediabox.sources.icloud.session import Protection, Session
from mediabox.sources.icloud.sign_in.apple import Apple
from mediabox.sources.icloud.sign_in.endings import Ended
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Consent,
    Depth,
    NeedsAdpConsent,
    NeedsCode,
    NeedsPassword,
    NeedsSecurityKey,
    Refused,
    Reply,
    Request,
    SignedIn,
    Start,
    Validate,
    WrongCode,
)
from mediabox.sources.icloud.sign_in.verdict import of_flags


class Conversation:
    """One sign-in, from its Start on. Blocking."""

    def __init__(self) -> None:
        self._apple: Apple | None = None
        self._consent = Consent.NOT_ASKED
        self._used_password = False

    def reply(self, request: Request) -> Reply:
        """Do what is asked; never raises for anything Apple answers."""
        try:
            answer = self._answer(request)
        except Ended as ended:
            answer = ended.answer
        browser = self._apple.browser() if self._apple else None
        return Reply(answer=answer, browser=browser, used_password=self._used_password)

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Start):
            self._apple = Apple(request.apple_id, request.endpoints, password=request.password, browser=request.browser)
            return self._start(self._apple, request)
        if self._apple is None:
            return Refused(detail="nothing has been started")
        match request:
            case RequestCode():
                return self._send(self._apple, request)
            case SubmitCode():
                return self._try(self._apple, request.code)
            case RequestConsent():
                self._consent = Consent.ASKED if self._apple.ask_consent() else Consent.NOT_SENT
                return NeedsAdpConsent(consent=self._consent)
            case AcceptTerms():
                self._apple.accept_terms()
                return self._signed_in(self._apple) if self._apple.log_in_with_tokens() else NeedsPassword()
            case Validate():
                return self._signed_in(self._apple) if self._apple.validate() else NeedsPassword()
            case _:
                assert_never(request)

    def _start(self, apple: Apple, request: Start) -> Answer:
        """Down the ways in, from the cheapest: each once, and only when Apple refused the one before."""
        if request.depth is Depth.VALIDATE and apple.validate():
            return self._signed_in(apple)
        if request.depth is not Depth.PASSWORD and apple.log_in_with_tokens():
            return self._signed_in(apple)
        if request.password is None:
            return NeedsPassword()
        self._used_password = True
        if apple.log_in_with_password():
            return self._signed_in(apple)
        return self._second_factor(apple)

    def _second_factor(self, apple: Apple, *, sent: Method | None = None) -> Answer:
        if apple.wants_security_key():
            return NeedsSecurityKey(names=tuple(apple.security_key_names or ()))
        flags = apple.code_flags()
        if sent is None and (held_up := of_flags(flags)) is not None:
            return held_up
        phones = apple.phones()
        methods: tuple[Method, ...] = (Method.DEVICE,) if apple.has_devices() or not phones else ()
        if phones:
            methods += (Method.SMS,)
        return NeedsCode(methods=methods, phones=phones, digits=flags.length, sent=sent)

    def _send(self, apple: Apple, request: RequestCode) -> Answer:
        match request.method:
            case Method.DEVICE:
                apple.send_to_devices()
            case Method.SMS:
                apple.send_by_sms(request.phone)
        return self._second_factor(apple, sent=request.method)

    def _try(self, apple: Apple, code: str) -> Answer:
        if not apple.try_code(code):
            return Refused(detail="the code was accepted, the trust was not") if apple.is_past_code() else WrongCode()
        return self._signed_in(apple)

    def _signed_in(self, apple: Apple) -> Answer:
        """The session; under Advanced Data Protection only when the owner let us see the photos."""
        state = apple.photos_state()
        protection = Protection.STANDARD
        if state.get("isICDRSDisabled"):
            if not state.get("isDeviceConsentedForPCS", True):
                return NeedsAdpConsent(consent=self._consent)
            if not apple.ask_photo_keys():
                return NeedsAdpConsent(consent=Consent.GIVEN)
            protection = Protection.CONSENTED
        try:
            return SignedIn(session=_session(apple, protection))
        except PyiCloudServiceNotActivatedException:
            return Refused(detail="the account has no iCloud Photos")
        except (AttributeError, KeyError, TypeError) as err:
            return Refused(detail=f"an account that was not understood ({type(err).__name__})")


def _session(apple: Apple, protection: Protection) -> Session:
    browser, photos_url = apple.browser(), apple.get_webservice_url("ckdatabasews")
    if not is_address(photos_url):
        raise TypeError("the photos have no address")
    return Session(
        apple_id=apple.account_name,
        dsid=str((apple.data.get("dsInfo") or {}).get("dsid") or ""),
        browser=browser,
        photos_url=photos_url,
        upload_url=apple.upload_url(),
        country=browser.echoes.get("account_country"),
        is_trusted=apple.is_trusted_session,
        protection=protection,
        signed_in_at_ms=Clock().wall_ms(),
    )
