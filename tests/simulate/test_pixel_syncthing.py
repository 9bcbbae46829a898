"""The Syncthing of one's own: quiet, restartable, and gone with whoever started it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mediabox.errors import Fatal, Retryable
from mediabox.simulate.pixel.syncthing_process import RealSyncthing
from tests.simulate.pixel_fixtures import needs_syncthing

pytestmark = needs_syncthing


async def test_calls_nobody_but_its_peers_from_its_first_start_on(tmp_path: Path) -> None:
    async with RealSyncthing(tmp_path / "box") as box:
        options = await box.rest.get("/rest/config/options")
        gui = await box.rest.get("/rest/config/gui")
        said = box.log_file.read_text()

    switches = ("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled", "crashReportingEnabled")
    assert not any(options[switch] for switch in switches)
    assert options["urAccepted"] == -1
    assert options["autoUpgradeIntervalH"] == 0
    assert options["listenAddresses"] == [box.address]
    assert box.address.startswith("tcp://127.0.0.1:")
    assert gui["address"].startswith("127.0.0.1:")
    assert gui["apiKey"] == box.key
    assert "relay" not in said.lower()
    assert "discovery" not in said.lower()


async def test_a_killed_one_comes_back_as_itself(tmp_path: Path) -> None:
    box = RealSyncthing(tmp_path / "box")
    await box.start()
    before = (box.device_id, box.url, box.key, box.address)
    await box.kill()
    with pytest.raises(Retryable, match="did not answer"):
        await box.rest.get("/rest/system/ping")

    await box.start()

    assert (box.device_id, box.url, box.key, box.address) == before
    assert await box.rest.get("/rest/system/ping") == {"ping": "pong"}
    await box.stop()
    assert not box.is_running


async def test_a_refused_call_says_what_was_answered(tmp_path: Path) -> None:
    async with RealSyncthing(tmp_path / "box") as box:
        with pytest.raises(Retryable, match="404 to GET /rest/db/status"):
            await box.rest.get("/rest/db/status", folder="nothing")


async def test_a_home_it_cannot_use_is_named_with_what_it_said(tmp_path: Path) -> None:
    home = tmp_path / "box"
    async with RealSyncthing(home):
        pass
    tree = ET.parse(home / "config.xml")
    tree.getroot().set("version", "9999")  # from a newer Syncthing than this one
    tree.write(home / "config.xml")

    with pytest.raises(Fatal, match=r"(?s)does not start: .*newer"):
        await RealSyncthing(home).start()


def test_dies_with_whoever_started_it(tmp_path: Path) -> None:
    code = """
        import asyncio, os, sys
        from pathlib import Path
        from mediabox.simulate.pixel.syncthing_process import RealSyncthing

        async def main():
            box = RealSyncthing(Path(sys.argv[1]))
            await box.start()
            print(box._process.pid, flush=True)
            os.kill(os.getpid(), 9)

        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "box")], stdout=subprocess.PIPE, check=False
    )

    assert done.returncode == -9
    try:
        syncthing = os.pidfd_open(int(done.stdout))
    except ProcessLookupError:
        return  # gone already
    try:
        select.select([syncthing], [], [])  # readable when it has ended; the test's own time limit ends the wait
    finally:
        os.close(syncthing)
