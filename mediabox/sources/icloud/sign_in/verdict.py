"""What one HTTP answer of Apple's sign-in hosts means. Pure; the one place that knows their codes.

Paths, codes and flags as recorded by icloud-photos-downloader, rhoopr/kei and
timlaing/pyicloud (2026). None stands for: nothing final, let the client go on.
"""

from __future__ import annotations

import msgspec

from mediabox.sources.icloud import tolerant
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Cooldown,
    Locked,
    NeedsRepair,
    NeedsTerms,
    RateLimited,
    Refused,
    TooManyCodes,
    WebAccessOff,
    WrongCode,
    WrongPassword,
    WrongRegion,
)

WRONG_PASSWORD = "-20101"  # noqa: S105 - a code of Apple's
ACCOUNT_LOCKED = "-20209"
WRONG_CODE = "-21669"
REPAIR = 412
LATER = frozenset({429, 502, 503, 504})
SETUP = ("accountLogin", "validate", "requestWebAccessState")  # where 500 is a "general auth error": sign in again


class ServiceError(msgspec.Struct, frozen=True):
    code: str | int | None = None


class SecurityCode(msgspec.Struct, frozen=True):
    """Apple's flags about the codes of an account."""

    length: int = 6
    valid: bool | None = None
    tooManyCodesSent: bool = False  # noqa: N815 - Apple's names
    tooManyCodesValidated: bool = False  # noqa: N815
    securityCodeLocked: bool = False  # noqa: N815
    securityCodeCooldown: bool = False  # noqa: N815


class PhoneVerification(msgspec.Struct, frozen=True):
    securityCode: SecurityCode | None = None  # noqa: N815


class AccountState(msgspec.Struct, frozen=True):
    isWebAccessAllowed: bool = True  # noqa: N815


class Body(msgspec.Struct, frozen=True):
    """The parts of an answer's JSON that decide."""

    serviceErrors: tuple[ServiceError, ...] = ()  # noqa: N815
    service_errors: tuple[ServiceError, ...] = ()
    securityCode: SecurityCode | None = None  # noqa: N815
    phoneNumberVerification: PhoneVerification | None = None  # noqa: N815
    domainToUse: str | None = None  # noqa: N815
    termsUpdateNeeded: bool = False  # noqa: N815
    dsInfo: AccountState | None = None  # noqa: N815

    @property
    def codes(self) -> set[str]:
        return {str(error.code) for error in (*self.serviceErrors, *self.service_errors)}

    @property
    def flags(self) -> SecurityCode:
        phone = self.phoneNumberVerification
        return self.securityCode or (phone.securityCode if phone else None) or SecurityCode()


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `step` is the path below the host's root (`signin/complete`); header names in lower case."""

    method: str
    step: str
    status: int
    headers: dict[str, str]
    body: Body = Body()


def read_body(content: bytes) -> Body:
    """The deciding parts of a body; empty when it is not the JSON expected."""
    try:
        return tolerant.decode(content, Body)
    except msgspec.DecodeError:
        return Body()


def verdict(seen: Seen) -> Answer | None:
    """What it means for the sign-in; None when it is for the client to go on."""
    if seen.status in LATER or (seen.status >= 500 and seen.step not in SETUP):
        return RateLimited(retry_after_s=retry_after_s(seen.headers.get("retry-after")))
    if ACCOUNT_LOCKED in _codes(seen):
        return Locked(account=True)
    if seen.status == REPAIR and not wants_repair(seen) and WRONG_CODE not in _codes(seen):
        return NeedsRepair()
    match seen.step:
        case "signin/init" | "signin/complete":
            return _of_sign_in(seen)
        case "":
            return of_flags(seen.body.flags)
        case step if step.startswith("verify/"):
            return _of_code(seen)
        case "accountLogin" | "validate":
            return _of_account(seen)
    return None


def wants_repair(seen: Seen) -> bool:
    """Whether the page would call `repair/complete` now and go on: the password, or the code, is accepted.

    412 after `signin/complete`, and after a code (icloudpd #1004, #1026: with `valid: true` in its body).
    """
    is_code = seen.method == "POST" and seen.step.startswith("verify/") and seen.step.endswith("/securitycode")
    is_taken = is_code and seen.body.flags.valid is not False and WRONG_CODE not in _codes(seen)
    return seen.status == REPAIR and (seen.step == "signin/complete" or is_taken)


def of_flags(flags: SecurityCode) -> Answer | None:
    """Why Apple takes or sends no codes."""
    if flags.securityCodeLocked:
        return Locked(account=False)
    if flags.tooManyCodesSent or flags.tooManyCodesValidated:
        return TooManyCodes(sent=flags.tooManyCodesSent)
    if flags.securityCodeCooldown:
        return Cooldown()
    return None


def retry_after_s(text: str | None) -> float | None:
    """Seconds; Apple sends no dates here."""
    return float(text) if text and text.strip().isdecimal() else None


def _of_sign_in(seen: Seen) -> Answer | None:
    if WRONG_PASSWORD in _codes(seen):
        return WrongPassword()
    hidden = seen.headers.get("x-apple-i-rscd", "")  # a refusal may come as 200 (rhoopr/kei, CHANGELOG)
    if seen.status == 200 and hidden in ("401", "403"):
        return Refused(detail=f"{seen.step} answered 200, with {hidden} in X-Apple-I-Rscd")
    if seen.status in (200, 409, 412):  # 409: second factor; 412: something to repair
        return None
    return Refused(detail=_described(seen))


def _of_code(seen: Seen) -> Answer | None:
    if (flagged := of_flags(seen.body.flags)) is not None:
        return flagged
    if WRONG_CODE in _codes(seen):
        return WrongCode()
    if seen.status < 400 or (seen.status == 409 and seen.body.flags.valid):  # accepted, says pyicloud, though a 409
        return None
    if wants_repair(seen):
        return None
    if seen.step == "verify/trusteddevice/securitycode" and seen.method == "PUT":
        return None  # this account sends its codes another way: see `apple`
    return Refused(detail=_described(seen))


def _of_account(seen: Seen) -> Answer | None:
    if seen.body.domainToUse:
        return WrongRegion(domain=seen.body.domainToUse)
    if seen.status != 200:
        return None
    if seen.body.termsUpdateNeeded:
        return NeedsTerms()
    if seen.body.dsInfo is not None and not seen.body.dsInfo.isWebAccessAllowed:
        return WebAccessOff()
    return None


def _codes(seen: Seen) -> set[str]:
    return seen.body.codes | {seen.headers.get("x-apple-i-ercd", "")}


def _described(seen: Seen) -> str:
    codes = ", ".join(sorted(_codes(seen) - {""}))
    return f"{seen.step} answered {seen.status}" + (f" ({codes})" if codes else "")
