"""What an iCloud is while it runs: its people, their photos, its clock, and what is wrong with it."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from pathlib import Path

from mediabox.simulate.icloud.blob import Blob, Vault
from mediabox.simulate.icloud.directory import Account, Directory, Push
from mediabox.simulate.icloud.faults import Faults
from mediabox.simulate.icloud.folder import Folder
from mediabox.simulate.icloud.hosts import Hosts
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.line import Line
from mediabox.simulate.icloud.lives import Lives
from mediabox.simulate.icloud.records import SQUARE
from mediabox.simulate.icloud.rules import Rules
from mediabox.simulate.icloud.simulated_clock import SimulatedClock
from mediabox.simulate.icloud.srp import Protocol

APPLE_ID = "someone@example.com"


class World:
    """Everything but the servers."""

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        region: str = "",
        clock: SimulatedClock | None = None,
        lives: Lives | None = None,
        rules: Rules | None = None,
        has_apples_names: bool = False,
    ) -> None:
        """`home` keeps the certificates (0700); nothing else is written.

        `has_apples_names`: addresses are Apple's own, for clients whose resolver asks `hosts.port_of`.
        """
        self.home = home
        self.clock = clock or SimulatedClock()
        self.lives = lives or Lives()
        self.rules = rules or Rules()
        self.hosts = Hosts(name=host, region=region, has_apples_names=has_apples_names)
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.line = Line()
        self._vault = Vault()
        self._vault.keep(SQUARE)
        self.directory = Directory(self.clock, self.lives)
        self.port = port
        self._folders: list[Folder] = []

    # -- people

    @property
    def accounts(self) -> list[Account]:
        return list(self.directory.accounts.values())

    def account(self, apple_id: str = "") -> Account:
        """The account of this Apple ID; the first one without it. Raises KeyError."""
        if apple_id:
            return self.directory.accounts[apple_id.lower()]
        if not self.directory.accounts:
            raise KeyError("nobody has an account yet")
        return self.accounts[0]

    def add_account(
        self,
        apple_id: str = APPLE_ID,
        password: str | None = None,
        *,
        library: Library | None = None,
        protocol: Protocol = "s2k",
    ) -> Account:
        """Give somebody an account; without a library, an empty one; without a password, one is made up."""
        library = library or self.new_library()
        library.clock, library.lives = self.clock, self.lives
        account = Account(apple_id, password or secrets.token_urlsafe(9), library, protocol=protocol)
        self.directory.accounts[apple_id.lower()] = account
        return account

    def new_library(self) -> Library:
        """An empty library of this iCloud."""
        return Library(clock=self.clock, lives=self.lives, vault=self._vault)

    def folder_library(self, path: Path) -> Library:
        """A library over the pictures in a folder. Reads every file once. Blocking."""
        library = self.new_library()
        folder = Folder(path, library)
        folder.scan()
        self._folders.append(folder)
        return library

    @property
    def pushes(self) -> list[Push]:
        return self.directory.pushes

    def code(self) -> str:
        """The code that was sent last. Raises IndexError when none was."""
        return self.directory.pushes[-1].code

    def consent(self, account: Account) -> None:
        """Tap `Allow` on the person's device."""
        account.consented_until_ms = self.clock.wall_ms() + self.lives.consent_s * 1000

    def move_partition(self) -> None:
        """Everybody's data moves to another pNN host; the old one answers 421."""
        self.hosts.partition += 1

    async def rescan(self) -> int:
        """Take in what is new in the folders, trash what is gone. How many assets that made or changed."""
        return sum([folder.take_in(await asyncio.to_thread(folder.look)) for folder in self._folders])

    def blob(self, signature: str) -> Blob | None:
        """The bytes behind a link, whoever's they are."""
        vaults = [self._vault, *(account.library.vault for account in self.accounts)]
        return next((blob for vault in vaults if (blob := vault.find(signature)) is not None), None)
