"""Streams one file from Apple's content host into a sink, and lets nothing else in.

Length and beginning are checked before a byte is written, checksum and end afterwards. A
cut connection is continued where it ended, with a fresh link if need be.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from yarl import URL

from mediabox.errors import Away, Permanent, Retryable
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.model.signature import HEAD_BYTES
from mediabox.sources.icloud.answers import Trouble
from mediabox.sources.icloud.budget import CallKind
from mediabox.sources.icloud.connection import Unreachable
from mediabox.sources.icloud.dead_links import LINK_DEAD, DeadLinks
from mediabox.sources.icloud.pour import Pour
from mediabox.sources.icloud.records import size_of_version
from mediabox.sources.icloud.refusals import Remedy, retry_after_s, verdict_on

if TYPE_CHECKING:
    import aiohttp

    from mediabox.clock import Clock
    from mediabox.contracts import Sink
    from mediabox.model.asset import RemoteResource, Resource
    from mediabox.sources.icloud.bandwidth import Bandwidth
    from mediabox.sources.icloud.budget import Budget, Call
    from mediabox.sources.icloud.connection import AppleConnection
    from mediabox.sources.icloud.links import DownloadUrl, DownloadUrls

log = get_logger(__name__)

CHUNK_BYTES = 1 << 20  # one hop to a thread each; 256 KiB would cost four times as many
FRUITLESS = 3  # connections in a row that bring nothing, before it is given up for now
STRAYS = 3  # wrong answers in a row, of whatever files, before the account is thought to be in trouble
MOST_DOUBTS = 1000

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
ENDPOINT = "content"


class Dead(Retryable):
    """Within this module: the link is dead."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the link is answered with {status}")
        self.status = status


class Stray(Retryable):
    """An answer that is not the file: a page, another length."""


