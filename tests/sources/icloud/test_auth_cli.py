"""`mediabox auth`: with a person at the terminal, with and without a running daemon."""

import argparse
import io
import signal
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from mediabox.cli import auth, execute, exits
from mediabox.cli.auth_dialogue import Terminal
from mediabox.clock import Clock
from mediabox.config.load import Config, Enabled, load
from mediabox.core import requests
from mediabox.core.home import locked
from mediabox.errors import Permanent
from mediabox.model.issue import Issue, Severity
from mediabox.model.sign_in import (
    AcceptTerms,
    Method,
    ReadAgain,
    RequestCode,
    RequestConsent,
    SignInAgain,
    SignInResult,
    SignInStep,
    SignOut,
    SubmitCode,
)
from mediabox.simulate.icloud.faults import Fault, Status
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud.endpoints import Endpoints
from mediabox.sources.icloud.settings import Settings
from mediabox.sources.icloud.sign_in.vault import Account
from mediabox.store import issues
from mediabox.store.database import Database, open_beside
from mediabox.store.transaction import transaction
from sources.icloud.conftest import APPLE_ID, PASSWORD

SMS = RequestCode(method=Method.SMS)
CODE = "the code"  # typed by somebody who looks at the simulator's phone


class ScriptedTerminal(Terminal):
    """A person who types what a test says."""

    def __init__(self, icloud: Simulator, *lines: str, passwords: tuple[str, ...] = (PASSWORD,)) -> None:
        super().__init__()
        self.icloud, self.lines, self.passwords = icloud, list(lines), list(passwords)
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    async def password(self, prompt: str) -> str:
        return self.passwords.pop(0) if self.passwords else ""

    async def line(self, prompt: str) -> str | None:
        self.said.append(prompt)
        if not self.lines:
            return None
        line = self.lines.pop(0)
        if line == "tap":
            self.icloud.consent(self.icloud.account())
            return ""
        return self.icloud.code() if line == CODE else line


@pytest.fixture
def account(endpoints: Endpoints, monkeypatch) -> Account:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return Account(name="anna", apple_id=APPLE_ID, endpoints=endpoints)


@pytest.fixture
async def catalogue(tmp_path: Path) -> Path:
    async with Database(tmp_path / "mediabox.db"):
        pass
    return tmp_path / "mediabox.db"


async def test_signs_in_with_one_code_on_the_devices(icloud: Simulator, account: Account, tmp_path: Path) -> None:
    terminal = ScriptedTerminal(icloud, "1", CODE)

    code = await auth.sign_in(tmp_path, account, terminal)

    assert code == exits.OK
    assert terminal.said[-1] == f"{APPLE_ID} is signed in."
    assert [push.way for push in icloud.pushes] == ["device"]
    assert PASSWORD not in "".join(terminal.said)


async def test_a_wrong_code_may_be_followed_by_another_way_and_the_right_one(
    icloud: Simulator, account: Account, tmp_path: Path
) -> None:
    terminal = ScriptedTerminal(icloud, "", "123 45x", "sms", CODE)

    assert await auth.sign_in(tmp_path, account, terminal) == exits.OK

    assert [push.way for push in icloud.pushes] == ["device", "sms"]


async def test_renews_with_a_new_code_though_the_session_is_good(
    icloud: Simulator, account: Account, tmp_path: Path
) -> None:
    await auth.sign_in(tmp_path, account, ScriptedTerminal(icloud, "1", CODE))
    assert await auth.sign_in(tmp_path, account, ScriptedTerminal(icloud, passwords=())) == exits.OK
    assert len(icloud.pushes) == 1

    again = ScriptedTerminal(icloud, "2", CODE, passwords=())
    assert await auth.sign_in(tmp_path, account, again, renews=True) == exits.OK

    assert [push.way for push in icloud.pushes] == ["device", "sms"]


async def test_a_wrong_password_ends_it_with_one_attempt(icloud: Simulator, account: Account, tmp_path: Path) -> None:
    terminal = ScriptedTerminal(icloud, passwords=("wrong", "wrong again"))

    assert await auth.sign_in(tmp_path, account, terminal) == exits.NEEDS_PERSON

    assert icloud.calls["auth.complete"] == 1
    assert "did not accept the password" in terminal.said[-1]


