"""Keys and sealed sign-ins: whole, for their owner only, never over another one."""

from pathlib import Path

import pytest
from faults.forgetful import Forgetful

from mediabox.durable.private import write_private


@pytest.mark.parametrize("disk_is", ["no-links", "plain-rename"])
def test_a_key_is_kept_once_also_on_a_disk_without_links(disk_is: str) -> None:
    with Forgetful() as disk:
        disk.fail(disk_is)
        path = disk.path / "keys" / "catalogue"

        write_private(path, b"first", replace=False)
        with pytest.raises(FileExistsError):
            write_private(path, b"second", replace=False)

        assert path.read_bytes() == b"first"
        assert path.stat().st_mode & 0o777 == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["catalogue"]


def test_a_place_that_a_crash_left_held_is_taken_by_the_key() -> None:
    """Else the home would have an empty key for ever."""
    with Forgetful() as disk:
        disk.fail("plain-rename")
        path = disk.path / "keys" / "catalogue"
        path.parent.mkdir()
        path.touch()

        write_private(path, b"first", replace=False)

        assert path.read_bytes() == b"first"


def test_a_key_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "catalogue"

    write_private(path, b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_private(path, b"second", replace=False)

    assert path.read_bytes() == b"first"
    assert path.parent.stat().st_mode & 0o777 == 0o700
