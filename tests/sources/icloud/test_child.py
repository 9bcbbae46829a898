"""A whole life of a sign-in: the daemon's keeper, real children, the real pyicloud, the simulator, a sealed file."""

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE_S

from mediabox.clock import Clock
from mediabox.durable.private import write_private
from mediabox.errors import NeedsHuman, Retryable
from mediabox.model.sign_in import Method, step_of
from mediabox.simulate.icloud.simulator import Simulator
from mediabox.sources.icloud.endpoints import WORLD, Endpoints
from mediabox.sources.icloud.seal import Seal
from mediabox.sources.icloud.sign_in import process
from mediabox.sources.icloud.sign_in.keeper import SignIn
from mediabox.sources.icloud.sign_in.messages import NeedsPassword, SignedIn, Start, WrongCode, WrongPassword
from mediabox.sources.icloud.sign_in.process import ChildProcess, spawn
from mediabox.sources.icloud.sign_in.vault import Account, Vault
from sources.icloud.conftest import APPLE_ID, PASSWORD
from sources.icloud.scripted_apple import Issues


class Daemon:
    """What the daemon would build, over one home folder."""

    def __init__(self, home: Path, endpoints: Endpoints) -> None:
        self.home, self.endpoints = home, endpoints
        self.issues = Issues()
        self.children: list[ChildProcess] = []
        self.restart()

    def restart(self) -> None:
        account = Account(name="anna", apple_id=APPLE_ID, endpoints=self.endpoints)
        self.sign_in = SignIn(
            account,
            vault=Vault(account, Seal(self.home, write=write_private)),
            clock=Clock(),
            open_issue=self.issues.open_issue,
            close_issue=self.issues.close_issue,
            child_factory=self._spawn,
        )

    async def _spawn(self) -> ChildProcess:
        self.children.append(await spawn())
        return self.children[-1]

    async def refusal(self) -> NeedsHuman:
        with pytest.raises(NeedsHuman) as caught:
            await self.sign_in.session()
        return caught.value


def everything_in(folder: Path) -> str:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).decode("latin-1")