async def test_goes_through_consent_and_terms(icloud: Simulator, account: Account, tmp_path: Path) -> None:
    icloud.account().has_advanced_protection = True
    icloud.account().pending_terms = 3
    terminal = ScriptedTerminal(icloud, "1", CODE, "accept", "", "tap")

    assert await auth.sign_in(tmp_path, account, terminal) == exits.OK

    assert icloud.account().pending_terms is None
    assert icloud.calls["setup.consent"] == 1


async def test_terms_are_not_accepted_for_a_person_who_does_not_say_so(
    icloud: Simulator, account: Account, tmp_path: Path
) -> None:
    icloud.account().pending_terms = 3
    terminal = ScriptedTerminal(icloud, "1", CODE, "yes")

    assert await auth.sign_in(tmp_path, account, terminal) == exits.NEEDS_PERSON

    assert icloud.account().pending_terms == 3


async def test_says_when_to_come_back(icloud: Simulator, account: Account, tmp_path: Path) -> None:
    icloud.faults.add(Fault("auth.init", Status(503, retry_after_s=600)))
    terminal = ScriptedTerminal(icloud)

    assert await auth.sign_in(tmp_path, account, terminal) == exits.TRY_LATER

    assert "waiting time: 10 minutes" in terminal.said[-1]


async def test_closes_the_issue_the_daemon_had_opened_and_tells_it(
    icloud: Simulator, account: Account, tmp_path: Path, catalogue: Path
) -> None:
    first = ScriptedTerminal(icloud)
    assert await auth.sign_in(tmp_path, account, first) == exits.NEEDS_PERSON
    connection = open_beside(catalogue, write=True)
    assert [issue.key for issue in issues.open_issues(connection)] == ["icloud.code"]
    issue = Issue(key="icloud.expires_soon", subject="anna", severity=Severity.NOTICE, message="soon")
    with transaction(connection):
        issues.open_issue(connection, issue, at_ms=1)

    await auth.sign_in(tmp_path, account, ScriptedTerminal(icloud, "1", CODE, passwords=()))

    assert issues.open_issues(connection) == []
    assert taken(connection) == ReadAgain()
    connection.close()


