"""A service is kept running: what that means, played in virtual time."""

import asyncio
import logging
import random

import pytest
from virtual_time import LoopClock, run_virtually

from mediabox.errors import Away, Fatal, NeedsHuman, Retryable
from mediabox.model.issue import Issue
from mediabox.supervise import supervise


@pytest.fixture(autouse=True)
def seeded() -> None:
    random.seed(7)


class Book:
    """Issues as a person sees them."""

    def __init__(self) -> None:
        self.opened: list[Issue] = []
        self.closed: list[tuple[str, str]] = []

    async def open(self, issue: Issue) -> None:
        self.opened.append(issue)

    async def close(self, key: str, subject: str) -> None:
        self.closed.append((key, subject))


class Scripted:
    """A service whose runs are told in advance: seconds it lasts, and how it ends. Then it returns."""

    def __init__(self, *runs: tuple[float, BaseException]) -> None:
        self._runs = list(runs)
        self.started_s: list[float] = []

    async def __call__(self) -> None:
        self.started_s.append(asyncio.get_running_loop().time())
        if self._runs:
            lasts_s, error = self._runs.pop(0)
            await asyncio.sleep(lasts_s)
            raise error

    @property
    def waits_s(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.started_s, self.started_s[1:], strict=False)]


def play(service: Scripted, book: Book | None = None) -> Book:
    book = book or Book()
    run_virtually(
        supervise("mqtt", service, clock=LoopClock(), open_issue=book.open, close_issue=book.close)  # type: ignore[arg-type]
    )
    return book


def test_a_service_that_returns_is_done() -> None:
    service = Scripted()

    play(service)

    assert len(service.started_s) == 1


def test_a_service_that_fails_is_started_again_ever_later_up_to_a_limit() -> None:
    service = Scripted(*[(0, OSError("refused"))] * 12)

    play(service)

    waits = service.waits_s
    assert len(waits) == 12
    assert waits[0] <= 5.001
    assert waits[4] >= 39.999  # half of 5 * 2**4
    assert max(waits) <= 320.001
    assert min(waits[6:]) >= 159.999
    assert len({round(wait, 3) for wait in waits[6:]}) == 6  # never in step, not even at the limit


def test_waits_differ_so_that_services_do_not_come_back_together() -> None:
    services = [Scripted((0, OSError())) for _ in range(5)]

    for service in services:
        play(service)

    assert len({service.waits_s[0] for service in services}) == 5


def test_never_comes_back_before_the_other_side_asked_for() -> None:
    service = Scripted((0, Retryable("busy", retry_after_s=1000)))

    play(service)

    assert service.waits_s[0] >= 999.999


def test_a_healthy_run_starts_the_count_anew() -> None:
    service = Scripted(*[(0, OSError())] * 8, (61, OSError()), (0, OSError()))

    play(service)

    assert service.waits_s[7] > 60
    assert service.waits_s[8] <= 61 + 5.001
    assert service.waits_s[9] <= 10.001


def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    play(Scripted(*[(1, OSError("refused"))] * 6, (100, OSError("again"))))

    assert [record.message for record in caplog.records] == ["service_failed", "service_recovered", "service_failed"]
    assert caplog.records[0].exc_info is not None


def test_five_failures_close_together_open_one_issue_that_closes_when_it_runs_again() -> None:
    few = play(Scripted(*[(0, OSError("refused"))] * 4))
    many = play(Scripted(*[(0, OSError("refused"))] * 9, (100, OSError())))

    assert few.opened == []
    assert [(issue.key, issue.subject) for issue in many.opened] == [("service.failing", "mqtt")]
    assert "refused" in str(many.opened[0].message)
    assert many.closed == [("service.failing", "mqtt")]


def test_failures_far_apart_are_nobodys_business() -> None:
    book = play(Scripted(*[(59, OSError())] * 4, *[(700, OSError())] * 6))

    assert book.opened == []


def test_an_error_that_only_a_person_can_mend_opens_the_issue_it_names_at_once() -> None:
    book = play(
        Scripted((0, NeedsHuman("password refused", issue="mqtt.sign_in", subject="broker", remedy="change it")))
    )

    assert [(issue.key, issue.subject, issue.remedy) for issue in book.opened] == [
        ("mqtt.sign_in", "broker", "change it")
    ]


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "in a group of groups"])
def test_a_fatal_error_ends_it(wrapped: bool) -> None:
    fatal = Fatal("the database is newer than this program")
    error = ExceptionGroup("a", [OSError(), ExceptionGroup("b", [fatal])]) if wrapped else fatal
    service = Scripted((0, error), (0, OSError()))

    with pytest.raises(Fatal) as raised:
        play(service)

    assert raised.value is fatal
    assert len(service.started_s) == 1


def test_what_a_group_asks_for_is_found_in_it() -> None:
    service = Scripted((0, ExceptionGroup("both", [OSError(), Away("gone", part="nas", retry_after_s=777)])))

    play(service)

    assert service.waits_s[0] >= 776.999


@pytest.mark.parametrize("when_s", [0.5, 3.0, 200.0])
def test_cancelling_ends_it_whether_it_runs_or_waits(when_s: float) -> None:
    async def story() -> None:
        service = Scripted((1, OSError()), (1, OSError()), (10_000, OSError()))
        task = asyncio.ensure_future(
            supervise("mqtt", service, clock=LoopClock(), open_issue=Book().open)  # type: ignore[arg-type]
        )
        await asyncio.sleep(when_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtually(story())


def test_a_service_that_fails_while_it_is_told_to_stop_is_not_started_again() -> None:
    starts = []

    async def stubborn() -> None:
        starts.append(1)
        try:
            await asyncio.sleep(1000)
        finally:
            raise OSError("the socket was closed already")

    async def story() -> None:
        task = asyncio.ensure_future(
            supervise("mqtt", stubborn, clock=LoopClock(), open_issue=Book().open)  # type: ignore[arg-type]
        )
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtually(story())

    assert starts == [1]
