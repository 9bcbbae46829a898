"""How much room the catalogue has left to grow in."""

import shutil
from pathlib import Path


class HomeRoom:
    """Bytes free for us on the disk of the home folder."""

    name = "home_room"

    def __init__(self, folder: Path = Path("/")) -> None:
        self._folder = folder

    def read(self) -> float | None:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return None


PROBE = HomeRoom
