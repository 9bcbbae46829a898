"""What each answer asks of a person, in a person's words: what happened, what to tap, who looks again."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from mediabox.model.sign_in import Method
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Consent,
    Cooldown,
    Locked,
    NeedsAdpConsent,
    NeedsCode,
    NeedsPassword,
    NeedsRepair,
    NeedsSecurityKey,
    NeedsTerms,
    RateLimited,
    Refused,
    SignedIn,
    TooManyCodes,
    Unreachable,
    WebAccessOff,
    WrongCode,
    WrongPassword,
    WrongRegion,
)
from mediabox.sources.icloud.sign_in.vault import Need

if TYPE_CHECKING:
    from mediabox.sources.icloud.sign_in.vault import Account

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def need_of(answer: Answer, account: Account, *, now_ms: int) -> Need | None:
    """What a person has to do now; None when nobody has to."""
    match answer:
        case SignedIn() | RateLimited() | Unreachable():
            return None
        case NeedsPassword() | WrongPassword():
            return _password(answer, account)
        case NeedsCode() | WrongCode() | TooManyCodes() | Cooldown():
            return _code(answer, account)
        case Locked():
            return _locked(answer, account)
        case WrongRegion() | NeedsTerms() | NeedsAdpConsent() | WebAccessOff() | NeedsSecurityKey():
            return _account(answer, account, now_ms=now_ms)
        case NeedsRepair():
            return Need(
                issue="icloud.repair",
                message=f"Apple wants something about {account.apple_id} looked after first, as a number to confirm.",
                remedy="Sign in at icloud.com in a browser and answer what it asks; then here: "
                f"`mediabox auth icloud {account.name}`. Password and code are not in doubt.",
            )
        case Refused():
            return Need(
                issue="icloud.refused",
                message=f"Apple refused to sign {account.apple_id} in: {answer.detail}.",
                remedy="Check that you can sign in at icloud.com in a browser, then try again: "
                f"`mediabox auth icloud {account.name}`. Nothing is tried until then.",
            )
        case _:
            assert_never(answer)


def refused_photos(account: Account, *, now_ms: int) -> Need:
    """Signing in works, and every session is turned away at once: asking more often would only look like an attack."""
    return Need(
        issue="icloud.refused",
        message=f"Apple signs {account.apple_id} in, but turns every request for photos away.",
        remedy="On an iPhone: Settings, your name, iCloud: check that Photos is on, and at the bottom that "
        "'Access iCloud Data on the Web' is on. mediabox looks again every hour.",
        recheck_at_ms=now_ms + HOUR_MS,
    )


def signed_out(account: Account) -> Need:
    """A person wanted it so."""
    return Need(
        issue="icloud.signed_out",
        message=f"{account.apple_id} is signed out here. What is archived stays.",
        remedy=f"To go on: `mediabox auth icloud {account.name}`.",
    )


def expires_soon(account: Account, *, days: int) -> str:
    """The foretelling's message."""
    when = "within a day" if days <= 1 else f"in {days} days"
    return f"Apple will probably want a new code for {account.apple_id} {when}."


def _password(answer: NeedsPassword | WrongPassword, account: Account) -> Need:
    command = f"`mediabox auth icloud {account.name}`"
    match answer:
        case WrongPassword():
            message = f"Apple did not accept the password of {account.apple_id}."
            remedy = (
                f"Give the right one: {command}. It is the Apple account's own password, not an app-specific one. "
                "It has been forgotten here and is not tried again: too many attempts lock the account."
            )
        case NeedsPassword():
            message = f"Apple wants the password of {account.apple_id} once more."
            remedy = f"Give it: {command}."
        case _:
            assert_never(answer)
    return Need(issue="icloud.password", message=message, remedy=remedy)


