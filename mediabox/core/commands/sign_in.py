"""Sign a source in, a step at a time, or out."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from mediabox.core import requests
from mediabox.core.commands.contract import Command, Context, Danger
from mediabox.model.actor import Role
from mediabox.model.sign_in import (
    AcceptTerms,
    ReadAgain,
    Renew,
    RequestCode,
    RequestConsent,
    SignInAgain,
    SignInStep,
    SignOut,
    SubmitCode,
)


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Each request by its number: `core.requests.result_of` says what came of it."""

    requests: tuple[int, ...]


class AnswerSignIn(Command[Accepted], frozen=True, kw_only=True):
    """Take one step: submit a code, have one sent, accept terms, ask for consent, renew ..."""

    name: ClassVar[str] = "sign_in"
    role: ClassVar[Role] = Role.FAMILY

    source: str
    step: SubmitCode | RequestCode | RequestConsent | AcceptTerms | SignInAgain | Renew | ReadAgain

    def run(self, context: Context) -> Accepted:
        return _ask(context, self.source, self.step)


class EndSignIn(Command[Accepted], frozen=True, kw_only=True):
    """Sign a source out here: session and password are forgotten."""

    name: ClassVar[str] = "sign_out"
    danger: ClassVar[Danger] = Danger.UNDONE_LATER
    confirm: ClassVar[bool] = True

    source: str

    def run(self, context: Context) -> Accepted:
        return _ask(context, self.source, SignOut())


def _ask(context: Context, source: str, step: SignInStep) -> Accepted:
    number = requests.ask(
        context.connection,
        requests.part_of(source),
        step,
        actor=str(context.actor),
        now_ms=context.now_ms,
        good_for_ms=requests.CODE_GOOD_MS,
    )
    return Accepted(requests=(number,))
