"""A real Syncthing on loopback for a test: its own home, no discovery, no relays, no NAT, ports of its own.

Plain and blocking on purpose: a test drives the *other* side with it, beside whatever is
tested. `stop` and `kill` are certain, and the kernel ends it should the test run die.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from patience import PATIENCE_S

from mediabox.simulate.pixel import syncthing_config

Answer = TypeVar("Answer")

PORTS = range(20_000, 32_000)  # below those the kernel gives to outgoing connections (ip_local_port_range)


def missing() -> str:
    """Why no Syncthing can be started here; "" when one can."""
    lacking = [name for name in (program(), "setpriv") if shutil.which(name) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


def program() -> str:
    """The one on the path, or that in the environment variable MEDIABOX_SYNCTHING: an absolute path."""
    return os.environ.get("MEDIABOX_SYNCTHING") or "syncthing"


class Refused(Exception):
    """Syncthing answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class RealSyncthing:
    """One Syncthing with the folder `home`. Not started by itself."""

    def __init__(self, home: Path, *, name: str, tls: bool = False) -> None:
        self.home = home
        self.name = name
        self.key = ""
        self.gui_port, self.sync_port = free_ports(2)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.gui_port}"
        self.address = f"tcp://127.0.0.1:{self.sync_port}"
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self.id = ""

    def start(self) -> Self:
        """Run, once it answers. Goes on where an earlier run of the same home stopped.

        From a thread that lives as long: the kernel ends it with the thread that started it (prctl(2)).
        """
        if not (self.home / "config.xml").exists():
            self._generate()
        argv = ["setpriv", "--pdeathsig", "KILL", program(), "serve", f"--home={self.home}"]
        with open(self.home / "log", "ab") as log:
            self._process = subprocess.Popen(
                [*argv, "--no-browser", "--no-restart"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
            )
        eventually(self._answers, f"{self.name} to answer")
        self.id = self.get("system/status")["myID"]
        self.patch(f"config/devices/{self.id}", {"name": self.name})
        return self

    def stop(self) -> None:
        """Ask it to end, and see to it. Once it has, its database is closed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would, except that what it wrote is kept."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def suspend(self) -> None:
        """Let nothing of it run any more, as a phone in doze does; connections stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def get(self, path: str, **query: str) -> Any:
        return self._call("GET", path, query)

    def post(self, path: str, body: object = None, **query: str) -> Any:
        return self._call("POST", path, query, body)

    def put(self, path: str, body: object) -> Any:
        return self._call("PUT", path, {}, body)

    def patch(self, path: str, body: object) -> Any:
        return self._call("PATCH", path, {}, body)

    def delete(self, path: str, **query: str) -> Any:
        return self._call("DELETE", path, query)

    def knows(self, other: "RealSyncthing", **more: object) -> None:
        """Add the other one as a device."""
        device = {"deviceID": other.id, "name": other.name, "addresses": [other.address], **more}
        self.put(f"config/devices/{other.id}", device)

    def share(self, folder_id: str, path: Path, *others: "RealSyncthing", **more: object) -> None:
        """Have a folder and share it with the others. Made if it is not there, marker and all."""
        path.mkdir(parents=True, exist_ok=True)
        devices = [{"deviceID": other.id} for other in others]
        quick = {"fsWatcherEnabled": False, "rescanIntervalS": 3600, "pullerPauseS": 1, "ignorePerms": True}
        folder = {"id": folder_id, "path": str(path), "devices": devices, **quick, **more}
        self.put(f"config/folders/{folder_id}", folder)

    def scan(self, folder_id: str, *names: str) -> None:
        """Let it see what changed on its disk."""
        query = urllib.parse.urlencode([("folder", folder_id), *(("sub", name) for name in names)])
        self._call("POST", f"db/scan?{query}", {})

    def file(self, folder_id: str, name: str) -> Any | None:
        """`/rest/db/file` as it is; None when it never heard of the name."""
        try:
            return self.get("db/file", folder=folder_id, file=name)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def is_connected_to(self, other: "RealSyncthing") -> bool:
        connections = self.get("system/connections")["connections"]
        return bool(connections.get(other.id, {}).get("connected"))

    def forget_database(self) -> None:
        """Lose the index, as after an app's data were cleared while keys and settings were kept. Only when stopped."""
        assert self._process is None
        for path in self.home.glob("index-v*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def _generate(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        argv = [program(), "generate", f"--home={self.home}"]
        subprocess.run(argv, check=True, capture_output=True, env=self._environment(), timeout=PATIENCE_S)
        ports = {"gui_port": self.gui_port, "listen_port": self.sync_port}
        self.key = syncthing_config.quieten(self.home / "config.xml", **ports, tls=self._tls)

    def _environment(self) -> dict[str, str]:
        """By variables, since the options of the same name came and went with 2.0."""
        ours = {"HOME": str(self.home), "STNODEFAULTFOLDER": "1", "STNOUPGRADE": "1", "GOMAXPROCS": "1"}
        ours["STMONITORED"] = "1"  # without a watching parent, so that there is one process to stop
        return {name: value for name, value in os.environ.items() if not name.startswith("ST")} | ours

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name} ended by itself:\n{self.log()}"
        try:
            return bool(self.get("system/ping"))
        except (OSError, Refused):  # not yet
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _signal(self, which: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(which)

    def _call(self, method: str, path: str, query: Mapping[str, str], body: object = None) -> Any:
        url = f"{self.url}/rest/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=content, method=method, headers={"X-API-Key": self.key})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S, context=self._trust()) as answer:
                told = answer.read()
        except urllib.error.HTTPError as err:
            raise Refused(err.code, err.read().decode(errors="replace").strip()) from err
        return json.loads(told) if told.strip() else None

    def _trust(self) -> ssl.SSLContext | None:
        return ssl._create_unverified_context() if self._tls else None


def pair(one: RealSyncthing, other: RealSyncthing) -> None:
    """Make two running ones know each other, and wait until they are connected."""
    other.knows(one, addresses=["dynamic"])  # waits: of two that call at once, both may hang up for 20 s
    one.knows(other)
    eventually(lambda: one.is_connected_to(other) and other.is_connected_to(one), "the two to connect")
    other.patch(f"config/devices/{one.id}", {"addresses": [one.address]})  # whoever comes back calls


def eventually(ask: Callable[[], Answer], what: str) -> Answer:
    """The first answer that is not empty. Asks again and again: the other side has no way to call us."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.05)
    return answer


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:  # taken
                continue
        if port not in found:
            found.append(port)
    return found
