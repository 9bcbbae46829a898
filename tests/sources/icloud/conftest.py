"""The simulator, with one account, for the tests that sign in to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud.endpoints import Endpoints

APPLE_ID = "anna@example.com"
PASSWORD = "canary-password-7f3a"


@pytest.fixture(scope="session")
def certificates_home(tmp_path_factory) -> Path:
    """Certificates are made once: every key costs time."""
    return tmp_path_factory.mktemp("icloud")


@pytest.fixture
async def icloud(certificates_home: Path) -> AsyncIterator[Simulator]:
    async with Simulator(certificates_home) as simulator:
        simulator.add_account(APPLE_ID, PASSWORD)
        yield simulator


@pytest.fixture
def endpoints(icloud: Simulator) -> Endpoints:
    origin = icloud.hosts.home
    return Endpoints(auth=origin, setup=origin, home=origin, ca_file=str(icloud.certificate_authority))
