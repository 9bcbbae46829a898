"""What is wrong with the settings of a running box, as issues for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediabox.config.given import FILE
from mediabox.message import message
from mediabox.model.issue import Issue, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mediabox.config.load import Config
    from mediabox.config.problems import ConfigInvalid, LeftOut

RELOAD = message("Then run `systemctl reload mediabox`, or send the process SIGHUP.")


def complaints(config: Config | None, invalid: ConfigInvalid | None, unbuilt: Iterable[LeftOut]) -> Iterator[Issue]:
    """`config` is in force; `invalid`: why what is on disk now is not. `unbuilt`: members found wanting since."""
    if invalid is not None:
        yield _invalid(invalid, config)
    if config is None:
        return
    yield from (_left_out(one) for one in (*config.left_out, *unbuilt))
    for note in config.notes:
        remedy = message("Change the file accordingly; nothing else is necessary.")
        what = message("{problem}.", problem=str(note))
        yield Issue(key="config.retired", subject=note.key, severity=Severity.NOTICE, message=what, remedy=remedy)
    if not config.sources and not config.lacks("sources"):
        what = message("No source is set up: no photos are taken in.")
        remedy = message("Add [sources.pictures] to {file}. {reload}", file=str(config.home / FILE), reload=RELOAD)
        yield Issue(key="config.no_source", subject="", message=what, remedy=remedy)


def _invalid(invalid: ConfigInvalid, config: Config | None) -> Issue:
    problems = "; ".join(str(problem) for problem in invalid.problems)
    what = (
        message("The settings are not valid: {problems}. The previous settings stay in force.", problems=problems)
        if config is not None
        else message(
            "The settings are not valid: {problems}. Nothing is taken in, archived or deleted.", problems=problems
        )
    )
    return Issue(
        key=invalid.issue,
        subject=invalid.subject,
        severity=Severity.ERROR,
        message=what,
        remedy=message("Fix these settings. {reload}", reload=RELOAD),
    )


def _left_out(one: LeftOut) -> Issue:
    problems = "; ".join(map(str, one.problems))
    what = (
        message("The source {name} is not used: {problems}.", name=one.name, problems=problems)
        if one.family == "sources"
        else message("The destination {name} is not used: {problems}.", name=one.name, problems=problems)
    )
    remedy = message(
        "Fix this in {file}. {reload} Everything else continues.", file=one.problems[0].file, reload=RELOAD
    )
    return Issue(key="config.invalid", subject=f"{one.family}.{one.name}", message=what, remedy=remedy)
