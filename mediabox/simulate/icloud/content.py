"""cvws.icloud-content.com: a server of its own, links that are good for an hour, and Range.

    /B/<fileChecksum><referenceChecksum>/${f}?o=&v=1&x=3&a=&e=&k=&fl=&r=&ckc=&ckz=&y=1&p=&s=

(both checksums as URL-safe base64). `e` is the end of its life in epoch seconds, `s` signs
what must not be altered. A late link is 410; one that was altered, 403.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from itertools import count

from aiohttp import web

from mediabox.clock import Clock
from mediabox.simulate.icloud.blob import Blob, reference_of, wrapping_key_of
from mediabox.simulate.icloud.directory import Directory, request_id
from mediabox.simulate.icloud.faults import FAULT, SEVENTEEN_BYTES, Cut, Garbled, What, WholeFile
from mediabox.simulate.icloud.hosts import Hosts
from mediabox.simulate.icloud.line import Line
from mediabox.simulate.icloud.lives import Lives
from mediabox.simulate.icloud.records import Link
from mediabox.simulate.icloud.setup import TOKEN_COOKIE

_CHUNK_BYTES = 256 << 10
_CONTAINER = "com.apple.photos.cloud"
_SAFE = str.maketrans("+/", "-_")
_UNSAFE = str.maketrans("-_", "+/")


class Links:
    """Makes and checks download links."""

    def __init__(self, hosts: Hosts, clock: Clock, lives: Lives) -> None:
        self._hosts = hosts
        self._clock = clock
        self._lives = lives
        self._secret = secrets.token_bytes(32)

    def linker(self, zone: str) -> Link:
        """Links for one answer: `r` is its id with a running number."""
        answer, numbers = request_id(), count(1)
        until_s = self._clock.wall_ms() // 1000 + self._lives.link_s
        host, partition = self._hosts.content, self._hosts.partition

        def link(blob: Blob) -> str:
            signature = blob.signature
            path = (signature + reference_of(signature)).translate(_SAFE)
            key = wrapping_key_of(signature).translate(_SAFE)
            # By hand: every value is safe in a query already, and there are 500 links in a page.
            return (
                f"{host}/B/{path}/${{f}}?o={secrets.token_urlsafe(12)}&v=1&x=3&a=CAog{path[:12]}&e={until_s}&k={key}"
                f"&fl=&r={answer}-{next(numbers)}&ckc={_CONTAINER}&ckz={zone}&y=1&p={partition}"
                f"&s={self._sign(path, until_s, zone)}"
            )

        return link

    def refusal(self, request: web.Request) -> web.Response | None:
        """Why this link is not served; None when it is good."""
        path, query = request.match_info["path"], request.query
        until = query.get("e", "")
        zone = query.get("ckz", "")
        if not until.isdigit() or not hmac.compare_digest(query.get("s", ""), self._sign(path, int(until), zone)):
            return web.Response(status=403, text="Forbidden")
        if int(until) * 1000 <= self._clock.wall_ms():
            return web.Response(status=410, text="Gone")
        return None

    def _sign(self, path: str, until_s: int, zone: str) -> str:
        said = f"{path}|{until_s}|{zone}".encode()
        return hmac.digest(self._secret, said, "sha256").hex()[:32]


class Content:
    """The handler."""

    def __init__(
        self, links: Links, find: Callable[[str], Blob | None], directory: Directory, line: Line, *, has_cookies: bool
    ) -> None:
        self._links = links
        self._find = find
        self._directory = directory
        self._line = line
        self._has_cookies = has_cookies

    async def get(self, request: web.Request) -> web.StreamResponse:
        refused = self._links.refusal(request)
        if refused is not None:
            return refused
        if self._is_stranger(request):
            return web.Response(text=SEVENTEEN_BYTES, content_type="application/octet-stream")
        blob = self._find(request.match_info["path"][:28].translate(_UNSAFE))
        if blob is None:
            return web.Response(status=404, text="Not Found")
        return await self._serve(request, blob, FAULT.get())

    def _is_stranger(self, request: web.Request) -> bool:
        """A shared library's links want cookies; a personal one's signature is enough (kei, "Downloads").

        Only where cookies can come at all: iCloud's have the domain `.icloud.com`, and go to no other (RFC 6265).
        """
        is_shared = self._has_cookies and request.query.get("ckz", "").startswith("SharedSync-")
        return is_shared and self._directory.session(request.cookies.get(TOKEN_COOKIE)) is None

    async def _serve(self, request: web.Request, blob: Blob, fault: What | None) -> web.StreamResponse:
        size = blob.size_bytes
        is_part = "Range" in request.headers and not isinstance(fault, WholeFile)
        wanted = _wanted(request, size) if is_part else range(size)
        if is_part and not wanted:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        try:
            await asyncio.to_thread(blob.read, wanted.start, 1)
        except OSError:  # taken out of the folder, and still listed
            return web.Response(status=404, text="Not Found")
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        if is_part:
            headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
        response = web.StreamResponse(status=206 if is_part else 200, headers=headers)
        response.content_length = len(wanted)
        await self._line.answer()
        await response.prepare(request)
        sent = wanted[: fault.after_bytes] if isinstance(fault, Cut) else wanted
        is_whole = await self._pour(response, blob, sent, fault)
        if (not is_whole or len(sent) < len(wanted)) and request.transport is not None:
            request.transport.close()  # what was written goes out; the rest never comes
        return response

    async def _pour(self, response: web.StreamResponse, blob: Blob, wanted: range, fault: What | None) -> bool:
        """Send these bytes. False when the file has become shorter meanwhile, or nobody is there to take them."""
        at = wanted.start
        while at < wanted.stop:
            chunk = await asyncio.to_thread(blob.read, at, min(_CHUNK_BYTES, wanted.stop - at))
            if not chunk:
                return False
            if isinstance(fault, Garbled) and at <= fault.at_bytes < at + len(chunk):
                chunk = _garbled(chunk, fault.at_bytes - at)
            await self._line.carry(len(chunk))
            try:
                await response.write(chunk)
            except ConnectionResetError:
                return False
            at += len(chunk)
        return True


def _wanted(request: web.Request, size: int) -> range:
    """The bytes a Range header asks for, none when they are past the end; all of them when it makes no sense."""
    try:
        start, stop, _ = request.http_range.indices(size)
    except ValueError:
        return range(size)
    return range(start, stop)


def _garbled(chunk: bytes, at: int) -> bytes:
    return chunk[:at] + bytes([chunk[at] ^ 0xFF]) + chunk[at + 1 :]
