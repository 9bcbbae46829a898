"""Names Android gives to files on the phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def free_name(path: Path) -> Path:
    """This name or, where it is taken, the next as MediaProvider counts (`FileUtils.buildUniqueFile`): `NAME (1).jpg`.

    It counts `ABCD1234.jpg` and `IMG_20260102_030405.jpg` (cameras' names by DCF) otherwise; ours are none. Blocking.
    """
    free, number = path, 0
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free
