"""One budget for everything that is asked of Apple, by all accounts and all lanes together.

Nobody outside knows where Apple's own limit lies, so ours is far below what its web page
does, and every refusal makes us slower. A retry storm is not possible: whatever the
answers, no more than `burst + seconds × rate` calls start in any stretch of time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from mediabox.errors import Away
from mediabox.message import message
from mediabox.model.status import Calls
from mediabox.sources.icloud.breaker import Breaker

if TYPE_CHECKING:
    from mediabox.clock import Clock

ACCOUNT_LONGEST_S = 300.0
PATIENCE_S = 20.0  # who would have to wait longer gets Away, and comes back when there is room


class CallKind(StrEnum):
    """What a call costs Apple: work of the database, or a file from its stores."""

    RECORDS = "records"
    CONTENT = "content"


class CallRate(msgspec.Struct, frozen=True, kw_only=True):
    """Calls a second, and how many may come at once after a quiet time."""

    records_per_s: float = 5.0
    records_burst: int = 40
    contents_per_s: float = 30.0
    contents_burst: int = 60


class Call:
    """One call under way. Its user says what came back if that was a refusal."""

    def __init__(self, *, began_s: float, settle: Callable[[Call], None]) -> None:
        self.began_s = began_s
        self.is_answered = False
        self.is_failed = False
        self.refused_by_apple = False
        self.refused_account = False
        self.retry_after_s: float | None = None
        self._settle = settle
        self._is_settled = False

    @property
    def is_refused(self) -> bool:
        return self.refused_by_apple or self.refused_account

    def refuse(self, *, retry_after_s: float | None = None) -> None:
        """The service wants less (429, 503, THROTTLED): nobody asks until the pause is over."""
        self.is_failed = self.refused_by_apple = True
        self.retry_after_s = retry_after_s

    def refuse_account(self) -> None:
        """This account is not let in (421, 401): the others may go on."""
        self.is_failed = self.refused_account = True

    def fail(self) -> None:
        """Of no use, but no refusal either."""
        self.is_failed = True

    def answered(self) -> None:
        """The answer has begun, and it is none of those: others need not wait for its end."""
        self.is_answered = True
        self.end()

    def end(self) -> None:
        """Let the breakers know, once."""
        if not self._is_settled:
            self._is_settled = True
            self._settle(self)


class Budget:
    """Made once, given to every account. Not for several threads."""

    def __init__(self, *, clock: Clock, limits: CallRate | None = None, dice: random.Random | None = None) -> None:
        self.limits = limits or CallRate()
        self._clock = clock
        self._dice = dice or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._buckets = {
            CallKind.RECORDS: Bucket(clock, per_s=self.limits.records_per_s, burst=self.limits.records_burst),
            CallKind.CONTENT: Bucket(clock, per_s=self.limits.contents_per_s, burst=self.limits.contents_burst),
        }
        self._lanes = {lane: Breaker(clock, dice=self._dice) for lane in CallKind}
        self._accounts: dict[str, Breaker] = {}
        self._counts: dict[tuple[str, str], Calls] = {}  # by account and endpoint

    @asynccontextmanager
    async def call(self, endpoint: str, *, account: str, lane: CallKind = CallKind.RECORDS) -> AsyncIterator[Call]:
        """Wait for room, then count what happens inside. `account` is the source's name.

        Raises Away, with when to come back, instead of waiting longer than PATIENCE_S.
        Inside, tell the Call of refusals; any error counts as no answer.
        """
        breakers = (self._lanes[lane], self._account(account))
        began_s = self._clock.monotonic_s()
        await self._room(self._buckets[lane], breakers, account)
        now_s = self._clock.monotonic_s()
        self._note(account, endpoint, calls=1, waited_s=now_s - began_s)
        probes = tuple(breaker.enter() for breaker in breakers)
        call = Call(began_s=now_s, settle=lambda call: _settle(call, breakers, probes))
        is_through = False
        try:
            yield call
            call.is_answered = is_through = True
        finally:
            call.end()
            failed = call.is_failed or not is_through
            self._note(account, endpoint, errors=int(failed), refusals=int(call.is_refused))

    def counts(self, account: str | None = None) -> tuple[Calls, ...]:
        """Of every endpoint that was called, by name; of one account or of all, one after the other."""
        return tuple(each for key, each in sorted(self._counts.items()) if account in (None, key[0]))

    def is_open(self, account: str) -> bool:
        """Whether a breaker keeps this account's calls back."""
        return any(breaker.is_open for breaker in (*self._lanes.values(), self._account(account)))

    async def _room(self, bucket: Bucket, breakers: tuple[Breaker, ...], account: str) -> None:
        """Return when a call may start; between this and `enter` nothing awaits."""
        until_s = self._clock.monotonic_s() + PATIENCE_S
        has_token = False
        while True:
            wait_s = max(breaker.wait_s() for breaker in breakers)
            if wait_s > 0:
                has_token = False  # kept through a pause, tokens would pile up and be used all at once
            elif not has_token:
                wait_s, has_token = bucket.take(longest_s=until_s - self._clock.monotonic_s())
            if wait_s == 0 and has_token:
                return
            if self._clock.monotonic_s() + wait_s > until_s:
                is_open = self.is_open(account)
                what = (
                    message("iCloud asked for a pause")
                    if is_open
                    else message("the limit of calls to iCloud is reached")
                )
                raise Away(what, part=f"source:{account}", retry_after_s=wait_s)
            await asyncio.sleep(wait_s)

    def _account(self, account: str) -> Breaker:
        """Signing in anew ends what an account was refused for, so its pauses are shorter."""
        if account not in self._accounts:
            self._accounts[account] = Breaker(self._clock, dice=self._dice, longest_s=ACCOUNT_LONGEST_S)
        return self._accounts[account]

    def _note(
        self, account: str, endpoint: str, *, calls: int = 0, errors: int = 0, refusals: int = 0, waited_s: float = 0.0
    ) -> None:
        was = self._counts.get((account, endpoint)) or Calls(source=account, endpoint=endpoint)
        self._counts[account, endpoint] = structs.replace(
            was,
            calls=was.calls + calls,
            errors=was.errors + errors,
            refusals=was.refusals + refusals,
            waited_s=was.waited_s + waited_s,
        )


