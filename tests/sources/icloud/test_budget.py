"""The budget in virtual time: hours of refusals in milliseconds."""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from virtual_time import LoopClock, run_virtually

from mediabox.errors import Away
from mediabox.sources.icloud.budget import PATIENCE_S, Budget, Call, CallKind, CallRate

Server = Callable[[Call], None]


def well(call: Call) -> None:
    """Answer."""


def busy(call: Call) -> None:
    call.refuse()


def busy_at_once(call: Call) -> None:
    call.refuse(retry_after_s=0)


def busy_for_long(call: Call) -> None:
    call.refuse(retry_after_s=900)


def stranger(call: Call) -> None:
    call.refuse_account()


def broken(call: Call) -> None:
    raise ConnectionResetError


ANSWERS: tuple[Server, ...] = (well, busy, busy_at_once, busy_for_long, stranger, broken)


class Apple:
    """Answers as it likes, and remembers when it was asked."""

    def __init__(self, budget: Budget, answers: Callable[[], Server], *, takes_s: float = 0.05) -> None:
        self.asked_at_s: list[float] = []
        self._budget = budget
        self._answers = answers
        self._takes_s = takes_s

    async def ask(self, *, account: str = "anna", lane: CallKind = CallKind.RECORDS) -> None:
        async with self._budget.call("records/query", account=account, lane=lane) as call:
            self.asked_at_s.append(asyncio.get_running_loop().time())
            await asyncio.sleep(self._takes_s)
            self._answers()(call)

    async def besiege(
        self, *, clients: int, until_s: float, rest_s: float = 0.5, lanes: tuple[CallKind, ...] = tuple(CallKind)
    ) -> None:
        """Clients without any manners: whatever happens, they ask again, without heeding `retry_after_s`."""

        async def client(number: int) -> None:
            lane = lanes[number % len(lanes)]
            while asyncio.get_running_loop().time() < until_s:
                try:
                    await self.ask(account=f"account {number % 2}", lane=lane)
                except (Away, ConnectionResetError):
                    await asyncio.sleep(rest_s)

        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(client(number))

    def most_within(self, seconds: float) -> int:
        times = sorted(self.asked_at_s)
        return max((bisect_left(times, at + seconds) - index for index, at in enumerate(times)), default=0)


def budget_of(limits: CallRate | None = None, *, seed: int = 7) -> Budget:
    return Budget(clock=LoopClock(), limits=limits, dice=random.Random(seed))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=12),
    seed=st.integers(0, 1000),
    clients=st.integers(1, 12),
)
def test_no_storm_whatever_the_server_answers(script: list[Server], seed: int, clients: int) -> None:
    limits = CallRate(records_per_s=2, records_burst=5, contents_per_s=3, contents_burst=7)

    async def story() -> None:
        dice = random.Random(seed)
        apple = Apple(budget_of(limits, seed=seed), lambda: dice.choice(script))

        await apple.besiege(clients=clients, until_s=150)

        assert apple.asked_at_s
        for seconds in (1, 10, 60):
            most = 5 + 7 + int(seconds * (2 + 3)) + 1  # both bursts, and what comes back meanwhile
            assert apple.most_within(seconds) <= most

    run_virtually(story())


def test_a_server_that_always_refuses_is_asked_a_few_times_an_hour() -> None:
    async def story() -> None:
        apple = Apple(budget_of(), lambda: busy)

        await apple.besiege(clients=8, until_s=4 * 3600, rest_s=15)

        last_hour = [at for at in apple.asked_at_s if at > 3 * 3600]
        assert len(last_hour) <= 12

    run_virtually(story())


def test_a_pause_that_was_asked_for_is_kept_to_the_second_and_one_asks_first() -> None:
    async def story() -> None:
        answers = iter([busy_for_long])
        apple = Apple(budget_of(), lambda: next(answers, well), takes_s=2)

        await apple.besiege(clients=5, until_s=1000, rest_s=3, lanes=(CallKind.RECORDS,))

        first, *others = [at for at in apple.asked_at_s if at > 5]
        assert first >= 900
        assert min(others) >= first + 2  # the others wait for the answer to the first

    run_virtually(story())


def test_whoever_would_wait_long_is_told_when_to_come_back() -> None:
    async def story() -> None:
        apple = Apple(budget_of(), lambda: busy_for_long)
        await apple.ask()

        with pytest.raises(Away) as away:
            await apple.ask()

        assert away.value.part == "source:anna"
        assert PATIENCE_S < (away.value.retry_after_s or 0) <= 900

    run_virtually(story())


def test_an_account_that_is_turned_away_keeps_nobody_else_waiting() -> None:
    async def story() -> None:
        apple = Apple(budget_of(), lambda: stranger)
        budget = apple._budget
        await apple.ask(account="anna")

        assert budget.is_open("anna")
        assert not budget.is_open("bert")
        before = asyncio.get_running_loop().time()
        await apple.ask(account="bert")
        assert asyncio.get_running_loop().time() - before < 0.1

    run_virtually(story())


def test_a_long_download_does_not_keep_the_others_from_finding_out() -> None:
    async def story() -> None:
        budget = budget_of()
        async with budget.call("content", account="anna", lane=CallKind.CONTENT) as call:
            call.refuse(retry_after_s=5)
        await asyncio.sleep(6)

        async with budget.call("content", account="anna", lane=CallKind.CONTENT) as call:
            call.answered()
            async with budget.call("content", account="anna", lane=CallKind.CONTENT):
                pass  # reached while the first still streams

    run_virtually(story())


def test_a_probe_that_is_cancelled_leaves_its_place_to_another() -> None:
    async def story() -> None:
        answers = iter([busy])
        apple = Apple(budget_of(), lambda: next(answers, well), takes_s=30)
        await apple.ask()
        await asyncio.sleep(60)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await apple.ask()
        await apple.ask()

        assert len(apple.asked_at_s) == 3

    run_virtually(story())


def test_keeps_the_counts_of_accounts_apart() -> None:
    async def story() -> None:
        budget = budget_of()
        for account in ("ben", "anna", "ben"):
            async with budget.call("records/query", account=account):
                pass

        assert [(count.source, count.calls) for count in budget.counts()] == [("anna", 1), ("ben", 2)]
        assert [count.calls for count in budget.counts("ben")] == [2]

    run_virtually(story())


def test_counts_calls_errors_and_refusals_of_each_endpoint() -> None:
    async def story() -> None:
        budget = budget_of()
        async with budget.call("changes/zone", account="anna"):
            pass
        async with budget.call("records/query", account="anna") as call:
            call.fail()
        async with budget.call("records/query", account="anna") as call:
            call.refuse()

        told = {count.endpoint: (count.calls, count.errors, count.refusals) for count in budget.counts()}
        assert told == {"changes/zone": (1, 0, 0), "records/query": (2, 2, 1)}

    run_virtually(story())
