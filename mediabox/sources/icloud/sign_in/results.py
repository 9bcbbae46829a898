"""What came of a person's step, from Apple's answer to it: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.message import message
from mediabox.model.sign_in import RequestCode, RequestConsent, SignInResult, SignOut, SubmitCode
from mediabox.sources.icloud.sign_in import words
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Consent,
    NeedsAdpConsent,
    NeedsCode,
    NeedsTerms,
    RateLimited,
    SignedIn,
    Unreachable,
)

if TYPE_CHECKING:
    from mediabox.model.sign_in import SignInStep
    from mediabox.sources.icloud.sign_in.vault import Account


def result_of(step: SignInStep, answer: Answer | None, account: Account, *, now_ms: int) -> SignInResult:
    """`answer`: None where Apple was not asked."""
    match answer:
        case None if isinstance(step, SignOut):
            need = words.signed_out(account)
            return SignInResult(is_done=True, message=need.message, remedy=need.remedy)
        case None:
            return SignInResult(is_done=True)
        case SignedIn():
            return SignInResult(
                is_done=True, is_signed_in=True, message=message("{account} is signed in.", account=account.apple_id)
            )
        case RateLimited(retry_after_s=seconds):
            what = message(
                "Apple is limiting sign-ins. Try again later (waiting time: {wait:duration}).",
                wait=max(60, seconds or 600),
            )
            return SignInResult(is_done=False, is_for_later=True, message=what)
        case Unreachable(detail=detail):
            what = message("Apple is not reachable ({reason}). Try again when the network is back.", reason=detail)
            return SignInResult(is_done=False, is_for_later=True, message=what)
    need_now = words.need_of(answer, account, now_ms=now_ms)
    return SignInResult(
        is_done=_is_done(step, answer),
        message=need_now.message if need_now else "",
        remedy=need_now.remedy if need_now else "",
        phones=answer.phones if isinstance(answer, NeedsCode) else (),
    )


def _is_done(step: SignInStep, answer: Answer) -> bool:
    """Whether the step did what it is for, though something else is wanted before the account can be used."""
    match step:
        case RequestCode(method=method):
            return isinstance(answer, NeedsCode) and answer.sent is method
        case SubmitCode():
            return isinstance(answer, NeedsTerms | NeedsAdpConsent)
        case RequestConsent():
            return isinstance(answer, NeedsAdpConsent) and answer.consent in (Consent.ASKED, Consent.GIVEN)
        case _:
            return False
