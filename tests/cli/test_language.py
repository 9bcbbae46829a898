"""The terminal's language: what is stored is put into words for whoever reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import Say

from mediabox.core.home import catalogue
from mediabox.message import message, plural
from mediabox.model.issue import Issue
from mediabox.store import issues

ENGLISH_ONLY = """
import sys
from mediabox.__main__ import main
code = main(["status", "--home", sys.argv[1]])
print("babel" in sys.modules)
"""


@pytest.fixture
def waiting(home: Path) -> Path:
    """A home in which an issue is open."""
    remedy = message("Nothing is lost; work resumes automatically when it is back.")
    failed = plural(
        "{step} of {name} failed: {reason}",
        "{step} of {name} failed {count:n} times: {reason}",
        count=1200,
        step="fetch",
        name="IMG.HEIC",
        reason="timed out",
    )
    with catalogue(home, write=True) as connection:
        issues.open_issue(
            connection, Issue(key="source.missing", subject="cards", message=failed, remedy=remedy), at_ms=1
        )
    return home


def test_one_stored_issue_is_read_in_two_languages(waiting: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    english = say("status", home=waiting).out
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    german = say("status", home=waiting).out

    assert "fetch of IMG.HEIC failed 1,200 times: timed out" in english
    assert "fetch von IMG.HEIC ist 1.200-mal fehlgeschlagen: timed out" in german
    assert "Was zu tun ist: Es geht nichts verloren" in german


def test_a_program_reads_english_whatever_the_terminal_speaks(
    waiting: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    found = json.loads(say("status", "--json", home=waiting).out)

    assert [issue["message"] for issue in found["issues"] if issue["key"] == "source.missing"] == [
        "fetch of IMG.HEIC failed 1,200 times: timed out"
    ]


def test_english_loads_no_translations(home: Path) -> None:
    environment = os.environ | {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])}
    argv = [sys.executable, "-c", ENGLISH_ONLY, str(home)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
