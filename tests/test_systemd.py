"""What systemd hears, on a real socket."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediabox import systemd


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def said(listener: socket.socket) -> str:
    return listener.recv(4096).decode("utf-8")


def test_says_ready_status_and_stopping(heard: socket.socket) -> None:
    systemd.ready()
    systemd.status("12 of 40 filed")
    systemd.stopping()

    assert [said(heard) for _ in range(3)] == ["READY=1", "STATUS=12 of 40 filed", "STOPPING=1"]


def test_a_status_may_hold_any_letter(heard: socket.socket) -> None:
    systemd.status("waiting: 81 °C … 😀")

    assert said(heard) == "STATUS=waiting: 81 °C … 😀"


def test_a_status_cannot_say_anything_else(heard: socket.socket) -> None:
    systemd.status("IMG\nSTOPPING=1\r\nMAINPID=1")

    assert said(heard) == "STATUS=IMG STOPPING=1 MAINPID=1"


def test_an_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0mediabox-test-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@mediabox-test-{os.getpid()}")
        systemd.ready()

        assert said(listener) == "READY=1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    systemd.ready()


def test_a_socket_that_is_gone_does_not_stop_us(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))

    systemd.ready()


@pytest.mark.parametrize(
    ("microseconds", "pid", "period_s"),
    [
        ("30000000", None, 30.0),
        pytest.param("30000000", os.getpid(), 30.0, id="ours"),
        ("30000000", 1, None),
        ("0", None, None),
        ("x", None, None),
        (None, None, None),
    ],
)
def test_the_watchdogs_period_is_ours_only_when_systemd_means_us(
    microseconds: str | None, pid: int | None, period_s: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, str(value))

    assert systemd.watchdog_period_s() == period_s


async def test_the_watchdog_ends_at_once_when_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)

    await systemd.watchdog()


async def test_the_watchdog_is_fed_as_long_as_the_proof_returns(
    heard: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    proofs = 0
    withheld_twice = asyncio.Event()

    async def proof() -> None:
        nonlocal proofs
        proofs += 1
        if proofs == 6:
            withheld_twice.set()
        if proofs > 3:
            await asyncio.Event().wait()  # hangs, as a writer that waits for a dead disk

    feeding = asyncio.ensure_future(systemd.watchdog(proof))
    await withheld_twice.wait()
    feeding.cancel()

    assert [said(heard) for _ in range(3)] == ["WATCHDOG=1"] * 3
    with pytest.raises(BlockingIOError):
        said(heard)
