"""Whether a box kept its promises, judged from the disk: digests are computed here, not believed.

assert_sound(home, sources)          # after a run to the end
findings(home, sources, is_over=False)  # while a disaster is still going on: what may never be seen
"""

import hashlib
import io
import json
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stdout
from itertools import zip_longest
from pathlib import Path

import msgspec
from manifests import parse_sums

from mediabox.__main__ import main
from mediabox.config.load import load
from mediabox.core import indexing
from mediabox.durable.temporary import is_temporary
from mediabox.model.manifest import MANIFEST_NAME

SIDECARS = {".xmp", ".aae", ".json"}  # originals that may stand alone: nobody writes a sidecar for a sidecar
READ_ONLY = 0o444


class Original(msgspec.Struct, frozen=True):
    """A file as the owner has it."""

    digest: str
    mtime_ns: int


def originals_below(*folders: Path) -> dict[Path, Original]:
    """Every file below these folders, as it is now."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: Original(digest_of(path), path.stat().st_mtime_ns) for path in files}


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_sound(home: Path, sources: Mapping[Path, Original], *, moved: bool = False) -> None:
    """Fail with everything that is not as promised. `moved`: the box removes what it archived."""
    found = findings(home, sources, moved=moved)
    assert not found, "\n".join(found)


def findings(
    home: Path,
    sources: Mapping[Path, Original],
    *,
    archive: Path | None = None,
    moved: bool = False,
    is_over: bool = True,
    by_commands: bool = True,
) -> list[str]:
    """What is not as promised; `is_over`: the box has run to its end without a fault.

    `archive`: where it is at the moment, if not at its place. `by_commands`: ask
    `sha256sum` and `mediabox` as well; thousands of histories do without.
    """
    archive = archive or load(home).path(load(home).archive.path)
    kept = archived_originals(archive)
    found = [*_sources(sources, kept, moved=moved), *_archive(archive, kept)]
    if not (home / "mediabox.db").exists():
        return found + (["there is no catalogue"] if is_over else [])
    with _catalogue(home) as catalogue:
        found += _catalogued(catalogue, archive, kept)
        if is_over:
            found += [*_ended(catalogue, sources, kept), *_described(archive, kept), *_indexed(catalogue)]
            found += [*_listed(archive, kept), *_leftovers(archive)]
            found += [*_checked(archive, kept), *_commands(home)] if by_commands else []
    return found


@contextmanager
def _catalogue(home: Path) -> Iterator[sqlite3.Connection]:
    """A copy, so that looking at a crashed database does not recover it before the box does."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="look-") as folder:
        for path in home.glob("mediabox.db*"):
            if path.suffix in {".db", ".db-wal", ".db-journal"}:
                shutil.copyfile(path, Path(folder, path.name))
        with closing(sqlite3.connect(Path(folder, "mediabox.db"))) as connection:
            yield connection


def archived_originals(archive: Path) -> dict[Path, str]:
    """Every original in the archive with the digest of what is there now."""
    files = [path for path in sorted(archive.rglob("*")) if path.is_file()]
    ours = [path for path in files if not _is_text_of_ours(path) and ".mediabox" not in path.parts]
    return {path: digest_of(path) for path in ours}


def _is_text_of_ours(path: Path) -> bool:
    is_sidecar = path.name.endswith(".xmp") and not path.name.endswith(".source.xmp")
    return is_sidecar or path.name == MANIFEST_NAME or is_temporary(path.name)


# ---------------------------------------------------------------- at any time


def _sources(sources: Mapping[Path, Original], kept: Mapping[Path, str], *, moved: bool) -> Iterator[str]:
    """The owner's files are untouched; one that is gone is in the archive, byte for byte."""
    digests = set(kept.values())
    for path, original in sources.items():
        if not path.exists():
            if not moved or original.digest not in digests:
                yield f"LOST: {path} is gone, and {original.digest} is not in the archive"
        elif digest_of(path) != original.digest or path.stat().st_mtime_ns != original.mtime_ns:
            yield f"the source's {path} was changed"


