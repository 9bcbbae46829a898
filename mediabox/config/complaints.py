"""What is wrong with the settings of a running box, as issues for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.config.given import FILE
from mediabox.model.issue import Issue, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mediabox.config.load import Config
    from mediabox.config.problems import ConfigInvalid, LeftOut

RELOAD = "then have it read again: `systemctl reload mediabox`, or send the process SIGHUP."


def complaints(config: Config | None, invalid: ConfigInvalid | None, unbuilt: Iterable[LeftOut]) -> Iterator[Issue]:
    """`config` is in force; `invalid`: why what is on disk now is not. `unbuilt`: members found wanting since."""
    if invalid is not None:
        yield _invalid(invalid, config)
    if config is None:
        return
    yield from (_left_out(one) for one in (*config.left_out, *unbuilt))
    for note in config.notes:
        remedy = "Change the file so; nothing else is to be done."
        yield Issue(key="config.retired", subject=note.key, severity=Severity.NOTICE, message=f"{note}.", remedy=remedy)
    if not config.sources and not config.lacks("sources"):
        message = "No source of pictures is set up: nothing is taken in."
        remedy = f"Write [sources.pictures] into {config.home / FILE}, {RELOAD}"
        yield Issue(key="config.no_source", subject="", message=message, remedy=remedy)


def _invalid(invalid: ConfigInvalid, config: Config | None) -> Issue:
    problems = "; ".join(str(problem) for problem in invalid.problems)
    which = "What was read before stays in force" if config is not None else "No source, filing or deletion runs"
    return Issue(
        key=invalid.issue,
        subject=invalid.subject,
        severity=Severity.ERROR,
        message=f"The settings cannot be used: {problems}. {which}.",
        remedy=f"Mend these lines, {RELOAD}",
    )


def _left_out(one: LeftOut) -> Issue:
    what = f"The {one.family.removesuffix('s')} {one.name} is not used: {'; '.join(map(str, one.problems))}"
    remedy = f"Mend this in {one.problems[0].file}, {RELOAD} The rest goes on meanwhile."
    return Issue(key="config.invalid", subject=f"{one.family}.{one.name}", message=f"{what}.", remedy=remedy)
