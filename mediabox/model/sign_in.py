"""What a person does to sign a source in, step by step, and what came of a step.

A source's sign-in gets steps, surfaces make them; codes travel only in them, and `repr` shows none.
"""

import re
from enum import StrEnum
from typing import ClassVar

import msgspec

from mediabox.message import Text


class Method(StrEnum):
    """How a code reaches the person."""

    DEVICE = "device"  # shown on every device signed in to the account
    SMS = "sms"


class RequestCode(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Let Apple send one code. `phone` is a `Phone.id`; None: the account's first."""

    method: Method
    phone: str | None = None


class SubmitCode(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Try a code, once."""

    secrets: ClassVar[tuple[str, ...]] = ("code",)

    code: str

    def __repr__(self) -> str:
        return "SubmitCode(***)"


class RequestConsent(msgspec.Struct, frozen=True, tag=True):
    """Advanced Data Protection: ask the owner's devices to let us see the photos."""


class AcceptTerms(msgspec.Struct, frozen=True, tag=True):
    """Accept Apple's new terms in the owner's name. Only when the owner said so."""


class SignInAgain(msgspec.Struct, frozen=True, tag=True):
    """Try now, with what is kept."""


class Renew(msgspec.Struct, frozen=True, tag=True):
    """Sign in anew before it is needed, with a new code. The session of now stays until then."""


class ReadAgain(msgspec.Struct, frozen=True, tag=True):
    """Another process of ours has signed in: use what it kept."""


class SignOut(msgspec.Struct, frozen=True, tag=True):
    """Forget session, password and browser here. Nothing is tried until somebody signs in."""


SignInStep = SubmitCode | RequestCode | RequestConsent | AcceptTerms | SignInAgain | Renew | ReadAgain | SignOut


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """A trusted number, as Apple masks it (`+33 •• •• •• 12`)."""

    id: str
    masked: str


class SignInResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a step. `message` and `remedy` are for a person: what happened, and what is next."""

    is_done: bool  # the step did what it is for
    is_signed_in: bool = False
    is_for_later: bool = False  # nobody could be asked now
    message: Text = ""
    remedy: Text = ""
    phones: tuple[Phone, ...] = ()  # to which a code can be sent


_WORDS: dict[str, SignInStep] = {
    "device": RequestCode(method=Method.DEVICE),
    "sms": RequestCode(method=Method.SMS),
    "consent": RequestConsent(),
    "terms": AcceptTerms(),
    "again": SignInAgain(),
    "renew": Renew(),
    "reload": ReadAgain(),
}


def step_of(text: str) -> SignInStep | None:
    """What somebody means who types a code of digits, `sms:PHONE` or a word; None when it is neither."""
    text = text.strip()
    if re.fullmatch(r"[0-9][0-9 -]{3,11}", text):
        return SubmitCode(code=re.sub(r"\D", "", text))
    match text.split(":"):
        case ["sms", phone]:
            return RequestCode(method=Method.SMS, phone=phone)
        case _:
            return _WORDS.get(text)
