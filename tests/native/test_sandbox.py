"""The armed child: what a hijacked decoder may still do. Real processes, real kernel."""

import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attacks
import pytest

from mediabox.contracts import ExamineRequest
from mediabox.errors import NeedsHuman
from mediabox.model.asset import Kind
from mediabox.native import landlock, sandbox, syscalls
from mediabox.native.worker import MediaWorkers

SCRIPTED = str(Path(__file__).with_name("scripted_child.py"))

needs_seccomp = pytest.mark.skipif(not syscalls.is_available(), reason="libseccomp is not installed")
needs_landlock = pytest.mark.skipif(landlock.abi() < 6, reason="this kernel's Landlock is older than ABI 6")

# What neither Landlock nor a namespace refuses; the system-call filter does.
ONLY_THE_FILTER_REFUSES = frozenset({"fork", "aim SIGIO at the daemon", "use io_uring", "map memory as code"})


@asynccontextmanager
async def workers(layers: str) -> AsyncIterator[MediaWorkers]:
    media = MediaWorkers(2, command=(sys.executable, SCRIPTED, layers))
    try:
        yield media
    finally:
        await media.close()


async def outcomes_of_attacks(layers: str, tmp_path: Path) -> dict[str, str]:
    address = str(tmp_path / "daemon.sock")
    descriptor = os.open(__file__, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen()
            async with workers(layers) as media:
                request = ExamineRequest(name=f"attack {address}", kind=Kind.PICTURE, size_bytes=0)
                caption = (await media.examine(descriptor, request)).facts.caption
    finally:
        os.close(descriptor)
    assert caption is not None
    return json.loads(caption)


def proc(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


@needs_seccomp
@pytest.mark.parametrize("layers", ["seccomp", "namespaces,landlock,seccomp"])
async def test_the_filter_refuses_every_attack_with_or_without_the_other_layers(layers: str, tmp_path: Path) -> None:
    outcomes = await outcomes_of_attacks(layers, tmp_path)

    assert set(outcomes) == set(attacks.ATTACKS)
    assert [name for name, outcome in outcomes.items() if outcome == "allowed"] == []
    assert outcomes["take 2 GiB"] == "MemoryError"


@needs_landlock
async def test_landlock_in_an_empty_root_refuses_files_network_and_other_processes(tmp_path: Path) -> None:
    outcomes = await outcomes_of_attacks("namespaces,landlock", tmp_path)

    allowed = {name for name, outcome in outcomes.items() if outcome == "allowed"}
    assert allowed <= ONLY_THE_FILTER_REFUSES


async def test_the_attacks_work_where_nothing_is_armed() -> None:
    """Or the tests above prove nothing."""
    harmless = ("read a file", "list a folder", "fork", "execute a program", "signal the daemon", "map memory as code")

    outcomes = {name: attacks.outcome_of(attacks.ATTACKS[name]) for name in harmless}

    assert set(outcomes.values()) == {"allowed"}


@pytest.mark.parametrize("layers", ["", "namespaces", "landlock"])
async def test_nothing_is_parsed_where_nothing_confines_the_decoder(layers: str) -> None:
    async with workers(layers) as media:
        with pytest.raises(NeedsHuman) as refusal:
            await media.greet()

        assert refusal.value.issue == "sandbox.missing"
        assert media.processes() == []


async def test_the_child_says_what_holds_it_in() -> None:
    async with workers("landlock,seccomp") as media:
        layers = (await media.greet()).layers

    assert layers.seccomp == syscalls.is_available()
    assert layers.landlock_abi == landlock.abi()
    assert not layers.namespaces


async def test_the_child_is_the_first_the_kernel_takes_and_the_last_it_serves() -> None:
    async with workers("seccomp,landlock") as media:
        await media.greet()
        pid = media.processes()[0].pid

        assert os.getpriority(os.PRIO_PROCESS, pid) >= sandbox.NICE
        assert int(proc(pid, "oom_score_adj")) >= sandbox.OOM_SCORE_ADJ


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read the environment of a process that is not dumpable")
async def test_the_child_gets_nothing_of_the_daemons_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "of the household")
    async with workers("seccomp,landlock") as media:
        await media.greet()

        assert b"A_SECRET" not in proc(media.processes()[0].pid, "environ")


@pytest.mark.parametrize(
    ("layers", "suffices"),
    [
        (sandbox.SandboxLayers(seccomp=True), True),
        (sandbox.SandboxLayers(landlock_abi=7), False),
        (sandbox.SandboxLayers(landlock_abi=7, namespaces=True), False),
        (sandbox.SandboxLayers(landlock_abi=1, namespaces=True, empty_root=True), True),
        (sandbox.SandboxLayers(namespaces=True, empty_root=True), False),
    ],
)
def test_one_layer_must_cover_files_network_and_processes(layers: sandbox.SandboxLayers, *, suffices: bool) -> None:
    assert layers.suffices is suffices
