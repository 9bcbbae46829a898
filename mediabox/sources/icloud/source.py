"""The iCloud source: what `contracts.Source` promises, for the photos of one Apple account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Self, TypeVar

from mediabox.clock import Clock
from mediabox.contracts import Page, RemoteState, Sink, SourceTools
from mediabox.errors import Away, Permanent, Retryable
from mediabox.message import message
from mediabox.model.asset import RemoteResource, Resource
from mediabox.model.issue import Issue
from mediabox.sources.icloud.budget import Budget
from mediabox.sources.icloud.checksum import FileChecksum, checksum_of
from mediabox.sources.icloud.cloudkit import CloudKit, LibraryGone
from mediabox.sources.icloud.complaints import complaints_of
from mediabox.sources.icloud.connection import AppleConnection, Keeper
from mediabox.sources.icloud.download import Downloads
from mediabox.sources.icloud.endpoints import endpoints
from mediabox.sources.icloud.household import Household
from mediabox.sources.icloud.libraries import no_library
from mediabox.sources.icloud.links import DownloadUrlCache, DownloadUrls
from mediabox.sources.icloud.listing import AccountListing
from mediabox.sources.icloud.refusals import OFFLINE
from mediabox.sources.icloud.release import RecentlyDeleted
from mediabox.sources.icloud.schedule import PollSchedule
from mediabox.sources.icloud.seal import Seal
from mediabox.sources.icloud.settings import Settings
from mediabox.sources.icloud.sign_in.keeper import SignIn
from mediabox.sources.icloud.sign_in.vault import Vault, account_of

if TYPE_CHECKING:
    from mediabox.model.sign_in import SignInResult, SignInStep
    from mediabox.model.status import Calls
    from mediabox.sources.icloud.questions import Scope

BUDGET = "icloud.budget"  # under which key all accounts share theirs
HOUSEHOLD = "icloud.household"

CLOSE_EVERY_S = 86_400.0  # what an answer left out once is found within a day, for one call
MOST_DENIALS = 3  # what passes has passed by then, a minute or more apart each

T = TypeVar("T")


class ICloud:
    """Photos of one account. One listing at a time; fetches may run beside it.

    `budget` and `household` are those all accounts share, `keeper` is this account's sign-in.
    Nothing is asked of Apple before the first listing or fetch.
    """

    removes_after_archiving = False
    resumes = True

    def __init__(
        self,
        settings: Settings,
        *,
        name: str,
        keeper: Keeper,
        budget: Budget,
        household: Household | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        self.name = name
        self.mirrors_deletions = settings.deletion == "mirror"
        self.streams = settings.streams
        self.budget = budget
        self._settings = settings
        self._clock = clock
        self._keeper = keeper
        where = endpoints(settings.region, hosts=settings.hosts)
        self._connection = AppleConnection(name=name, keeper=keeper, endpoints=where)
        self._cloud = CloudKit(self._connection, budget=budget, clock=clock)
        self._cache = DownloadUrlCache(clock)
        scopes: tuple[Scope, ...] = ("private", "shared")
        household = household or Household(clock)
        household.join(settings)
        self._downloads = Downloads(
            self._connection,
            DownloadUrls(self._cloud, cache=self._cache, scopes=scopes),
            budget=budget,
            bandwidth=household.bandwidth,
            lanes=household.lanes,
            clock=clock,
        )
        self._schedule = PollSchedule(clock, poll_s=settings.poll_s)
        self._complaints: tuple[Issue, ...] = ()
        self._close_at_s = 0.0
        self._denials = 0  # listings in a row that ended with a library Apple denies
        self._bin = RecentlyDeleted(self._cloud)

    @classmethod
    def build(cls, settings: Settings, tools: SourceTools) -> Self:
        """With a sign-in of its own, the one budget of all accounts (P9) and their one line."""
        budget = _shared(tools, BUDGET, Budget(clock=tools.clock))
        household = _shared(tools, HOUSEHOLD, Household(tools.clock))
        keeper = SignIn(
            account_of(tools.name, settings),
            vault=Vault(account_of(tools.name, settings), Seal(tools.home, write=tools.write_private)),
            clock=tools.clock,
            open_issue=tools.open_issue,
            close_issue=tools.close_issue,
        )
        return cls(settings, name=tools.name, keeper=keeper, budget=budget, household=household, clock=tools.clock)

    @property
    def unsettled(self) -> int:
        """Always 0: what is still being uploaded comes with a later change."""
        return 0

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        """Everything the first time, newest first; later only what changed. A page is at most 100 assets.

        Raises Away when Apple cannot be reached, wants a pause or is still indexing;
        NeedsHuman when somebody has to sign in, or the account has no photo library.
        """
        is_close = self._clock.monotonic_s() >= self._close_at_s
        listing = AccountListing(
            self._cloud,
            settings=self._settings,
            keep=self._cache.listed,
            clock=self._clock,
            name=self.name,
            is_close=is_close,
        )
        self._schedule.failed()  # until it has come to its end
        try:
            async with aclosing(listing.pages(cursor)) as pages:
                async for page in pages:
                    yield page
        except LibraryGone as gone:
            self._denials += 1
            if self._denials >= MOST_DENIALS:
                raise no_library(self.name) from gone
            raise
        except Away:
            raise
        except Retryable as err:  # an answer nobody understands is no listing
            part = f"source:{self.name}"
            raise Away(err.text, part=part, retry_after_s=err.retry_after_s, remedy=OFFLINE) from err
        finally:
            await self._connection.seal()
        self._denials = 0
        if is_close:
            self._close_at_s = self._clock.monotonic_s() + CLOSE_EVERY_S
        if listing.end is not None:
            self._complaints = complaints_of(listing.end, self.name)
        self._schedule.listed()

    async def peek(self, resource: RemoteResource) -> bytes:
        """The first 4 KiB at most."""
        return await self._downloads.peek(resource)

    async def sample(self, resource: Resource, offset: int, length: int) -> bytes:
        """These bytes of a file, fewer at its end."""
        return await self._downloads.sample(resource, offset, length)

    def checksum(self, resource: Resource) -> FileChecksum | None:
        """Apple's own, of the whole file."""
        return checksum_of(resource.version)

    async def fetch(self, resource: Resource, sink: Sink) -> None:
        """Pour the file into `sink`, at most `streams` at a time of all accounts."""
        await self._downloads.fetch(resource, sink)

    async def remove(self, resource: Resource) -> None:
        """Never: freeing iCloud is a decision of its own (`release`). Raises Permanent."""
        raise Permanent(message("removing {name} from iCloud is not enabled", name=resource.name))

    @property
    def releases(self) -> bool:
        """Never beside a mirror: what we freed ourselves must not come back as a deletion of the person's."""
        return self._settings.release and self._settings.deletion == "keep"

    async def state_of(self, remote_ids: Sequence[str]) -> Mapping[str, RemoteState]:
        """Photos as they are in iCloud now. Raises Away, NeedsHuman."""
        return await self._bin.state_of(remote_ids)

    async def release(self, state: RemoteState) -> None:
        """Move a photo to Recently Deleted. `mediabox.contracts.Releasing` says what an error means."""
        self._refuse_unless_allowed()
        await self._bin.release(state)

    async def restore(self, state: RemoteState) -> None:
        """Bring a photo back from Recently Deleted."""
        self._refuse_unless_allowed()
        await self._bin.restore(state)

    def _refuse_unless_allowed(self) -> None:
        if not self.releases:
            raise Permanent(message("removing photos from iCloud is not allowed for {source}", source=self.name))

    async def wait(self, timeout_s: float) -> bool:
        """True when the next look is due, or was asked for."""
        return await self._schedule.wait(timeout_s)

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        self._schedule.ask()

    def complaints(self) -> Sequence[Issue]:
        """What the last complete listing could make no asset of, and whether files can be fetched at all."""
        return (*self._complaints, *self._downloads.dead.complaints())

    def figures(self) -> Sequence[Calls]:
        """Calls of this account, by endpoint."""
        return self.budget.counts(self.name)

    async def sign_in(self, step: SignInStep) -> SignInResult:
        """One step of a person's, then look at once. Raises Retryable, NeedsHuman."""
        try:
            return await self._keeper.take(step)
        finally:
            self.wake()

    async def close(self) -> None:
        """Close the connections. May be repeated."""
        await self._connection.seal()
        await self._connection.close()
        await self._keeper.close()


def _shared(tools: SourceTools, key: str, ours: T) -> T:
    """What the first account left there for all of them."""
    shared = tools.shared.setdefault(key, ours)
    if not isinstance(shared, type(ours)):
        message = f"{key} is shared as a {type(shared).__name__}"
        raise TypeError(message)
    return shared
