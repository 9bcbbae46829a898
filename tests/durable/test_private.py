"""Keys and sealed sign-ins: whole, for their owner only, never over another one."""

from pathlib import Path

import pytest
from faults.forgetful import Forgetful

from mediabox.durable.private import write_private


def test_a_key_is_kept_once_also_on_a_disk_without_links() -> None:
    with Forgetful() as disk:
        disk.fail("no-links")
        path = disk.path / "keys" / "catalogue"

        write_private(path, b"first", replace=False)
        with pytest.raises(FileExistsError):
            write_private(path, b"second", replace=False)

        assert path.read_bytes() == b"first"
        assert path.stat().st_mode & 0o777 == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["catalogue"]


def test_a_key_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "catalogue"

    write_private(path, b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_private(path, b"second", replace=False)

    assert path.read_bytes() == b"first"
    assert path.parent.stat().st_mode & 0o777 == 0o700
