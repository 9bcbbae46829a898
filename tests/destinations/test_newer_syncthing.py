"""The facts that matter most once more, with Debian 13's Syncthing (1.29) beside Debian 12's (1.19).

`tests/run` puts it beside the environment where it can. `MEDIABOX_SYNCTHING` runs all other tests with another one.
"""

import sys
from pathlib import Path

import pytest

from destinations.test_facts import (  # noqa: F401 - to be run here
    test_a_deletion_by_the_box_is_not_the_phones,
    test_a_phone_that_lost_its_index_may_become_the_author_of_what_it_keeps,
    test_a_phone_that_only_receives_tells_no_deletion,
    test_a_rename_on_the_phone_looks_like_a_deletion_and_a_new_file,
    test_when_both_delete_apart_the_phone_is_named_that_noticed_later,
)

NEWER = Path(sys.prefix, "share/newer-syncthing/usr/bin/syncthing")


@pytest.fixture(autouse=True)
def _newer(monkeypatch: pytest.MonkeyPatch) -> None:
    if not NEWER.exists():
        pytest.skip("no newer Syncthing: tests/run fetches Debian 13's, as root where apt is")
    monkeypatch.setenv("MEDIABOX_SYNCTHING", str(NEWER))
