"""Read bytes as the child does: through an open descriptor, under a fixed clock."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mediabox.clock import Clock
from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.native.tags import Reader, read_tags

Read = Callable[..., Facts]


class FixedClock(Clock):
    """The first of June 2026, trusted."""

    def wall_ms(self) -> int:
        return 1_780_272_000_000


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Facts of the given bytes under a name."""

    def facts(
        content: bytes, name: str = "a.jpg", kind: Kind = Kind.PICTURE, modified_at_ms: int | None = None
    ) -> Facts:
        path = tmp_path / "file"
        path.write_bytes(content)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            request = ExamineRequest(name=name, kind=kind, size_bytes=len(content), modified_at_ms=modified_at_ms)
            return read_tags(Reader(descriptor), request, clock=FixedClock())
        finally:
            os.close(descriptor)

    return facts
