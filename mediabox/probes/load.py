"""How busy the processor is."""

import os
from pathlib import Path


class Load:
    """One-minute load average for each core; 1.0 means every core has work (proc(5), loadavg)."""

    name = "load"

    def __init__(self, root: Path = Path("/"), *, cores: int | None = None) -> None:
        self._path = root / "proc/loadavg"
        self._cores = cores or os.cpu_count() or 1

    def read(self) -> float | None:
        try:
            return float(self._path.read_text(encoding="ascii").split()[0]) / self._cores
        except (OSError, ValueError, IndexError):
            return None


PROBE = Load
