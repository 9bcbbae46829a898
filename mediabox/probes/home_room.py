"""How much room the catalogue has left to grow in."""

import os
from pathlib import Path


def free_bytes(folder: Path) -> int | None:
    """Bytes free for us on the disk of a folder; None when it cannot be read."""
    try:
        room = os.statvfs(folder)
    except OSError:
        return None
    return room.f_bavail * room.f_frsize


class HomeRoom:
    """`free_bytes` of the home folder."""

    name = "home_room"

    def __init__(self, folder: Path = Path("/")) -> None:
        self._folder = folder

    def read(self) -> float | None:
        return free_bytes(self._folder)


PROBE = HomeRoom
