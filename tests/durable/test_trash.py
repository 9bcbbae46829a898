"""A file changes its name on the volume, whatever happens meanwhile, and never takes another's."""

from pathlib import Path

import pytest
from faults.every_point import every_point
from faults.shim import Fault

from mediabox.durable import trash
from mediabox.durable.trash import in_trash, move
from mediabox.durable.volume import Volume

PATH = "2024/IMG_1.JPG"


@pytest.fixture
def root(volume: Volume) -> Path:
    (volume.root / "2024").mkdir()
    (volume.root / PATH).write_bytes(b"photo")
    return volume.root


def test_a_file_goes_to_the_trash_and_comes_back_under_its_path(volume: Volume, root: Path) -> None:
    move(volume, PATH, in_trash(PATH))

    assert not (root / PATH).exists()
    assert (root / ".mediabox/trash" / PATH).read_bytes() == b"photo"
    assert PATH not in [path for path, _ in volume.walk()]

    move(volume, in_trash(PATH), PATH)

    assert (root / PATH).read_bytes() == b"photo"
    assert not (root / in_trash(PATH)).exists()


def test_a_move_that_was_done_is_found_done(volume: Volume, root: Path) -> None:
    move(volume, PATH, in_trash(PATH))

    move(volume, PATH, in_trash(PATH))

    assert (root / in_trash(PATH)).read_bytes() == b"photo"


def test_a_file_that_is_nowhere_is_said_to_be_missing(volume: Volume, root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        move(volume, "2024/IMG_2.JPG", in_trash("2024/IMG_2.JPG"))


def test_another_file_at_the_new_name_stays_and_so_does_ours(volume: Volume, root: Path) -> None:
    (root / ".mediabox/trash/2024").mkdir(parents=True)
    (root / in_trash(PATH)).write_bytes(b"another")

    with pytest.raises(FileExistsError):
        move(volume, PATH, in_trash(PATH))

    assert (root / PATH).read_bytes() == b"photo"
    assert (root / in_trash(PATH)).read_bytes() == b"another"


def test_a_disk_without_links_renames(volume: Volume, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # as vfat and exFAT answer link(2)

    monkeypatch.setattr(trash.os, "link", refused)

    move(volume, PATH, in_trash(PATH))

    assert (root / in_trash(PATH)).read_bytes() == b"photo"
    assert not (root / PATH).exists()


@pytest.mark.parametrize("scenario", ["Trashing", "Recovering"])
def test_the_file_has_a_name_at_every_instant(scenario: str, tmp_path: Path) -> None:
    findings = every_point(f"durable.trashing:{scenario}", tmp_path, faults=(Fault.KILL, Fault.ENOSPC, Fault.EIO))

    assert not findings.complaints
    assert findings.points >= 4
