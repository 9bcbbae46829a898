"""A source of two trees, one of which is away while its files still wait to be fetched."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from whole.box import Household
from whole.plain_box import killed_at, run_to_the_end
from whole.soundness import archived_originals, originals_below

FILES = 60  # more than wait in memory


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class TwoTrees(Household):
    """The stick is listed first, so its files are the first to be wanted."""

    def configuration(self) -> str:
        stick, disk = self.pictures / "stick", self.pictures / "disk"
        return super().configuration().replace(f'["{self.pictures}"]', f'["{stick}", "{disk}"]')


def missing(box: Household) -> list[str]:
    with closing(sqlite3.connect(box.home / "mediabox.db")) as catalogue:
        query = "SELECT subject FROM issue WHERE key = 'source.missing'"
        return [subject for (subject,) in catalogue.execute(query)]


def test_an_absent_stick_does_not_keep_the_disk_waiting(tmp_path: Path) -> None:
    box = TwoTrees(tmp_path)
    trees = ("stick", "disk")
    box.found({f"{tree}/{number}.jpg": f"{tree} {number}".encode() for tree in trees for number in range(FILES)})
    stick, pocket = box.pictures / "stick", tmp_path / "pocket"
    assert killed_at("fetch.poured", box.home, {})  # everything is listed, nothing is fetched
    on_disk = {original.digest for original in originals_below(box.pictures / "disk").values()}

    stick.rename(pocket)
    run_to_the_end(box.home, {})

    assert set(archived_originals(box.archive).values()) >= on_disk
    (subject,) = missing(box)  # said once, by the listing and by the fetch
    assert subject.startswith("pictures/stick~")

    pocket.rename(stick)
    run_to_the_end(box.home, {})

    assert missing(box) == []
    box.assert_sound()
