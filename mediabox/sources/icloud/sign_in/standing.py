"""Where an account stands with Apple, on disk (sealed) and as issues: every answer is kept before it is acted on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from mediabox.message import Text, message
from mediabox.model.issue import Issue, Severity
from mediabox.sources.icloud.sign_in import words
from mediabox.sources.icloud.sign_in.forecast import days_due
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Consent,
    NeedsAdpConsent,
    NeedsPassword,
    RateLimited,
    Reply,
    SignedIn,
    Unreachable,
    WrongPassword,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mediabox.clock import Clock
    from mediabox.sources.icloud.session import Cookie, Session
    from mediabox.sources.icloud.sign_in.vault import Account, Kept, Need, Vault

QUIET_MS = 600_000  # after a 429 or 503 that names no time
LONGEST_QUIET_MS = 3_600_000  # a wall clock that jumped must not silence an account for years
EXPIRES_SOON = "icloud.expires_soon"


class Standing:
    """Reads and changes what is kept of one account, and opens and closes its issues."""

    def __init__(
        self,
        account: Account,
        *,
        vault: Vault,
        clock: Clock,
        open_issue: Callable[[Issue], Awaitable[None]],
        close_issue: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._account, self._vault, self._clock = account, vault, clock
        self._open_issue, self._close_issue = open_issue, close_issue
        self._kept: Kept | None = None

    async def kept(self) -> Kept:
        """What is kept. Raises NeedsHuman when it cannot be unsealed."""
        if self._kept is None:
            self._kept = await asyncio.to_thread(self._vault.load)
        return self._kept

    def forget(self) -> None:
        """Another process wrote the file: read it again."""
        self._kept = None

    async def keep(self, **changes: object) -> Kept:
        """Change fields of `Kept`, durably."""
        self._kept = await asyncio.to_thread(self._change, changes)
        return self._kept

    def _change(self, changes: dict[str, object]) -> Kept:
        """Blocking. What another process wrote meanwhile (`mediabox auth`) is not undone."""
        is_known = self._kept is not None and not self._vault.is_changed()
        kept = msgspec.structs.replace(self._kept if is_known and self._kept else self._vault.load(), **changes)
        self._vault.save(kept)
        return kept

    async def quiet_s(self) -> float:
        """How long Apple still wants to be left alone, in seconds; 0 when it does not."""
        quiet_ms = (await self.kept()).not_before_ms - self._clock.wall_ms()
        return quiet_ms / 1000 if 0 < quiet_ms <= LONGEST_QUIET_MS else 0.0

    def days_due(self, kept: Kept, session: Session) -> int | None:
        """The warning of the coming end that is due now; None by a clock that nobody set."""
        if not self._clock.is_trusted():
            return None
        return days_due(session, now_ms=self._clock.wall_ms(), trusted_at_ms=kept.trusted_at_ms)

    async def remember(self, reply: Reply, *, is_needed: bool) -> None:
        """Keep what an answer means for later. Of a mere try (not `is_needed`) only a success counts."""
        if not is_needed and not isinstance(reply.answer, SignedIn | RateLimited):
            return
        kept = await self.keep(browser=reply.browser or (await self.kept()).browser)
        match reply.answer:
            case SignedIn(session=session):
                await self._signed_in(session)
            case RateLimited(retry_after_s=seconds):
                quiet_ms = QUIET_MS if seconds is None else int(seconds * 1000)
                await self.keep(not_before_ms=self._clock.wall_ms() + min(quiet_ms, LONGEST_QUIET_MS))
            case Unreachable():
                return
            case NeedsPassword() if kept.password is not None:
                await self._settle_recheck(kept)
            case answer:
                await self._ask_for(answer, kept)

    async def renew(self, session: Session, cookies: tuple[Cookie, ...]) -> None:
        """Keep this session with the cookies it has now."""
        browser = msgspec.structs.replace(session.browser, cookies=cookies)
        await self.keep(browser=browser, session=msgspec.structs.replace(session, browser=browser))

    async def ask(self, need: Need) -> None:
        """Keep what a person has to do and open its issue; the one before is replaced by it."""
        before = (await self.kept()).need
        await self.keep(need=need)
        if before is not None and before.issue != need.issue:
            await self._close_issue(before.issue, self._account.name)
        await self._open(need.issue, need.message, need.remedy, Severity.WARNING)

    async def sign_out(self) -> None:
        """Forget everything that could sign in, and say that a person has to."""
        await self.keep(password=None, browser=None, session=None, trusted_at_ms=None, foretold_days=None)
        await self._close_issue(EXPIRES_SOON, self._account.name)
        await self.ask(words.signed_out(self._account))

    async def foretell(self, days: int) -> None:
        """Say that the sign-in ends in at most this many days."""
        remedy = message(
            "You will be asked when it is time. To renew the sign-in now, run `mediabox auth icloud --renew {name}`.",
            name=self._account.name,
        )
        await self.keep(foretold_days=days)
        await self._open(EXPIRES_SOON, words.expires_soon(self._account, days=days), remedy, Severity.NOTICE)

    async def _signed_in(self, session: Session) -> None:
        kept = await self.kept()
        is_near = self.days_due(kept, session) is not None
        foretold = kept.foretold_days if is_near else None
        await self.keep(session=session, need=None, not_before_ms=0, foretold_days=foretold)
        if kept.need is not None:
            await self._close_issue(kept.need.issue, self._account.name)
        if not is_near:
            await self._close_issue(EXPIRES_SOON, self._account.name)

    async def _settle_recheck(self, kept: Kept) -> None:
        """The tokens are refused, and the password we have was not tried: the next sign-in may try it.

        What a person alone can settle stays as it is.
        """
        if kept.need is not None and kept.need.recheck_at_ms is not None:
            await self.keep(need=None)
            await self._close_issue(kept.need.issue, self._account.name)

    async def _ask_for(self, answer: Answer, kept: Kept) -> None:
        if isinstance(answer, WrongPassword):
            await self.keep(password=None)  # nothing of ours can try it a second time
        need = words.need_of(answer, self._account, now_ms=self._clock.wall_ms())
        if need is not None:
            await self.ask(_as_before(need, kept.need, answer))

    async def _open(self, key: str, what: Text, remedy: Text, severity: Severity) -> None:
        await self._open_issue(
            Issue(key=key, subject=self._account.name, severity=severity, message=what, remedy=remedy)
        )


def _as_before(need: Need, before: Need | None, answer: Answer) -> Need:
    """A new look does not know that consent has been asked for already: keep what the person was told."""
    if before is not None and before.issue == need.issue and answer == NeedsAdpConsent(consent=Consent.NOT_ASKED):
        return msgspec.structs.replace(before, recheck_at_ms=need.recheck_at_ms)
    return need
