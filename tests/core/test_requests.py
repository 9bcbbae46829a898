"""What people ask of a source: each is carried out once, in turn, and answered; what is secret is kept nowhere."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from core.catalogue_of import NOW_MS, StoppedClock
from patience import PATIENCE_S

from mediabox.core import requests
from mediabox.core.attention import Attention
from mediabox.core.commands.dispatch import execute_in
from mediabox.core.commands.scan import Scan
from mediabox.core.commands.sign_in import AnswerSignIn, EndSignIn
from mediabox.errors import NeedsHuman, Retryable
from mediabox.model.actor import Actor, ActorKind, Role
from mediabox.model.request import Look, RequestState
from mediabox.model.sign_in import (
    AcceptTerms,
    Method,
    Phone,
    ReadAgain,
    Renew,
    RequestCode,
    RequestConsent,
    SignInAgain,
    SignInResult,
    SignInStep,
    SignOut,
    SubmitCode,
)
from mediabox.store import journal, volumes
from mediabox.store import requests as rows
from mediabox.store.database import Database, open_beside

ANNA = Actor(kind=ActorKind.CONSOLE, name="anna", role=Role.ADMIN)
PART = "source:anna"
MINUTE_MS, DAY_MS = 60_000, 86_400_000
SECRET = "83746501"
STEPS: list[SignInStep] = [
    SubmitCode(code=SECRET),
    RequestCode(method=Method.DEVICE),
    RequestCode(method=Method.SMS, phone="2"),
    RequestConsent(),
    AcceptTerms(),
    SignInAgain(),
    Renew(),
    ReadAgain(),
]


class Account:
    """A source that has an answer of its own for each step."""

    name = "anna"

    def __init__(self, *, refuses: Exception | None = None) -> None:
        self.steps: list[SignInStep] = []
        self.refuses = refuses

    async def sign_in(self, step: SignInStep) -> SignInResult:
        self.steps.append(step)
        if self.refuses is not None:
            raise self.refuses
        return answer(step, len(self.steps))


class Folder:
    name = "cards"


def answer(step: SignInStep, count: int) -> SignInResult:
    return SignInResult(
        is_done=count % 2 == 0, message=f"{count} {type(step).__name__}", phones=(Phone(id="2", masked="+33 • 12"),)
    )


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    async with Database(tmp_path / "mediabox.db") as database:
        yield database


async def give(database: Database, step: SignInStep, *, now_ms: int = NOW_MS, source: str = "anna") -> int:
    command = EndSignIn(source=source) if isinstance(step, SignOut) else AnswerSignIn(source=source, step=step)
    return (await execute_in(database, command, ANNA, now_ms=now_ms)).requests[0]


async def work(database: Database, *sources: object, now_ms: int = NOW_MS) -> list[str]:
    """A daemon's attention, until nothing waits; what it was asked to list."""
    looked: list[str] = []
    attention = Attention(database, None, StoppedClock(now_ms))
    task = asyncio.create_task(attention.mind_requests({one.name: one for one in sources}, looked.append))
    async with asyncio.timeout(PATIENCE_S):
        while await database.read(
            lambda connection: any(rows.waiting(connection, f"source:{s.name}") for s in sources)
        ):
            attention.poke()
            await asyncio.sleep(0)
    task.cancel()
    return looked


async def result(database: Database, number: int, *, now_ms: int = NOW_MS) -> SignInResult | None:
    return await database.read(lambda connection: requests.result_of(connection, number, now_ms=now_ms))


async def take(database: Database, *, now_ms: int = NOW_MS, part: str = PART):
    return await database.write(lambda connection: requests.take(connection, part, now_ms=now_ms))


# ---------------------------------------------------------------- carrying out


async def test_every_step_reaches_its_source_whole_and_gets_a_result_of_its_own(database: Database) -> None:
    account = Account()
    steps = [*STEPS, SignOut()]
    numbers = [await give(database, step) for step in steps]

    await work(database, account)

    assert account.steps == steps
    assert [await result(database, one) for one in numbers] == [
        answer(step, count) for count, step in enumerate(steps, start=1)
    ]
    states = [row.state for row in [await database.read(lambda c, n=n: rows.find(c, n)) for n in numbers]]
    assert states == [RequestState.REFUSED, RequestState.DONE] * 4 + [RequestState.REFUSED]


