"""The cookies of one session, as a browser keeps them: which host gets which, and each value exactly as it came.

`http.cookiejar` knows the rules (RFC 6265, section 5) and leaves the quotes around
`X-APPLE-WEBAUTH-TOKEN="v=2:t=…"` alone: every client recorded sends them back, and
aiohttp's jar would not.
"""

from __future__ import annotations

import http.cookiejar
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.request import Request

from mediabox.sources.icloud.session import Cookie

if TYPE_CHECKING:
    from collections.abc import Iterable


class Cookies:
    """A jar. Not for several threads."""

    def __init__(self) -> None:
        self._jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain))

    def load(self, cookies: Iterable[Cookie]) -> None:
        """These, and no others."""
        self._jar.clear()
        for cookie in cookies:
            self._jar.set_cookie(to_jar(cookie))

    def header(self, url: str) -> dict[str, str]:
        """The header to send to this address; none when no cookie is for it."""
        request = Request(url)  # noqa: S310 - nothing is opened
        self._jar.add_cookie_header(request)
        value = request.get_header("Cookie")
        return {} if value is None else {"Cookie": value}

    def keep(self, url: str, set_cookies: Iterable[str]) -> bool:
        """Keep what an answer set, as far as its host may; whether anything is another now."""
        before = self.all()
        self._jar.extract_cookies(_Answer(set_cookies), Request(url))  # type: ignore[arg-type]  # noqa: S310
        return self.all() != before

    def all(self) -> tuple[Cookie, ...]:
        return tuple(from_jar(cookie) for cookie in self._jar)


class _Answer:
    """As much of a response as `http.cookiejar` looks at."""

    def __init__(self, set_cookies: Iterable[str]) -> None:
        self._headers = Message()
        for line in set_cookies:
            self._headers["Set-Cookie"] = line

    def info(self) -> Message:
        return self._headers


def to_jar(cookie: Cookie) -> http.cookiejar.Cookie:
    return http.cookiejar.Cookie(
        version=0,
        name=cookie.name,
        value=cookie.value,
        port=None,
        port_specified=False,
        domain=cookie.domain,
        domain_specified=cookie.domain.startswith("."),
        domain_initial_dot=cookie.domain.startswith("."),
        path=cookie.path,
        path_specified=True,
        secure=cookie.is_secure,
        expires=None if cookie.expires_at_ms is None else cookie.expires_at_ms // 1000,
        discard=cookie.expires_at_ms is None,
        comment=None,
        comment_url=None,
        rest={},
    )


def from_jar(cookie: http.cookiejar.Cookie) -> Cookie:
    return Cookie(
        name=cookie.name,
        value=cookie.value or "",
        domain=cookie.domain,
        path=cookie.path,
        is_secure=cookie.secure,
        expires_at_ms=None if cookie.expires is None else int(cookie.expires) * 1000,
    )
