"""The sign-in child as the daemon sees it: started when needed, asked one thing at a time, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Protocol

import msgspec

from mediabox.errors import Retryable
from mediabox.log import get_logger
from mediabox.message import message
from mediabox.sources.icloud.sign_in.messages import Reply, Request

log = get_logger(__name__)

MODULE = "mediabox.sources.icloud.sign_in.child"
REPLY_WITHIN_S = 240.0  # several calls of 30 s each at worst, and a Pi that takes its time to import pyicloud
AFTER_DEATH_S = 600.0  # what Apple saw of it is unknown
ENDS_WITHIN_S = 5.0
LONGEST_REPLY = 1 << 20  # bytes; a session has 30 KB
MOST_WORDS = 65_536  # bytes of its standard error: what a pipe holds
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
    """A child of its own process. Make it with `spawn`. `stderr`: the reading end of a pipe that never blocks."""

    def __init__(self, process: asyncio.subprocess.Process, stderr: int) -> None:
        self._process, self._stderr = process, stderr

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
            what = message("the iCloud sign-in gave no answer (waited {wait:duration})", wait=REPLY_WITHIN_S)
            raise Retryable(what, retry_after_s=AFTER_DEATH_S) from None
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        except asyncio.CancelledError:
            self._kill()
            raise
        if not line:
            with suppress(TimeoutError):  # it is ending by itself: killing it now would hide its exit code
                async with asyncio.timeout(ENDS_WITHIN_S):
                    await self._process.wait()
            await self.close(is_expected=False)
            code = str(self._process.returncode)
            what = message("the iCloud sign-in ended unexpectedly (exit code {code})", code=code)
            raise Retryable(what, retry_after_s=AFTER_DEATH_S)
        return msgspec.json.decode(line, type=Reply)

    async def close(self, *, is_expected: bool = True) -> None:
        self._kill()
        await self._process.wait()
        stderr, self._stderr = self._stderr, -1
        if stderr < 0:
            return
        with suppress(BlockingIOError):  # nothing was written, and something of ours holds the other end
            words = os.read(stderr, MOST_WORDS).decode("utf-8", "replace").split()
            if words and not is_expected:
                log.error("icloud_sign_in_child_failed", words=" ".join(words)[-400:])
        os.close(stderr)

    def _kill(self) -> None:
        """It holds nothing that needs an orderly end."""
        if self._process.returncode is None:
            self._process.kill()


async def spawn() -> Child:
    """Start a child. What is secret reaches it through its standard input only."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_CHILD}
    heard, stderr = os.pipe()
    os.set_blocking(heard, False)
    os.set_blocking(stderr, False)  # a full pipe loses words instead of stopping the child; ours may be full as well
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environment,
            limit=LONGEST_REPLY,
        )
    except BaseException:
        os.close(heard)
        raise
    finally:
        os.close(stderr)
    return ChildProcess(process, heard)
