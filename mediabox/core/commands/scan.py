"""Look at a source now, or once more at everything it has."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from mediabox.core import answers, switches
from mediabox.core.commands.contract import Command, Context
from mediabox.model.actor import Role


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    sources: tuple[str, ...]


class Scan(Command[Asked], frozen=True, kw_only=True):
    """`is_full`: list from the beginning, as the first time; nothing is fetched twice."""

    name: ClassVar[str] = "scan"
    role: ClassVar[Role] = Role.FAMILY

    sources: tuple[str, ...]  # by name
    is_full: bool = False

    def run(self, context: Context) -> Asked:
        for source in self.sources:
            if self.is_full:
                switches.ask_for_full_listing(context.connection, source, now_ms=context.now_ms)
            answers.answer(context.connection, source, "scan", now_ms=context.now_ms)
        return Asked(sources=self.sources)
