"""The box itself: what is measured, and where people see it."""

from typing import Protocol


class Probe(Protocol):
    """One reading of the box. Never raises; `None` when it cannot be read."""

    name: str

    def read(self) -> float | None: ...


class Surface(Protocol):
    """A place people see and steer the box from. Uses `core.commands` and `core.bus` only."""

    async def run(self) -> None: ...
