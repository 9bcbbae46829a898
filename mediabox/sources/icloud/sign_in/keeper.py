"""Keeps one account signed in: the daemon's side of signing in.

Invariants: Apple is asked at most once for each step, and only because a session is
needed or a person asked; what only a person can do is kept (`Need`) and nothing is
tried until it is done, not even after a restart; a code is sent only when a person
asks; by itself the box signs in with the password at most once in PASSWORD_EVERY_MS.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

from mediabox.errors import Away, Retryable
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.model.sign_in import (
    AcceptTerms,
    Method,
    ReadAgain,
    Renew,
    RequestCode,
    RequestConsent,
    SignInAgain,
    SignInResult,
    SignInStep,
    SignOut,
    SubmitCode,
)
from mediabox.sources.icloud.refusals import OFFLINE
from mediabox.sources.icloud.session import Session
from mediabox.sources.icloud.sign_in import words
from mediabox.sources.icloud.sign_in.forecast import DEPTHS, depth_after
from mediabox.sources.icloud.sign_in.messages import (
    Answer,
    Depth,
    NeedsAdpConsent,
    NeedsCode,
    NeedsPassword,
    NeedsTerms,
    RateLimited,
    Reply,
    Request,
    SignedIn,
    Start,
    Unreachable,
    Validate,
    WrongCode,
)
from mediabox.sources.icloud.sign_in.process import Child, spawn
from mediabox.sources.icloud.sign_in.results import result_of
from mediabox.sources.icloud.sign_in.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mediabox.clock import Clock
    from mediabox.model.issue import Issue
    from mediabox.sources.icloud.session import Cookie
    from mediabox.sources.icloud.sign_in.vault import Account, Kept, Vault

log = get_logger(__name__)

PASSWORD_EVERY_MS = 3_600_000
GOOD_AFTER_S = 3600.0  # a session that held this long was a good one
# After these the same conversation can go on, as long as a person is in it.
ABOUT_CODES = (NeedsCode, WrongCode)
GOES_ON = (*ABOUT_CODES, NeedsAdpConsent, NeedsTerms)


class SignIn:
    """One account. Its methods may be called at any time, from any task of one loop."""

    def __init__(
        self,
        account: Account,
        *,
        vault: Vault,
        clock: Clock,
        open_issue: Callable[[Issue], Awaitable[None]],
        close_issue: Callable[[str, str], Awaitable[None]],
        child_factory: Callable[[], Awaitable[Child]] = spawn,
    ) -> None:
        self.account = account
        self._standing = Standing(account, vault=vault, clock=clock, open_issue=open_issue, close_issue=close_issue)
        self._clock, self._spawn = clock, child_factory
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._said: Answer | None = None  # the last word of the open conversation
        self._is_needed = True  # and whether it is more than a mere try
        self._proven: Session | None = None  # accepted by Apple since this start
        self._proven_at_s = 0.0
        self._strikes = 0  # sessions turned away in a row
        self._renewed: tuple[Cookie, ...] | None = None  # not written down yet

    # ------------------------------------------------------------ what the source needs

    async def session(self) -> Session:
        """A session Apple accepted since this start. Costs nothing while it is good.

        Raises NeedsHuman (`icloud.*`) when a person has to act, Retryable when Apple
        asked for patience, Away when it cannot be reached.
        """
        async with self._turn:
            if self._proven is not None:
                return await self._looking_ahead(self._proven)
            kept = await self._standing.kept()
            is_recheck = await self._refuse_early(kept)
            return await self._session_of(await self._sign_in_alone(kept, is_recheck=is_recheck))

    def expired(self, session: Session) -> None:
        """iCloud turned this session away (421, 450 ...): the next `session()` finds out why. Lanes count once."""
        if session is not self._proven:
            return
        held_s = self._clock.monotonic_s() - self._proven_at_s
        self._strikes = 1 if held_s >= GOOD_AFTER_S else self._strikes + 1
        self._proven = None
        log.info("icloud_turned_away", source=self.account.name, in_a_row=self._strikes)

    def renewed(self, session: Session, cookies: tuple[Cookie, ...]) -> None:
        """Apple renewed cookies of this session in an answer, and so accepts it."""
        if session is self._proven:
            self._renewed, self._strikes = cookies, 0

    async def seal(self) -> None:
        """Write renewed cookies down, sealed: a restart, and the next sign-in, go on with them."""
        async with self._turn:
            if self._renewed is not None and self._proven is not None:
                await self._standing.renew(self._proven, self._renewed)
            self._renewed = None

    # ------------------------------------------------------------ what people say

    async def take(self, step: SignInStep) -> SignInResult:
        """One step of a person's, and what came of it. Raises Retryable when Apple asked for patience."""
        return result_of(step, await self.answer_to(step), self.account, now_ms=self._clock.wall_ms())

    async def answer_to(self, step: SignInStep) -> Answer | None:
        """Apple's answer to one step; None where Apple is not asked."""
        match step:
            case SubmitCode(code=code):
                return await self.answer(code)
            case RequestCode(method=method, phone=phone):
                return await self.send_again(method, phone=phone)
            case RequestConsent():
                return await self.ask_consent()
            case AcceptTerms():
                return await self.accept_terms()
            case SignInAgain():
                return await self.begin()
            case Renew():
                return await self.renew()
            case SignOut():
                await self.sign_out()
            case ReadAgain():
                await self.reload()
            case _:
                assert_never(step)
        return None

    async def begin(self, password: str | None = None) -> Answer:
        """A person wants to sign in now: once down all ways in. A password given is kept, sealed."""
        async with self._turn:
            if password is not None:
                await self._standing.keep(password=password)
            return await self._start(Depth.VALIDATE, is_asked=True)

    async def renew(self, password: str | None = None) -> Answer:
        """Sign in anew before it is needed, with a new code. The session of now stays until the new one is there."""
        async with self._turn:
            if password is not None:
                await self._standing.keep(password=password)
            return await self._start(Depth.PASSWORD, is_asked=True, is_needed=False, is_trusted=False)

    async def send_again(self, method: Method, *, phone: str | None = None) -> Answer:
        """Let Apple send exactly one code, signing in first where no conversation is open."""
        return await self._ask(RequestCode(method=method, phone=phone), about=ABOUT_CODES)

    async def answer(self, code: str) -> Answer:
        """Try the code once. Without an open conversation it must be one a device showed, not one texted before."""
        async with self._turn:
            was_open = self._is_open(ABOUT_CODES)
            answer = await self._conversation(ABOUT_CODES)
            fits = was_open or (isinstance(answer, NeedsCode) and Method.DEVICE in answer.methods)
            return await self._say(SubmitCode(code=code), is_asked=True) if fits else answer

    async def ask_consent(self) -> Answer:
        """Advanced Data Protection: let Apple notify the owner's devices, once."""
        return await self._ask(RequestConsent(), about=(NeedsAdpConsent,))

    async def accept_terms(self) -> Answer:
        """Accept Apple's new terms: only ever because the owner said so."""
        return await self._ask(AcceptTerms(), about=(NeedsTerms,))

    async def look_again(self) -> Answer:
        """Whether what was asked of the person is done by now. Never signs in with the password."""
        async with self._turn:
            if self._is_open((NeedsAdpConsent,)):
                return await self._say(Validate(), is_asked=True)
            return await self._start(Depth.VALIDATE, is_asked=True, with_password=False)

    async def reload(self) -> None:
        """Another process of ours has signed in: read the sealed file again."""
        async with self._turn:
            self._proven = None
            self._standing.forget()
            await self.close()

    async def sign_out(self) -> None:
        """Forget all that could sign in; nothing is tried until a person does."""
        async with self._turn:
            self._proven, self._renewed = None, None
            await self.close()
            await self._standing.sign_out()

    async def close(self) -> None:
        """End an open conversation. May be repeated."""
        self._said = None
        if self._child is not None:
            child, self._child = self._child, None
            await child.close()

    # ------------------------------------------------------------ signing in by ourselves

    async def _refuse_early(self, kept: Kept) -> bool:
        """Whether this is only a look whether a person has done their part. Raises when nothing may be asked yet."""
        quiet_s = await self._standing.quiet_s()
        if quiet_s:
            raise Retryable(message("Apple is limiting sign-ins"), retry_after_s=quiet_s)
        if kept.need is None:
            return False
        if kept.need.recheck_at_ms is None or kept.need.recheck_at_ms > self._clock.wall_ms():
            raise kept.need.error(self.account.name)
        return True

    async def _sign_in_alone(self, kept: Kept, *, is_recheck: bool) -> Answer:
        depth = Depth.VALIDATE if is_recheck else depth_after(self._strikes)
        if depth is None:
            self._strikes = len(DEPTHS)  # should the next one be turned away too, we are here again at once
            need = words.refused_photos(self.account, now_ms=self._clock.wall_ms())
            await self._standing.ask(need)
            raise need.error(self.account.name)
        since_ms = abs(self._clock.wall_ms() - kept.password_tried_at_ms)
        with_password = not is_recheck and since_ms >= PASSWORD_EVERY_MS
        answer = await self._start(depth, is_asked=False, with_password=with_password)
        if isinstance(answer, NeedsPassword) and kept.password is not None:
            wait_s = max(60.0, (PASSWORD_EVERY_MS - since_ms) / 1000)
            raise Retryable(message("the next sign-in with the password has to wait"), retry_after_s=wait_s)
        return answer

    async def _session_of(self, answer: Answer) -> Session:
        match answer:
            case SignedIn(session=session):
                return session
            case RateLimited():
                quiet_s = await self._standing.quiet_s()
                raise Retryable(message("Apple is limiting sign-ins or is busy"), retry_after_s=quiet_s)
            case Unreachable(detail=detail):
                part = f"source:{self.account.name}"
                what = message("Apple is not reachable for the sign-in ({reason})", reason=detail)
                raise Away(what, part=part, remedy=OFFLINE)
        need = (await self._standing.kept()).need
        assert need is not None, f"{type(answer).__name__} asks nobody for anything"
        raise need.error(self.account.name)

    async def _looking_ahead(self, session: Session) -> Session:
        """Foretell the end 21, 7 and 1 days before it, once each, unless the session can be renewed silently."""
        kept = await self._standing.kept()
        days = self._standing.days_due(kept, kept.session or session)
        if days is None or (kept.foretold_days is not None and kept.foretold_days <= days):
            return session
        await self._standing.keep(foretold_days=days)
        if not await self._standing.quiet_s():
            answer = await self._start(Depth.TOKEN, is_asked=False, with_password=False, is_needed=False)
            session = answer.session if isinstance(answer, SignedIn) else session
        still = self._standing.days_due(await self._standing.kept(), session)
        if still is not None:
            await self._standing.foretell(still)
        return session

    # ------------------------------------------------------------ talking to the child

    def _is_open(self, about: tuple[type, ...]) -> bool:
        return self._child is not None and self._child.is_alive and isinstance(self._said, about)

    async def _ask(self, request: Request, *, about: tuple[type, ...]) -> Answer:
        """What Apple answers to this; where the conversation is about something else, what that is."""
        async with self._turn:
            answer = await self._conversation(about)
            return await self._say(request, is_asked=True) if isinstance(answer, about) else answer

    async def _conversation(self, about: tuple[type, ...]) -> Answer:
        """The last word of the open conversation if it is about this; else the first of a new one."""
        if self._is_open(about) and self._said is not None:
            return self._said
        return await self._start(Depth.TOKEN, is_asked=True)

    async def _start(
        self,
        depth: Depth,
        *,
        is_asked: bool,
        with_password: bool = True,
        is_needed: bool = True,
        is_trusted: bool = True,
    ) -> Answer:
        """A new conversation. Not `is_needed`: a mere try, only success counts. Not `is_trusted`: as a new browser."""
        if quiet_s := await self._standing.quiet_s():
            return RateLimited(retry_after_s=quiet_s)  # also when a person asks: it would only prolong it
        kept = await self._standing.kept()
        password = kept.password if with_password else None
        if password is not None and not is_asked:
            # before it is tried: a crash in between must not make it twice as often
            kept = await self._standing.keep(password_tried_at_ms=self._clock.wall_ms())
        await self.close()
        self._is_needed = is_needed
        if password is None and kept.browser is None:
            await self._standing.remember(Reply(answer=NeedsPassword()), is_needed=is_needed)
            return NeedsPassword()  # nothing to ask Apple with
        self._child = await self._spawn()
        start = Start(
            apple_id=self.account.apple_id,
            endpoints=self.account.endpoints,
            browser=kept.browser if is_trusted else None,
            password=password,
            depth=depth,
        )
        return await self._say(start, is_asked=is_asked)

    async def _say(self, request: Request, *, is_asked: bool) -> Answer:
        assert self._child is not None
        reply = await self._child.ask(request)
        answer = reply.answer
        log.info("icloud_sign_in", source=self.account.name, asked=type(request).__name__, answer=type(answer).__name__)
        if isinstance(request, Start) and request.password is not None and not is_asked and not reply.used_password:
            await self._standing.keep(password_tried_at_ms=0)  # its turn did not come: nothing to wait for
        if isinstance(request, SubmitCode) and isinstance(answer, SignedIn):
            await self._standing.keep(trusted_at_ms=self._clock.wall_ms())
        await self._standing.remember(reply, is_needed=self._is_needed)
        if isinstance(answer, SignedIn):
            self._proven, self._proven_at_s = answer.session, self._clock.monotonic_s()
            self._strikes = 0 if is_asked else self._strikes
        elif self._is_needed and not isinstance(answer, RateLimited | Unreachable):
            self._proven = None
        self._said = answer
        if not (is_asked and isinstance(answer, GOES_ON)):
            await self.close()
        return answer
