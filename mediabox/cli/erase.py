"""`mediabox erase plan PHOTO...|confirm CODE|lift SHA256|list`: remove photos for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.cli import exits
from mediabox.cli.execute import execute
from mediabox.cli.home import home_of
from mediabox.cli.output import write_found
from mediabox.cli.words import bytes_words, clock_time, count_words
from mediabox.core.commands.erase import ConfirmErase, LiftErasure, PlanErase
from mediabox.core.home import catalogue
from mediabox.model.decision import DecisionKind
from mediabox.store import decisions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from mediabox.core.erasure import ErasePlan


def run(arguments: argparse.Namespace) -> int:
    home, given = home_of(arguments), tuple(arguments.what)
    if arguments.action == "list":
        return _list(home, as_json=arguments.json)
    if not given or (arguments.action != "plan" and len(given) > 1):
        raise exits.WrongUsage("give photos to plan, the code to confirm, or the SHA-256 to lift")
    if arguments.action == "plan":
        plan, _ = execute(home, PlanErase(photos=given))
        write_found(plan, _plan_words(plan), as_json=arguments.json)
        return exits.OK
    if arguments.action == "confirm":
        erased, is_running = execute(home, ConfirmErase(code=given[0]))
        print(f"{count_words(len(erased.digests), 'file')} erased, and kept out from now on.")
    else:
        lifted, is_running = execute(home, LiftErasure(sha256=given[0]))
        print(f"These bytes may come in again; {count_words(lifted.files, 'file')} will be fetched where it still is.")
    if not is_running:
        print("mediabox is not running here now: the archive follows at the next start.")
    return exits.OK


def _plan_words(plan: ErasePlan) -> Iterator[str]:
    yield from (f"  {name}" for name in plan.names)
    size = bytes_words(plan.size_bytes)
    yield f"{count_words(len(plan.names), 'file')} ({size}) would go for good, not to the trash."
    if plan.elsewhere:
        yield "What stays elsewhere, and what to do there:"
    yield from (f"  {one.place}: {one.name}. {one.remedy}" for one in plan.elsewhere)
    yield plan.beyond
    yield f"To do so, within five minutes: mediabox erase confirm {plan.code}"


def _list(home: Path, *, as_json: bool) -> int:
    with catalogue(home) as connection:
        found = decisions.of_kind(connection, DecisionKind.ERASED)
    lines = [f"{clock_time(one.at_ms)}  {one.subject}  ({one.by})" for one in found] or ["Nothing was erased."]
    write_found(found, lines, as_json=as_json)
    return exits.OK
