"""Hints that something happened. Published after the commit; whoever missed one reads the store."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import msgspec

BACKLOG = 256  # events a slow listener may lag behind before it misses some


class Bus:
    """One-to-many, inside the daemon's loop."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[msgspec.Struct]] = set()

    def publish(self, event: msgspec.Struct) -> None:
        """Give every listener the event; one whose backlog is full misses it."""
        for listener in self._listeners:
            if not listener.full():
                listener.put_nowait(event)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[msgspec.Struct]]:
        """Events from now on."""
        listener: asyncio.Queue[msgspec.Struct] = asyncio.Queue(BACKLOG)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
