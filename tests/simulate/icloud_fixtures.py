"""iClouds for tests. Elsewhere: `from simulate.icloud_fixtures import icloud, icloud_home` in a conftest.

`icloud` listens in the test's own loop; `threaded_icloud` in a thread of its own, for
clients that block. Both have one account (APPLE_ID, PASSWORD) and no photos: fill
`icloud.account().library`, or add accounts. `Browser` is a client that is signed in already.
"""

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
from patience import PATIENCE_S

from mediabox.simulate.icloud.directory import Account
from mediabox.simulate.icloud.setup import TOKEN_COOKIE
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.simulate.icloud.world import APPLE_ID
from simulate.apples_names import resolving

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def icloud_home(tmp_path_factory) -> Path:
    """One certificate authority for the whole session."""
    return tmp_path_factory.mktemp("icloud-home")


@pytest.fixture
async def icloud(icloud_home: Path) -> AsyncIterator[Simulator]:
    simulator = Simulator(icloud_home, has_apples_names=True)
    simulator.add_account(APPLE_ID, PASSWORD)
    async with simulator:
        with resolving(simulator):
            yield simulator


@pytest.fixture
def threaded_icloud(icloud_home: Path) -> Iterator[Simulator]:
    simulator = Simulator(icloud_home, has_apples_names=True)
    simulator.add_account(APPLE_ID, PASSWORD)
    with in_thread(simulator), resolving(simulator):
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
        thread.join(timeout=PATIENCE_S)
        loop.close()


def pyicloud_of(
    simulator: Simulator, folder: Path, *, password: str = PASSWORD, apple_id: str = APPLE_ID, authenticate: bool = True
) -> Any:
    """The real pyicloud, with its four addresses changed, signing in."""
    from pyicloud import PyiCloudService

    class Simulated(PyiCloudService):
        def _setup_endpoints(self) -> None:
            self._idmsa_endpoint = simulator.hosts.auth_origin
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


class Browser:
    """A plain client with the cookies of a sign-in that is trusted, for looking at the wire itself."""

    def __init__(self, simulator: Simulator, account: Account | None = None, *, is_trusted: bool = True) -> None:
        self._simulator = simulator
        account = account or simulator.account()
        cookie = simulator.directory.open(account, is_trusted=is_trusted)
        self.cookies = {TOKEN_COOKIE: f'"{cookie}"'}
        client = {"clientBuildNumber": "2534Project66", "clientMasteringNumber": "2534B22", "clientId": "auth-1"}
        self.parameters = {**client, "dsid": account.dsid}

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cafile=self._simulator.certificate_authority)
        connector = aiohttp.TCPConnector(ssl=context)
        self.http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def post(self, path: str, body: Any, *, scope: str = "private") -> Any:
        """A CloudKit call's JSON. Raises ClientResponseError for anything but 200."""
        async with self.asking(path, body, scope=scope) as response:
            response.raise_for_status()
            for line in response.headers.getall("Set-Cookie", []):
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
            return await response.json()

    def asking(self, path: str, body: Any, *, scope: str = "private") -> Any:
        """The same with the answer itself: `async with browser.asking(...) as response`."""
        base = f"{self._simulator.hosts.database}/database/1/com.apple.photos.cloud/production/{scope}"
        parameters = {**self.parameters, "getCurrentSyncToken": "True", "remapEnums": "True"}
        data = json.dumps(body)
        headers = {"Content-Type": "text/plain"}
        return self.http.post(f"{base}{path}", data=data, params=parameters, headers={**headers, **self.cookie})

    def fetching(self, url: str, *, range_from: int | None = None, has_cookies: bool = True) -> Any:
        headers = {} if range_from is None else {"Range": f"bytes={range_from}-"}
        return self.http.get(url, headers={**headers, **(self.cookie if has_cookies else {})})

    @property
    def cookie(self) -> dict[str, str]:
        """The header, its values as they came: aiohttp would quote the quotes."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    # -- shorter

    async def changes(self, token: str | None, *, zone: str = "PrimarySync", limit: int = 200) -> Any:
        """One page of changes/zone."""
        asked: dict[str, Any] = {"zoneID": {"zoneName": zone}, "resultsLimit": limit}
        if token is not None:
            asked["syncToken"] = token
        return (await self.post("/changes/zone", {"zones": [asked]}))["zones"][0]

    async def all_changes(self, token: str | None, *, zone: str = "PrimarySync", limit: int = 200) -> Any:
        """Every record since, and the token that is caught up."""
        records: list[Any] = []
        while True:
            page = await self.changes(token, zone=zone, limit=limit)
            records += page["records"]
            token = page["syncToken"]
            if not page["moreComing"]:
                return records, token

    async def query(self, record_type: str, *, zone: str = "PrimarySync", limit: int = 200, **filters: Any) -> Any:
        """One page of records/query; filters by name, a `marker` to go on."""
        given = {"startRank": 0, "direction": "ASCENDING", **filters}
        marker = given.pop("marker", None)
        asked = [
            {"fieldName": name, "fieldValue": {"value": value}, "comparator": "EQUALS"} for name, value in given.items()
        ]
        body = {"query": {"recordType": record_type, "filterBy": asked}, "resultsLimit": limit}
        more = {} if marker is None else {"continuationMarker": marker}
        return await self.post("/records/query", {**body, **more, "zoneID": {"zoneName": zone}})

    async def lookup(self, *names: str, zone: str = "PrimarySync") -> Any:
        """Records by name."""
        asked = {"records": [{"recordName": name} for name in names], "zoneID": {"zoneName": zone}}
        return (await self.post("/records/lookup", asked))["records"]

    async def count(self, index: str) -> int:
        """HyperionIndexCountLookup."""
        condition = {"fieldName": "indexCountID", "fieldValue": {"value": [index]}, "comparator": "IN"}
        query = {"recordType": "HyperionIndexCountLookup", "filterBy": condition}
        batch = [{"resultsLimit": 1, "query": query, "zoneWide": True, "zoneID": {"zoneName": "PrimarySync"}}]
        answered = await self.post("/internal/records/query/batch", {"batch": batch})
        return int(answered["batch"][0]["records"][0]["fields"]["itemCount"]["value"])

    async def update(self, name: str, tag: str, fields: dict[str, Any], *, operation: str = "update") -> Any:
        """records/modify of one asset."""
        values = {key: {"value": value} for key, value in fields.items()}
        record = {"recordName": name, "recordType": "CPLAsset", "recordChangeTag": tag, "fields": values}
        operations = [{"operationType": operation, "record": record}]
        body = {"atomic": True, "operations": operations, "zoneID": {"zoneName": "PrimarySync"}}
        return (await self.post("/records/modify", body))["records"]


def names_of(records: list[Any], record_type: str = "CPLAsset") -> list[str]:
    return [record["recordName"] for record in records if record["recordType"] == record_type]


def link_of(record: Any, prefix: str = "resOriginal") -> str:
    """The download link of a record's resource."""
    return str(record["fields"][f"{prefix}Res"]["value"]["downloadURL"])
