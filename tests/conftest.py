"""Shared fixtures. Small media of our own is under `tests/media`; deep tests use a sample folder where there is one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
os.environ["LC_ALL"] = "C.UTF-8"  # the tests read English, whatever the terminal they run in
LONG = ("whole", "encode", "fit")  # folders whose files take longest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that side by side all processes end at about the same time."""
    items.sort(key=lambda item: not any(folder in item.path.parts for folder in LONG))


@pytest.fixture(autouse=True)
def _umask_stays() -> Iterator[None]:
    """A command run within this process hides what it writes from others; the next test starts as the shell did."""
    before = os.umask(0)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def media() -> Path:
    """Small files of every kind, made by `tests/media/make.py`."""
    return ROOT / "tests" / "media"


@pytest.fixture(scope="session")
def samples() -> Path:
    """Real photos and videos, where they are at hand; the deep tests skip elsewhere."""
    folder = Path(os.environ.get("MEDIABOX_SAMPLES", ROOT.parent / "shared" / "samples"))
    if not folder.is_dir():
        pytest.skip("no sample folder; set MEDIABOX_SAMPLES to one")
    return folder
