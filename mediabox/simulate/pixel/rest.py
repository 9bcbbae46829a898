"""Syncthing's REST interface (docs.syncthing.net/dev/rest.html), as much of it as a phone needs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from mediabox.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_ANSWER_S = 120.0
_LONGEST_WAIT_S = 240.0  # Syncthing pauses before it tries again, longer each time; a busy machine makes it try often
_LOOK_AGAIN_S = 1.0  # not everything that matters is an event


class Rest:
    """One Syncthing's interface. Answers are JSON as it comes; every failure is Retryable."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self._http: aiohttp.ClientSession | None = None

    async def get(self, path: str, **query: str | int) -> Any:
        return await self._ask("GET", path, query=query)

    async def post(self, path: str, body: Any = None, **query: str | int) -> Any:
        return await self._ask("POST", path, body=body, query=query)

    async def put(self, path: str, body: Any) -> Any:
        return await self._ask("PUT", path, body=body)

    async def patch(self, path: str, body: Any) -> Any:
        return await self._ask("PATCH", path, body=body)

    async def delete(self, path: str, **query: str | int) -> Any:
        return await self._ask("DELETE", path, query=query)

    async def until(self, holds: Callable[[], Awaitable[bool]], *, timeout_s: float = _LONGEST_WAIT_S) -> None:
        """Wait for what Syncthing does by itself, looking again at each of its events. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            since = 0
            while not await holds():
                events = await self.get("/rest/events", since=since, timeout=int(_LOOK_AGAIN_S))
                since = events[-1]["id"] if events else since

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ask(self, method: str, path: str, *, body: Any = None, query: dict[str, str | int] | None = None) -> Any:
        if self._http is None:
            self._http = aiohttp.ClientSession(headers={"X-API-Key": self.key})
        try:
            async with (
                asyncio.timeout(_ANSWER_S),
                self._http.request(method, f"{self.url}{path}", json=body, params=query or None) as response,
            ):
                if response.status >= 400:
                    said = (await response.text()).strip()
                    raise Retryable(f"Syncthing answered {response.status} to {method} {path}: {said}")
                is_json = response.content_type == "application/json"
                return await response.json() if is_json else await response.text()
        except (aiohttp.ClientError, TimeoutError) as err:
            raise Retryable(f"Syncthing at {self.url} did not answer {method} {path}: {err!r}") from err
