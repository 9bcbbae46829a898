"""iCloud's source in front of the simulator, signed in without the way through sign-in."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import msgspec

from mediabox.contracts import Page
from mediabox.model.asset import Kind, RemoteAsset, RemoteResource, Resource, ResourceState
from mediabox.model.sign_in import SignInResult, SignInStep
from mediabox.simulate.icloud.directory import Account
from mediabox.simulate.icloud.library import PRIMARY, Library
from mediabox.simulate.icloud.setup import TOKEN_COOKIE
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.simulate.icloud.synthetic import Mixture, SyntheticStock
from mediabox.simulate.icloud.zone import Zone
from mediabox.sources.icloud import ICloud, Settings
from mediabox.sources.icloud.budget import Budget, CallRate
from mediabox.sources.icloud.endpoints import Hosts
from mediabox.sources.icloud.session import Browser, Cookie, Session

# Fast enough that no test waits for the budget; `test_budget` is about the real one.
EAGER = CallRate(records_per_s=10_000, records_burst=10_000, contents_per_s=10_000, contents_burst=10_000)


class SimulatedKeeper:
    """Obeys `connection.Keeper`: signs in to the simulator whenever the last session was refused.

    `sealed` is what a restart would go on with: hand it to the next one.
    """

    def __init__(self, simulator: Simulator, account: Account | None = None, *, sealed: Session | None = None) -> None:
        self._simulator = simulator
        self._account = account or simulator.account()
        self._session = self.sealed = sealed
        self._renewed: tuple[Cookie, ...] = ()
        self.sign_ins = 0

    async def session(self) -> Session:
        if self._session is None:
            self.sign_ins += 1
            self._session = self.sealed = session_of(self._simulator, self._account)
        return self._session

    def renewed(self, session: Session, cookies: tuple[Cookie, ...]) -> None:
        if session is self._session:
            self._renewed = cookies

    async def seal(self) -> None:
        if self._session is not None and self._renewed:
            browser = msgspec.structs.replace(self._session.browser, cookies=self._renewed)
            self.sealed = msgspec.structs.replace(self._session, browser=browser)

    def expired(self, session: Session) -> None:
        if session is self._session:
            self._session, self._renewed = None, ()

    async def take(self, step: SignInStep) -> SignInResult:
        """Nobody asks this one anything."""
        return SignInResult(is_done=True)

    async def close(self) -> None:
        """Nothing is under way."""


def session_of(simulator: Simulator, account: Account) -> Session:
    """What signing in would leave."""
    value = simulator.directory.open(account, is_trusted=True)
    cookie = Cookie(name=TOKEN_COOKIE, value=f'"{value}"', domain=simulator.hosts.cookie_domain or "127.0.0.1")
    return Session(
        apple_id=account.apple_id,
        dsid=account.dsid,
        browser=Browser(client_id="auth-1", cookies=(cookie,)),
        photos_url=simulator.hosts.database,
        upload_url=simulator.hosts.upload,
        country="FRA",
        is_trusted=True,
        signed_in_at_ms=simulator.clock.wall_ms(),
    )


def source_of(
    simulator: Simulator,
    *,
    keeper: Any = None,
    budget: Budget | None = None,
    **settings: Any,
) -> ICloud:
    """A source of the simulator's first account, with the simulator's clock."""
    return ICloud(
        Settings(apple_id="someone@example.com", hosts=hosts_of(simulator), **settings),
        name="cloud",
        keeper=keeper or SimulatedKeeper(simulator),
        budget=budget or Budget(clock=simulator.clock, limits=EAGER, dice=random.Random(7)),
        clock=simulator.clock,
    )


def hosts_of(simulator: Simulator) -> Hosts:
    """What a person would write into the settings."""
    hosts = simulator.hosts
    authority = str(simulator.certificate_authority)
    return Hosts(auth=hosts.auth_origin, setup=hosts.setup_origin, home=hosts.home, ca_file=authority)


class Reader:
    """What intake does with a source, as far as a test needs it: takes pages in and keeps the cursor."""

    def __init__(self, source: ICloud) -> None:
        self.source = source
        self.cursor: str | None = None
        self.assets: dict[str, RemoteAsset] = {}
        self.pages: list[Page] = []  # of the last look

    async def look(self) -> list[Page]:
        """One listing to its end."""
        self.pages = []
        async for page in self.source.pages(self.cursor):
            self.take(page)
        return self.pages

    def take(self, page: Page) -> None:
        self.pages.append(page)
        self.assets |= {asset.remote_id: asset for asset in page.assets}
        self.cursor = page.cursor or self.cursor

    def resources(self) -> list[RemoteResource]:
        return [resource for asset in self.assets.values() for resource in asset.resources]

    def named(self, name: str) -> RemoteAsset:
        """The one asset whose original is called so."""
        (found,) = [each for each in self.assets.values() if each.resources[0].name == name]
        return found

    @property
    def told(self) -> list[RemoteAsset]:
        """Assets of the last look."""
        return [asset for page in self.pages for asset in page.assets]

    @property
    def turns(self) -> list[tuple[str, str]]:
        return [(change.remote_id, change.turn.value) for page in self.pages for change in page.changes]


def taken_in(remote: RemoteResource) -> Resource:
    return Resource(
        id=1,
        asset_id=1,
        source="cloud",
        remote_id=remote.remote_id,
        version=remote.version,
        name=remote.name,
        kind=remote.kind or Kind.PICTURE,
        role=remote.role,
        state=ResourceState.SEEN,
        size_bytes=remote.size_bytes,
    )


def calls_of(simulator: Simulator, names: Iterable[str] = ()) -> int:
    """Calls of the photo database since the counter was cleared."""
    of_interest = tuple(names) or ("zones.", "changes.", "records.")
    return sum(count for name, count in simulator.calls.items() if name.startswith(of_interest))


def give_stock(simulator: Simulator, count: int, *, is_signed: bool = False, **mixture: Any) -> Library:
    """Fill the account's personal library with made-up photos, oldest first, that take no room."""
    stock = SyntheticStock(count, mixture=Mixture(**mixture))
    if is_signed:
        stock.sign()
    library = Library(clock=simulator.clock, personal=Zone(PRIMARY, owner="_owner", stock=stock))
    library.vault.keep_stock(stock)
    simulator.account().library = library
    return library
