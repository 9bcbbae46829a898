"""A marker that was deleted comes back when the archive's own files prove it, and never otherwise."""

import os
import shutil
from pathlib import Path

import pytest
from cli.conftest import Say, program

from mediabox.cli import doctor, exits
from mediabox.core.home import DATABASE

MARKER = ".mediabox/volume.json"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_decoders", lambda: iter(()))


@pytest.fixture
def archive(home: Path) -> Path:
    return home / "archive"


def originals(archive: Path) -> list[Path]:
    found = [one for one in archive.glob("[0-9]*/**/*") if one.is_file() and one.name != "SHA256SUMS"]
    return sorted(one for one in found if one.suffix != ".xmp" or ".source" in one.suffixes)


@pytest.mark.parametrize("gone", [MARKER, ".mediabox"])
def test_a_lost_marker_is_offered_and_written_as_it_was(gone: str, archive: Path, home: Path, say: Say) -> None:
    before = (archive / MARKER).read_bytes()
    shutil.move(archive / gone, home / "elsewhere")

    asked = say("doctor", home=home)
    mended = say("doctor", "--mend-marker", home=home)

    assert "mediabox doctor --mend-marker" in asked.out
    assert mended.code == exits.OK, mended.err
    assert (archive / MARKER).read_bytes() == before
    assert say("status", home=home).code == exits.OK
    assert say("verify", home=home).out.endswith("The archive is whole.\n")


def test_another_folder_is_neither_offered_nor_marked(archive: Path, home: Path, media: Path, say: Say) -> None:
    archive.rename(home / "the archive")
    shutil.copytree(media / "library", archive)

    asked = say("doctor", home=home)
    refused = say("doctor", "--mend-marker", home=home)

    assert "--mend-marker" not in asked.out
    assert refused.code == exits.NEEDS_PERSON
    assert "is missing or has another size" in refused.err
    assert not (archive / ".mediabox").exists()


def test_files_of_the_right_names_and_sizes_are_not_believed(archive: Path, home: Path, say: Say) -> None:
    (archive / MARKER).unlink()
    for path in originals(archive):
        size_bytes = path.stat().st_size
        path.chmod(0o644)
        path.write_bytes(bytes(size_bytes))

    refused = say("doctor", "--mend-marker", home=home)

    assert refused.code == exits.NEEDS_PERSON
    assert "differs from what was archived" in refused.err
    assert not (archive / MARKER).exists()


def test_a_marker_that_is_there_is_left_alone(archive: Path, home: Path, say: Say) -> None:
    before = os.stat(archive / MARKER)

    refused = say("doctor", "--mend-marker", home=home)

    assert refused.code == exits.NEEDS_PERSON
    assert "already has a marker" in refused.err
    assert os.stat(archive / MARKER).st_ino == before.st_ino


def test_an_archive_nobody_remembers_is_known_by_its_sidecars(archive: Path, tmp_path: Path) -> None:
    before = (archive / MARKER).read_bytes()
    shutil.rmtree(archive / ".mediabox")
    new = tmp_path / "new"

    rebuilt = program("rebuild", "--archive", str(archive), "--home", str(new))

    assert rebuilt.code == exits.OK, rebuilt.err
    assert "had lost its marker" in rebuilt.err
    assert f"{len(originals(archive))} originals in the new catalogue" in rebuilt.out
    assert (archive / MARKER).read_bytes() != before


@pytest.mark.parametrize("what", ["pictures", "sidecars alone"])
def test_a_folder_without_sidecars_that_fit_is_no_archive(
    what: str, archive: Path, media: Path, tmp_path: Path
) -> None:
    shutil.rmtree(archive / ".mediabox")
    folder = tmp_path / "folder"
    if what == "pictures":
        shutil.copytree(media / "library", folder)
    else:
        for path in originals(archive):
            path.unlink()
        archive.rename(folder)

    refused = program("rebuild", "--archive", str(folder), "--home", str(tmp_path / "new"))

    assert refused.code == exits.NEEDS_PERSON, refused.out
    assert "is not recreated" in refused.err
    assert not (folder / ".mediabox").exists()
    assert not (tmp_path / "new" / DATABASE).exists()


def test_while_a_catalogue_knows_the_archive_a_rebuild_makes_no_other_of_it(
    archive: Path, home: Path, say: Say
) -> None:
    (archive / MARKER).unlink()

    refused = say("rebuild", "--archive", str(archive), home=home)

    assert refused.code == exits.PROBLEM
    assert "mediabox doctor --mend-marker" in refused.err
    assert not list(home.glob("*.before*"))
