"""What the phone put among the copies goes to where a source takes it in, whole, once, and stays where it is."""

import os
from pathlib import Path

import pytest

from mediabox.__main__ import main
from mediabox.cli import exits
from mediabox.store.database import Database

PICTURE = b"\xff\xd8 taken on the phone"


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    home, tree = tmp_path / "home", tmp_path / "pictures"
    (home / "outbox/anna/photos/Ferien").mkdir(parents=True)
    tree.mkdir()
    (home / "mediabox.toml").write_text(
        f'[sources.pictures]\ntype = "folder"\ntrees = ["{tree}"]\n[destinations.anna]\ntype = "pixel"\n'
    )
    async with Database(home / "mediabox.db"):
        pass
    return home


@pytest.fixture
def photos(home: Path) -> Path:
    return home / "outbox/anna/photos"


def archive(home: Path, *words: str) -> int:
    return main(["pixel", "archive", "--home", str(home), *words])


def taken(home: Path) -> dict[str, bytes]:
    place = home.parent / "pictures"
    return {
        path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()
    }


def test_each_is_copied_with_its_time_and_stays(home: Path, photos: Path) -> None:
    (photos / "Screenshot.png").write_bytes(PICTURE)
    (photos / "Ferien/IMG.JPG").write_bytes(PICTURE + b"2")
    (photos / ".trashed-1900000000-IMG.JPG").write_bytes(PICTURE + b"3")
    (photos / ".syncthing.x.tmp").write_bytes(b"half")
    os.utime(photos / "Screenshot.png", (1_700_000_000, 1_700_000_000))

    assert archive(home) == exits.OK
    assert archive(home) == exits.OK  # nothing more

    assert taken(home) == {"from-anna/Ferien/IMG.JPG": PICTURE + b"2", "from-anna/Screenshot.png": PICTURE}
    assert (home.parent / "pictures/from-anna/Screenshot.png").stat().st_mtime == 1_700_000_000
    assert (photos / "Screenshot.png").exists()


def test_another_files_name_is_left_to_it(home: Path, photos: Path) -> None:
    place = home.parent / "pictures/from-anna"
    place.mkdir()
    (place / "IMG.JPG").write_bytes(b"older")
    (photos / "IMG.JPG").write_bytes(PICTURE)

    archive(home)

    assert sorted(taken(home).values()) == sorted([b"older", PICTURE])
    assert taken(home)["from-anna/IMG.JPG"] == b"older"


@pytest.mark.parametrize("words", [("--into", "/somewhere/else")])
def test_a_place_no_source_searches_is_refused(home: Path, photos: Path, words: tuple[str, ...], capsys) -> None:
    (photos / "IMG.JPG").write_bytes(PICTURE)

    assert archive(home, *words) == exits.PROBLEM

    assert "a folder a source searches" in capsys.readouterr().err
    assert taken(home) == {}
