"""Why a name in a folder is not taken in: the table `layouts.tsv` of caches, bins, half downloads, cards."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

from mediabox.model.tables import rows


class Reason(StrEnum):
    """Why a name in a folder is not taken in."""

    PICASA_ORIGINALS = "picasa_originals"
    LIVP = "livp"
    HIDDEN = "hidden"
    UNFINISHED = "unfinished"
    CACHE = "cache"
    BIN = "bin"
    CARD = "card"
    PACKED = "packed"
    ONLINE_ONLY = "online_only"
    SYSTEM = "system"
    EXCLUDED = "excluded"
    LINK = "link"
    SPECIAL = "special"
    CHANGING = "changing"
    UNREADABLE = "unreadable"
    SNAPSHOT = "snapshot"  # a folder, not entered
    ARCHIVE = "archive"  # a folder, not entered

    @property
    def is_folder(self) -> bool:
        return self in (Reason.SNAPSHOT, Reason.ARCHIVE)


_NONE = (None, None, None, None)


class _Rule(msgspec.Struct, frozen=True):
    rank: int
    reason: Reason
    name: str  # a pattern, case-folded
    above: tuple[str, ...]  # patterns, nearest folder first
    beside: str  # case-folded; "" for none
    is_folder: bool


class Layouts:
    """The table, ready to be asked: about 1 µs a name."""

    def __init__(self, *, take_in: Iterable[Reason] = (), exclude: Iterable[str] = ()) -> None:
        """`exclude`: the owner's own patterns, of names of files and folders."""
        self._rules: dict[str, list[_Rule]] = {}  # by what a name needs to be looked at more closely
        self._take_in = frozenset(take_in)
        for rule in _rules(exclude):
            self._rules.setdefault(_key(rule.name), []).append(rule)
        self._anywhere = self._rules.get("*")

    def reason(
        self, name: str, above: Sequence[str], beside: Callable[[], frozenset[str]], *, is_folder: bool
    ) -> Reason | None:
        """Why this name is left out; None when it is not.

        `above`: the folders it lies in, outermost first. `beside`: gives the case-folded names of its folder.
        """
        folded = name.casefold()
        get = self._rules.get
        rules = (get(folded), get("*." + folded.rpartition(".")[2]), get(folded[:1] + "*"), self._anywhere)
        if rules == _NONE:  # nearly every name
            return None
        near = [rule for some in rules if some for rule in some]
        found = [rule for rule in near if rule.is_folder is is_folder and fnmatchcase(folded, rule.name)]
        fitting = {rule.rank: rule.reason for rule in found if _is_witnessed(rule, above, beside)}
        reason = fitting[min(fitting)] if fitting else None
        if reason in self._take_in:
            return Reason.EXCLUDED if Reason.EXCLUDED in fitting.values() else None
        return reason


def _rules(exclude: Iterable[str]) -> Iterator[_Rule]:
    lines = rows("layouts")
    lines += [["excluded", name + end] for name in exclude for end in ("", "/")]
    for rank, (reason, pattern, *_) in enumerate(lines):
        path, _, beside = pattern.casefold().partition(" & ")
        name, *above = reversed(path.removesuffix("/").split("/"))
        yield _Rule(rank, Reason(reason), name, tuple(above), beside, path.endswith("/"))


def _key(pattern: str) -> str:
    """The pattern itself when it is a name, else `*.part`, `x*`, or `*` for one that may fit any name."""
    if not re.search(r"[*?[]", pattern) or re.fullmatch(r"\*\.[^*?.[]+", pattern):
        return pattern
    return "*" if pattern[0] in "*?[" else f"{pattern[0]}*"


def _is_witnessed(rule: _Rule, above: Sequence[str], beside: Callable[[], frozenset[str]]) -> bool:
    if len(rule.above) > len(above) or (rule.beside and rule.beside not in beside()):
        return False
    return all(fnmatchcase(folder.casefold(), each) for each, folder in zip(rule.above, reversed(above), strict=False))
