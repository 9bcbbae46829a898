"""Words that name files, settings and decisions must name ones that exist."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediabox.config import describe, members
from mediabox.config.sections import CORE

ROOT = Path(__file__).parents[1]
FOLDERS = ("", "mediabox", "tests")  # what a path in the text may be relative to, besides its own folder
DECISION_LINES = 30


def tracked(*patterns: str) -> list[Path]:
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", *patterns], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def named_paths(text: str) -> Iterator[str]:
    """Paths of ours in back-ticks: `core/settle.py`, `systemd/`, `tests/run`."""
    for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text):
        if re.search(r"/|\.(py|sql|md|toml|service|sh)$", name):
            yield name


def test_every_file_the_documents_name_exists() -> None:
    missing = [
        f"{document.relative_to(ROOT)}: {name}"
        for document in tracked("*.md")
        if document.name != "REFERENCE.md"
        for name in named_paths(document.read_text(encoding="utf-8"))
        if name.split("/")[0] in top_names() and not exists(name, document.parent)
    ]

    assert not missing, "\n".join(["", *missing])


def top_names() -> set[str]:
    """First parts that make a path one of ours rather than an example (`IMG_1.JPG.xmp`, `archive/2024/`)."""
    return {path.name for folder in FOLDERS for path in (ROOT / folder).iterdir()} - {"media"}


def exists(name: str, beside: Path) -> bool:
    return any((folder / name).exists() for folder in (beside, *(ROOT / each for each in FOLDERS)))


def test_every_setting_the_documents_name_exists() -> None:
    known = {setting.key for table, kind in CORE.items() for setting in describe.settings(table, kind)}
    tables = "|".join(CORE)

    unknown = [
        f"{document.relative_to(ROOT)}: {key}"
        for document in tracked("*.md")
        for key in re.findall(rf"`((?:{tables})\.[a-z_]+)`", document.read_text(encoding="utf-8"))
        if key not in known and not key.endswith((".py", ".md"))
    ]

    assert not unknown


def test_decisions_are_numbered_and_short() -> None:
    decisions = sorted((ROOT / "mediabox" / "decisions").glob("*.md"))

    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: "), path.name
        assert len(text.splitlines()) <= DECISION_LINES, path.name
        for part in ("**Context.**", "**Choice.**", "**Rejected.**", "**Consequence.**"):
            assert part in text, f"{path.name} lacks {part}"


def test_every_source_is_in_the_reference() -> None:
    reference = (ROOT / "mediabox" / "config" / "REFERENCE.md").read_text(encoding="utf-8")

    for family in members.FAMILIES:
        for name in members.names(family):
            assert f'[{family}.NAME] type = "{name}"' in reference


def test_nothing_advises_to_open_a_familys_photos_to_everybody() -> None:
    """A remedy names one user or one group (`setfacl -m u:NAME`, `usermod -aG`), or takes rights away."""
    opens = re.compile(r"\bchmod (?:-\w+ )*(?:[ug]*[oa][ugoa]*[+=][rwx]|[+=]\w*[rwx]|[0-7]?[0-7]{2}[1-7]\b)")

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked("mediabox/*.py", "*.md", "*.service", "systemd", "udev", "image-build")
        if (match := opens.search(path.read_text(encoding="utf-8")))
    ]

    assert opens.search("sudo chmod -R o+rX /photos")
    assert not found


def test_nothing_committed_names_a_machine() -> None:
    """Home folders and build machines do not belong in the tree; a path of a user's own is an example."""
    pattern = re.compile(r"/root/|/home/(?!you\b|pi\b|mediabox\b)\w+/|/workspace/")

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked("*.py", "*.md", "*.toml", "*.sh", "*.service", "image-build", "tests/run", ".ci/run")
        if path != Path(__file__) and (match := pattern.search(path.read_text(encoding="utf-8")))
    ]

    assert not found
