"""kill -9 at any moment of a pull from iCloud: everything arrives, and no byte of it is written twice."""

import random
import signal
from pathlib import Path

import pytest

from whole.box import Household
from whole.pulling import CHUNK_BYTES, PHOTOS, Pull, simulation
from whole.soundness import archived_originals, findings

MOST_KILLS = 60
KILLS = 25  # of one pull
PULLS = 8  # with --full-faults: 200 in all
SHORTEST_S, LONGEST_S = 0.1, 0.7  # a start takes 0.15 s of it on an idle machine; the whole pull would take 20 s
MOST_BYTES = 1_000_000  # of one life
AGAIN_BYTES = 3 * 2 * CHUNK_BYTES  # what three streams hold in hand and have not written when they are killed
SMALLEST_FILM_BYTES = 2_500_000


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
        cut_films = kills = 0
        while kills < MOST_KILLS and (kills < KILLS or cut_films < KILLS // 5):
            kills += 1
            if kills % 2:
                end = pull.begin(kill_after_bytes=lots.randrange(1, MOST_BYTES))
            else:  # on a busy machine that is before any download
                end = pull.begin(kill_after_s=lots.uniform(SHORTEST_S, LONGEST_S))
            assert end == -signal.SIGKILL
            cut_films += any(map(_is_cut_film, spooled(cloud_box)))
            assert not findings(cloud_box.home, {}, is_over=False)

        icloud.hasten()
        assert pull.begin() == 0

    assert cut_films >= KILLS // 5, "hardly any kill met a download"
    assert set(archived_originals(cloud_box.archive).values()) == set(pull.library)
    assert len(pull.library) > PHOTOS
    assert pull.size_bytes <= pull.written_bytes <= pull.size_bytes + kills * AGAIN_BYTES
    assert not findings(cloud_box.home, {})
    (content,) = [each for each in cloud_box.status()["calls"] if each["endpoint"] == "content"]
    assert content["source"] == "cloud"
    assert 0 < content["calls"] <= len(pull.library), "of the last run alone"


def spooled(box: Household) -> list[int]:
    """Lengths of what was being fetched."""
    return [path.stat().st_size for path in box.archive.glob(".mediabox/spool/*.part")]


def _is_cut_film(size_bytes: int) -> bool:
    """Longer than any picture, shorter than any film."""
    return CHUNK_BYTES <= size_bytes < SMALLEST_FILM_BYTES
