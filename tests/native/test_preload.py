"""A child that has preloaded its profile needs nothing more from the disk, and stays small."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scenes import film, scene, written

from mediabox.native.profiles import Profile, profile_of

SCRIPT = """
import json, os, sys
from mediabox.native.preload import preload
from mediabox.native.profiles import Profile
versions = preload(Profile(sys.argv[1]))
from mediabox.native import pixels
from mediabox.native.tags.reader import Reader
from mediabox.model.facts import Facts
from mediabox.model.asset import Kind

with open("/proc/self/smaps_rollup") as rollup:
    pss_kib = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
files = [(os.open(path, os.O_RDONLY), media_type) for path, media_type in json.loads(sys.argv[2])]
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event in ("open", "import") else None)
for descriptor, media_type in files:
    kind = Kind.VIDEO if media_type.startswith("video") else Kind.PICTURE
    seen = pixels.examine(Reader(descriptor), Facts(kind=kind, media_type=media_type))
    assert seen.preview and seen.thumbnail, (media_type, seen.facts.damage)
print(json.dumps({"versions": versions, "opened": opened, "pss_kib": pss_kib, "modules": sorted(sys.modules)}))
"""


def child(profile: Profile, *files: tuple[Path, str]) -> dict:
    listed = json.dumps([(str(path), media_type) for path, media_type in files])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, profile, listed], capture_output=True, text=True, check=False,
        env={"MALLOC_ARENA_MAX": "2", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def stills(folder: Path) -> list[tuple[Path, str]]:
    made = []
    for media_type, kind, image, options in (
        ("image/jpeg", "JPEG", scene(), {}),
        ("image/jpeg", "JPEG", scene().convert("CMYK"), {}),
        ("image/png", "PNG", scene().convert("RGBA"), {}),
        ("image/webp", "WEBP", scene(), {}),
        ("image/gif", "GIF", scene(), {"save_all": True, "append_images": [scene(seed=2)]}),
        ("image/tiff", "TIFF", scene(), {"compression": "tiff_lzw"}),
        ("image/bmp", "BMP", scene(), {}),
        ("image/avif", "AVIF", scene(), {"speed": 10}),
    ):
        path = folder / f"{len(made)}.bin"
        path.write_bytes(written(image, kind, **options))
        made.append((path, media_type))
    return made


def test_pictures_need_nothing_more_from_the_disk_and_little_memory(tmp_path: Path) -> None:
    seen = child(Profile.PICTURE, *stills(tmp_path))

    assert seen["opened"] == []
    assert seen["pss_kib"] < 48 * 1024  # measured 39 MB alone on the machine; the bar is 45 MB
    assert not {"av", "pillow_heif", "pyvips"} & set(seen["modules"])
    assert {"pillow", "libjpeg_turbo"} <= set(seen["versions"])


def test_movies_need_nothing_more_from_the_disk(tmp_path: Path) -> None:
    import pillow_heif

    heic = tmp_path / "a.heic"
    pillow_heif.from_pillow(scene(320, 240)).save(heic)
    see_through = tmp_path / "b.heic"
    pillow_heif.from_pillow(scene(320, 240).convert("RGBA")).save(see_through)
    clip = film(tmp_path / "a.mp4", seconds=0.3)

    seen = child(
        Profile.MOVIE, (heic, "image/heic"), (see_through, "image/heic"), (clip, "video/mp4"), *stills(tmp_path)[:1]
    )

    assert seen["opened"] == []
    assert {"ffmpeg", "libheif"} <= set(seen["versions"])
    assert "pyvips" not in seen["modules"]


def test_large_has_libvips_as_it_should_be() -> None:
    seen = child(Profile.LARGE)

    assert tuple(int(part) for part in seen["versions"]["libvips"].split(".")) >= (8, 17, 0)


@pytest.mark.parametrize(
    ("media_type", "profile"),
    [
        ("image/jpeg", Profile.PICTURE),
        ("image/x-canon-cr3", Profile.PICTURE),
        ("image/avif", Profile.PICTURE),
        ("image/heic", Profile.MOVIE),
        ("image/heif-sequence", Profile.MOVIE),
        ("video/quicktime", Profile.MOVIE),
        ("application/mxf", Profile.MOVIE),
    ],
)
def test_each_media_type_has_a_child(media_type: str, profile: Profile) -> None:
    assert profile_of(media_type) is profile


def test_the_daemon_can_ask_without_loading_a_decoder() -> None:
    script = "import sys, mediabox.native.profiles; print(sorted({'PIL', 'numpy', 'av', 'pyvips'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
