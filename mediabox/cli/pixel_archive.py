"""`mediabox pixel archive NAME [--into DIR]`: copy the phone's own files to where a source takes them in."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.words import count_words, plain
from mediabox.config.load import load
from mediabox.core.delivering.strangers import is_stranger
from mediabox.core.home import catalogue, poke
from mediabox.durable.publish import seal
from mediabox.errors import Permanent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mediabox.cli.pixel_target import Target


def run(target: Target, into: str | None) -> int:
    """Nothing is deleted or overwritten; may be repeated. Raises Permanent, OSError."""
    place = _place(target, into) / f"from-{target.name}"
    count = 0
    with catalogue(target.home) as connection:
        for path in _files(target.shared):
            digest = _digest(target.shared / path)
            if is_stranger(connection, target.name, path=path, digest=digest) and _copy(target, path, place, digest):
                count += 1
                print(plain(f"{path} -> {place / path}"))
    poke(target.home)
    print(plain(f"{count_words(count, 'file')} copied to {place}; the source takes them in at its next look."))
    return exits.OK


def _place(target: Target, into: str | None) -> Path:
    """A folder that some source searches: the one named, or the only one there is."""
    trees = [Path(tree) for one in load(target.home).sources for tree in getattr(one.settings, "trees", ())]
    chosen = Path(into).absolute() if into else trees[0] if len(trees) == 1 else None
    if chosen is None or not any(chosen.is_relative_to(tree) for tree in trees):
        shown = ", ".join(map(str, trees)) or "none: set up a source of type folder"
        raise Permanent(f"--into DIR: name a folder a source searches; there are {shown}")
    return chosen


def _files(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in sorted(names))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(target: Target, path: str, place: Path, digest: str) -> bool:
    """Whole under its name, or not at all; another one's name is left to it. Whether it was not there yet."""
    source, final = target.shared / path, place / path
    if final.exists() and _digest(final) != digest:
        final = final.with_stem(f"{final.stem}_{digest[:8]}")
    if final.exists():
        return False
    part = final.with_name(f".{final.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, part.open("wb") as written:
        shutil.copyfileobj(read, written)
    if _digest(part) != digest:
        raise Permanent(f"{path} changed while it was copied; try again")
    times = source.stat()
    os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
    seal(part, final)
    return True
