"""Apple's side of a sign-in: who has an account, which sessions are open, which codes were sent."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Literal

import msgspec

from mediabox.clock import Clock
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.lives import Lives
from mediabox.simulate.icloud.srp import Exchange, Protocol, Verifier

Way = Literal["device", "sms"]
_ITERATIONS = 20_064  # as recorded
# How often one may ask and answer before Apple minds; the numbers are not established.
_TRIES_BEFORE_COOLDOWN = 3
_TRIES_BEFORE_LOCK = 5
_SENDS = 5


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    id: int = 1
    number: str = "+33 6 12 34 56 78"


class CodeFlags(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`securityCode` on the sign-in page and in refusals."""

    length: int = 6
    too_many_codes_sent: bool = False
    too_many_codes_validated: bool = False
    security_code_locked: bool = False
    security_code_cooldown: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether Apple takes or sends no code now."""
        return self.too_many_codes_sent or self.security_code_locked or self.security_code_cooldown


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A code on its way to a person."""

    apple_id: str
    way: Way
    code: str
    at_ms: int
    phone: int | None = None


class Account:
    """One Apple ID. Attributes may be changed at any time; the next request sees them."""

    def __init__(self, apple_id: str, password: str, library: Library, *, protocol: Protocol = "s2k") -> None:
        self.apple_id = apple_id
        self.password = password
        self.library = library
        self.protocol: Protocol = protocol
        self.dsid = str(10_000_000_000 + int.from_bytes(apple_id.encode()[:5].ljust(5), "big") % 10_000_000_000)
        self.region = ""  # ".cn": mainland China; the other region's setup host sends people here
        self.phones: list[Phone] = [Phone()]
        self.has_trusted_devices = True
        self.initial_route = "auth/verify/phone"  # or auth/bridge/step
        self.security_keys: list[str] = []
        self.is_locked = False
        self.needs_repair = False  # answers 412 until repaired
        self.has_web_access = True
        self.has_advanced_protection = False
        self.consented_until_ms = 0  # of a device, to web access under ADP
        self.are_device_cookies_there = True
        self.pending_terms: int | None = None  # version to be accepted
        self.wrong_codes = 0
        self.codes_sent = 0
        self.sends_again_ms = 0  # too many codes were asked for: none before
        self.cooled_until_ms = 0  # too many wrong ones: no answer counts before
        self.forced_flags: CodeFlags | None = None  # what the page says whatever happened
        self._verifier: Verifier | None = None

    @property
    def verifier(self) -> Verifier:
        known = self._verifier
        if known is None or known.protocol != self.protocol:
            salt = b"\x01" + secrets.token_bytes(15)  # PyPI's srp drops leading zeros of a salt: 1 sign-in in 256
            known = Verifier(self.apple_id, self.password, protocol=self.protocol, salt=salt, iterations=_ITERATIONS)
            self._verifier = known
        return known

    def change_password(self, password: str) -> None:
        self.password = password
        self._verifier = None

    def flags(self, now_ms: int, *, is_last_straw: bool = False) -> CodeFlags:
        """What Apple says about the account's codes; `is_last_straw` in answer to the wrong code that was too many."""
        if self.forced_flags is not None:
            return self.forced_flags
        is_locked = self.wrong_codes >= _TRIES_BEFORE_LOCK
        return CodeFlags(
            too_many_codes_sent=now_ms < self.sends_again_ms,
            too_many_codes_validated=is_last_straw and not is_locked,
            security_code_locked=is_locked,
            security_code_cooldown=now_ms < self.cooled_until_ms and not is_last_straw and not is_locked,
        )


