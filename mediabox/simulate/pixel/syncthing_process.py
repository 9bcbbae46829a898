"""A real Syncthing in a home of its own, on loopback alone, that never outlives whoever started it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, Self

from mediabox.errors import Fatal, Retryable
from mediabox.simulate.pixel import syncthing_config
from mediabox.simulate.pixel.rest import Rest

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "syncthing"  # Debian's
PROGRAM = "MEDIABOX_SYNCTHING"  # environment: another one than that on the path, to try several versions
_CONFIG = "config.xml"
_LEASH = (sys.executable, "-s", "-P", "-m", "mediabox.simulate.pixel.leash")
# Below what the kernel gives to outgoing connections (ip_local_port_range), so that nobody
# gets our port between two starts.
_PORTS = range(15_000, 32_000)
_ATTEMPTS = 3  # to find free ports: another test may take one between our look and the start
_START_S = 240.0
_STOP_S = 15.0
_LOOK_S = 0.05
_TAIL_BYTES = 600


def program() -> str:
    return os.environ.get(PROGRAM) or PACKAGE


def is_installed() -> bool:
    return shutil.which(program()) is not None


class RealSyncthing:
    """`async with RealSyncthing(home) as syncthing:` runs one; `home` is made when it is not there.

    Start it from a thread that lives as long as it does (the main one): it dies with its thread.
    Ports, key and device id stay the same in the same home. Its own words are in `log_file`.
    """

    def __init__(self, home: Path, *, name: str = "") -> None:
        self.home = home
        self.name = name or home.name  # as its peers see it
        self.log_file = home / "syncthing.log"
        self.device_id = ""
        self.address = ""  # where its peers reach it
        self._rest: Rest | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def rest(self) -> Rest:
        """Raises RuntimeError before the first start."""
        if self._rest is None:
            raise RuntimeError(f"Syncthing {self.name} was never started")
        return self._rest

    @property
    def url(self) -> str:
        return self.rest.url

    @property
    def key(self) -> str:
        return self.rest.key

    @property
    def short_id(self) -> str:
        """As `modifiedBy` names it: the first seven characters."""
        return self.device_id[:7]

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    # -- life

    async def start(self) -> None:
        """Run it and wait until it answers. Raises Fatal when it cannot be started."""
        if self.is_running:
            return
        is_new = not (self.home / _CONFIG).exists()
        for _ in range(_ATTEMPTS if is_new else 1):
            if is_new:
                await self._make_home()
            if await self._answers():
                break
            await self.kill()
        else:
            raise Fatal(f"Syncthing in {self.home} does not start: {self._tail()}")
        if is_new:
            await self.rest.patch(f"/rest/config/devices/{self.device_id}", {"name": self.name})

    async def stop(self) -> None:
        """End it as a person would."""
        await self._end(signal.SIGTERM)
        if self._rest is not None:
            await self._rest.close()

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)
        if self._rest is not None:
            await self._rest.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- peers and folders

    async def add_device(self, device_id: str, *, name: str, address: str = "dynamic") -> None:
        """Know a peer; without an address, wait until it calls."""
        await self.rest.put(
            f"/rest/config/devices/{device_id}", {"deviceID": device_id, "name": name, "addresses": [address]}
        )

    async def share_folder(self, folder_id: str, path: Path, *, devices: tuple[str, ...], **settings: Any) -> None:
        """Share `path` (made when it is not there) with these peers, as both sides of a phone do."""
        await asyncio.to_thread(path.mkdir, parents=True, exist_ok=True)
        members = [{"deviceID": device} for device in (self.device_id, *devices)]
        whole = {
            "id": folder_id,
            "label": folder_id,
            "path": str(path),
            "type": "sendreceive",
            "devices": members,
            "ignorePerms": True,
            "fsWatcherDelayS": 1,
            "maxConflicts": 0,
            **settings,
        }
        await self.rest.put(f"/rest/config/folders/{folder_id}", whole)

    async def scan(self, folder_id: str) -> None:
        """Look at the folder now, and return when that is done."""
        await self.rest.post("/rest/db/scan", folder=folder_id)

    async def connected(self) -> list[str]:
        """Device ids of the peers it talks with now."""
        connections = (await self.rest.get("/rest/system/connections"))["connections"]
        return [peer for peer, connection in connections.items() if connection["connected"]]

    # -- inside

    async def _make_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        config = self.home / _CONFIG
        if not config.exists():
            await self._generate()
        gui_port, listen_port = _free_ports()
        await asyncio.to_thread(syncthing_config.quieten, config, gui_port=gui_port, listen_port=listen_port)

    async def _generate(self) -> None:
        process = await self._spawn("generate")
        async with asyncio.timeout(_START_S):
            code = await process.wait()
        if code:
            raise Fatal(f"`{PACKAGE} generate` ended with {code}: {self._tail()}")

    async def _answers(self) -> bool:
        """Whether it came up."""
        url, key, self.address = await asyncio.to_thread(syncthing_config.read, self.home / _CONFIG)
        self._rest = Rest(url, key)
        self._process = await self._spawn("serve")
        async with asyncio.timeout(_START_S):
            while self._process.returncode is None:
                try:
                    self.device_id = (await self._rest.get("/rest/system/status"))["myID"]
                    return True
                except Retryable:  # not yet
                    await asyncio.sleep(_LOOK_S)
        return False

    async def _spawn(self, verb: str) -> asyncio.subprocess.Process:
        """Without options that only some versions know: the environment's names stayed the same into 2.x.

        `STMONITORED` says that somebody watches over it already. Else it would put a monitor of its own
        above itself, and a kill would hit that one and leave the Syncthing running.
        """
        environment = {
            **os.environ,
            "HOME": str(self.home),
            "STMONITORED": "yes",
            "STHASHING": "standard",  # else each start measures for a second which one is faster
            "STNOUPGRADE": "1",
            "STNODEFAULTFOLDER": "1",
        }
        leash = (*_LEASH, str(os.getpid()))
        with self.log_file.open("ab") as log:
            try:
                return await asyncio.create_subprocess_exec(
                    *leash, program(), verb, f"--home={self.home}",
                    stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                )  # fmt: skip
            except OSError as err:
                raise Fatal(f"{program()} cannot be run: {err}") from err

    async def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        self._process = None
        for each in (number, signal.SIGKILL):
            if process.returncode is None:
                process.send_signal(each)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
                return

    def _tail(self) -> str:
        try:
            return self.log_file.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
        except FileNotFoundError:
            return "it said nothing"


def _free_ports() -> tuple[int, int]:
    """Two that nobody listens on now."""
    found: list[int] = []
    numbers = random.SystemRandom()
    while len(found) < 2:
        port = numbers.choice(_PORTS)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)):
                found.append(port)
    return found[0], found[1]
