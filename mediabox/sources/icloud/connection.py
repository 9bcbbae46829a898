"""One HTTP client for an account: its TLS, its cookies, and what it means when nobody answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import aiohttp

from mediabox.errors import Away, MediaboxError, Retryable
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.sources.icloud.cookies import Cookies
from mediabox.sources.icloud.refusals import OFFLINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mediabox.model.sign_in import SignInResult, SignInStep
    from mediabox.sources.icloud.endpoints import Endpoints
    from mediabox.sources.icloud.session import Cookie, Session

log = get_logger(__name__)

CONNECT_S = 20.0
SILENCE_S = 60.0  # without a byte
CONNECTIONS = 32
BUFFERED_BYTES = 1 << 18  # aiohttp stops reading at twice this: what a stream may hold while the disk writes

Unreachable = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError)


class Keeper(Protocol):
    """Who signs in. Ours is `sign_in`; a test's may have a session from the start."""

    async def session(self) -> Session:
        """A session that may be used now. Raises NeedsHuman, or Away while one is being made."""

    def expired(self, session: Session) -> None:
        """Apple refused this session: the next `session` finds out why. Once for all that report the same one."""

    def renewed(self, session: Session, cookies: tuple[Cookie, ...]) -> None:
        """The cookies of a session as they are now. Nothing is written yet."""

    async def seal(self) -> None:
        """Write down what was renewed since the last time."""

    async def take(self, step: SignInStep) -> SignInResult:
        """One step a person takes, and what came of it. Raises Retryable, NeedsHuman."""

    async def close(self) -> None:
        """Let go of whatever is under way."""


class AppleConnection:
    """The client is made at the first use, in the running loop."""

    def __init__(self, *, name: str, keeper: Keeper, endpoints: Endpoints) -> None:
        self.name = name
        self.part = f"source:{name}"
        self._keeper = keeper
        self._endpoints = endpoints
        self._http: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()
        self._cookies = Cookies()
        self._loaded: Session | None = None

    async def http(self) -> aiohttp.ClientSession:
        """The client. It knows no cookies: `headers_for` gives those of the last `session`."""
        async with self._opening:
            if self._http is None:
                tls = await asyncio.to_thread(self._endpoints.tls)
                self._http = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=tls, limit=CONNECTIONS),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    headers=self._endpoints.headers(),
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S),
                    read_bufsize=BUFFERED_BYTES,
                )
        return self._http

    async def session(self) -> Session:
        """The session to use, its cookies loaded. Raises NeedsHuman; Away while Apple wants patience with sign-ins."""
        try:
            session = await self._keeper.session()
        except Away:
            raise
        except Retryable as err:  # says nothing about the file or page it is wanted for
            raise Away(err.text, part=self.part, retry_after_s=err.retry_after_s) from err
        if session is not self._loaded:
            self._cookies.load(session.cookies)
            self._loaded = session
        return session

    def headers_for(self, url: str, more: Mapping[str, str]) -> dict[str, str]:
        """These headers, and the cookies that are for this address."""
        return {**more, **self._cookies.header(url)}

    def received(self, session: Session, url: str, set_cookies: Iterable[str]) -> None:
        """What an answer set. Apple renews X-APPLE-WEBAUTH-TOKEN with nearly every answer (15 of 16 recorded).

        One that was under way for a session of before says nothing of the one of now.
        """
        is_news = session is self._loaded and self._cookies.keep(url, set_cookies)
        if is_news:
            self._keeper.renewed(session, self._cookies.all())

    async def seal(self) -> None:
        """Have renewed cookies written down: the next start goes on with them."""
        try:
            await self._keeper.seal()
        except (MediaboxError, OSError) as err:  # those of before are good for a while
            log.warning("icloud_cookies_not_sealed", source=self.name, reason=str(err))

    def expired(self, session: Session | None = None) -> None:
        """Apple refused the session; the one of now when it is not said which."""
        if (refused := session or self._loaded) is not None:
            self._keeper.expired(refused)

    def away(self, err: BaseException, what: str) -> Away:
        """Nobody answered."""
        reason = str(err) or type(err).__name__
        return Away(
            message("{what}: iCloud is not reachable ({reason})", what=what, reason=reason),
            part=self.part,
            remedy=OFFLINE,
        )

    async def close(self) -> None:
        """May be repeated; the next use opens anew."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()
