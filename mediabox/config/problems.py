"""What is wrong with a configuration: every problem at once, each with its place."""

import re
from collections.abc import Sequence

import msgspec

from mediabox.errors import NeedsHuman
from mediabox.message import message, plural


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend. `key` is the path from the top (`dedup.max_distance`), empty for the file as a whole."""

    file: str
    key: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key} {self.message}" if self.key else f"{place}: {self.message}"


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A source or destination that cannot be used; the others can."""

    family: str
    name: str
    problems: tuple[Problem, ...]
    paths: tuple[str, ...] = ()  # texts among its settings that may be folders of its own


class ConfigInvalid(NeedsHuman):
    """The configuration cannot be used. `problems` names everything that is wrong with it, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            plural(
                "the settings have a problem:\n{problems}",
                "the settings have {count:n} problems:\n{problems}",
                count=len(problems),
                problems="\n".join(f"  {problem}" for problem in problems),
            ),
            issue="config.invalid",
            subject=problems[0].file,
            remedy=message("Fix these settings and restart mediabox."),
        )


class Report:
    """Collects problems and notes while the configuration is read. `text` is the person's file, for line numbers."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []  # nothing to stop for
        self.text = ""
        self.text_file = ""

    def add(self, message: str, *, file: str, key: str = "", line: int | None = None) -> None:
        self.problems.append(self._placed(message, file=file, key=key, line=line))

    def note(self, message: str, *, file: str, key: str) -> None:
        self.notes.append(self._placed(message, file=file, key=key))

    def _placed(self, message: str, *, file: str, key: str, line: int | None = None) -> Problem:
        if line is None and key and file == self.text_file:
            line = line_of(self.text, key)
        return Problem(file=file, key=key, message=message, line=line)

    def finish(self) -> None:
        """Raise ConfigInvalid when there was any problem."""
        if self.problems:
            raise ConfigInvalid(self.problems)


def line_of(text: str, key: str) -> int | None:
    """The line of a TOML text that sets `key`, else of the table that should; None when it cannot be told.

    `tomllib` keeps no positions. This reads headers and plain keys only, which is how
    people write settings; for stranger forms the key alone has to do.
    """
    table, table_line = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = _plain(header[1])
            if key == table or key.startswith(f"{table}."):
                table_line = number
        elif assignment := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            name = _plain(assignment[1])
            full = f"{table}.{name}" if table else name
            if key == full or key.startswith((f"{full}.", f"{full}[")):
                return number
    return table_line


def _plain(name: str) -> str:
    return re.sub(r"[\s\"']", "", name)