def _archive(archive: Path, kept: Mapping[Path, str]) -> Iterator[str]:
    elected = [digest for path, digest in kept.items() if path.suffix.lower() not in SIDECARS]  # kept by each
    for digest, times in Counter(elected).items():
        if times > 1:
            yield f"twice in the archive: {[str(path) for path, each in kept.items() if each == digest]}"
    for path in kept:
        if stat.S_IMODE(path.stat().st_mode) != READ_ONLY:
            yield f"{path.relative_to(archive)} may be written to: {path.stat().st_mode:o}"


def _catalogued(catalogue: sqlite3.Connection, archive: Path, kept: Mapping[Path, str]) -> Iterator[str]:
    """Nothing under a final name has other bytes than were recorded, and no record runs ahead of its bytes."""
    if not catalogue.execute("PRAGMA user_version").fetchone()[0]:
        return  # killed before the first migration
    for path, digest, state in catalogue.execute("SELECT path, digest, state FROM resource WHERE path IS NOT NULL"):
        there = kept.get(archive / path)
        if there is None and state == "archived":
            yield f"{path} is archived in the catalogue and not in the archive"
        elif there not in (None, digest):
            yield f"HALF: {path} has other bytes ({there}) than were recorded ({digest})"


# ---------------------------------------------------------------- in the end


def _indexed(catalogue: sqlite3.Connection) -> Iterator[str]:
    """The index, kept true change by change, is the one that is made anew from the whole journal."""
    kept = catalogue.execute(
        "SELECT DISTINCT asset_id FROM resource WHERE state IN ('archived', 'trashed') "
        "AND kind <> 'sidecar' AND role <> 'companion' ORDER BY asset_id"
    ).fetchall()
    before = _index_rows(catalogue)
    if [row[:1] for row in before] != kept:
        yield f"the index has assets {[row[0] for row in before]}, kept are {[row[0] for row in kept]}"
    with closing(sqlite3.connect(":memory:")) as copy:
        catalogue.backup(copy)
        for table in ("asset_index", "asset_words", "index_count"):
            copy.execute(f"DELETE FROM {table}")
        copy.execute("UPDATE index_cursor SET seq = 0")
        while not indexing.catch_up(copy):
            pass
        pairs = [*zip_longest(before, _index_rows(copy)), *zip_longest(_count_rows(catalogue), _count_rows(copy))]
        for old, new in pairs:
            if old != new:
                yield f"the index has {old} for what is {new}"


def _index_rows(catalogue: sqlite3.Connection) -> list[tuple[object, ...]]:
    return catalogue.execute(
        "SELECT asset_index.*, members, asset_words.* FROM asset_index JOIN holders ON holders.id = holders "
        "JOIN asset_words ON asset_words.rowid = asset_id ORDER BY asset_id"
    ).fetchall()


def _count_rows(catalogue: sqlite3.Connection) -> list[tuple[object, ...]]:
    return catalogue.execute("SELECT * FROM index_count WHERE count <> 0 ORDER BY 1, 2, 3, 4").fetchall()


def _ended(catalogue: sqlite3.Connection, sources: Mapping[Path, Original], kept: Mapping[Path, str]) -> Iterator[str]:
    """Everything taken in has one end, and what is not quarantined is kept (I11)."""
    for name, state in catalogue.execute("SELECT name, state FROM resource"):
        if state in {"seen", "staged", "filing"}:
            yield f"{name} is still {state}"
    for step, subject, state, error in catalogue.execute("SELECT step, subject, state, last_error FROM job"):
        yield f"{step} of {subject} is still {state}: {error}"
    excused = _excused(catalogue)
    digests = set(kept.values())
    for path, original in sources.items():
        if path.exists() and original.digest not in digests and not excused(path):
            yield f"LOST: {path} ({original.digest}) is not in the archive"
    recorded = {row[0] for row in catalogue.execute("SELECT path FROM resource WHERE state = 'archived'")}
    for path in kept:
        if not any(str(path).endswith(f"/{each}") for each in recorded):
            yield f"{path} is in the archive and not in the catalogue"


