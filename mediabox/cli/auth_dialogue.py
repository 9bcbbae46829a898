"""Signing in with a person at the terminal: say what is needed, ask for it, go on."""

from __future__ import annotations

import asyncio
import getpass
import sys
from typing import TYPE_CHECKING

from mediabox.clock import Clock
from mediabox.errors import Retryable
from mediabox.messages.reader import in_words
from mediabox.model.sign_in import Method, SignInAgain, step_of
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Consent,
    NeedsAdpConsent,
    NeedsCode,
    NeedsPassword,
    NeedsTerms,
    RateLimited,
    Unreachable,
    WrongCode,
)
from mediabox.sources.icloud.sign_in.results import result_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mediabox.sources.icloud.sign_in.keeper import SignIn
    from mediabox.sources.icloud.sign_in.vault import Account


class Terminal:
    """Asks and tells. Nothing that was typed is ever shown or kept."""

    def __init__(self, *, password_from_stdin: bool = False) -> None:
        self._password_from_stdin = password_from_stdin

    def say(self, text: str) -> None:
        print(text, flush=True)

    async def password(self, prompt: str) -> str:
        """A line without echo, or the first line of standard input; empty when there is none."""
        if self._password_from_stdin:
            self._password_from_stdin = False
            given: str = await asyncio.to_thread(sys.stdin.readline)
            return given.rstrip("\n")
        if not sys.stdin.isatty():
            return ""
        password: str = await asyncio.to_thread(getpass.getpass, prompt)
        return password

    async def line(self, prompt: str) -> str | None:
        """What the person types; None at the end of input."""
        print(prompt, end=" ", flush=True)
        line = await asyncio.to_thread(sys.stdin.readline)
        return line.strip() if line else None


class Dialogue:
    """From a password to a session, as far as the person goes along."""

    def __init__(self, keeper: SignIn, terminal: Terminal) -> None:
        self._keeper, self._terminal = keeper, terminal

    async def run(self, *, renews: bool) -> Answer | None:
        """The last answer; None when Apple cannot be asked now."""
        prompt = f"Password of {self._keeper.account.apple_id} (Enter: the one mediabox has): "
        try:
            password = await self._terminal.password(prompt) or None
            answer = await (self._keeper.renew(password) if renews else self._keeper.begin(password))
            while (step := self._next(answer)) is not None:
                self._terminal.say(_in_dialogue(answer, self._keeper.account))
                following = await step()
                if following is None:
                    break
                answer = following
            else:
                self._terminal.say(answer_words(answer, self._keeper.account))
        except Retryable as error:
            self._terminal.say(f"{error}. Try again later.")
            return None
        return None if isinstance(answer, RateLimited | Unreachable) else answer

    def _next(self, answer: Answer) -> Callable[[], Awaitable[Answer | None]] | None:
        """What follows this answer; None when nothing can, here and now."""
        match answer:
            case NeedsPassword():
                return self._give_password
            case NeedsCode() if answer.sent is None:
                return lambda: self._send(answer)
            case NeedsCode() | WrongCode():
                return self._give_code
            case NeedsAdpConsent():
                return lambda: self._consent(answer)
            case NeedsTerms():
                return self._accept
            case _:
                return None

    async def _give_password(self) -> Answer | None:
        password = await self._terminal.password("Password: ")
        return await self._keeper.begin(password) if password else None

    async def _send(self, answer: NeedsCode) -> Answer | None:
        """Which way, then exactly one code. A code may also be typed at once: devices show one in their settings."""
        ways: list[tuple[Method, str | None, str]] = (
            [(Method.DEVICE, None, "on your devices")] if Method.DEVICE in answer.methods else []
        )
        ways += [(Method.SMS, phone.id, f"by SMS to {phone.masked}") for phone in answer.phones]
        for number, (_, _, name) in enumerate(ways, start=1):
            self._terminal.say(f"  {number}: {name}")
        typed = await self._terminal.line("Send a code [1], or type one you have:")
        if typed is None:
            return None
        if len(typed) >= answer.digits:
            return await self._typed(typed) or answer
        chosen = int(typed) - 1 if typed.isdecimal() else 0
        method, phone, _ = ways[chosen] if 0 <= chosen < len(ways) else ways[0]
        return await self._keeper.send_again(method, phone=phone)

    async def _give_code(self) -> Answer | None:
        typed = await self._terminal.line("Code (or `device`, `sms` for another one):")
        if typed is None:
            return None
        return await self._typed(typed) or WrongCode()

    async def _typed(self, text: str) -> Answer | None:
        step = step_of(text)
        return await self._keeper.answer_to(step) if step is not None else None

    async def _consent(self, answer: NeedsAdpConsent) -> Answer | None:
        is_on_the_way = answer.consent in (Consent.ASKED, Consent.GIVEN)
        said = await self._terminal.line(
            "Press Enter when it is done:" if is_on_the_way else "Press Enter to ask them:"
        )
        if said is None:
            return None
        return await (self._keeper.look_again() if is_on_the_way else self._keeper.ask_consent())

    async def _accept(self) -> Answer | None:
        said = await self._terminal.line("Type `accept` if you have read Apple's terms and accept them:")
        return await self._keeper.accept_terms() if said == "accept" else None


def _in_dialogue(answer: Answer, account: Account) -> str:
    """As `answer_words`, without the commands: what they do is asked for on the next line."""
    words = answer_words(answer, account)
    return words.partition("\n")[0] if isinstance(answer, NeedsCode | WrongCode | NeedsPassword) else words


def answer_words(answer: Answer, account: Account) -> str:
    """An answer in a person's words."""
    result = result_of(SignInAgain(), answer, account, now_ms=Clock().wall_ms())
    return "\n  ".join(in_words(each) for each in (result.message, result.remedy) if each)
