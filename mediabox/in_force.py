"""Which settings a running box goes by: the last ones that could be used. What is wrong with others is an issue."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mediabox.config.complaints import complaints
from mediabox.config.problems import ConfigInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mediabox.config.load import Config
    from mediabox.config.problems import LeftOut
    from mediabox.core.issues import IssueBook


class InForce:
    """The configuration in force. `load` reads what is on disk now."""

    def __init__(self, load: Callable[[], Config], issues: IssueBook) -> None:
        self._load, self._issues = load, issues
        self.config: Config | None = None
        self._invalid: ConfigInvalid | None = None  # why what is on disk is not in force
        self._unbuilt: Sequence[LeftOut] = ()

    def require(self) -> Config:
        """What is in force, else what is on disk. Raises ConfigInvalid."""
        if self.config is None:
            self.config = self._load()
        return self.config

    async def read(self) -> bool:
        """Let what is on disk come into force, if it can be used; whether that changed anything."""
        before = self.config
        try:
            self.config, self._invalid = await asyncio.to_thread(self._load), None
        except ConfigInvalid as error:
            self._invalid = error
        await self.report(self._unbuilt if self.config == before else ())
        return self.config != before

    async def report(self, unbuilt: Sequence[LeftOut] = ()) -> None:
        """`unbuilt`: sources and destinations that could not be made of them."""
        self._unbuilt = unbuilt
        await self._issues.report("settings", complaints(self.config, self._invalid, unbuilt))
