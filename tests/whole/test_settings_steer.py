"""Each setting reaches what it says it steers. A setting nobody reads is a promise nobody keeps."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from mediabox.cli import exits
from mediabox.config.load import Config, load
from mediabox.config.sections import CORE
from mediabox.shell import Shell
from whole.box import Household
from whole.examiner import TableExaminer

PICTURE = Path(__file__).parents[1] / "media" / "library" / "Mixed" / "tracker.jpg"
JPEG = b"\xff\xd8\xff\xe0 a"
NOT_MET = {  # by this box, without a sensor, a battery, a decoder, an order; its test is named
    "work.max_temperature_c",  # core/test_governor.py
    "work.pause_on_battery",
    "release.daily_percent",  # core/test_release_orders.py
    "renditions.preview",  # below
    "log.level",
    "log.format",
}


class Watched:
    """A section of the configuration that notes which of its fields were asked for."""

    def __init__(self, section: msgspec.Struct, name: str, seen: set[str]) -> None:
        self._section, self._name, self._seen = section, name, seen

    def __getattr__(self, field: str) -> object:
        self._seen.add(f"{self._name}.{field}")
        return getattr(self._section, field)


def watched(config: Config, seen: set[str]) -> Config:
    """The same configuration; `seen` fills with the settings that were read."""
    sections = {name: Watched(getattr(config, name), name, seen) for name in CORE}
    return msgspec.structs.replace(config, **sections)


@pytest.fixture
def box(tmp_path: Path) -> Household:
    household = Household(tmp_path)
    household.found({"a.jpg": JPEG})
    return household


def write_settings(box: Household, section: str, lines: str) -> None:
    text = box.configuration()
    head = f"[{section}]\n"
    text = text.replace(head, f"{head}{lines}\n") if head in text else f"{text}{head}{lines}\n"
    (box.home / "mediabox.toml").write_text(text)


async def until(is_true) -> None:
    async with asyncio.timeout(15):
        while not is_true():  # noqa: ASYNC110 - threads and other tasks do it
            await asyncio.sleep(0.01)


async def test_every_setting_is_read_by_a_box_at_work(box: Household) -> None:
    seen: set[str] = set()
    config = load(box.home, overrides={"release.enabled": True})
    running = Shell(box.home, settings=lambda: watched(config, seen), workers=lambda _: TableExaminer({}))
    declared = {f"{name}.{field}" for name, section in CORE.items() for field in section.__struct_fields__}

    task = asyncio.create_task(running.run(once=False))
    with suppress(TimeoutError):
        await until(lambda: task.done() or declared - NOT_MET <= seen)
    running.stop()
    await task

    assert declared - NOT_MET - seen == set()


@pytest.mark.parametrize(("setting", "made"), [("preview", "thumb"), ("thumbnails", "preview")])
def test_renditions_nobody_wants_are_not_kept(box: Household, setting: str, made: str) -> None:
    box.add("b.jpg", PICTURE)
    write_settings(box, "renditions", f"{setting} = false")

    assert box.run().returncode == exits.OK

    kept = [path.name for path in (box.home / "renditions").rglob("*") if path.is_file()]
    assert kept
    assert all(made in name for name in kept), kept


def test_the_log_is_as_detailed_and_formed_as_asked(box: Household) -> None:
    write_settings(box, "log", 'level = "debug"\nformat = "json"')

    lines = box.run().stderr.splitlines()

    assert lines
    assert {json.loads(line)["level"] for line in lines} >= {"debug"}


def test_filing_waits_while_less_is_free_than_is_to_be_left(box: Household) -> None:
    write_settings(box, "archive", "reserve_percent = 100")

    done = box.run()

    assert done.returncode == exits.NEEDS_PERSON
    assert "stay free" in done.stderr + done.stdout
    assert "reserve_percent" in done.stderr + done.stdout
    assert not list(box.archive.rglob("a.jpg"))
    write_settings(box, "archive", "reserve_percent = 0")
    assert box.run().returncode == exits.OK
    assert list(box.archive.rglob("a.jpg"))
