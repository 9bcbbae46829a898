"""What each answer asks of a person, in a person's words: what happened, what to tap, who looks again."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from mediabox.message import Text, message, plural
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
                message=message(
                    "Apple needs the owner of {account} to check something first, such as a phone number.",
                    account=account.apple_id,
                ),
                remedy=message(
                    "Sign in at icloud.com in a browser and answer its questions, then run `mediabox auth icloud "
                    "{name}`. "
                    "The password and the code were accepted.",
                    name=account.name,
                ),
            )
        case Refused():
            return Need(
                issue="icloud.refused",
                message=message(
                    "Apple refused the sign-in of {account}: {reason}.", account=account.apple_id, reason=answer.detail
                ),
                remedy=message(
                    "Check that you can sign in at icloud.com in a browser, then run `mediabox auth icloud {name}`. "
                    "mediabox does not try again until then.",
                    name=account.name,
                ),
            )
        case _:
            assert_never(answer)


def refused_photos(account: Account, *, now_ms: int) -> Need:
    """Signing in works, and every session is turned away at once: asking more often would only look like an attack."""
    return Need(
        issue="icloud.refused",
        message=message(
            "Apple accepts the sign-in of {account}, but refuses access to its photos.", account=account.apple_id
        ),
        remedy=message(
            "On an iPhone, open Settings, your name, iCloud, and check that Photos and, at the bottom, 'Access iCloud "
            "Data on the Web' are on. mediabox checks again every hour."
        ),
        recheck_at_ms=now_ms + HOUR_MS,
    )


def signed_out(account: Account) -> Need:
    """A person wanted it so."""
    return Need(
        issue="icloud.signed_out",
        message=message("{account} is signed out. Archived photos are kept.", account=account.apple_id),
        remedy=message("To sign in again, run `mediabox auth icloud {name}`.", name=account.name),
    )


def expires_soon(account: Account, *, days: int) -> Text:
    """The warning before the sign-in ends."""
    return plural(
        "Apple will probably require a new code for {account} within a day.",
        "Apple will probably require a new code for {account} in {count:n} days.",
        count=max(days, 1),
        account=account.apple_id,
    )


def _password(answer: NeedsPassword | WrongPassword, account: Account) -> Need:
    match answer:
        case WrongPassword():
            what = message("Apple did not accept the password of {account}.", account=account.apple_id)
            remedy = message(
                "Run `mediabox auth icloud {name}` and enter the password of the Apple account, not an app-specific "
                "one. "
                "The wrong one was discarded and is not tried again: too many attempts lock the account.",
                name=account.name,
            )
        case NeedsPassword():
            what = message("Apple requires the password of {account} again.", account=account.apple_id)
            remedy = message("Run `mediabox auth icloud {name}` and enter it.", name=account.name)
        case _:
            assert_never(answer)
    return Need(issue="icloud.password", message=what, remedy=remedy)


def _code(answer: NeedsCode | WrongCode | TooManyCodes | Cooldown, account: Account) -> Need:
    send = f"mediabox auth code --send device --account {account.name}"
    match answer:
        case NeedsCode() if answer.sent is Method.DEVICE:
            what = message("Apple shows a code for {account} on its iPhone, iPad or Mac.", account=account.apple_id)
            remedy = message("Tap 'Allow' there, then enter the code: `mediabox auth code 123456`.")
        case NeedsCode() if answer.sent is Method.SMS:
            what = message("Apple has sent a code for {account} by SMS.", account=account.apple_id)
            remedy = message("Enter it: `mediabox auth code 123456`.")
        case NeedsCode():
            what = message("Apple requires a code before {account} can be used again.", account=account.apple_id)
            remedy = message(
                "When you have a device at hand, request one with `{send}` (or `--send sms`). Or get one on an iPhone: "
                "Settings, your name, Sign-In & Security, Two-Factor Authentication, Get Verification Code. Then enter "
                "it: `mediabox auth code 123456`.",
                send=send,
            )
        case WrongCode():
            what = message("That was not the code for {account}.", account=account.apple_id)
            remedy = message(
                "Enter the newest one: `mediabox auth code 123456`. Or request another with `{send}`.", send=send
            )
        case TooManyCodes():
            return Need(issue="icloud.too_many_codes", message=_too_many(answer, account), remedy=_later(send))
        case Cooldown():
            return Need(
                issue="icloud.cooldown",
                message=message("Apple is temporarily rejecting codes for {account}.", account=account.apple_id),
                remedy=message(
                    "Wait an hour, then request one code with `{send}`. mediabox does not try again until then.",
                    send=send,
                ),
            )
        case _:
            assert_never(answer)
    return Need(issue="icloud.code", message=what, remedy=remedy)


def _too_many(answer: TooManyCodes, account: Account) -> Text:
    if answer.sent:
        return message("Too many codes were requested for {account}; Apple requires a pause.", account=account.apple_id)
    return message("Too many codes were tried for {account}; Apple requires a pause.", account=account.apple_id)


def _later(send: str) -> Text:
    return message(
        "Wait a few hours, then request one code with `{send}`. mediabox does not try again until then.", send=send
    )


def _locked(answer: Locked, account: Account) -> Need:
    if answer.account:
        what = message("Apple has locked the account {account} for security reasons.", account=account.apple_id)
        remedy = message(
            "Unlock it at iforgot.apple.com, then run `mediabox auth icloud {name}`. mediabox does not try again until "
            "then.",
            name=account.name,
        )
    else:
        what = message("Apple has blocked codes for {account} after too many attempts.", account=account.apple_id)
        remedy = message(
            "Unlock it at iforgot.apple.com or wait until tomorrow, then run `mediabox auth icloud {name}`. mediabox "
            "does "
            "not try again until then.",
            name=account.name,
        )
    return Need(issue="icloud.locked", message=what, remedy=remedy)


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
                message=message(
                    "The photos of {account} are at {domain}.", account=account.apple_id, domain=answer.domain
                ),
                remedy=message(
                    'Set `region = "{region}"` for the source {name} in mediabox.toml and restart mediabox.',
                    region=region,
                    name=account.name,
                ),
            )
        case NeedsTerms():
            return Need(
                issue="icloud.terms",
                message=message("{account} has not accepted Apple's new terms yet.", account=account.apple_id),
                remedy=message(
                    "Sign in at icloud.com or on an iPhone, read and accept them. mediabox checks every hour."
                ),
                recheck_at_ms=now_ms + HOUR_MS,
            )
        case WebAccessOff():
            return Need(
                issue="icloud.web_access",
                message=message("Access to iCloud data on the web is off for {account}.", account=account.apple_id),
                remedy=message(
                    "On an iPhone, open Settings, your name, iCloud, and turn on 'Access iCloud Data on the Web' at "
                    "the "
                    "bottom. mediabox checks every hour."
                ),
                recheck_at_ms=now_ms + HOUR_MS,
            )
        case NeedsSecurityKey():
            return Need(
                issue="icloud.security_key",
                message=message(
                    "{account} uses hardware security keys, which mediabox does not support.", account=account.apple_id
                ),
                remedy=message(
                    "On an iPhone, open Settings, your name, Sign-In & Security, Two-Factor Authentication, Security "
                    "Keys, "
                    "and remove them so that codes are used instead; or remove this account from the settings. Then "
                    "run "
                    "`mediabox auth icloud {name}`.",
                    name=account.name,
                ),
            )
        case NeedsAdpConsent():
            return _consent(answer, account, now_ms=now_ms)


def _consent(answer: NeedsAdpConsent, account: Account, *, now_ms: int) -> Need:
    what = message("Advanced Data Protection blocks access to the photos of {account}.", account=account.apple_id)
    ask = f"mediabox auth code --consent --account {account.name}"
    minutes = 1
    match answer.consent:
        case Consent.NOT_ASKED:
            remedy = message("Request access with `{ask}`, then tap 'Allow Access' on one of your devices.", ask=ask)
            minutes = 5
        case Consent.ASKED:
            remedy = message(
                "Tap 'Allow Access' in the notification on your iPhone, iPad or Mac. To get another one, run `{ask}`.",
                ask=ask,
            )
        case Consent.NOT_SENT:
            remedy = message("Apple could not reach any of your devices. Unlock one, then run `{ask}` again.", ask=ask)
            minutes = 5
        case Consent.GIVEN:
            what = message("{account} has allowed access; a device is sending the keys.", account=account.apple_id)
            remedy = message("Keep an iPhone, iPad or Mac unlocked and online. mediabox checks every minute.")
        case _:
            assert_never(answer.consent)
    return Need(issue="icloud.adp", message=what, remedy=remedy, recheck_at_ms=now_ms + minutes * MINUTE_MS)