def _settle(call: Call, breakers: tuple[Breaker, ...], probes: tuple[bool, ...]) -> None:
    """Tell Apple's breaker and the account's what became of a call."""
    refusals = (call.refused_by_apple, call.refused_account)
    for breaker, is_probe, is_refused in zip(breakers, probes, refusals, strict=True):
        if is_refused:
            breaker.refused(began_s=call.began_s, is_probe=is_probe, retry_after_s=call.retry_after_s)
        elif call.is_answered and not call.is_refused:
            breaker.succeeded(is_probe=is_probe)
        else:
            breaker.abandoned(is_probe=is_probe)


class Bucket:
    """Tokens that come back at a steady rate (the generic cell rate algorithm, ITU-T I.371).

    In any stretch of `t` seconds at most `burst + t × per_s` are used.
    """

    def __init__(self, clock: Clock, *, per_s: float, burst: int) -> None:
        self._clock = clock
        self._interval_s = 1 / per_s
        self._slack_s = (burst - 1) * self._interval_s
        self._due_s = clock.monotonic_s()  # when the bucket is full again

    def take(self, *, longest_s: float) -> tuple[float, bool]:
        """(seconds to wait before using it, True), or (seconds it would have been, False) if that is too long."""
        now_s = self._clock.monotonic_s()
        wait_s = max(0.0, self._due_s - self._slack_s - now_s)
        if wait_s > longest_s:
            return wait_s, False
        self._due_s = max(self._due_s, now_s) + self._interval_s
        return wait_s, True
