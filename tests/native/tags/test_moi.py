"""A camcorder's MOI: bytes as Wikipedia's table has them (MOI file format), held against exiftool where it is."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from mediabox.model.asset import Kind
from mediabox.model.facts import TimeSource

# Version, size 256, 30 June 2009, 11:22:52, 9 min 24 s 480.
MOI = b"V6" + bytes.fromhex("00000100 07d9 06 1e 0b 16 cb20 00089d00").ljust(254, b"\0")


def test_the_capture_time_and_length_are_read(read) -> None:
    facts = read(MOI, "MOV001.MOI", Kind.SIDECAR)

    assert (facts.kind, facts.media_type, facts.damage) == (Kind.SIDECAR, "application/x-moi", None)
    assert (facts.capture_time.local, facts.capture_time.offset_min) == ("2009-06-30T11:22:52", None)
    assert facts.capture_time.source is TimeSource.EXIF_LOCAL
    assert facts.duration_s == 564.48


@pytest.mark.parametrize("content", [MOI[:100], MOI[:10], MOI + b"\0"])
def test_one_of_another_size_than_it_says_is_not_believed(read, content: bytes) -> None:
    facts = read(content, "MOV001.MOI", Kind.SIDECAR)

    assert facts.capture_time is None
    assert facts.damage


def test_exiftool_reads_the_same(tmp_path: Path) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("no exiftool")
    (tmp_path / "a.moi").write_bytes(MOI)

    told = subprocess.run(["exiftool", "-j", "-n", tmp_path / "a.moi"], capture_output=True, check=True).stdout

    (tags,) = json.loads(told)
    assert tags["DateTimeOriginal"] == "2009:06:30 11:22:52.000"
    assert tags["Duration"] == 564.48
