"""A folder's manifest is what `sha256sum -c` checks, and only written when it changes."""

import hashlib
import subprocess
from pathlib import Path

from archive_fake import FakeArchive, work
from hypothesis import given
from hypothesis import strategies as st
from manifests import parse_sums

from mediabox.contracts import StepResult
from mediabox.model.manifest import MANIFEST_NAME, Sum, compose_sums
from mediabox.stages.manifest import Manifest

ODD_NAMES = ["IMG_1.JPG", "a b  c.jpg", "é 👨\u200d👩.heic", "back\\slash.jpg", "new\nline.jpg", "*star.jpg", "\\n.jpg"]


class FakeCatalogue:
    def __init__(self, *names: str) -> None:
        self.listed = [Sum(name=name, digest=hashlib.sha256(name.encode()).hexdigest()) for name in names]

    async def sums(self, folder: str) -> list[Sum]:
        return self.listed if folder == "2024/2024-05" else []


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["sha256sum", "--check", "--strict", MANIFEST_NAME]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_sha256sum_checks_it_whatever_the_files_are_called(tmp_path: Path) -> None:
    for name in ODD_NAMES:
        (tmp_path / name).write_bytes(name.encode())
    sums = [Sum(name=name, digest=hashlib.sha256(name.encode()).hexdigest()) for name in ODD_NAMES]

    (tmp_path / MANIFEST_NAME).write_bytes(compose_sums(sums))

    checked = check(tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(": OK") == len(ODD_NAMES)
    (tmp_path / "IMG_1.JPG").write_bytes(b"rotten")
    assert "IMG_1.JPG: FAILED" in check(tmp_path).stdout


def test_it_equals_what_sha256sum_itself_writes(tmp_path: Path) -> None:
    names = sorted(ODD_NAMES, key=str.encode)
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    written = subprocess.run(["sha256sum", "--", *names], cwd=tmp_path, capture_output=True, check=True).stdout

    assert compose_sums(Sum(name=n, digest=hashlib.sha256(n.encode()).hexdigest()) for n in reversed(names)) == written


@given(st.lists(st.text(st.characters(exclude_characters="\0/", codec="utf-8"), min_size=1), unique=True))
def test_reads_back_what_it_wrote(names: list[str]) -> None:
    sums = [Sum(name=name, digest=f"{number:064x}") for number, name in enumerate(sorted(names, key=str.encode))]

    assert list(parse_sums(compose_sums(sums))) == sums


def test_lines_that_are_none_are_left_out() -> None:
    good = "ab" * 32

    assert list(parse_sums(f"# hello\n{good}  a.jpg\n{good}\n\xff".encode("latin-1"))) == [
        Sum(name="a.jpg", digest=good)
    ]


async def test_writes_the_manifest_of_its_folder_once() -> None:
    archive = FakeArchive()
    stage = Manifest(FakeCatalogue("b.jpg", "a.jpg"), archive)

    first = await stage.run(work("manifest", "2024/2024-05"))
    second = await stage.run(work("manifest", "2024/2024-05"))

    assert first.outcome.written is not None
    assert first.outcome.written.path == "2024/2024-05/SHA256SUMS"
    assert [each.name for each in parse_sums(archive.files["2024/2024-05/SHA256SUMS"])] == ["a.jpg", "b.jpg"]
    assert second.outcome.written == first.outcome.written  # a crash may have kept the first from the database
    assert archive.writes == 1


async def test_a_folder_without_originals_gets_no_manifest_but_never_keeps_a_stale_one() -> None:
    archive = FakeArchive({"SHA256SUMS": b"stale"})
    stage = Manifest(FakeCatalogue(), archive)

    assert await stage.run(work("manifest", "2023")) == StepResult()
    await stage.run(work("manifest", ""))

    assert archive.files == {"SHA256SUMS": b""}
