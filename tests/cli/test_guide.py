"""README and guide show only commands, settings, messages and links that are true.

Blocks marked `console` hold one command a line, after `$ `; those marked `sh` hold it alone. What a small home made
of `tests/media` can answer is run; the rest is held against the argument parser, or against the script it starts.
"""

import argparse
import ast
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from cli.conftest import Say, program
from patience import PATIENCE_S

from mediabox.__main__ import _parser
from mediabox.config.load import load

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "mediabox"
GUIDE = PRODUCT / "guide"
PAGES = [ROOT / "README.md", *sorted(GUIDE.glob("*.md"))]
README_WORDS = range(400, 801)  # without the measured table
# Commands that need what a test has not: Apple, a phone, a list to confirm, a backup, an end.
OUTSIDE = re.compile(
    r"auth |pixel |adopt |simulate |scan \w|run$|release (?!report)|verify-certificate |where FILE|doctor --mend-marker"
)
SYSTEM = {"sudo", "rsync"}  # read by `bash -n` alone
PRIVATE_WORDS = re.compile(r"\b(told|said|shelf|errand|ours alone|none of ours)\b", re.IGNORECASE)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines), "a console block holds commands alone"
    ready_to_copy = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [*ready_to_copy, *(line.removeprefix("$ ") for line in lines)]


def words_of(command: str) -> list[str]:
    """What comes after `mediabox`, without a home of the page's own; nothing for other programs."""
    words = shlex.split(command)
    if Path(words[0]).name != "mediabox":
        return []
    if "--home" in words:
        at = words.index("--home")
        del words[at : at + 2]
    return words[1:]


def parsed(words: list[str]) -> argparse.Namespace:
    return _parser().parse_args([word.replace("-kind", "NOT kind") for word in words])


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Path:
    """A home as the first page has it after its second step."""
    home = tmp_path_factory.mktemp("guide") / "home"
    home.mkdir()
    (home / "mediabox.toml").write_text(
        f'[sources.pictures]\ntype = "folder"\ntrees = ["{media / "library"}"]\nsettle_s = 0\n', encoding="utf-8"
    )
    done = program("run", "--once", "--quiet", "--home", str(home))
    assert done.code == 0, done.out + done.err
    return home


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_works(page: Path, archived: Path, tmp_path: Path, say: Say) -> None:
    home = Path(shutil.copytree(archived, tmp_path / "home"))
    for command in commands(page):
        subprocess.run(["bash", "-n", "-c", command], check=True)
        if words := words_of(command):
            parsed(words)
            if not OUTSIDE.match(" ".join(words)):
                done = program(*words, "--home", str(home)) if words[0] == "run" else say(*words, home=home)
                assert done.code == 0, f"{command}\n{done.out}{done.err}"
                assert "0 assets found" not in done.out, command
        elif command.startswith("./"):
            script, *rest = shlex.split(command)
            assert os.access(ROOT / script, os.X_OK), command
            if script.endswith("/try"):
                parsed(["run", "--pictures", *rest])
        elif command.startswith("cd "):
            done = subprocess.run(
                ["bash", "-c", command], cwd=home, capture_output=True, text=True, check=False, timeout=PATIENCE_S
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        else:
            assert shlex.split(command)[0] in SYSTEM, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_within_a_sentence_is_one(page: Path) -> None:
    for command in re.findall(r"`mediabox ([a-z][^`]*)`", page.read_text(encoding="utf-8")):
        parsed(shlex.split(command))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_settings_block_can_be_used_as_it_is(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "toml"):
        (tmp_path / "mediabox.toml").write_text(block, encoding="utf-8")
        assert not load(tmp_path).notes, block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]*(?:#[^)]*)?)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_leads_to_every_page_and_is_short() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    prose = re.sub(r"<!-- measured: tests.*measured: end -->", "", text, flags=re.DOTALL)

    assert [page.name for page in PAGES[1:] if f"mediabox/guide/{page.name}" not in text] == []
    assert len(prose.split()) in README_WORDS


def test_the_readme_has_one_command_to_try_and_one_to_test() -> None:
    assert [command for command in commands(PAGES[0]) if command.startswith("./")] == [
        "./image-build/try ~/Pictures --once",
        "./tests/run",
    ]
    assert "exec ./tests/run" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_speaks_to_people(page: Path) -> None:
    prose = re.sub(r"^### `.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)  # messages as they are

    assert not PRIVATE_WORDS.search(prose)


def test_every_command_is_in_the_list_of_commands() -> None:
    verbs = next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    table = (GUIDE / "commands.md").read_text(encoding="utf-8").partition("## Exit codes")[0]
    listed = re.findall(r"`([a-z-]+)[^`]*`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))

    assert set(listed) == set(verbs.choices)


def test_every_message_that_is_explained_is_one_of_the_product() -> None:
    page = (GUIDE / "troubleshooting.md").read_text(encoding="utf-8")
    shown = re.findall(r"`([^`]*…[^`]*)`", "\n".join(re.findall(r"^### (`.*)$", page, re.MULTILINE)))

    assert shown
    assert [message for message in shown if not is_written(message)] == []


def is_written(message: str) -> bool:
    """Whether a text of the product has these words in this order; `…` stands for whatever a message fills in."""
    pattern = re.compile(".*".join(re.escape(part.strip()) for part in message.split("…")))
    return any(pattern.search(text) for text in texts())


@cache
def texts() -> tuple[str, ...]:
    return tuple(text for path in PRODUCT.rglob("*.py") for text in texts_of(path))


def texts_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.JoinedStr():
                yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            case ast.Constant(value=str()):
                yield node.value
