"""One HTTP client for an account: its TLS, its cookies, and what it means when nobody answers."""

from __future__ import annotations

import asyncio
from http.cookies import Morsel
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
from yarl import URL

from mediabox.errors import Away, Retryable
from mediabox.sources.icloud.refusals import OFFLINE

if TYPE_CHECKING:
    from mediabox.sources.icloud.endpoints import Endpoints
    from mediabox.sources.icloud.session import Cookie, Session

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

    async def told(self, text: str) -> object:
        """What a person answered. Raises Retryable, NeedsHuman."""

    async def close(self) -> None:
        """Let go of whatever is under way."""


class Connection:
    """The client is made at the first use, in the running loop."""

    def __init__(self, *, name: str, keeper: Keeper, endpoints: Endpoints) -> None:
        self.name = name
        self.part = f"source:{name}"
        self._keeper = keeper
        self._endpoints = endpoints
        self._http: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()
        self._jar: aiohttp.CookieJar | None = None
        self._loaded: Session | None = None

    async def http(self) -> aiohttp.ClientSession:
        """The client. Cookies are those of the last `session`."""
        async with self._opening:
            if self._http is None:
                tls = await asyncio.to_thread(self._endpoints.tls)
                # Addresses without a name may have cookies too: a simulator lives at one.
                self._jar = aiohttp.CookieJar(unsafe=True, quote_cookie=False)
                self._http = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=tls, limit=CONNECTIONS),
                    cookie_jar=self._jar,
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
            raise Away(str(err), part=self.part, retry_after_s=err.retry_after_s) from err
        if session is not self._loaded:
            await self.http()
            self._load(session)
        return session

    def expired(self, session: Session) -> None:
        """Apple refused the session."""
        self._keeper.expired(session)

    def away(self, err: BaseException, what: str) -> Away:
        """Nobody answered."""
        reason = str(err) or type(err).__name__
        return Away(f"{what}: iCloud cannot be reached ({reason})", part=self.part, remedy=OFFLINE)

    async def close(self) -> None:
        """May be repeated; the next use opens anew."""
        http, self._http, self._loaded = self._http, None, None
        if http is not None:
            await http.close()

    def _load(self, session: Session) -> None:
        jar = self._jar
        if jar is None:
            return
        jar.clear()
        for cookie in session.cookies:
            jar.update_cookies([(cookie.name, _morsel(cookie))], URL(f"https://{cookie.domain.lstrip('.')}/"))
        self._loaded = session


def _morsel(cookie: Cookie) -> Morsel[Any]:
    morsel: Morsel[Any] = Morsel()
    morsel.set(cookie.name, cookie.value, cookie.value)
    morsel["path"] = cookie.path
    if cookie.domain.startswith("."):  # else it is for this host only (RFC 6265, section 5.3)
        morsel["domain"] = cookie.domain
    morsel["secure"] = cookie.is_secure
    return morsel
