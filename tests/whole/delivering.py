"""A box, its Syncthing and a phone with its own, killed over and over while photos go through a small window.

The three are real: the daemon in a process of its own, two Syncthings on loopback. Only the
phone's owner and Google Photos are played.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from patience import PATIENCE_S

from mediabox.destinations.pixel import pairing
from mediabox.destinations.pixel.syncthing import Syncthing
from mediabox.simulate.pixel.phone import Phone
from mediabox.simulate.pixel.storage import Storage
from mediabox.simulate.pixel.syncthing_process import RealSyncthing
from whole.box import Household, kill

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

NAME = "anna"
GB = 1_000_000_000
SPARE_BYTES = 1 * GB  # what Android keeps to itself


class Road:
    """From a household's archive to Google Photos. `async with` it; `live` is one stretch of its life."""

    def __init__(self, box: Household, root: Path, *, window_bytes: int, seed: int) -> None:
        self.box, self._window_bytes = box, window_bytes
        self.lots = random.Random(seed)
        self.syncthing = RealSyncthing(root / "box-syncthing", name="box")
        storage = Storage(size_bytes=SPARE_BYTES + 3 * window_bytes)
        self.phone = Phone(root / "phone", storage=storage)
        self.phone.battery.is_charging = True  # days of its time pass
        self.kills: Counter[str] = Counter()
        self._log = root / "daemon.log"
        self._daemon: subprocess.Popen[str] | None = None

    async def __aenter__(self) -> Self:
        await self.syncthing.start()
        await self.phone.start()
        self._configure()
        await self._pair()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.end_daemon()
        await self.phone.stop()
        await self.syncthing.stop()

    def _configure(self) -> None:
        """Every deletion counts at once: how large ones are told apart has tests of its own."""
        config = self.box.home / "mediabox.toml"
        config.write_text(
            f"{self.box.configuration()}\n[destinations.{NAME}]\n"
            f'type = "pixel"\nurl = "{self.syncthing.url}"\nkey = "{self.syncthing.key}"\n'
            f"window_gb = {self._window_bytes / GB}\nbacked_up_after_s = 0\nsmallest_side = 0\n",
            encoding="utf-8",
        )

    async def _pair(self) -> None:
        other = self.phone.syncthing
        await self.phone.know(self.syncthing.device_id, address=self.syncthing.address)
        await self.syncthing.add_device(other.device_id, name="phone", address=other.address)
        folder = self.box.home / "outbox" / NAME / "photos"
        folder.mkdir(parents=True)
        client = Syncthing(self.syncthing.url, self.syncthing.key, name=NAME)
        try:
            await pairing.pair(
                client,
                folder_id=f"mediabox-{NAME}",
                label=NAME,
                outbox=folder,
                archive=self.box.archive,
                home=self.box.home,
                device_id=other.device_id,
            )
        finally:
            await client.close()

    # ------------------------------------------------------------ life

    async def live(self) -> None:
        """A minute on the phone, with whatever its owner does; everything that is down comes up again."""
        if not self.syncthing.is_running:
            await self.syncthing.start()
        await self.phone.launch()
        if self._daemon is None or self._daemon.poll() is not None:
            self.start_daemon()
        await self.phone.tick(60.0)
        await self.phone.scan()
        await self.phone.back_up()
        if self.lots.random() < 0.3 and self.has_shown():
            await self.phone.free_up()

    def has_shown(self) -> bool:
        """Whether the box has ever seen the phone have anything: before that, a deletion proves nothing to it."""
        return self.states()["stored"] + self.states()["freed"] > 0

    async def kill_something(self) -> None:
        victims: dict[str, Callable[[], Awaitable[None]]] = {
            "box": self._kill_daemon,
            "box's Syncthing": self.syncthing.kill,
            "phone's Syncthing": self.phone.kill_syncthing,
            "phone": self.phone.reboot,
        }
        name = self.lots.choice(list(victims))
        await victims[name]()
        self.kills[name] += 1

    async def _kill_daemon(self) -> None:
        self.end_daemon()

    def start_daemon(self, **env: str) -> subprocess.Popen[str]:
        self._daemon = self.box.start(once=False, env=env, log=self._log)
        return self._daemon

    def end_daemon(self) -> None:
        if self._daemon is not None:
            kill(self._daemon)
        self._daemon = None

    def stop_daemon(self) -> str:
        """Let it end by itself; what it logged, with all that were killed before it."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGTERM)
        self._daemon.wait(timeout=PATIENCE_S)
        self._daemon = None
        return self._log.read_text(encoding="utf-8", errors="replace")

    # ------------------------------------------------------------ what came of it

    def states(self) -> Counter[str]:
        """By state; nothing while the daemon is still making its catalogue."""
        question = "SELECT 1 FROM sqlite_master WHERE name = 'delivery'"
        if not ((self.box.home / "mediabox.db").exists() and self._ask(question)):
            return Counter()
        return Counter(dict(self._ask("SELECT state, count(*) FROM delivery GROUP BY state")))

    def doubts(self) -> list[tuple[str, str, str]]:
        return self._ask("SELECT name, state, note FROM delivery WHERE state NOT IN ('freed', 'queued') AND note <> ''")

    def _ask(self, question: str) -> list[tuple]:
        connection = sqlite3.connect(f"file:{self.box.home / 'mediabox.db'}?mode=ro", uri=True)
        try:
            return connection.execute(question).fetchall()
        finally:
            connection.close()

    def arrived(self) -> Counter[str]:
        """How often each file's bytes came to Google Photos."""
        return Counter(backup.digest for backup in self.phone.backups())

    def wanted(self) -> Counter[str]:
        """Each once, duplicates among them too."""
        files = (path for path in self.box.pictures.rglob("*") if path.is_file())
        return Counter({sha256(path.read_bytes()).hexdigest() for path in files})


async def until(is_true: Callable[[], bool], live: Callable[[], Awaitable[None]], *, stretches: int) -> bool:
    """Live on until it is so; whether it ever was."""
    for _ in range(stretches):
        if is_true():
            return True
        await live()
        await asyncio.sleep(0.3)
    return is_true()
