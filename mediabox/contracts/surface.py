"""Where people and programs meet the box: a socket, a terminal, a page, a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    import asyncio
    import sqlite3
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mediabox.clock import Clock
    from mediabox.config.load import Config
    from mediabox.model.actor import Actor
    from mediabox.model.live import Live

T = TypeVar("T")


class Execution(Protocol):
    """Runs a command for an actor: the one door to every change (`core.commands`)."""

    async def __call__(self, command: Any, actor: Actor) -> Any:
        """The command's result, or `Refused`. Raises Away while the catalogue is not open."""


class Querying(Protocol):
    """Asks the catalogue."""

    async def __call__(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer from one snapshot; it cannot write. Raises Away while the catalogue is not open."""


class SurfaceTools(msgspec.Struct, frozen=True, kw_only=True):
    """What a surface is given when it is run."""

    home: Path
    execute: Execution
    query: Querying
    events: Callable[[], AbstractContextManager[asyncio.Queue[msgspec.Struct]]]  # hints, from now on (`model.events`)
    live: Callable[[], Live]
    settings: Callable[[], Config | None]  # in force; None while those on disk cannot be used
    clock: Clock


class Surface(Protocol):
    """Runs from before the catalogue is open until after the work has ended, whatever else is wrong.

    It is supervised: whatever it raises, or its end, is the issue `surface.failing`; it is started
    again later, and nobody else notices. Anything it needs and may miss it imports in `run`.
    """

    async def run(self, tools: SurfaceTools) -> None:
        """Serve until cancelled."""
