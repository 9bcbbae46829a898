"""Two accounts in one house have one line: what they may do at once is shared, as their calls are."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from patience import PATIENCE_S
from virtual_time import LoopClock, run_virtually

from mediabox.clock import Clock
from mediabox.contracts import SourceTools
from mediabox.durable.private import write_private
from mediabox.durable.publish import remove_at
from mediabox.model.issue import Issue
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud import ICloud, Settings
from mediabox.sources.icloud.budget import Budget
from mediabox.sources.icloud.household import Household
from mediabox.stages.fetch import FETCHES, Fetch
from sources.conformance import MemorySink
from sources.icloud.signed_in import EAGER, Reader, SimulatedKeeper, give_stock, hosts_of, source_of, taken_in

PHOTOS = 12


class Rendezvous:
    """In the place of a simulator's line: how many downloads are under way, and the most there ever were.

    The first ones wait until as many as are `expected` have begun.
    """

    def __init__(self, expected: int) -> None:
        self.now = self.most = 0
        self._expected, self._met = expected, asyncio.Event()

    async def answer(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        if self.most >= self._expected:
            self._met.set()
        async with asyncio.timeout(PATIENCE_S):
            await self._met.wait()
        await asyncio.sleep(0.02)  # for one too many to begin, if it may

    async def carry(self, length: int) -> None:
        del length
        self.now -= 1


def settings(**given: object) -> Settings:
    return Settings(apple_id="someone@example.com", **given)


@pytest.mark.parametrize(("streams", "most"), [((1, 1), 1), ((3, 3), 3), ((1, 4), 4), ((4, 2), 4)])
async def test_accounts_together_keep_to_the_largest_number_of_streams(
    icloud: Simulator, monkeypatch: pytest.MonkeyPatch, streams: tuple[int, int], most: int
) -> None:
    give_stock(icloud, PHOTOS, live=0.0, still_bytes=2000)
    line = Rendezvous(most)
    monkeypatch.setattr(icloud.line, "answer", line.answer)
    monkeypatch.setattr(icloud.line, "carry", line.carry)
    household, budget = Household(icloud.clock), Budget(clock=icloud.clock, limits=EAGER)
    accounts = [
        ICloud(
            settings(hosts=hosts_of(icloud), streams=number),
            name=name,
            keeper=SimulatedKeeper(icloud),
            budget=budget,
            household=household,
            clock=icloud.clock,
        )
        for name, number in zip(("anna", "ben"), streams, strict=True)
    ]
    async with asyncio.TaskGroup() as group:
        for account in accounts:
            reader = Reader(account)
            await reader.look()
            for remote in reader.resources():
                group.create_task(account.fetch(taken_in(remote), MemorySink()))

    assert icloud.calls["content"] == 2 * PHOTOS
    assert line.most == most
    for account in accounts:
        await account.close()


async def test_the_queue_hands_out_as_many_fetches_as_there_are_streams(icloud: Simulator) -> None:
    few, many = source_of(icloud, streams=1), source_of(icloud, streams=5)

    assert width({"anna": few}) == FETCHES
    assert width({"anna": few, "ben": many}) == 5


def width(sources: Mapping[str, ICloud]) -> int:
    nothing = cast("Any", None)  # neither a spool nor an older backup is asked for it
    return Fetch(sources, nothing, nothing).width


def test_the_tightest_limit_holds_for_all_together() -> None:
    async def story() -> None:
        household = Household(LoopClock())
        for limit in (None, 2.0, 1.0, 5.0):
            household.join(settings(bandwidth=limit))

        for _ in range(40):
            await household.bandwidth.spend(500_000)

        assert 18 <= asyncio.get_running_loop().time() <= 20.5

    run_virtually(story())


def test_accounts_of_one_box_are_built_with_one_line_and_one_budget(tmp_path: Path) -> None:
    async def issue(_: Issue) -> None: ...

    async def close(_key: str, _subject: str) -> None: ...

    shared: dict[str, object] = {}
    for name in ("anna", "ben"):
        tools = SourceTools(
            name=name,
            home=tmp_path,
            excluded_roots=(),
            clock=Clock(),
            remove=remove_at,
            write_private=write_private,
            open_issue=issue,
            close_issue=close,
            shared=shared,
        )
        ICloud.build(settings(streams=5), tools)

    assert sorted(type(each).__name__ for each in shared.values()) == ["Budget", "Household"]
    (household,) = [each for each in shared.values() if isinstance(each, Household)]
    assert household.lanes._value == 5
