"""ruff and mypy as tests, so that one command says whether the tree is in order."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"\n{done.stdout}{done.stderr}"


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", "--output-format", "concise", "--no-fix", ".")


@pytest.mark.timeout(600)  # the first run types every library; later ones take seconds from .mypy_cache
def test_mypy_finds_nothing() -> None:
    run("mypy", "--no-error-summary")


def test_every_ignored_rule_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    ignored = {*lint["ignore"], *(rule for rules in lint["per-file-ignores"].values() for rule in rules)}

    silent = [rule for rule in ignored if not re.search(rf'"{rule}",?\s*\]?\s*# \S', text)]

    assert not silent


def test_every_silenced_line_says_why() -> None:
    """`# noqa` and `# type: ignore` name one rule; what they allow is explained beside it or by the rule's name."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "mediabox").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"# noqa(?!: [A-Z]+\d+)|# type: ignore(?!\[)|TODO(?!\(#\d+\))|FIXME|\bXXX\b", line)
    ]

    assert not found


def test_shell_scripts_are_clean() -> None:
    scripts = [
        path
        for folder in ("image-build", "tests", ".ci", "systemd", "firmware", "udev")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and (path.suffix == ".sh" or path.read_bytes()[:32].startswith(b"#!/usr/bin/env bash"))
    ]
    assert scripts
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)
    try:
        done = subprocess.run(["shellcheck", "-x", *map(str, scripts)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("shellcheck is not installed")

    assert done.returncode == 0, f"\n{done.stdout}"
