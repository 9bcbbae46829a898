"""A step that is one new class and one line of the composition root, and nothing else."""

from pathlib import Path
from typing import get_args

import pytest

from mediabox import assembly
from mediabox.contracts import Needs, Outcome, Stage, StepResult, Subject, Work
from mediabox.contracts.stage import Recorded
from mediabox.core.recording import Recording
from whole.box import Household
from whole.plain_box import run_to_the_end

JPEG = b"\xff\xd8\xff\xe0"


class Count(Stage):
    """Keeps what it was given."""

    name = "count"
    after = ("file",)
    follows = ("archived",)
    needs = Needs(cpu=True)
    width = 3

    def __init__(self, subject: Subject) -> None:
        self.subject, self.works = subject, list[Work]()

    async def run(self, work: Work) -> StepResult:
        self.works.append(work)
        return StepResult()


@pytest.mark.parametrize("subject", [Subject.RESOURCE, Subject.ASSET, Subject.FOLDER])
def test_a_new_stage_runs_when_it_is_handed_to_the_composition_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: Subject
) -> None:
    stage = Count(subject)
    monkeypatch.setattr(Count, "subject", subject, raising=False)
    monkeypatch.setitem(assembly.STAGES, Count, lambda _: stage)
    box = Household(tmp_path)
    box.found({"a.jpg": JPEG + b"a", "b.jpg": JPEG + b"b"})

    run_to_the_end(box.home, {})

    subjects = {work.job.subject for work in stage.works}
    folders = {str(path.parent.relative_to(box.archive)) for path in box.archive.rglob("*.jpg")}
    assert subjects == (folders if subject is Subject.FOLDER else {"1", "2"})
    assert all((work.resource is not None) == (subject is Subject.RESOURCE) for work in stage.works)
    assert all(work.needs == Count.needs for work in stage.works)
    box.assert_sound()


def test_every_outcome_a_step_may_have_is_written_down_by_its_type() -> None:
    of_deliveries = {"Delivered", "Undeliverable"}  # by `core.delivering.record`

    written = {*Recording.of_resource, *Recording.of_others}

    assert {kind.__name__ for kind in get_args(Outcome)} - {kind.__name__ for kind in written} == of_deliveries


def test_a_stage_can_only_follow_what_the_journal_is_told() -> None:
    followed = {event for stage in assembly.STAGES for event in stage.follows}

    assert followed <= set(get_args(Recorded))
