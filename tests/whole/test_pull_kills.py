"""kill -9 at any moment of a pull from iCloud: everything arrives, and hardly a byte of it twice."""

import random
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from whole.box import Household
from whole.pulling import CHUNK_BYTES, PHOTOS, Pull, simulation
from whole.soundness import archived_originals, findings

MOST_KILLS = 75
KILLS = 25  # of one pull
PULLS = 8  # with --full-faults: 200 in all
SHORTEST_S, LONGEST_S = 0.1, 0.7  # a start takes 0.15 s of it; the whole pull would take 20 s
SMALLEST_FILM_BYTES = 2_500_000
WASTE = 1.3  # times the library may pass over the line


@pytest.fixture
def cloud_box(tmp_path: Path) -> Household:
    box = Household(tmp_path)
    box.found({})
    return box


@pytest.mark.parametrize("seed", range(PULLS))
def test_killed_at_any_moment_a_pull_goes_on_at_the_same_byte(
    seed: int, cloud_box: Household, tmp_path_factory: pytest.TempPathFactory, is_full: bool
) -> None:
    if seed and not is_full:
        pytest.skip("one pull is enough without --full-faults")
    lots = random.Random(seed)
    with simulation(seed, tmp_path_factory.getbasetemp() / "icloud-of-pulls") as icloud:
        pull = Pull(icloud.errand, cloud_box.home, seed=seed)
        cut_films = 0
        for kill in range(MOST_KILLS):
            if kill >= KILLS and cut_films >= KILLS // 5:
                break
            # Every other one counts from the start: on a busy machine that is before any download.
            downloading = partial(grown, cloud_box, spooled(cloud_box)) if kill % 2 else None
            after_s = lots.uniform(SHORTEST_S, LONGEST_S)
            assert pull.begin(kill_after_s=after_s, downloading=downloading) == -signal.SIGKILL
            cut_films += any(map(_is_cut_film, spooled(cloud_box)))
            assert not findings(cloud_box.home, {}, is_over=False)

        icloud.hasten()
        assert pull.begin() == 0
        served_bytes = icloud.end()

    assert cut_films >= KILLS // 5, "hardly any kill met a download"
    assert set(archived_originals(cloud_box.archive).values()) == set(pull.library)
    assert len(pull.library) > PHOTOS
    assert served_bytes < WASTE * pull.size_bytes
    assert not findings(cloud_box.home, {})
    (content,) = [each for each in cloud_box.status()["calls"] if each["endpoint"] == "content"]
    assert content["source"] == "cloud"
    assert 0 < content["calls"] <= len(pull.library), "of the last run alone"


def grown(box: Household, before: list[int]) -> bool:
    """Whether bytes have come since."""
    with suppress(FileNotFoundError):  # one is whole just now: the next look tells
        return sum(spooled(box)) != sum(before)
    return False


def spooled(box: Household) -> list[int]:
    """Lengths of what was being fetched."""
    return [path.stat().st_size for path in box.archive.glob(".mediabox/spool/*.part")]


def _is_cut_film(size_bytes: int) -> bool:
    """Longer than any picture, shorter than any film."""
    return CHUNK_BYTES <= size_bytes < SMALLEST_FILM_BYTES