async def test_four_codes_given_in_a_row_are_each_answered(database: Database) -> None:
    account = Account()
    numbers = [await give(database, SubmitCode(code=str(code) * 6)) for code in range(1, 5)]
    assert len(set(numbers)) == 4

    await work(database, account)

    assert [step.code for step in account.steps] == ["111111", "222222", "333333", "444444"]
    assert [(await result(database, one)).message for one in numbers] == [f"{n} SubmitCode" for n in range(1, 5)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            NeedsHuman("too many", issue="icloud.x", remedy="wait"),
            SignInResult(is_done=False, message="too many", remedy="wait"),
        ),
        (Retryable("patience"), SignInResult(is_done=False, is_for_later=True, message="patience")),
    ],
)
async def test_a_source_that_cannot_is_an_answer_too(
    database: Database, error: Exception, expected: SignInResult
) -> None:
    number = await give(database, Renew())

    await work(database, Account(refuses=error))

    assert await result(database, number) == expected


async def test_a_source_nobody_signs_in_to_says_so(database: Database) -> None:
    number = await give(database, Renew(), source="cards")

    await work(database, Folder())

    refused = await result(database, number)
    assert not refused.is_done
    assert "cards" in str(refused.message)


async def test_what_is_asked_of_a_source_that_is_not_here_does_not_wait_for_ever(database: Database) -> None:
    number = await give(database, SubmitCode(code=SECRET), source="nobody")
    scan = await execute_in(database, Scan(sources=("nobody",)), ANNA, now_ms=NOW_MS)
    attention = Attention(database, None, StoppedClock())
    task = asyncio.create_task(attention.mind_requests({"cards": Folder()}, lambda _: None))

    async with asyncio.timeout(20):
        while await database.read(rows.all_waiting):
            attention.poke()
            await asyncio.sleep(0)
    task.cancel()

    for one in (number, *scan.requests):
        refused = await result(database, one)
        assert not refused.is_done
        assert "nobody" in str(refused.message)


async def test_a_scan_has_each_source_listed_whatever_kind_it_is(database: Database) -> None:
    asked = await execute_in(database, Scan(sources=("anna", "cards")), ANNA, now_ms=NOW_MS - 9 * DAY_MS)

    assert await work(database, Account(), Folder()) == ["anna", "cards"]
    assert [(await result(database, one)).is_done for one in asked.requests] == [True, True]


async def test_what_is_asked_of_one_is_not_given_to_another(database: Database) -> None:
    await give(database, STEPS[0])

    assert await take(database, part="source:ben") is None
    assert (await take(database)).step == STEPS[0]


# ---------------------------------------------------------------- secrets