async def test_a_code_goes_to_the_running_daemon_once(
    icloud: Simulator, account: Account, catalogue: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(auth, "OUTCOME_WITHIN_S", 0.0)  # nobody works here
    tmp_path, poked = catalogue.parent, []
    before = signal.signal(signal.SIGHUP, lambda number, _: poked.append(number))  # as the daemon does
    connection = open_beside(catalogue, write=True)

    try:
        with locked(tmp_path):
            assert await auth.answer(tmp_path, account, SubmitCode(code="123456")) == exits.OK
    finally:
        signal.signal(signal.SIGHUP, before)

    assert len(poked) == 1
    assert (taken(connection), taken(connection)) == (SubmitCode(code="123456"), None)
    assert "123456" not in capsys.readouterr().out
    assert sum(icloud.calls.values()) == 0
    connection.close()


SIGNED_IN = SignInResult(is_done=True, is_signed_in=True, message="anna is signed in.")
NOT_IT = SignInResult(is_done=False, message="That was not the code.", remedy="Another.")
LATER = SignInResult(is_done=False, is_for_later=True, message="Apple cannot be asked now")


@pytest.mark.parametrize(
    "end",
    [
        (SIGNED_IN, exits.OK, "is signed in"),
        (NOT_IT, exits.NEEDS_PERSON, "not the code.\n  Another."),
        (LATER, exits.TRY_LATER, "be asked now"),
    ],
)
async def test_what_the_daemon_made_of_a_code_is_said_with_its_exit_code(
    account: Account, catalogue: Path, capsys, monkeypatch, end: tuple[SignInResult, int, str]
) -> None:
    result, code, words = end
    with closing(open_beside(catalogue, write=True)) as connection:

        def work(_: Path) -> bool:
            with transaction(connection):
                request = requests.take(connection, "source:anna", now_ms=Clock().wall_ms())
                assert request is not None
                assert request.step == SubmitCode(code="123456")
                requests.settle(connection, request, result, now_ms=Clock().wall_ms())
            return True

        monkeypatch.setattr(execute, "poke", work)
        with locked(catalogue.parent):
            assert await auth.answer(catalogue.parent, account, SubmitCode(code="123456")) == code
    assert words in capsys.readouterr().out


async def test_signed_out_without_a_daemon_everything_is_forgotten_here(
    icloud: Simulator, account: Account, tmp_path: Path, capsys
) -> None:
    await auth.sign_in(tmp_path, account, ScriptedTerminal(icloud, "1", CODE))

    assert await auth.answer(tmp_path, account, SignOut()) == exits.OK

    assert "is signed out." in capsys.readouterr().out
    calls = sum(icloud.calls.values())
    assert await auth.answer(tmp_path, account, SignInAgain()) == exits.NEEDS_PERSON
    assert sum(icloud.calls.values()) == calls


async def test_a_code_without_a_daemon_is_used_here(
    icloud: Simulator, account: Account, tmp_path: Path, capsys
) -> None:
    await auth.sign_in(tmp_path, account, ScriptedTerminal(icloud))

    assert await auth.answer(tmp_path, account, SMS) == exits.NEEDS_PERSON
    assert "Apple has sent a code" in capsys.readouterr().out


async def test_a_code_apple_has_no_ear_for_is_for_later(icloud: Simulator, account: Account, tmp_path: Path) -> None:
    await auth.sign_in(tmp_path, account, ScriptedTerminal(icloud))
    icloud.faults.add(Fault("*", Status(503), times=None))

    assert await auth.answer(tmp_path, account, SMS) == exits.TRY_LATER


# ---------------------------------------------------------------- arguments


def config(*names: str, type_: str = "icloud") -> Config:
    enabled = [Enabled(name=name, type=type_, settings=Settings(apple_id=APPLE_ID)) for name in names]
    return msgspec.structs.replace(load(Path("/nowhere")), sources=tuple(enabled))


def test_names_the_account_only_where_there_are_several() -> None:
    assert auth._account(config("anna"), None).name == "anna"
    assert auth._account(config("anna", "ben"), "ben").name == "ben"
    with pytest.raises(Permanent, match="anna, ben"):
        auth._account(config("anna", "ben"), None)
    with pytest.raises(Permanent, match=r"\[sources.photos\]"):
        auth._account(config("anna", type_="folder"), None)


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({"what": "123 456"}, SubmitCode(code="123456")),
        ({"send": "device"}, RequestCode(method=Method.DEVICE)),
        ({"send": "sms:2"}, RequestCode(method=Method.SMS, phone="2")),
        ({"consent": True}, RequestConsent()),
        ({"terms": True}, AcceptTerms()),
        ({"action": "out", "what": "anna"}, SignOut()),
    ],
)
def test_says_one_thing_at_a_time(given: dict, step: SignInStep) -> None:
    nothing = {"action": "code", "what": None, "send": None, "consent": False, "terms": False}

    assert auth._step(argparse.Namespace(**nothing | given)) == step
    with pytest.raises(Permanent, match="give one of"):
        auth._step(argparse.Namespace(**nothing))
    with pytest.raises(Permanent, match="give one of"):
        auth._step(argparse.Namespace(**nothing | {"what": "1"} | {"send": "sms", "consent": True}))
    with pytest.raises(Permanent, match="neither a code"):
        auth._step(argparse.Namespace(**nothing | {"what": "hello"}))


async def test_reads_the_password_from_standard_input_once(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n123456\n"))
    terminal = Terminal(password_from_stdin=True)

    assert await terminal.password("Password: ") == PASSWORD
    assert await terminal.line("Code:") == "123456"
    assert await terminal.line("Code:") is None
    assert await terminal.password("Password: ") == ""
    assert PASSWORD not in capsys.readouterr().out


def taken(connection) -> object:
    with transaction(connection):
        request = requests.take(connection, "source:anna", now_ms=Clock().wall_ms())
    return request and request.step
