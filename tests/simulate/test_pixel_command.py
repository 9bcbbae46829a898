"""`mediabox simulate pixel` as a person starts it, and the orders it takes while it runs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from patience import PATIENCE_S

from mediabox.__main__ import main
from mediabox.clock import Clock
from mediabox.simulate.command.pixel import _reached
from mediabox.simulate.pixel.control import Control
from mediabox.simulate.pixel.orders import Done, FreeUp, Order, script
from mediabox.simulate.pixel.phone import Habits
from mediabox.simulate.pixel.routine import Auto, Routine
from mediabox.simulate.pixel.syncthing_process import RealSyncthing
from tests.simulate.pixel_fixtures import SHARED, needs_syncthing, paired

NAMES = ("IMG_0101.JPG", "IMG_0102.JPG", "IMG_0103.JPG")


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mediabox", "simulate", "pixel", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=PATIENCE_S) == 0


def pictures(media: Path) -> list[Path]:
    return [next((media / "library").rglob(name)) for name in NAMES]


async def asked(url: str, what: str, body: dict[str, Any] | None = None, *, status: int = 200) -> Any:
    async with aiohttp.ClientSession() as http:
        call = http.get(f"{url}/{what}") if body is None else http.post(f"{url}/{what}", json=body)
        async with call as response:
            assert response.status == status, await response.text()
            return await response.json(content_type=None)


@needs_syncthing
def test_prints_what_a_mediabox_needs_and_ends_when_asked(tmp_path: Path) -> None:
    with started(str(tmp_path / "phone"), "--box", "--model", "pixel_3") as process:
        assert process.stdout is not None
        printed = ""
        while "Ctrl-C" not in printed:
            printed += process.stdout.readline()

    assert re.search(r"\[destinations\.phone\]\ntype = \"pixel\"\nmodel = \"pixel_3\"\nurl = \"http://127", printed)
    device = re.search(r"Device id +([A-Z2-7-]{63})", printed)
    assert device is not None
    assert f"mediabox pixel pair phone --device {device[1]}" in printed


@needs_syncthing
async def test_meets_a_box_that_runs_already(tmp_path: Path) -> None:
    async with RealSyncthing(tmp_path / "box") as box:
        with started(str(tmp_path / "phone"), "--json", "--box-url", box.url, "--box-key", box.key) as process:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())

            async def is_asking() -> bool:
                return facts["device_id"] in await box.rest.get("/rest/cluster/pending/devices")

            await box.rest.until(is_asking)

    assert facts["box"] == {"url": box.url, "key": box.key, "device_id": box.device_id}


@needs_syncthing
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--storage", "plenty"], "--storage plenty: a size"),
        (["--script", "/nowhere/script"], "--script /nowhere/script"),
        (["--box-url", "http://127.0.0.1:1", "--box-key", "k"], "is --box-url right"),
    ],
)
def test_says_what_was_wrong(options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["simulate", "pixel", str(tmp_path / "phone"), *options])

    assert code != 0
    assert said in capsys.readouterr().err


def test_names_the_package_when_there_is_no_syncthing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["simulate", "pixel", str(tmp_path / "phone")]) != 0

    assert "sudo apt install syncthing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "listens", "reached"),
    [
        ("http://127.0.0.1:8384", ["tcp://127.0.0.1:22001"], "tcp://127.0.0.1:22001"),
        ("https://nas:8384", ["default"], "tcp://nas:22000"),
        ("http://nas", ["quic://0.0.0.0:22000", "tcp://:22010"], "tcp://nas:22010"),
    ],
)
def test_finds_where_the_box_takes_calls(url: str, listens: list[str], reached: str) -> None:
    assert _reached(url, listens) == reached


# -- orders


@needs_syncthing
async def test_orders_over_http_do_what_they_say(tmp_path: Path, media: Path) -> None:
    async with paired(tmp_path) as pair, Control(pair.phone) as control:
        names = await pair.put(*pictures(media))
        await pair.until_on_phone(*names)
        url = control.url

        assert await asked(url, "pass", {"seconds": 5}) == {}
        assert await asked(url, "backup", {}) == {"files": 3}
        assert await asked(url, "edit", {"name": "IMG_0103.JPG"}) == {"files": 1, "names": [f"{SHARED}/IMG_0103.JPG"]}
        assert (await asked(url, "free-up", {}))["files"] == 2
        await asked(url, "stall", {})
        await asked(url, "charge", {"percent": 34})
        await asked(url, "warm", {"celsius": 41.5})
        await asked(url, "fill", {"free_bytes": 12})
        state = await asked(url, "state")

        assert await asked(url, "files") == {f"{SHARED}/IMG_0103.JPG": (pair.phone.roll.root / names[2]).stat().st_size}
        assert (state["on_phone"], state["backed_up"], state["freed"]) == (1, 3, 2)
        assert (state["battery_percent"], state["battery_celsius"], state["is_charging"]) == (34, 41.5, True)
        assert (state["is_stalled"], state["free_bytes"], state["is_reachable"]) == (True, 12, True)
        assert state["device_id"] == pair.phone.syncthing.device_id
        async with aiohttp.ClientSession() as http, http.get(f"{url}/cloud") as response:
            lines = (await response.text()).splitlines()
        assert sorted(json.loads(line)["name"] for line in lines) == sorted(names)


@needs_syncthing
async def test_every_order_works_on_a_phone_that_runs(tmp_path: Path, media: Path) -> None:
    async with paired(tmp_path) as pair, Control(pair.phone) as control:
        names = await pair.put(*pictures(media))
        await pair.until_on_phone(*names)
        url = control.url
        for what, body in (
            ("doze", {"every_s": 60, "window_s": 10}), ("wake", {}), ("airplane", {}), ("airplane", {"on": False}),
            ("kill", {}), ("state", None), ("scan", {}), ("launch", {}), ("reboot", {}),
        ):  # fmt: skip
            await asked(url, what, body)

        assert (await asked(url, "delete", {"count": 2}))["names"] == sorted(names)[:2]
        assert (await asked(url, "wipe", {}))["names"] == sorted(names)[2:]
        await pair.until_gone_from_box(*names)


@needs_syncthing
async def test_an_order_that_cannot_be_carried_out_says_why(tmp_path: Path) -> None:
    async with paired(tmp_path) as pair, Control(pair.phone) as control:
        url = control.url

        assert "explode" in (await asked(url, "explode", {}, status=400))["error"]
        assert "seconds" in (await asked(url, "pass", {}, status=400))["error"]
        assert "IMG_9.JPG" in (await asked(url, "edit", {"name": "IMG_9.JPG"}, status=404))["error"]
        assert "percent" in (await asked(url, "charge", {"percent": "full"}, status=400))["error"]


# -- days


class Told:
    def __init__(self) -> None:
        self.orders: list[tuple[Order, Done]] = []

    def __call__(self, order: Order, done: Done) -> None:
        self.orders.append((order, done))

    def names(self) -> list[str]:
        return [type(order).__name__ for order, _ in self.orders]


@needs_syncthing
async def test_an_owner_who_looks_after_it_empties_the_phone(tmp_path: Path, media: Path) -> None:
    async with paired(tmp_path, habits=Habits(backup_bytes_s=10**6)) as pair:
        told = Told()
        days = Routine(pair.phone, Clock(), auto=Auto(free_up_every_s=60), tell=told)
        await pair.put(*pictures(media))

        async def is_freed() -> bool:
            await days.step(20)
            return pair.phone.freed == len(NAMES)

        await pair.phone.syncthing.rest.until(is_freed)

        await pair.until_gone_from_box(*NAMES)
        assert len(pair.phone.backups()) == len(NAMES)
        assert sum(done.files or 0 for order, done in told.orders if isinstance(order, FreeUp)) == len(NAMES)


@needs_syncthing
async def test_a_script_is_played_on_the_phones_own_clock(tmp_path: Path) -> None:
    async with paired(tmp_path) as pair:
        told = Told()
        lines = script("10 charge\n5 stall\n0 edit name=nothing.jpg\n5 airplane\n100 wake")
        days = Routine(pair.phone, Clock(), script=lines, tell=told)

        played = []
        for _ in range(5):
            await days.step(6)
            played.append(told.names())

        assert played == [[], ["Charge"], ["Charge", "Stall"], *[["Charge", "Stall", "Airplane"]] * 2]
        assert pair.phone.media_store.is_stalled
        assert not pair.phone.is_reachable
