"""`mediabox pipeline` speaks to whoever uses the box."""

import re

import pytest
from cli.conftest import Say

from mediabox.assembly import RULES, STAGES

STEPS = (*STAGES, *RULES)
DEVELOPERS = re.compile(
    r"`|_|\bI\d+\b|\b(?:job|stage|rule|resource|asset|spool|catalogue|committed|staged)\b", re.IGNORECASE
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_step_says_in_a_sentence_what_it_does_for_a_person(step: type) -> None:
    assert re.fullmatch(r"[A-Z].*\.", step.summary)
    assert not DEVELOPERS.search(step.summary)
    assert step.summary not in (step.__doc__ or "")


def test_prints_every_step_with_its_sentence(say: Say) -> None:
    printed = say("pipeline")

    assert printed.code == 0
    for step in STEPS:
        assert re.search(rf"^{step.name} .*{re.escape(step.summary)}", printed.out, re.MULTILINE)
