"""A step that failed for good: said once, counted, with what to do; never a traceback for people."""

from pathlib import Path

import pytest

from mediabox.__main__ import main
from mediabox.cli import exits
from mediabox.core import failures, retry
from mediabox.core.recording import Recording
from mediabox.errors import Permanent, Retryable
from mediabox.model.facts import Facts
from mediabox.stages.examine import Examine
from whole.box import Household

JPEG = b"\xff\xd8\xff\xe0 a"
ERRORS = {
    "a bug": (ValueError("two\nlines"), "unexpected error (ValueError: two lines)", failures.REPORT),
    "a bug with a name that is no UTF-8": (
        OSError(36, "File name too long", "caf\udce9.jpg"),
        "unexpected error (OSError: [Errno 36] File name too long: 'caf\\udce9.jpg')",
        failures.REPORT,
    ),
    "a name that is no UTF-8": (Permanent("no caf\udce9.jpg"), "no caf\\udce9.jpg", failures.TRY_AGAIN),
    "what never works": (Permanent("it is no picture"), "it is no picture", failures.TRY_AGAIN),
    "what did not come right": (Retryable("the disk is slow"), "the disk is slow", failures.TRY_AGAIN),
}


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Household:
    household = Household(tmp_path)
    household.found({"a.jpg": JPEG, "b.jpg": JPEG + b"b"})
    monkeypatch.setattr(retry, "ATTEMPTS", 1)
    monkeypatch.setattr(retry, "BUG_ATTEMPTS", 1)
    return household


def run_once(box: Household) -> int:
    return main(["run", "--once", "--quiet", "--home", str(box.home)])


def assert_said_once_with_what_to_do(box: Household, reason: str, remedy: str) -> None:
    status = box.status()
    [issue] = status["issues"]
    assert issue["key"] == "job.failed"
    assert issue["message"] == f"examine of a.jpg failed: {reason}"
    assert issue["remedy"] == str(remedy)
    assert status["accounting"]["archived"] == 1
    assert status["accounting"]["pending"] == 1
    words = box.say("status") + box.say("where", "a.jpg")
    assert "  1 step failed for good; the reasons follow\n" in words
    assert f"  failed   examine, after 1 attempt: {reason}\n" in words
    assert "Traceback" not in words


@pytest.mark.parametrize("kind", ERRORS)
def test_a_step_that_failed_for_good_is_an_issue_and_ends_the_run_with_1(
    box: Household, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error, reason, remedy = ERRORS[kind]
    really_run = Examine.run

    async def run(self, work):
        if work.resource.name == "a.jpg":
            raise error
        return await really_run(self, work)

    monkeypatch.setattr(Examine, "run", run)

    assert run_once(box) == exits.PROBLEM

    assert "Traceback" not in capsys.readouterr().out
    assert_said_once_with_what_to_do(box, reason, remedy)


def test_what_cannot_be_written_down_is_an_issue_too(box: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    really_record = Recording.of_resource[Facts]

    def examined(self, resource, facts):
        if resource.name == "a.jpg":
            raise TypeError("no such column")
        return really_record(self, resource, facts)

    monkeypatch.setitem(Recording.of_resource, Facts, examined)

    assert run_once(box) == exits.PROBLEM
    assert_said_once_with_what_to_do(box, "unexpected error (TypeError: no such column)", failures.REPORT)

    monkeypatch.undo()
    box.say("retry")
    assert run_once(box) == exits.OK
    assert box.status()["issues"] == []
