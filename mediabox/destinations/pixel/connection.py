"""One HTTP client for a Syncthing: its key, its certificate, and what it means when it refuses or nobody answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import TypeVar

import aiohttp
import msgspec
from yarl import URL

from mediabox.destinations.pixel import refusals

CALL_S = 30.0
CONNECT_S = 10.0
CONNECTIONS = 8
MOST_BYTES = 64 << 20  # of one answer: 100,000 events or files are 40 MB; more comes from no Syncthing
LOOPBACK = ("localhost", "127.0.0.1", "::1")
UNIX = "unix://"

Told = TypeVar("Told")
Trust = ssl.SSLContext | aiohttp.Fingerprint | bool
Query = Mapping[str, str] | Sequence[tuple[str, str]]


class Connection:
    """The client is made at the first use, in the running loop.

    `url`: `http://` or `https://`, or `unix:///run/syncthing.sock`. Syncthing signs its own
    certificate: that is accepted from this machine only. Elsewhere it must be one the system
    trusts, or have the SHA-256 `fingerprint` (hex, as `openssl x509 -fingerprint -sha256` prints it).
    """

    def __init__(self, url: str, key: str, *, name: str, fingerprint: str = "") -> None:
        self.name = name
        self.shown = url
        self._socket = url.removeprefix(UNIX) if url.startswith(UNIX) else ""
        self._key = key.strip()
        self._fingerprint = fingerprint
        self._http: aiohttp.ClientSession | None = None

    async def ask(
        self,
        kind: type[Told],
        path: str,
        query: Query = (),
        *,
        within_s: float = CALL_S,
        missing: str | None = None,
    ) -> Told | None:
        """GET `/rest/<path>`. With `missing`, None for a 404 whose words hold that.

        Raises Away, NeedsHuman, Retryable, Permanent, each saying what to do.
        """
        status, content = await self._send("GET", path, query, within_s=within_s)
        if status == 404 and missing is not None and missing in _words(content):
            return None
        refusals.check(self, path, status, content)
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as err:
            raise refusals.stranger(self, path, str(err)) from err

    async def tell(
        self, method: str, path: str, query: Query = (), *, body: object = None, within_s: float = CALL_S
    ) -> None:
        """POST, PUT, PATCH or DELETE `/rest/<path>`. Raises as `ask` does."""
        content = None if body is None else msgspec.json.encode(body)
        status, answer = await self._send(method, path, query, body=content, within_s=within_s)
        refusals.check(self, path, status, answer)

    async def close(self) -> None:
        """May be repeated; the next use opens anew."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _send(
        self, method: str, path: str, query: Query, *, within_s: float, body: bytes | None = None
    ) -> tuple[int, bytes]:
        http = self._client()
        try:
            async with (
                asyncio.timeout(within_s),
                http.request(method, f"/rest/{path}", params=query, data=body, allow_redirects=False) as answer,
            ):
                return answer.status, await _bounded(answer)
        except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as err:
            raise refusals.distrusted(self, str(err)) from err
        except _TooMuch as err:
            raise refusals.stranger(self, path, f"more than {MOST_BYTES} bytes") from err
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as err:
            raise refusals.unusable(self, f"no such address ({err})", issue="destination.url") from err
        except aiohttp.ClientResponseError as err:  # no HTTP at all
            raise refusals.stranger(self, path, err.message) from err
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise refusals.away(self, path, err, within_s=within_s) from err

    def _client(self) -> aiohttp.ClientSession:
        """Raises NeedsHuman when what the person configured cannot be an address, a key or a fingerprint."""
        if self._http is None:
            if not (self._key.isascii() and self._key.isprintable()):
                raise refusals.unusable(self, "the API key has characters no key has", issue="destination.key")
            try:
                root = URL("http://localhost" if self._socket else self.shown.rstrip("/"))
                trust = _trust(root, self._fingerprint)
                self._http = aiohttp.ClientSession(
                    root,
                    connector=self._connector(trust),
                    headers={"X-API-Key": self._key},
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                )
            except ValueError as err:
                raise refusals.unusable(self, str(err), issue="destination.url") from err
        return self._http

    def _connector(self, trust: Trust) -> aiohttp.BaseConnector:
        if self._socket:
            return aiohttp.UnixConnector(self._socket)
        return aiohttp.TCPConnector(ssl=trust, limit=CONNECTIONS)


class _TooMuch(Exception):
    """An answer without end."""


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > MOST_BYTES:
            raise _TooMuch
    return bytes(content)


def _words(content: bytes) -> str:
    return content.decode(errors="replace")


def _trust(root: URL, fingerprint: str) -> Trust:
    if fingerprint:
        return aiohttp.Fingerprint(bytes.fromhex(fingerprint.replace(":", "")))
    is_here = root.scheme == "https" and root.host in LOOPBACK
    return not is_here  # False: encrypted, and only this machine's own programs could be in between