@pytest.fixture
async def daemon(tmp_path: Path, endpoints: Endpoints, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    running = Daemon(tmp_path, endpoints)
    yield running
    await running.sign_in.close()


async def test_from_the_password_to_an_expiry_and_on_without_a_restart_and_without_a_secret_in_sight(
    daemon: Daemon, icloud: Simulator, caplog, capfd, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    issues, codes = daemon.issues, []

    assert (await daemon.refusal()).issue == "icloud.password"
    await daemon.sign_in.begin(PASSWORD)
    assert list(issues.open) == ["icloud.code"]
    await daemon.sign_in.send_again(Method.DEVICE)
    codes.append(icloud.code())
    assert await daemon.sign_in.answer_to(step_of("000000" if codes[0] != "000000" else "111111")) == WrongCode()
    assert isinstance(await daemon.sign_in.answer_to(step_of(codes[0])), SignedIn)
    first = await daemon.sign_in.session()
    assert issues.open == {}

    daemon.restart()
    icloud.calls.clear()
    again = await daemon.sign_in.session()
    assert dict(icloud.calls) == {"setup.validate": 1, "setup.web_access": 1}
    assert {cookie.name for cookie in again.cookies} >= {cookie.name for cookie in first.cookies}

    icloud.directory.forget_trust()
    daemon.sign_in.expired(again)
    assert (await daemon.refusal()).issue == "icloud.code"
    assert len(icloud.pushes) == 1  # nobody asked for another yet
    await daemon.sign_in.answer_to(step_of("sms"))
    codes.append(icloud.code())
    assert isinstance(await daemon.sign_in.answer_to(step_of(codes[1])), SignedIn)
    last = await daemon.sign_in.session()
    assert issues.open == {}
    assert [push.way for push in icloud.pushes] == ["device", "sms"]
    assert icloud.account().password == PASSWORD

    assert all(not child.is_alive for child in daemon.children)
    secrets = [PASSWORD, *codes, *(cookie.value for cookie in last.cookies), *last.browser.echoes.values()]
    seen = caplog.text + "".join(capfd.readouterr())
    on_disk = everything_in(tmp_path)
    for secret in secrets:
        if len(secret) >= 6:  # country and status codes are no secrets
            assert secret not in seen
            assert secret not in on_disk


async def test_the_password_is_on_no_command_line_and_in_no_environment(
    daemon: Daemon, icloud: Simulator, monkeypatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/mediabox")
    monkeypatch.setattr("mediabox.sources.icloud.seal.CREDENTIALS", ())
    await daemon.sign_in.begin(PASSWORD)
    await daemon.sign_in.send_again(Method.DEVICE)

    proc = Path("/proc", str(daemon.children[-1]._process.pid))
    command, environment = (proc / "cmdline").read_bytes(), (proc / "environ").read_bytes()

    assert b"sign_in.child" in command
    for secret in (PASSWORD.encode(), icloud.code().encode(), APPLE_ID.encode(), b"CREDENTIALS_DIRECTORY"):
        assert secret not in command + environment


async def test_a_wrong_password_waits_for_a_person_even_after_a_restart(daemon: Daemon, icloud: Simulator) -> None:
    assert await daemon.sign_in.begin("not it") == WrongPassword()

    for _ in range(3):
        daemon.restart()
        assert (await daemon.refusal()).issue == "icloud.password"
        assert isinstance(await daemon.sign_in.begin(), NeedsPassword)

    assert (icloud.calls["auth.init"], icloud.calls["auth.complete"]) == (1, 1)


async def test_a_child_that_dies_says_so_and_keeps_what_it_was_told_to_itself(daemon: Daemon, capfd, caplog) -> None:
    child = await spawn()
    assert child._process.stdin is not None
    child._process.stdin.write(b'{"type": "SubmitCode", "code": "' + PASSWORD.encode() + b'", "code": 7}\n')

    with pytest.raises(Retryable, match="exit code 1"):
        await child.ask(Start(apple_id=APPLE_ID, endpoints=daemon.endpoints, password=PASSWORD))

    (said,) = [each.fields["words"] for each in caplog.records if each.getMessage() == "icloud_sign_in_child_failed"]
    assert "iCloud sign-in child failed: ValidationError at" in said
    assert PASSWORD not in said + caplog.text + "".join(capfd.readouterr())
    assert not child.is_alive


async def test_a_child_that_talks_without_end_blocks_nobody(monkeypatch) -> None:
    """Neither itself nor the daemon, whose own standard error may be a pipe that nobody reads."""
    monkeypatch.setattr(process, "MODULE", "sources.icloud.talkative_child")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    child = await spawn()

    reply = await asyncio.wait_for(child.ask(Start(apple_id=APPLE_ID, endpoints=WORLD)), PATIENCE_S)

    assert reply.answer == NeedsPassword()
    await child.close()
    await child.close()


async def test_a_child_that_is_too_slow_is_ended(daemon: Daemon, icloud: Simulator, monkeypatch) -> None:
    monkeypatch.setattr(process, "REPLY_WITHIN_S", 0.01)
    child = await spawn()

    with pytest.raises(Retryable, match="gave no answer"):
        await child.ask(Start(apple_id=APPLE_ID, endpoints=daemon.endpoints))

    assert not child.is_alive


async def test_a_child_does_not_outlive_whoever_gave_up_waiting(daemon: Daemon) -> None:
    child = await spawn()
    asking = asyncio.ensure_future(child.ask(Start(apple_id=APPLE_ID, endpoints=daemon.endpoints)))
    await asyncio.sleep(0)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert await child._process.wait() == -9


@pytest.mark.parametrize("is_left_open", [True, False])
async def test_a_child_ends_by_itself_when_nobody_speaks(is_left_open: bool) -> None:
    reading, writing = os.pipe()
    code = "from mediabox.sources.icloud.sign_in import child; child.main(patience_s=0.05)"
    ending = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=reading)
    os.close(reading)
    if not is_left_open:
        os.close(writing)

    assert await asyncio.wait_for(ending.wait(), PATIENCE_S) == 0
    if is_left_open:
        os.close(writing)


def test_the_keeper_loads_no_pyicloud() -> None:
    code = "import sys, mediabox.sources.icloud.sign_in.keeper; print({'pyicloud', 'requests', 'srp'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"