class Downloads:
    """All downloads of one account. `lanes` may be shared with other accounts."""

    def __init__(
        self,
        connection: AppleConnection,
        links: DownloadUrls,
        *,
        budget: Budget,
        bandwidth: Bandwidth,
        lanes: asyncio.Semaphore,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._links = links
        self._budget = budget
        self._bandwidth = bandwidth
        self._lanes = lanes
        self._clock = clock
        self.dead = DeadLinks(clock, name=connection.name)
        self._strays = 0
        self._is_telling = False  # a checksum has agreed with a file: from then on a difference is one
        self._doubts: dict[tuple[str, str], tuple[int, int]] = {}

    async def fetch(self, resource: Resource, sink: Sink) -> None:
        """Pour the whole file, from `sink.offset` on. What is in the sink afterwards is the file or a part of it.

        Raises Permanent when it is gone or empty, Retryable when it came wrong, Away.
        """
        size = size_of_version(resource.version)
        if size == 0:
            raise Permanent(message("{name} is empty in iCloud (0 bytes)", name=resource.name))
        self.dead.refuse_early()
        async with self._lanes:
            pour = Pour(resource, sink, size=size, offset=await asyncio.to_thread(lambda: sink.offset))
            if size is not None and pour.offset > size:
                await pour.restart()
            await self._pour(pour)
            await self._judge(pour)

    async def peek(self, resource: RemoteResource) -> bytes:
        """The first 4 KiB at most. Raises as `fetch`."""
        return await self.sample(resource, 0, HEAD_BYTES)

    async def sample(self, resource: RemoteResource | Resource, offset: int, length: int) -> bytes:
        """These bytes of a file, fewer at its end. Raises as `fetch`."""
        self.dead.refuse_early()
        for is_fresh in (False, True):
            link = await self._links.link(resource)
            try:
                part = await self._sample(link, resource.name, range(offset, offset + length))
            except Dead as err:
                if is_fresh:
                    raise self.dead.judge(resource, err.status) from err
            else:
                self._links.give_back(resource.remote_id, link)
                return part
        raise AssertionError("the second time has an end")

    async def _sample(self, link: DownloadUrl, name: str, wanted: range) -> bytes:
        async with (
            self._lanes,
            self._budget.call(ENDPOINT, account=self._connection.name, lane=CallKind.CONTENT) as call,
        ):
            try:
                async with await self._get(link, {"Range": f"bytes={wanted.start}-{wanted.stop - 1}"}) as got:
                    self._refuse(got, call, name)
                    if _start(got) != wanted.start:
                        raise Stray(f"iCloud did not begin {name} at byte {wanted.start:,}")
                    return await _beginning_of(got, len(wanted))
            except Unreachable as err:
                raise self._connection.away(err, f"look at {name}") from err

    async def _pour(self, pour: Pour) -> None:
        """Connect until the file is whole; give up when connections bring nothing, or a fresh link is dead."""
        fruitless = dead = 0
        while not pour.is_whole:
            before = pour.offset
            link = await self._links.link(pour.resource)
            try:
                problem = await self._stream(link, pour)
            except Dead as err:
                dead, problem = dead + 1, str(err)
                if err.status == 416:
                    await pour.restart()
                if dead > 1:
                    raise self.dead.judge(pour.resource, err.status) from err
                continue
            dead = 0
            fruitless = 0 if pour.offset > before else fruitless + 1
            if fruitless >= FRUITLESS:
                raise Retryable(
                    message(
                        "{name}: {problem} (at {offset:n} of {size:n} bytes)",
                        name=pour.resource.name,
                        problem=problem,
                        offset=pour.offset,
                        size=pour.size or 0,
                    )
                )

    async def _stream(self, link: DownloadUrl, pour: Pour) -> str:
        """One connection's worth. What ended it, if the file is not whole now. Raises Away, Retryable."""
        before = pour.offset
        async with self._budget.call(ENDPOINT, account=self._connection.name, lane=CallKind.CONTENT) as call:
            try:
                async with await self._get(link, pour.headers()) as got:
                    self._refuse(got, call, pour.resource.name)
                    await self._accept(got, pour)
                    call.answered()
                    return await self._copy(got, pour)
            except Stray:
                call.fail()
                self._count_stray()
                raise
            except Unreachable as err:
                call.fail()
                if pour.offset == before:
                    raise self._connection.away(err, f"fetch {pour.resource.name}") from err
                return f"the connection broke ({type(err).__name__})"

    async def _get(self, link: DownloadUrl, headers: dict[str, str]) -> aiohttp.client._RequestContextManager:
        """Ask for the file, as a browser would: with cookies that are for its host, and with none of another's."""
        if not link.url.startswith("https://"):
            raise Stray("iCloud gave a link that is not HTTPS")
        await self._connection.session()
        http = await self._connection.http()
        url = URL(link.url.replace("${f}", "file"), encoded=True)
        return http.get(url, headers=self._connection.headers_for(str(url), headers), allow_redirects=False)

    def _refuse(self, got: aiohttp.ClientResponse, call: Call, name: str) -> None:
        """Raise unless this is an answer with bytes of a file."""
        if got.status in LINK_DEAD:
            call.fail()
            raise Dead(got.status)
        asked_s = retry_after_s(got.headers, now_ms=self._clock.wall_ms())
        match verdict_on(got.status, Trouble()):
            case None:
                if got.content_type.startswith("text/") or got.content_type == "application/json":
                    raise Stray(f"iCloud answered {got.content_type} for {name}")
            case Remedy.BUSY:
                call.refuse(retry_after_s=asked_s)
                what = message("iCloud answered {status} for {name}", status=str(got.status), name=name)
                raise Away(what, part=self._connection.part, retry_after_s=asked_s)
            case _:
                raise Stray(f"iCloud answered {got.status} for {name}")

    async def _accept(self, got: aiohttp.ClientResponse, pour: Pour) -> None:
        """Check that what comes is this file from where we stopped, or from its beginning."""
        start, total = _extent(got)
        if pour.size is None:
            pour.size = total
        if total is not None and total != pour.size:
            size = pour.size or 0
            raise Stray(f"iCloud offers {total:,} bytes for {pour.resource.name}, whose record says {size:,}")
        if start != pour.offset:
            if start != 0:
                raise Stray(f"iCloud began {pour.resource.name} at byte {start:,} instead of {pour.offset:,}")
            await pour.restart()  # Range was ignored
        pour.tag = got.headers.get("ETag")

    async def _copy(self, got: aiohttp.ClientResponse, pour: Pour) -> str:
        """Everything that comes, in chunks. Never more than the file's length."""
        pieces: list[bytes] = []
        held = 0
        while True:
            try:
                piece = await got.content.readany()
            except Unreachable:
                if pieces:
                    await pour.write(b"".join(pieces))
                raise
            if piece:
                pieces.append(piece)
                held += len(piece)
            if held >= CHUNK_BYTES or (held and not piece):
                await self._refuse_surplus(pour, held)
                await pour.write(b"".join(pieces))
                await self._bandwidth.spend(held)
                pieces, held = [], 0
            if not piece:
                break
        if pour.size is None:
            pour.size = pour.offset  # neither record nor answer told the length: the end of the answer does
        self._strays = 0
        if pour.offset:
            self.dead.work()
        return "the answer ended early"

    async def _refuse_surplus(self, pour: Pour, held: int) -> None:
        if pour.size is not None and pour.offset + held > pour.size:
            await pour.restart()
            raise Stray(f"iCloud sent more than the {pour.size:,} bytes of {pour.resource.name}")

    async def _judge(self, pour: Pour) -> None:
        """Apple's checksum decides, once it is known to tell; before that, and without one, the file's end does."""
        match pour.checksum:
            case None:
                await self._judge_end(pour)
            case checksum if checksum.agrees:
                self._is_telling = True
            case _ if self._is_telling:
                log.warning("icloud_file_differs", source=self._connection.name, resource=pour.resource.id)
                await pour.restart()
                raise Retryable(message("{name} does not match iCloud's checksum", name=pour.resource.name))
            case _:
                await self._judge_end(pour)

    async def _judge_end(self, pour: Pour) -> None:
        """A file that seems to lack its end is fetched twice; if it comes the same again, it is so in iCloud."""
        complaint = pour.witness.complaint() if pour.witness is not None else None
        if complaint is None or pour.witness is None:
            return
        key, seen = (pour.resource.remote_id, pour.resource.version), pour.witness.fingerprint()
        if self._doubts.pop(key, None) == seen:
            log.warning("icloud_file_incomplete", source=self._connection.name, complaint=complaint)
            return
        if len(self._doubts) >= MOST_DOUBTS:
            del self._doubts[next(iter(self._doubts))]
        self._doubts[key] = seen
        await pour.restart()
        raise Retryable(
            message(
                "{name} arrived as {fault}; it is downloaded again to be sure", name=pour.resource.name, fault=complaint
            )
        )

    def _count_stray(self) -> None:
        """One wrong answer is that file's; several in a row are the account's (keys missing, signed out)."""
        self._strays += 1
        if self._strays >= STRAYS:
            self._strays = 0
            what = message("iCloud sent something other than the file {times:n} times in a row", times=STRAYS)
            raise Away(what, part=self._connection.part, retry_after_s=300.0)


def _extent(got: aiohttp.ClientResponse) -> tuple[int, int | None]:
    """(first byte, length of the whole file if told) of an answer. Raises Stray when they make no sense."""
    if got.status != 206:
        return 0, got.content_length
    told = _CONTENT_RANGE.fullmatch(got.headers.get("Content-Range", ""))
    if told is None:
        raise Stray("iCloud answered a part without saying which")
    start, last, total = map(int, told.groups())
    if last != total - 1:
        raise Stray(f"iCloud answered bytes {start:,} to {last:,} of {total:,} where the rest was asked for")
    return start, total


def _start(got: aiohttp.ClientResponse) -> int | None:
    """Which byte of the file an answer begins with; None when it does not say."""
    told = _CONTENT_RANGE.fullmatch(got.headers.get("Content-Range", "")) if got.status == 206 else None
    return int(told[1]) if told is not None else 0 if got.status == 200 else None


async def _beginning_of(got: aiohttp.ClientResponse, length: int) -> bytes:
    """The first bytes of an answer, however much it would bring."""
    head = b""
    while len(head) < length and (piece := await got.content.read(length - len(head))):
        head += piece
    return head
