"""`--full-faults`: every case instead of a seeded sample."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.mounts import tmpfs

from whole.box import Household
from whole.breaking import TABLE
from whole.examiner import write_table
from whole.family import FAMILY


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full-faults", action="store_true", help="every fault at every point, 10,000 histories")


@pytest.fixture(scope="session")
def is_full(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--full-faults"))


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the real workers say of the family, for runs without them."""
    path = tmp_path_factory.mktemp("facts") / "facts.json"
    write_table(path, sorted(set(FAMILY.values())))
    return path


@pytest.fixture
def facts_for_forks(facts: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(TABLE, str(facts))
    yield


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Path]:
    """A disk in memory, for the runs that are many."""
    with tmpfs(tmp_path / "ground", size_bytes=512 << 20) as ground:
        yield ground


@pytest.fixture
def box(tmp_path: Path, facts: Path) -> Household:
    box = Household(tmp_path)
    box.table.write_bytes(facts.read_bytes())
    return box