def traces(home: Path) -> list[str]:
    """Files of a home in which the code's bytes are, wherever in them."""
    return [path.name for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def waiting_files(home: Path) -> list[Path]:
    return list((home / "secrets" / "requests").iterdir())


async def test_a_code_is_in_no_file_of_the_catalogue_and_gone_once_it_was_tried(
    database: Database, tmp_path: Path, capfd
) -> None:
    number = await give(database, SubmitCode(code=SECRET))
    (kept,) = traces(tmp_path)  # while it waits: in its own private file, not in database, log or journal
    assert not kept.startswith("mediabox.db")
    assert [path.stat().st_mode & 0o777 for path in waiting_files(tmp_path)] == [0o600]

    await work(database, Account())

    assert await result(database, number)
    assert traces(tmp_path) == []
    await database.back_up(tmp_path / "copy.db")
    assert traces(tmp_path) == []
    assert SECRET not in "".join(capfd.readouterr())
    assert waiting_files(tmp_path) == []


async def test_nothing_that_is_shown_of_a_code_shows_it(database: Database) -> None:
    command = AnswerSignIn(source="anna", step=SubmitCode(code=SECRET))

    assert SECRET not in f"{command!r} {command}"
    await give(database, command.step)
    assert SECRET not in repr(await take(database))


async def test_the_journal_has_who_asked_for_what_and_how_it_ended(database: Database) -> None:
    number = await give(database, STEPS[2])
    await work(database, Account())

    found = await database.read(lambda connection: [journal._entry(row[:6]) for row in journal._all(connection)])

    assert [(one.event, one.fields) for one in found] == [
        (
            "requested",
            {"request": number, "part": PART, "step": "RequestCode", "actor": "console:anna"},
        ),
        ("request_refused", {"request": number, "part": PART}),
    ]


async def test_a_code_of_a_request_that_was_never_written_is_erased(database: Database, tmp_path: Path) -> None:
    def cut_short(connection) -> None:
        requests.ask(connection, PART, SubmitCode(code=SECRET), actor="a", now_ms=NOW_MS)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(cut_short)
    assert len(traces(tmp_path)) == 1

    assert await take(database) is None

    assert traces(tmp_path) == []


# ---------------------------------------------------------------- too late, crashes


@pytest.mark.parametrize("later_ms", [10 * MINUTE_MS + 1, -10 * MINUTE_MS - 1])
async def test_a_code_of_ten_minutes_ago_or_of_a_wrong_clock_is_not_tried_and_says_so(
    database: Database, tmp_path: Path, later_ms: int
) -> None:
    number = await give(database, SubmitCode(code=SECRET))
    assert await result(database, number) is None
    assert await result(database, number, now_ms=NOW_MS + later_ms) == requests.TOO_OLD

    assert await take(database, now_ms=NOW_MS + later_ms) is None

    assert await result(database, number) == requests.TOO_OLD
    assert traces(tmp_path) == []


async def test_what_a_crash_cut_short_is_not_tried_again_and_says_so(database: Database, tmp_path: Path) -> None:
    lost, later = await give(database, SubmitCode(code=SECRET)), await give(database, Renew())
    await take(database)  # and the power went

    assert (await take(database)).step == Renew()

    assert await result(database, lost) == requests.LOST
    assert await result(database, later) is None
    assert traces(tmp_path) == []


async def test_a_code_whose_file_is_lost_is_not_tried_as_another_one(database: Database, tmp_path: Path) -> None:
    number = await give(database, SubmitCode(code=SECRET))
    for path in waiting_files(tmp_path):
        path.unlink()

    assert await take(database) is None
    assert await result(database, number) == requests.LOST


async def test_settled_ones_are_forgotten_after_a_month_and_no_number_is_given_twice(database: Database) -> None:
    first = await give(database, Renew())
    await work(database, Account())
    second = await give(database, Renew(), now_ms=NOW_MS + 31 * DAY_MS)
    third = await give(database, Renew(), now_ms=NOW_MS + 31 * DAY_MS)

    assert len({first, second, third}) == 3
    assert await database.read(lambda connection: rows.find(connection, first)) is None


# ---------------------------------------------------------------- homes of before


@pytest.fixture
def older(tmp_path: Path, database: Database) -> Iterator[object]:
    with closing(open_beside(tmp_path / "mediabox.db", write=True)) as connection:
        yield connection


@pytest.mark.parametrize(
    ("kept", "steps"),
    [
        (f'{{"text":"123 456","at_ms":{NOW_MS}}}', [SubmitCode(code="123456")]),
        (
            f'[{{"text":"","at_ms":{NOW_MS},"is_taken":true,"outcome":{{}}}},{{"text":"sms:3","at_ms":{NOW_MS}}}]',
            [RequestCode(method=Method.SMS, phone="3")],
        ),
        (f'[{{"text":"scan","at_ms":{NOW_MS}}},{{"text":"reload","at_ms":{NOW_MS + 1}}}]', [Look(), ReadAgain()]),
        (f'[{{"text":"123456","at_ms":{NOW_MS - 11 * MINUTE_MS}}}]', []),
    ],
)
async def test_what_was_said_to_an_older_version_is_read_once(
    database: Database, older, kept: str, steps: list[object]
) -> None:
    volumes.set_switch(older, "icloud_answer:anna", kept)

    taken = []
    while (request := await take(database)) is not None:
        taken.append(request.step)
        await database.write(
            lambda connection, one=request: requests.settle(connection, one, answer(one.step, 2), now_ms=NOW_MS)
        )

    assert taken == steps
    assert await database.read(lambda connection: volumes.switch(connection, "icloud_answer:anna")) is None