def _excused(catalogue: sqlite3.Connection) -> Callable[[Path], bool]:
    """Whether the box told why it does not keep this very version. That it is gone is no reason while it is there."""
    told = "SELECT remote_id, version FROM resource WHERE state = 'quarantined' AND reason NOT LIKE '%is gone%'"
    refused = set(catalogue.execute(f"{told} UNION SELECT remote_id, version FROM ignored").fetchall())

    def is_excused(path: Path) -> bool:
        status = path.stat()
        version = f"{status.st_size}-{status.st_mtime_ns}"
        ends = {remote_id.partition("/")[2] for remote_id, refused_version in refused if refused_version == version}
        return any(str(path).endswith(f"/{end}") for end in ends)

    return is_excused


def _described(archive: Path, kept: Mapping[Path, str]) -> Iterator[str]:
    """Every original is named, with its digest, in a sidecar (I12)."""
    told = "".join(path.read_text("utf-8") for path in archive.rglob("*.xmp") if _is_text_of_ours(path))
    for path, digest in kept.items():
        if digest not in told and path.suffix.lower() not in SIDECARS:
            yield f"no sidecar names {path.relative_to(archive)} ({digest})"


def _listed(archive: Path, kept: Mapping[Path, str]) -> Iterator[str]:
    for folder in {path.parent for path in kept}:
        manifest = folder / MANIFEST_NAME
        listed = {one.name: one.digest for one in parse_sums(manifest.read_bytes())} if manifest.exists() else {}
        if listed != {path.name: digest for path, digest in kept.items() if path.parent == folder}:
            yield f"{manifest.relative_to(archive)} is wrong: {listed}"


def _checked(archive: Path, kept: Mapping[Path, str]) -> Iterator[str]:
    """As a person checks it on the day the box is gone."""
    for folder in {path.parent for path in kept}:
        names = {path.name for path in kept if path.parent == folder}
        checked = subprocess.run(
            ["sha256sum", "-c", "--strict", MANIFEST_NAME], cwd=folder, capture_output=True, text=True, check=False
        )
        right = {line.removesuffix(": OK") for line in checked.stdout.splitlines() if line.endswith(": OK")}
        if checked.returncode or right != names:
            yield f"{folder.relative_to(archive)}/{MANIFEST_NAME} is wrong about {right ^ names}: {checked.stderr}"


def _leftovers(archive: Path) -> Iterator[str]:
    for path in archive.rglob("*"):
        if path.is_file() and (is_temporary(path.name) or path.parent.name == "spool"):
            yield f"left over: {path.relative_to(archive)}"
    strangers = {path.name for path in archive.glob(".mediabox/*")} - {"volume.json", "spool", "backup", "decisions"}
    if strangers:
        yield f"left over in .mediabox: {strangers}"


def _commands(home: Path) -> Iterator[str]:
    """What the box itself says: everything accounted for, the archive whole, the journal's chain unbroken."""
    told = json.loads(_said(home, "status", "--json"))
    counts = told["accounting"]
    if counts["taken_in"] != counts["archived"] + counts["duplicate"] + counts["quarantined"] + counts["pending"]:
        yield f"the accounting does not balance: {counts}"
    verified = json.loads(_said(home, "verify", "--json"))
    for kind in ("missing", "damaged", "foreign", "catalogue"):
        if verified.get(kind):
            yield f"verify: {kind}: {verified[kind]}"


def _said(home: Path, *words: str) -> str:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="utf-8", write_through=True) as stream, redirect_stdout(stream):
        main([*words, "--home", str(home)])
        return raw.getvalue().decode()
