"""What the daemon's log says of its life: that it starts, is ready, has stopped."""

import signal
from pathlib import Path

from mediabox.model.version import VERSION
from whole.box import Household, kill, wait_until


def test_start_ready_and_stop_are_a_line_each_and_no_picture_is_named(tmp_path: Path) -> None:
    box = Household(tmp_path)
    box.found({"a.jpg": b"\xff\xd8\xff\xe0 a"})
    running = box.start(once=False)
    try:
        wait_until(lambda: list(box.archive.rglob("a.jpg.xmp")))
        running.send_signal(signal.SIGTERM)
        _, stderr = running.communicate(timeout=20)
    finally:
        kill(running)

    lines = [line.split(maxsplit=2)[2] for line in stderr.splitlines() if " info " in line]
    assert lines == [f'starting version={VERSION} home={box.home} sources="folder 1"', "ready", "stopped"]
    assert str(box.pictures) not in stderr


def test_a_single_run_that_goes_well_is_silent(tmp_path: Path) -> None:
    box = Household(tmp_path)
    box.found({"a.jpg": b"\xff\xd8\xff\xe0 a"})

    assert box.run().stderr == ""
