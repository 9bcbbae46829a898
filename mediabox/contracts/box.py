"""The box itself: what is measured."""

from typing import Protocol


class Probe(Protocol):
    """One reading of the box. Never raises; `None` when it cannot be read."""

    name: str

    def read(self) -> float | None: ...
