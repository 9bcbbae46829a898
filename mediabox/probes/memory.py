"""How much memory a new child could take."""

from pathlib import Path


class Memory:
    """Bytes available without swapping: MemAvailable, the kernel's own estimate (proc(5), meminfo)."""

    name = "memory"

    def __init__(self, root: Path = Path("/")) -> None:
        self._path = root / "proc/meminfo"

    def read(self) -> float | None:
        try:
            with self._path.open(encoding="ascii") as lines:
                found = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
            return float(found) * 1024  # the file says kB and means KiB
        except (OSError, ValueError, IndexError, StopIteration):
            return None


PROBE = Memory
