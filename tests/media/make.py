"""Make the small media the tests use, and `MANIFEST.tsv`, which says what each file is.

    .venv/bin/python tests/media/make.py [FOLDER]

Needs ffmpeg and the packages of the `test` extra; only for making, the results are
committed. Repeating it with the same encoders gives the same bytes. Every picture is
invented (`making/scene.py`), so all of it may go wherever the code goes.

- `library/`  a household's tree in miniature: all of it must be kept
- `damaged/`  cut, rotten, empty, mislabelled
- `other/`    no photos; must be left alone

Names that Git or other systems would spoil (line breaks, decomposed accents) are made by
the tests that need them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from making import damaged, forms, groups, heif, pictures, raw, video
from making.shelf import Shelf

MAKERS = (
    pictures.orientations,
    pictures.dated,
    pictures.undated,
    pictures.described,
    pictures.colored,
    forms.paired_inside,
    forms.drawn,
    forms.web,
    forms.scanned,
    heif.phone,
    heif.other_heic,
    raw.raw_pair,
    raw.other_raws,
    raw.phone_raw,
    video.from_phones,
    video.from_the_web,
    video.from_cameras,
    video.from_elsewhere,
    video.high_range,
    groups.live,
    groups.motion,
    groups.edits,
    groups.sidecars,
    groups.copies,
    damaged.damaged,
    damaged.damaged_videos,
    damaged.mislabelled,
    damaged.others,
)


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for name in ("library", "damaged", "other"):
        shutil.rmtree(root / name, ignore_errors=True)
    shelf = Shelf(root)
    for maker in MAKERS:
        maker(shelf)
    (root / "MANIFEST.tsv").write_text(shelf.manifest())
    print(f"{shelf.size_bytes() / 1e6:.2f} MB in {root}")


if __name__ == "__main__":
    main()
