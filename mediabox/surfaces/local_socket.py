"""Tells the command line what only the running box knows: `mediabox.sock` in the home folder.

One request is a line, its answer a line of JSON, and the connection ends. It only tells:
commands go through the store (decision 0006). Whoever else may open the socket file, only
the box's own user and root get an answer (SO_PEERCRED, unix(7)).
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from mediabox.durable.local_socket import discard, listen
from mediabox.log import get_logger

if TYPE_CHECKING:
    from mediabox.contracts import SurfaceTools

log = get_logger(__name__)

NAME = "mediabox.sock"
LIVE = b"live"
LONGEST_REQUEST = 1024  # bytes
LONGEST_S = 2.0  # a connection's whole life: whoever is slower asks again
MOST_CONNECTIONS = 64  # at a time; more are closed at once
_PEER = struct.Struct("3i")  # pid, uid, gid


class LocalSocket:
    """The surface."""

    def __init__(self) -> None:
        self._connections = 0

    async def run(self, tools: SurfaceTools) -> None:
        listening = await asyncio.to_thread(listen, tools.home, NAME)
        try:
            serve = partial(self._serve, tools=tools)
            async with await asyncio.start_unix_server(serve, sock=listening, limit=LONGEST_REQUEST) as server:
                await server.serve_forever()
        finally:
            discard(tools.home, NAME)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tools: SurfaceTools) -> None:
        self._connections += 1
        try:
            if self._connections <= MOST_CONNECTIONS and is_allowed(_peer_uid(writer), own_uid=os.getuid()):
                async with asyncio.timeout(LONGEST_S):
                    writer.write(answer(await reader.readline(), tools) + b"\n")
                    writer.close()
                    await writer.wait_closed()
        except (OSError, TimeoutError, ValueError) as error:  # it went, it is slow, it sent no line
            log.debug("connection_ended", reason=str(error))
        finally:
            self._connections -= 1
            writer.transport.abort()


def answer(request: bytes, tools: SurfaceTools) -> bytes:
    """What one request is answered with, in JSON."""
    if request.strip() == LIVE:
        return msgspec.json.encode(tools.live())
    return msgspec.json.encode({"error": "no such request"})


def is_allowed(peer_uid: int, *, own_uid: int) -> bool:
    return peer_uid in (0, own_uid)


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(peer)[1])


SURFACE = LocalSocket
