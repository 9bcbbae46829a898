"""What signing in leaves: all that a client of our own needs to speak to iCloud as this account.

Holds secrets (cookies, tokens): it rests only sealed (`seal`) and is never printed.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

DAY_MS = 86_400_000

# Without any one of these nothing works; their lives differ (30 days for USER, 34 for TOKEN and PCS in
# recordings of 2018 and 2023). VALIDATE and LOGIN are renewed with every answer.
NEEDED = ("X-APPLE-WEBAUTH-TOKEN", "X-APPLE-WEBAUTH-USER", "X-APPLE-DS-WEB-SESSION-TOKEN")
TRUST = "X-APPLE-WEBAUTH-HSA-TRUST"  # and, in some answers, `-<id>`: while it lives no code is asked for


class Protection(StrEnum):
    """Whether Advanced Data Protection stands between us and the photos (`requestWebAccessState`)."""

    STANDARD = "standard"
    CONSENTED = "consented"  # ADP, and a device of the owner has handed over the keys, for about an hour


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """One cookie. `domain` with its leading dot if it covers subdomains; `expires_at_ms` in Unix ms."""

    name: str
    value: str
    domain: str
    path: str = "/"
    is_secure: bool = True
    expires_at_ms: int | None = None  # None: a session cookie

    def __repr__(self) -> str:
        return f"Cookie({self.name}=***)"


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser would remember of Apple between two visits, signed in or not.

    `echoes`: values Apple sent in headers and wants back (session token, trust token,
    scnt, session id, country ...), by pyicloud's names for them.
    """

    client_id: str
    cookies: tuple[Cookie, ...] = ()
    echoes: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Browser({len(self.cookies)} cookies)"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in account. Times in Unix ms; web service URLs as Apple gave them (`https://pNN-...:443`)."""

    apple_id: str
    dsid: str
    browser: Browser
    photos_url: str  # ckdatabasews: the host's number can change at each sign-in
    upload_url: str | None  # uploadimagews
    country: str | None  # of the account, as `USA`
    is_trusted: bool
    protection: Protection = Protection.STANDARD
    signed_in_at_ms: int

    @property
    def client_id(self) -> str:
        return self.browser.client_id

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        return self.browser.cookies

    def __repr__(self) -> str:
        return f"Session({len(self.cookies)} cookies, signed in at {self.signed_in_at_ms})"


def first_to_expire(session: Session) -> Cookie | None:
    """The cookie that ends the session first, of those it cannot do without; None when none has an end.

    The keys of Advanced Data Protection last about an hour and are renewed by
    themselves or by the owner's tap; they say nothing of the sign-in's own life.
    """
    ending = [cookie for cookie in session.cookies if cookie.expires_at_ms is not None and _matters(cookie.name)]
    return min(ending, key=_end, default=None)


def _matters(name: str) -> bool:
    return name in NEEDED or name.startswith(TRUST)


def _end(cookie: Cookie) -> int:
    return cookie.expires_at_ms or 0
