"""What a command is: a frozen value with one handler. Its fields are its parameters.

A new one is a file here and a line in `registry`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import msgspec

from mediabox.errors import MediaboxError, NeedsHuman, Permanent, Retryable
from mediabox.message import Text
from mediabox.model.actor import Actor, Role
from mediabox.store import journal

if TYPE_CHECKING:
    import sqlite3

R_co = TypeVar("R_co", covariant=True)


class Danger(StrEnum):
    NONE = "none"
    UNDONE_LATER = "undone_later"  # another command takes it back, for some time
    FOR_GOOD = "for_good"


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nothing was done. `reason` and `remedy` are for a person."""

    reason: Text
    remedy: Text = ""
    issue: str = ""  # the issue's key, where only a person can help
    is_for_later: bool = False  # the same command may do later

    @classmethod
    def by(cls, error: MediaboxError) -> Refused:
        return cls(
            reason=error.text,
            remedy=getattr(error, "remedy", ""),
            issue=getattr(error, "issue", ""),
            is_for_later=isinstance(error, Retryable),
        )

    def error(self) -> MediaboxError:
        """For who would rather catch it."""
        if self.issue:
            return NeedsHuman(self.reason, issue=self.issue, remedy=self.remedy)
        return Retryable(self.reason) if self.is_for_later else Permanent(f"{self.reason} {self.remedy}".strip())


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler works with, inside one transaction."""

    connection: "sqlite3.Connection"
    actor: Actor
    now_ms: int
    seen: object = None  # what `Command.look` found

    def record(
        self, event: str, *, resource_id: int | None = None, asset_id: int | None = None, **fields: object
    ) -> None:
        """A row of the journal; the actor goes in by itself. Secrets never do."""
        at_ms = self.now_ms
        journal.append(self.connection, event, at_ms=at_ms, resource_id=resource_id, asset_id=asset_id, **fields)


class Command(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give it to `dispatch.execute`."""

    name: ClassVar[str]  # as surfaces and the journal call it: stored, so it stays
    role: ClassVar[Role] = Role.ADMIN  # whose command it is
    danger: ClassVar[Danger] = Danger.NONE
    confirm: ClassVar[bool] = False  # a surface asks before it gives it
    secrets: ClassVar[tuple[str, ...]] = ()  # parameters that are shown and written nowhere

    def look(self, context: Context) -> object:  # noqa: ARG002 - most need nothing
        """What takes long and changes nothing: found before the transaction, so that it holds nobody up."""
        return None

    def run(self, context: Context) -> R_co | Refused:
        """Change rows, and record it. An error of `mediabox.errors` refuses, and undoes everything.

        A `Refused` that is returned refuses too, but keeps what was written: a wrong code counts.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        shown = (f"{each}={getattr(self, each)!r}" for each in self.__struct_fields__ if each not in self.secrets)
        return f"{type(self).__name__}({', '.join(shown)})"