def _code(answer: NeedsCode | WrongCode | TooManyCodes | Cooldown, account: Account) -> Need:
    given = "mediabox auth code 123456"
    again = f"mediabox auth code --send device --account {account.name}"
    match answer:
        case NeedsCode() if answer.sent is Method.DEVICE:
            message = f"Apple shows a code for {account.apple_id} on its iPhone, iPad or Mac."
            remedy = f"Tap 'Allow' there and type the code here: `{given}`."
        case NeedsCode() if answer.sent is Method.SMS:
            message = f"Apple has texted a code for {account.apple_id}."
            remedy = f"Type it here: `{given}`."
        case NeedsCode():
            message = f"Apple wants a code before {account.apple_id} can be used again."
            remedy = (
                f"Have one sent when you are at hand: `{again}` (or `--send sms`). Or take one from an iPhone: "
                f"Settings, your name, Sign-In & Security, Two-Factor Authentication, Get Verification Code; "
                f"then `{given}`."
            )
        case WrongCode():
            message = f"That was not the code for {account.apple_id}."
            remedy = f"Look at the newest one and type it again: `{given}`. Or have another sent: `{again}`."
        case TooManyCodes():
            return Need(
                issue="icloud.too_many_codes",
                message=f"Too many codes were {'sent' if answer.sent else 'tried'} for {account.apple_id}: "
                "Apple wants a pause.",
                remedy=f"Wait some hours, then ask for one code: `{again}`. Nothing is tried until then.",
            )
        case Cooldown():
            return Need(
                issue="icloud.cooldown",
                message=f"Apple takes no codes for {account.apple_id} for a while.",
                remedy=f"Wait an hour, then ask for one code: `{again}`. Nothing is tried until then.",
            )
        case _:
            assert_never(answer)
    return Need(issue="icloud.code", message=message, remedy=remedy)


def _locked(answer: Locked, account: Account) -> Need:
    if answer.account:
        message = f"Apple has locked the account {account.apple_id} for its safety."
        unlock = "Unlock it at iforgot.apple.com"
    else:
        message = f"Apple has locked the codes of {account.apple_id} after too many attempts."
        unlock = "Unlock it at iforgot.apple.com, or wait until the next day"
    remedy = f"{unlock}, then sign in: `mediabox auth icloud {account.name}`. Nothing is tried until then."
    return Need(issue="icloud.locked", message=message, remedy=remedy)


def _account(
    answer: WrongRegion | NeedsTerms | NeedsAdpConsent | WebAccessOff | NeedsSecurityKey,
    account: Account,
    *,
    now_ms: int,
) -> Need:
    match answer:
        case WrongRegion():
            region = "china" if answer.domain.lower().endswith(".cn") else "world"
            return Need(
                issue="icloud.region",
                message=f"The photos of {account.apple_id} are at {answer.domain}.",
                remedy=f'Set `region = "{region}"` for the source {account.name!r} in mediabox.toml '
                "and restart mediabox.",
            )
        case NeedsTerms():
            return Need(
                issue="icloud.terms",
                message=f"Apple has new terms, and {account.apple_id} has not accepted them yet.",
                remedy="Sign in at icloud.com or on an iPhone, read and accept them. mediabox looks every hour.",
                recheck_at_ms=now_ms + HOUR_MS,
            )
        case WebAccessOff():
            return Need(
                issue="icloud.web_access",
                message=f"Access to iCloud data on the web is switched off for {account.apple_id}.",
                remedy="On an iPhone: Settings, your name, iCloud, at the bottom: switch on 'Access iCloud Data "
                "on the Web'. mediabox looks every hour.",
                recheck_at_ms=now_ms + HOUR_MS,
            )
        case NeedsSecurityKey():
            return Need(
                issue="icloud.security_key",
                message=f"{account.apple_id} is protected by security keys, which a box cannot touch.",
                remedy="On an iPhone: Settings, your name, Sign-In & Security, Two-Factor Authentication, Security "
                "Keys: remove them, so that codes are used instead; or leave this account out. Then: "
                f"`mediabox auth icloud {account.name}`.",
            )
        case NeedsAdpConsent():
            return _consent(answer, account, now_ms=now_ms)


def _consent(answer: NeedsAdpConsent, account: Account, *, now_ms: int) -> Need:
    message = f"Advanced Data Protection keeps the photos of {account.apple_id} closed."
    ask = f"`mediabox auth code --consent --account {account.name}`"
    minutes = 1
    match answer.consent:
        case Consent.NOT_ASKED:
            remedy, minutes = f"Ask your devices to let mediabox in: {ask}, then tap 'Allow Access' on one.", 5
        case Consent.ASKED:
            remedy = f"Tap 'Allow Access' in the notification on your iPhone, iPad or Mac; to be asked again: {ask}."
        case Consent.NOT_SENT:
            remedy, minutes = f"Apple could not reach any of your devices. Unlock one, then ask again: {ask}.", 5
        case Consent.GIVEN:
            message = f"{account.apple_id} has consented; a device is handing over the keys to the photos."
            remedy = "Keep an iPhone, iPad or Mac unlocked and online. mediabox looks every minute."
        case _:
            assert_never(answer.consent)
    return Need(issue="icloud.adp", message=message, remedy=remedy, recheck_at_ms=now_ms + minutes * MINUTE_MS)
