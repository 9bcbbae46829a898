"""How much room the catalogue has left to grow in."""

import os
from pathlib import Path


class HomeRoom:
    """Bytes free for us on the disk of a folder, the home's; None when it cannot be read."""

    name = "home_room"

    def __init__(self, folder: Path = Path("/")) -> None:
        self._folder = folder

    def read(self) -> float | None:
        try:
            room = os.statvfs(self._folder)
        except OSError:
            return None
        return float(room.f_bavail * room.f_frsize)


PROBE = HomeRoom
