"""iClouds for tests. Use in another folder: `from icloud_fixtures import icloud, threaded_icloud  # noqa: F401`
after `sys.path` holds tests/simulate, or `pytest_plugins = ["icloud_fixtures"]` in the top conftest.

`icloud` listens in the test's own loop; `threaded_icloud` in a thread of its own, for
clients that block. Both start empty of photos, with one account; fill
`icloud.account().library`, or add accounts.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mediabox.simulate.icloud.simulator import APPLE_ID, Simulator

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def icloud_home(tmp_path_factory) -> Path:
    """One certificate authority for the whole session."""
    return tmp_path_factory.mktemp("icloud-home")


@pytest.fixture
async def icloud(icloud_home: Path) -> AsyncIterator[Simulator]:
    simulator = Simulator(icloud_home)
    simulator.add_account(APPLE_ID, PASSWORD)
    async with simulator:
        yield simulator


@pytest.fixture
def threaded_icloud(icloud_home: Path) -> Iterator[Simulator]:
    simulator = Simulator(icloud_home)
    simulator.add_account(APPLE_ID, PASSWORD)
    with in_thread(simulator):
        yield simulator


@contextlib.contextmanager
def in_thread(simulator: Simulator) -> Iterator[Simulator]:
    """Run it in a thread of its own. Change its library only between requests."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    done = asyncio.Event()
    failure: list[BaseException] = []

    async def serve() -> None:
        try:
            async with simulator:
                ready.set()
                await done.wait()
        except BaseException as err:  # noqa: BLE001 - handed to the thread that waits
            failure.append(err)
            ready.set()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait()
    if failure:
        raise failure[0]
    try:
        yield simulator
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(timeout=10)
        loop.close()


def pyicloud_of(
    simulator: Simulator, folder: Path, *, password: str = PASSWORD, apple_id: str = APPLE_ID, authenticate: bool = True
) -> Any:
    """The real pyicloud, with its four addresses changed, signing in."""
    from pyicloud import PyiCloudService

    class Simulated(PyiCloudService):
        def _setup_endpoints(self) -> None:
            self._idmsa_endpoint = simulator.hosts.home
            self._auth_endpoint = simulator.hosts.auth
            self._home_endpoint = simulator.hosts.home
            self._setup_endpoint = simulator.hosts.setup

    authority = str(simulator.certificate_authority)
    api = Simulated(apple_id, password, cookie_directory=str(folder), verify=authority, authenticate=False)
    api.session.trust_env = False  # REQUESTS_CA_BUNDLE would override `verify`
    if authenticate:
        api.authenticate()
    return api


def trusted_pyicloud(simulator: Simulator, folder: Path) -> Any:
    """Signed in, second factor and all."""
    api = pyicloud_of(simulator, folder)
    assert api.validate_2fa_code(simulator.code())
    return api
