"""Any tree of a household's folders: photos, what programs and cameras leave beside them, links and pipes."""

import os
from pathlib import Path

from hypothesis import strategies as st

FOLDERS = st.sampled_from(
    ["2024", ".picasaoriginals", "@eaDir", "#recycle", ".hidden", "L.photoslibrary", "resources", "derivatives", "BDMV"]
)
FILES = st.sampled_from(
    ["1.jpg", "2.MOV", ".3.jpg", "4.jpg.part", "5.livp", "6.zip", "._7.jpg", ".8.jpg.icloud", "index.ts", "Thumbs.db",
     "notes", "9.jpg", "9.jpg.aria2", "ä\udcf6.jpg", "b.jpg.crdownload", ".c.jpg.aB3x9Q"]
)  # fmt: skip
PATHS = st.tuples(st.lists(FOLDERS, max_size=4), FILES, st.sampled_from(["file", "file", "file", "link", "pipe"]))


def lay_out(tree: Path, paths: list[tuple[list[str], str, str]]) -> None:
    for folders, name, kind in paths:
        path = tree.joinpath(*folders, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            continue
        match kind:
            case "link":
                path.symlink_to("elsewhere")
            case "pipe":
                os.mkfifo(path)
            case _:
                path.write_bytes(b"x")


def names_below(tree: Path) -> int:
    """A second count: every name that is no folder."""
    return sum(len(files) + sum(os.path.islink(os.path.join(at, one)) for one in folders)
               for at, folders, files in os.walk(tree))  # fmt: skip
