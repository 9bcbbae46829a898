"""What the daemon asks the sign-in child, and what it can answer. JSON, one message a line.

Every answer of Apple's that a person has to act on has its own struct, so that no two
of them can be mixed up. Passwords and codes travel only here: over a pipe, never on a
command line, in an environment or in a log.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mediabox.model.sign_in import AcceptTerms, Method, Phone, RequestCode, RequestConsent, SubmitCode
from mediabox.sources.icloud.endpoints import Endpoints
from mediabox.sources.icloud.session import Browser, Session


class Depth(StrEnum):
    """How far a sign-in may go by itself. Each step is tried once, and only when the one before was refused."""

    VALIDATE = "validate"  # is the session still good? then as TOKEN
    TOKEN = "token"  # noqa: S105 - a step: log in anew with the tokens of last time; then as PASSWORD
    PASSWORD = "password"  # noqa: S105 - the name of a step: one SRP sign-in, if a password was given


class Start(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Begin, once for each child. Without a password it ends in NeedsPassword instead of an SRP sign-in."""

    apple_id: str
    endpoints: Endpoints
    browser: Browser | None = None
    password: str | None = None
    depth: Depth = Depth.VALIDATE

    def __repr__(self) -> str:
        return f"Start({self.depth})"


class Validate(msgspec.Struct, frozen=True, tag=True):
    """Look again whether the session is good, and consent and terms are given by now."""


Request = Start | RequestCode | SubmitCode | RequestConsent | AcceptTerms | Validate


class SignedIn(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The account can be used."""

    session: Session


class NeedsPassword(msgspec.Struct, frozen=True, tag=True):
    """The tokens are refused, and there is no password to go on with."""


class WrongPassword(msgspec.Struct, frozen=True, tag=True):
    """Apple refused Apple ID and password. Every further attempt brings a lock nearer."""


class NeedsCode(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Second factor. `sent` tells how a code has been sent just now, if it has."""

    methods: tuple[Method, ...]
    phones: tuple[Phone, ...] = ()
    digits: int = 6
    sent: Method | None = None


class WrongCode(msgspec.Struct, frozen=True, tag=True):
    """That was not the code. Another one may be tried in the same conversation."""


class TooManyCodes(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Too many codes were sent (`sent`) or tried: Apple wants a pause."""

    sent: bool


class Locked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Apple locked the account (`account`), or its codes only."""

    account: bool


class Cooldown(msgspec.Struct, frozen=True, tag=True):
    """Apple takes no codes for a while."""


class RateLimited(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Apple answers 429 or 503: later. `retry_after_s` if Apple said when."""

    retry_after_s: float | None = None


class WrongRegion(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The account lives at another domain (`iCloud.com.cn`)."""

    domain: str


class NeedsTerms(msgspec.Struct, frozen=True, tag=True):
    """Apple has new terms, and the owner has not accepted them yet."""


class NeedsRepair(msgspec.Struct, frozen=True, tag=True):
    """Apple wants the owner to look after the account first (412): a number or an address to confirm."""


class Consent(StrEnum):
    """Where the owner's consent under Advanced Data Protection stands."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"  # a notification is on the owner's devices
    NOT_SENT = "not_sent"  # Apple could not notify any device
    GIVEN = "given"  # a device is handing over the keys


class NeedsAdpConsent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Signed in, but the photos are closed until the owner consents on a device."""

    consent: Consent


class WebAccessOff(msgspec.Struct, frozen=True, tag=True):
    """The owner switched off access to iCloud data on the web."""


class NeedsSecurityKey(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The account wants a hardware key to be touched. `names` as the owner gave them."""

    names: tuple[str, ...] = ()


class Unreachable(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No answer from Apple at all: says nothing about the account."""

    detail: str


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Refused in a way we do not know. `detail`: which step and which code; never a secret."""

    detail: str


Answer = (
    SignedIn
    | NeedsPassword
    | WrongPassword
    | NeedsCode
    | WrongCode
    | TooManyCodes
    | Locked
    | Cooldown
    | RateLimited
    | WrongRegion
    | NeedsTerms
    | NeedsRepair
    | NeedsAdpConsent
    | WebAccessOff
    | NeedsSecurityKey
    | Unreachable
    | Refused
)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with what the browser remembers now, so that the next child goes on where this one ended.

    `used_password`: the password's turn had come in this conversation.
    """

    answer: Answer
    browser: Browser | None = None
    used_password: bool = False
