"""What the daemon's log says of its life: that it starts, is ready, has stopped."""

import os
import signal
import subprocess
from pathlib import Path

from patience import PATIENCE_S

from mediabox.model.version import VERSION
from whole.box import OURS, Household, full_pipe, kill, wait_until


def test_start_ready_and_stop_are_a_line_each_and_no_picture_is_named(tmp_path: Path) -> None:
    box = Household(tmp_path)
    box.found({"a.jpg": b"\xff\xd8\xff\xe0 a"})
    running = box.start(once=False)
    try:
        wait_until(lambda: list(box.archive.rglob("a.jpg.xmp")))
        running.send_signal(signal.SIGTERM)
        _, stderr = running.communicate(timeout=PATIENCE_S)
    finally:
        kill(running)

    lines = [line.split(maxsplit=2)[2] for line in stderr.splitlines() if " info " in line]
    assert lines == [f'starting version={VERSION} home={box.home} sources="folder 1"', "ready", "stopped"]
    assert str(box.pictures) not in stderr


def test_a_single_run_that_goes_well_is_silent(tmp_path: Path) -> None:
    box = Household(tmp_path)
    box.found({"a.jpg": b"\xff\xd8\xff\xe0 a"})

    assert box.run().stderr == ""


def test_a_log_that_nobody_reads_stops_neither_the_work_nor_the_stop(tmp_path: Path) -> None:
    box = Household(tmp_path)
    box.found({"a.jpg": b"\xff\xd8\xff\xe0 a"})
    reader, writer = full_pipe()
    argv = [word for word in box.command() if word != "--once"]
    with subprocess.Popen(argv, env=os.environ | OURS, stderr=writer, start_new_session=True) as running:
        try:
            wait_until(lambda: list(box.archive.rglob("a.jpg.xmp")))
            assert box.status()["stuck_s"] is None
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=PATIENCE_S) == 0
        finally:
            kill(running)
            os.close(reader)
            os.close(writer)
