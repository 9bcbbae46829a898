"""A running daemon to look at: started, waited for until it says READY, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import ground
import measure
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_WITHIN_S = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


class Running(msgspec.Struct, frozen=True, kw_only=True):
    process: int
    ready_wall_s: float
    ready_cpu_s: float

    def members(self) -> list[int]:
        return [self.process, *measure.tree(self.process)]

    def cpu_s(self) -> float:
        """CPU of the daemon, its living children, and those it has waited for."""
        return sum(cpu_s(member) for member in self.members())

    def bytes(self) -> int:
        return sum(measure.proportional_bytes(member) for member in self.members())

    def resident_bytes(self) -> int:
        """Resident set of the daemon's own process."""
        for line in Path(f"/proc/{self.process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ProcessLookupError(self.process)


def cpu_s(process: int) -> float:
    with suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / TICKS  # utime, stime, cutime, cstime: proc(5)
    return 0.0


@contextmanager
def daemon(pictures: Path, home: Path) -> Iterator[Running]:
    """Run it without `--once`. READY=1 comes over its notify socket, as from systemd (sd_notify(3))."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(f"{folder}/notify")
        notify.settimeout(READY_WITHIN_S)
        argv = [str(ground.MEDIABOX), "run", "--home", str(home), "--pictures", str(pictures)]
        start = time.perf_counter()
        with subprocess.Popen(
            argv,
            env=os.environ | {"NOTIFY_SOCKET": f"{folder}/notify"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                while b"READY=1" not in notify.recv(4096):
                    continue
                wall_s = time.perf_counter() - start
                yield Running(process=process.pid, ready_wall_s=wall_s, ready_cpu_s=cpu_s(process.pid))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(READY_WITHIN_S)
