"""An enrolled volume to work on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediabox.durable.spool import SpoolFolder
from mediabox.durable.volume import Volume


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with Volume.enroll(tmp_path / "archive", now_ms=1_750_000_000_000) as volume:
        yield volume


@pytest.fixture
def spool(volume: Volume) -> SpoolFolder:
    return SpoolFolder(volume)
