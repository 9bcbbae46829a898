"""The power goes while thirty files are taken in; whatever was not synced is forgotten."""

from pathlib import Path

import pytest

from whole.power_cuts import cuts

CUTS = 10  # each; 60 with --full-faults


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("moves", [False, True], ids=["keep", "move"])
def test_a_power_cut_at_any_moment_loses_nothing(moves: bool, tmp_path: Path, is_full: bool) -> None:
    for cut in cuts(60 if is_full else CUTS, tmp_path, moves=moves):
        assert not cut.complaints, f"{cut.at}: {cut.complaints}"
