import asyncio
import json
import logging
import os
import subprocess
import sys

import pytest
from patience import PATIENCE_S
from whole.box import full_pipe

from mediabox import log


@pytest.fixture
def written(capsys):
    """What was written since it was last asked; puts logging back as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:], root.level = before


def test_a_line_is_an_event_and_its_fields(written) -> None:
    log.set_up()

    log.get_logger("mediabox.x").info("delivery_stored", asset=1, path="2024/a b.jpg", took_ms=1.5)

    assert written()[9:] == 'info    delivery_stored asset=1 path="2024/a b.jpg" took_ms=1.5\n'


def test_json_is_one_object_a_line_even_with_a_traceback(written) -> None:
    log.set_up(form="json")

    log.get_logger("mediabox.x").error("step_failed", error=ValueError("two\nlines"), job=7)

    [line] = written().splitlines()
    fields = json.loads(line)
    assert (fields["event"], fields["level"], fields["logger"], fields["job"]) == (
        "step_failed",
        "error",
        "mediabox.x",
        7,
    )
    assert "ValueError: two\nlines" in fields["traceback"]


async def test_what_is_bound_is_on_every_line_of_its_task_only(written) -> None:
    log.set_up()
    logger = log.get_logger("mediabox.x")

    async def step(job: int) -> None:
        with log.bound(job=job):
            await asyncio.sleep(0)
            with log.bound(asset=job * 10):
                logger.info("inner")
        logger.info("outer")

    async with asyncio.TaskGroup() as group:
        for job in (1, 2):
            group.create_task(step(job))

    lines = [line.split(maxsplit=2)[2] for line in written().splitlines()]
    assert sorted(lines) == ["inner job=1 asset=10", "inner job=2 asset=20", "outer", "outer"]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", ["password", "api_key", "session_token", "Authorization", "icloud_cookie", "otp"])
def test_never_writes_a_secret(written, form, name: str) -> None:
    log.set_up(form=form)

    log.get_logger("mediabox.x").info("signed_in", **{name: "hunter2"}, asset=1)

    line = written()
    assert "hunter2" not in line
    assert "asset" in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_file_name_cannot_forge_a_line(written, form) -> None:
    log.set_up(form=form)

    log.get_logger("mediabox.x").info("seen", name="a\n00:00:00 error forged\x1b[31m\u2028")

    line = written()
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_says_nothing_below_its_level(written) -> None:
    log.set_up(level="warning")
    logger = log.get_logger("mediabox.x")

    logger.debug("a")
    logger.info("b")
    logger.warning("c")

    assert [line.split()[2] for line in written().splitlines()] == ["c"]


def test_lines_of_other_libraries_are_written_too(written) -> None:
    log.set_up()

    logging.getLogger("asyncio").warning("slow %s", "callback")

    assert written()[9:] == "warning slow callback\n"


def test_gives_journald_the_priority_of_every_line(tmp_path) -> None:
    journal = tmp_path / "journal"
    code = (
        "from mediabox import log; log.set_up(); logger = log.get_logger('x'); logger.info('started');"
        "logger.error('broken', error=ValueError('why'))"
    )
    with journal.open("w") as stream:
        stat = os.fstat(stream.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
        subprocess.run([sys.executable, "-c", code], check=True, stderr=stream, env=environment)

    assert journal.read_text().splitlines() == ["<6>info    started", "<3>error   broken", "<3>ValueError: why"]


CHATTER = """
from mediabox import log
log.set_up()
for number in range(20_000):
    log.get_logger("x").info("line", number=number)
print("went on", flush=True)
input()
log.get_logger("x").info("last")
"""


def test_a_log_that_nobody_reads_stops_nothing_and_what_was_dropped_is_counted() -> None:
    reader, writer = full_pipe()
    argv = [sys.executable, "-c", CHATTER]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=writer, text=True) as process:
        os.close(writer)
        assert process.stdout.readline() == "went on\n"

        with os.fdopen(reader, encoding="utf-8") as stream:
            written = 0
            while "log_lines_dropped" not in (line := stream.readline()):
                written += 1
            process.stdin.write("\n")
            process.stdin.flush()
            rest = stream.read().splitlines()

    assert f" warning log_lines_dropped count={20_000 - written} " in line
    assert len(rest) == 1
    assert rest[0].endswith("last")
    assert process.returncode == 0


def test_a_process_ends_though_its_log_is_never_read() -> None:
    reader, writer = full_pipe()
    code = "from mediabox import log; log.set_up(); log.get_logger('x').error('broken', error=ValueError('why'))"

    done = subprocess.run([sys.executable, "-c", code], stderr=writer, check=False, timeout=PATIENCE_S)

    os.close(reader)
    os.close(writer)
    assert done.returncode == 0
