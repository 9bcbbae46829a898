"""`mediabox pipeline`: the steps a photo takes, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mediabox.cli import exits
from mediabox.cli.output import write_found

if TYPE_CHECKING:
    import argparse

    from mediabox.contracts import Rule, Stage


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: a stage works on bytes and is a job; a rule decides on facts when they are stored."""

    name: str
    kind: str
    after: tuple[str, ...]
    purpose: str


def run(arguments: argparse.Namespace) -> int:
    steps = in_order()
    write_found(steps, map(_line, steps), as_json=arguments.json)
    return exits.OK


def _line(step: Step) -> str:
    after = f"  (after {', '.join(step.after)})" if step.after else ""
    return f"{step.name:9} {step.kind:5}  {step.purpose}{after}"


def in_order() -> list[Step]:
    """Every stage and rule, each after what it names in `after`."""
    from mediabox.assembly import RULES, STAGES

    waiting = [_step(one, "stage") for one in STAGES] + [_step(one, "rule") for one in RULES]
    known = {step.name for step in waiting}
    ordered: list[Step] = []
    while waiting:
        ready = [one for one in waiting if all(name not in known or name in _names(ordered) for name in one.after)]
        if not ready:
            message = f"steps wait for each other in a circle: {', '.join(_names(waiting))}"
            raise LookupError(message)
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def _names(steps: list[Step]) -> list[str]:
    return [step.name for step in steps]


def _step(part: type[Stage | Rule], kind: str) -> Step:
    return Step(name=part.name, kind=kind, after=part.after, purpose=part.summary)