class Attempt:
    """A sign-in under way, known to the client by X-Apple-ID-Session-Id."""

    def __init__(self, account: Account, exchange: Exchange) -> None:
        self.account = account
        self.exchange = exchange
        self.c = f"d-{secrets.token_hex(8)}:MSA"
        self.session_id = secrets.token_hex(32).upper()
        self.is_proven = False  # the password was right
        self.is_verified = False  # and so was a code, or a trust token came along
        self.codes: dict[Way, Push] = {}


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a session token or a trust token is worth."""

    account: Account
    until_ms: int
    is_verified: bool = False


class WebSession:
    """A signed-in browser: what X-APPLE-WEBAUTH-TOKEN stands for."""

    def __init__(self, account: Account, *, until_ms: int, is_trusted: bool) -> None:
        self.account = account
        self.until_ms = until_ms
        self.is_trusted = is_trusted
        self.photos_key: str | None = None  # -PCS-Photos: handed out when a device agreed


class Directory:
    """All accounts and everything signed in. `on_push` hears of each code."""

    def __init__(self, clock: Clock, lives: Lives) -> None:
        self.clock = clock
        self.lives = lives
        self.accounts: dict[str, Account] = {}
        self.pushes: list[Push] = []
        self.on_push: Callable[[Push], None] = lambda _: None
        self.attempts: dict[str, Attempt] = {}
        self.session_tokens: dict[str, Grant] = {}
        self.trust_tokens: dict[str, Grant] = {}
        self.sessions: dict[str, WebSession] = {}
        self._retired: dict[str, int] = {}  # replaced values of cookies, and until when they are good

    # -- attempts

    def begin(self, account: Account, exchange: Exchange) -> Attempt:
        attempt = Attempt(account, exchange)
        self.attempts[attempt.session_id] = attempt
        return attempt

    def push(self, attempt: Attempt, way: Way, *, phone: int | None = None) -> Push | None:
        """Send a code; None when too many were asked for: `Account.flags` says which."""
        account, now_ms = attempt.account, self.clock.wall_ms()
        if account.flags(now_ms).is_closed:
            return None
        if account.codes_sent >= _SENDS:
            account.codes_sent = 0
            account.sends_again_ms = now_ms + self.lives.cooldown_s * 1000
            return None
        account.codes_sent += 1
        code = f"{secrets.randbelow(1_000_000):06d}"
        push = Push(apple_id=account.apple_id, way=way, code=code, at_ms=now_ms, phone=phone)
        attempt.codes[way] = push
        self.pushes.append(push)
        self.on_push(push)
        return push

    def answer(self, attempt: Attempt, way: Way, code: str) -> CodeFlags | None:
        """None when this is the code that was sent last this way; it is spent. Else what Apple says now."""
        account, now_ms = attempt.account, self.clock.wall_ms()
        flags = account.flags(now_ms)
        if flags.security_code_locked or flags.security_code_cooldown:
            return flags
        sent = attempt.codes.get(way)
        if sent is None or sent.code != code or sent.at_ms < now_ms - self.lives.code_s * 1000:
            account.wrong_codes += 1
            is_last_straw = account.wrong_codes == _TRIES_BEFORE_COOLDOWN
            if is_last_straw:
                account.cooled_until_ms = now_ms + self.lives.cooldown_s * 1000
            return account.flags(now_ms, is_last_straw=is_last_straw)
        del attempt.codes[way]
        attempt.is_verified = True
        account.wrong_codes = account.codes_sent = 0
        return None

    def unlock(self, account: Account) -> None:
        """What time or Apple's support does."""
        account.wrong_codes = account.codes_sent = account.cooled_until_ms = account.sends_again_ms = 0
        account.forced_flags = None
        account.is_locked = False

    # -- tokens

    def session_token(self, attempt: Attempt) -> str:
        token = f"ses-{secrets.token_urlsafe(48)}"
        self.session_tokens[token] = self._grant(attempt, self.lives.session_token_s)
        return token

    def trust_token(self, attempt: Attempt) -> str:
        token = f"HSARMTKNV=1-{secrets.token_urlsafe(48)}"
        self.trust_tokens[token] = self._grant(attempt, self.lives.trust_token_s)
        return token

    def is_trusted(self, account: Account, token: str) -> bool:
        grant = self.trust_tokens.get(token)
        return grant is not None and grant.account is account and grant.until_ms > self.clock.wall_ms()

    def granted(self, session_token: str) -> Grant | None:
        grant = self.session_tokens.get(session_token)
        return grant if grant is not None and grant.until_ms > self.clock.wall_ms() else None

    # -- browsers

    def open(self, account: Account, *, is_trusted: bool) -> str:
        """A new web session; the value of its cookie."""
        value = _token()
        until_ms = self.clock.wall_ms() + self.lives.token_cookie_s * 1000
        self.sessions[value] = WebSession(account, until_ms=until_ms, is_trusted=is_trusted)
        return value

    def session(self, cookie: str | None) -> WebSession | None:
        value, now_ms = (cookie or "").strip('"'), self.clock.wall_ms()
        found = self.sessions.get(value)
        is_good = found is not None and min(found.until_ms, self._retired.get(value, found.until_ms)) > now_ms
        return found if is_good else None

    def renew(self, cookie: str | None) -> str | None:
        """A fresh value for this cookie's session; the old one ends soon. None when there is no such session."""
        session = self.session(cookie)
        if session is None:
            return None
        self._forget_retired()
        self._retired.setdefault((cookie or "").strip('"'), self.clock.wall_ms() + self.lives.old_token_s * 1000)
        value = _token()
        self.sessions[value] = session
        return value

    def close(self, cookie: str | None) -> None:
        """End a session, under all its values."""
        ended = self.session(cookie)
        self.sessions = {value: session for value, session in self.sessions.items() if session is not ended}

    def _forget_retired(self) -> None:
        """In the order they were retired: those at the front end first."""
        now_ms = self.clock.wall_ms()
        while self._retired and next(iter(self._retired.values())) <= now_ms:
            value = next(iter(self._retired))
            del self._retired[value]
            self.sessions.pop(value, None)

    def forget_sessions(self, account: Account | None = None) -> None:
        """Web sessions and session tokens end, as Apple ends them without a word; trust stays."""
        self.sessions = {k: v for k, v in self.sessions.items() if account and v.account is not account}
        self.session_tokens = {k: v for k, v in self.session_tokens.items() if account and v.account is not account}

    def forget_trust(self, account: Account | None = None) -> None:
        """The person pressed `Remove all trusted browsers`, or 60 days are over."""
        self.forget_sessions(account)
        self.trust_tokens = {k: v for k, v in self.trust_tokens.items() if account and v.account is not account}

    def _grant(self, attempt: Attempt, life_s: int) -> Grant:
        until_ms = self.clock.wall_ms() + life_s * 1000
        return Grant(account=attempt.account, until_ms=until_ms, is_verified=attempt.is_verified)


def _token() -> str:
    return f"v=2:t={secrets.token_urlsafe(60)}=="


def request_id() -> str:
    """X-Apple-Request-UUID of an answer."""
    return str(uuid.uuid4())
