"""The sign-in child as the daemon sees it: started when needed, asked one thing at a time, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Protocol

import msgspec

from mediabox.errors import Retryable
from mediabox.sources.icloud.sign_in.messages import Reply, Request

MODULE = "mediabox.sources.icloud.sign_in.child"
REPLY_WITHIN_S = 240.0  # several calls of 30 s each at worst, and a Pi that takes its time to import pyicloud
AFTER_DEATH_S = 600.0  # what Apple saw of it is unknown
ENDS_WITHIN_S = 5.0
LONGEST_REPLY = 1 << 20  # bytes; a session has 30 KB
NOT_FOR_THE_CHILD = ("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "ICLOUD_CHINA")


class Child(Protocol):
    """One conversation with Apple."""

    @property
    def is_alive(self) -> bool: ...

    async def ask(self, request: Request) -> Reply:
        """Its reply. Raises Retryable when it dies or is too slow; what Apple did is unknown then."""

    async def close(self) -> None:
        """End it. May be repeated."""


class ChildProcess:
    """A child of its own process. Make it with `spawn`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, request: Request) -> Reply:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            async with asyncio.timeout(REPLY_WITHIN_S):
                stdin.write(msgspec.json.encode(request) + b"\n")
                await stdin.drain()
                line = await stdout.readline()
        except TimeoutError:
            await self.close()
            message = f"the iCloud sign-in gave no answer within {REPLY_WITHIN_S:.0f} s"
            raise Retryable(message, retry_after_s=AFTER_DEATH_S) from None
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        except asyncio.CancelledError:
            self._kill()
            raise
        if not line:
            with suppress(TimeoutError):  # it is ending by itself: killing it now would hide its exit code
                async with asyncio.timeout(ENDS_WITHIN_S):
                    await self._process.wait()
            await self.close()
            message = f"the iCloud sign-in ended unexpectedly (exit code {self._process.returncode})"
            raise Retryable(message, retry_after_s=AFTER_DEATH_S)
        return msgspec.json.decode(line, type=Reply)

    async def close(self) -> None:
        self._kill()
        await self._process.wait()

    def _kill(self) -> None:
        """It holds nothing that needs an orderly end."""
        if self._process.returncode is None:
            self._process.kill()


async def spawn() -> Child:
    """Start a child. What is secret reaches it through its standard input only."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_CHILD}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        MODULE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        limit=LONGEST_REPLY,
    )
    return ChildProcess(process)
