"""Look at sources now, or once more at everything they have."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from mediabox.core import requests, switches
from mediabox.core.commands.contract import Command, Context
from mediabox.model.actor import Role
from mediabox.model.request import Look


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """`requests`: in the order of the sources."""

    sources: tuple[str, ...]
    requests: tuple[int, ...] = ()


class Scan(Command[Asked], frozen=True, kw_only=True):
    """`is_full`: list from the beginning, as the first time; nothing is fetched twice."""

    name: ClassVar[str] = "scan"
    role: ClassVar[Role] = Role.FAMILY

    sources: tuple[str, ...]  # by name
    is_full: bool = False

    def run(self, context: Context) -> Asked:
        return Asked(sources=self.sources, requests=tuple(self._ask(context, source) for source in self.sources))

    def _ask(self, context: Context, source: str) -> int:
        if self.is_full:
            switches.ask_for_full_listing(context.connection, source, now_ms=context.now_ms)
        part, actor = requests.part_of(source), str(context.actor)
        return requests.ask(context.connection, part, Look(), actor=actor, now_ms=context.now_ms)
