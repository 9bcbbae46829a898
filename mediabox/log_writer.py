"""Write text to a descriptor without ever waiting for whoever reads it.

A log that nobody reads must not stop what it reports on: write(2) to a full pipe, or to a
terminal held by Ctrl-S, blocks for ever. Here a thread of its own writes; what does not fit
into the memory set aside for it is dropped and counted, and the count is written as soon as there is room again.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable

MOST_BYTES = 256 * 1024  # waiting to be written: some 2,000 lines
FAREWELL_S = 1.0  # how long the end waits for a reader


class LogWriter:
    """A text stream over descriptor `fd`. `report(count)` makes the line that says how many were dropped."""

    def __init__(self, fd: int, report: Callable[[int], str], *, most_bytes: int = MOST_BYTES) -> None:
        self._fd, self._report, self._most_bytes = fd, report, most_bytes
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0  # what is being written included
        self._dropped = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> int:
        """Take `text` to be written, or drop it whole. Returns at once; any thread."""
        chunk = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._waiting_bytes + len(chunk) > self._most_bytes:
                self._dropped += 1
            else:
                self._put_report()
                self._put(chunk)
        return len(text)

    def flush(self) -> None:
        """Nothing: streams are flushed after each line, and that must not wait. See `drain`."""

    def drain(self, timeout_s: float = FAREWELL_S) -> bool:
        """Wait until all is written, at most `timeout_s` seconds. Whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting_bytes, timeout_s)

    def _put_report(self) -> None:
        """In the place of what was dropped; it may take the memory a little above its bound."""
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._put(self._report(dropped).encode())

    def _put(self, chunk: bytes) -> None:
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        if self._thread is None:  # a daemon thread: one that waits for a reader must not hold up the end
            self._thread = threading.Thread(target=self._run, name="log", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                chunk = self._waiting.popleft()
            written = _write_all(self._fd, chunk)
            with self._changed:
                self._waiting_bytes -= len(chunk)
                if not written:
                    self._dropped += 1
                elif not self._waiting:
                    self._put_report()
                self._changed.notify_all()


def _write_all(fd: int, chunk: bytes) -> bool:
    """Whether the whole chunk could be written: a reader may have gone (EPIPE), a log's disk may be full."""
    rest = memoryview(chunk)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # the descriptor was made non-blocking by whoever gave it to us
            time.sleep(0.05)
        except OSError:
            return False
    return True
