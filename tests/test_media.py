"""The committed media are what `tests/media/MANIFEST.tsv` says they are, judged by tools that are not ours."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDERS = ("library", "damaged", "other")


def rows(media: Path) -> dict[str, dict[str, str]]:
    with (media / "MANIFEST.tsv").open(newline="") as table:
        return {row["file"]: row for row in csv.DictReader(table, dialect="excel-tab")}


def test_the_manifest_names_every_file_and_no_other(media: Path) -> None:
    present = {
        path.relative_to(media).as_posix()
        for folder in FOLDERS
        for path in (media / folder).rglob("*")
        if path.is_file()
    }

    assert present == set(rows(media))


def test_every_file_is_small(media: Path) -> None:
    sizes = {name: (media / name).stat().st_size for name in rows(media)}

    assert {name: size for name, size in sizes.items() if size > 60_000} == {}
    assert sum(sizes.values()) < 1_500_000


def seconds_of(value: object) -> str:
    """ExifTool's `2024:05:12 18:03:22` as ISO 8601 without fraction and zone."""
    return str(value)[:19].replace(":", "-", 2).replace(" ", "T")


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="ExifTool is the judge here")
def test_exiftool_reads_the_sizes_times_and_places_of_the_library(media: Path) -> None:
    told = {name: row for name, row in rows(media).items() if name.startswith("library/") and row["kind"] != "sidecar"}
    tags = ["-ImageWidth", "-ImageHeight", "-Orientation", "-Rotation", "-DateTimeOriginal", "-CreationDate"]
    tags += ["-GPSLatitude", "-GPSLongitude", "-MediaCreateDate"]
    command = ["exiftool", "-json", "-n", "-api", "QuickTimeUTC=0", *tags, *(str(media / name) for name in told)]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    seen = {Path(entry["SourceFile"]).relative_to(media).as_posix(): entry for entry in answer}

    wrong = []
    for name, row in told.items():
        entry = seen[name]
        if row["width"] and "ImageWidth" in entry:
            # HEIC says its turn twice (irot and EXIF), JPEG in EXIF, a movie in its matrix.
            lying = entry.get("Orientation", 1) >= 5 or entry.get("Rotation", 0) in (90, 270)
            size = [entry["ImageWidth"], entry["ImageHeight"]]
            if [int(row["width"]), int(row["height"])] != (size[::-1] if lying else size):
                wrong.append((name, "size", size))
        date = {
            "exif_offset": "DateTimeOriginal",
            "exif_gps": "DateTimeOriginal",
            "exif_local": "DateTimeOriginal",
            "quicktime_date": "CreationDate",
            "movie_header": "MediaCreateDate",
        }.get(row["time_source"])
        if date and seconds_of(entry[date]) != row["taken"][:19]:
            wrong.append((name, date, entry[date]))
        wrong += [
            (name, axis, entry)
            for axis in ("latitude", "longitude")
            if row[axis] and abs(float(entry[f"GPS{axis.capitalize()}"]) - float(row[axis])) > 1e-4
        ]

    assert wrong == []


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is the judge here")
def test_ffprobe_finds_the_coder_of_every_video(media: Path) -> None:
    told = {name: row for name, row in rows(media).items() if name.startswith("library/") and row["kind"] == "video"}

    wrong = []
    for name, row in told.items():
        command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name"]
        answer = subprocess.run([*command, "-of", "csv=p=0", str(media / name)], capture_output=True, check=True)
        if f"video_codec={answer.stdout.decode().replace(',', ' ').split()[0]}" not in row["more"]:
            wrong.append((name, answer.stdout, row["more"]))

    assert wrong == []
