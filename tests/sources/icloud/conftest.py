"""The simulator under Apple's own names, with one account, for the tests that sign in to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from simulate.apples_names import resolving

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
    async with Simulator(certificates_home, has_apples_names=True) as simulator:
        simulator.add_account(APPLE_ID, PASSWORD)
        with resolving(simulator):
            yield simulator


@pytest.fixture
def endpoints(icloud: Simulator) -> Endpoints:
    hosts = icloud.hosts
    authority = str(icloud.certificate_authority)
    return Endpoints(auth=hosts.auth_origin, setup=hosts.setup_origin, home=hosts.home, ca_file=authority)
