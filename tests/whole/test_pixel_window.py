"""Through a phone's small window to Google Photos, while everything is killed: nothing lost, nothing sent twice."""

from pathlib import Path

import pytest

from mediabox.simulate.pixel.syncthing_process import is_installed
from whole.pixel_window import pass_window

pytestmark = pytest.mark.skipif(not is_installed(), reason="syncthing is not installed")

SMALL = {"photos": 30, "size_bytes": 200_000, "kills": 4}
FULL = {"photos": 2_000, "size_bytes": 1_500_000, "kills": 60}  # 3 GB through 1 GB


@pytest.mark.timeout(20_000)
async def test_everything_goes_through_a_small_window_once_whatever_is_killed(tmp_path: Path, is_full: bool) -> None:
    passage = await pass_window(tmp_path, **(FULL if is_full else SMALL))

    assert not passage.complaints, "\n".join(passage.complaints)
    assert passage.lost == passage.doubled == 0
    assert passage.kills == (FULL if is_full else SMALL)["kills"]
