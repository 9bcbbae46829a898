"""Two daemons, orders to stop, and kill -9 again and again."""

import random
import signal

from mediabox.cli import exits
from whole.box import Household, is_stopped, kill, wait_until
from whole.family import pictures
from whole.plain_box import killed_after, retry, run_to_the_end

KILLS = 50
FILES = 200
STOPS_WITHIN_S = 60  # ten on a machine that does nothing else
UNDER_WAY = 12  # works of all lanes at once, at most


def archived(box: Household) -> int:
    return sum(1 for path in box.archive.rglob("*.jpg"))


def test_a_second_daemon_on_one_home_is_refused(box: Household) -> None:
    box.found(pictures(3))
    first = box.start(once=False)
    try:
        wait_until(lambda: archived(box) == 3)

        second = box.run()

        assert second.returncode == exits.TRY_LATER
        assert f"process {first.pid}" in second.stderr
        assert str(box.home) in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        kill(first)


def test_told_to_stop_it_ends_what_is_under_way_alone_and_goes_on_later(box: Household) -> None:
    box.found(pictures(FILES, size_bytes=20_000))
    running = box.start(env={"MEDIABOX_FAILPOINT": "file.committed:10:stop"})
    try:
        wait_until(lambda: is_stopped(running))
        before = archived(box)

        running.send_signal(signal.SIGTERM)
        running.send_signal(signal.SIGCONT)
        _, stderr = running.communicate(timeout=STOPS_WITHIN_S)
    finally:
        kill(running)

    assert "Traceback" not in stderr
    assert before <= archived(box) <= before + UNDER_WAY
    box.finish(real=True)
    box.assert_sound()


def test_killed_fifty_times_it_still_gets_there(box: Household) -> None:
    lots = random.Random(5)
    box.found(pictures(2 * FILES))

    met_at_work = [killed_after(lots.uniform(0.005, 0.08), box.home, {}) for _ in range(KILLS)]

    assert sum(met_at_work) >= KILLS // 5  # a fast disk is done before the last kills come
    retry(box.home)
    run_to_the_end(box.home, {})
    box.assert_sound()
