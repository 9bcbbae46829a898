"""The iCloud itself: builds the parts, listens, and is what tests hold in their hands."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections import Counter
from pathlib import Path
from typing import Self

from aiohttp import web

from mediabox.simulate.icloud import app
from mediabox.simulate.icloud.auth import Auth
from mediabox.simulate.icloud.blob import Blob, Vault
from mediabox.simulate.icloud.cloudkit import CloudKit
from mediabox.simulate.icloud.content import Content, Links
from mediabox.simulate.icloud.control import Control
from mediabox.simulate.icloud.directory import Account, Directory, Push
from mediabox.simulate.icloud.faults import Faults
from mediabox.simulate.icloud.folder import Folder
from mediabox.simulate.icloud.gate import Gate
from mediabox.simulate.icloud.hosts import Hosts
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.line import Line
from mediabox.simulate.icloud.lives import Lives
from mediabox.simulate.icloud.records import SQUARE
from mediabox.simulate.icloud.rules import Rules
from mediabox.simulate.icloud.setup import Setup
from mediabox.simulate.icloud.simulated_clock import SimulatedClock
from mediabox.simulate.icloud.srp import Protocol
from mediabox.simulate.icloud.tls import Certificates, certificates
from mediabox.simulate.icloud.upload import Upload

APPLE_ID = "someone@example.com"
_CLOSE_S = 1.0  # what running answers get when the server goes


class Simulator:
    """An iCloud on loopback. `async with Simulator(home) as icloud:` listens on a free port.

    Add accounts before or while it runs. `calls` counts requests by endpoint (see
    `faults.ENDPOINTS`), `pushes` holds the codes that were sent, `clock.advance` lets time pass.
    """

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
        self._port = port
        self._runners: list[web.AppRunner] = []
        self._certificates: Certificates | None = None
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

    # -- life

    @property
    def certificate_authority(self) -> Path:
        """The file clients have to trust."""
        return self._files().authority

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        links = Links(self.hosts, self.clock, self.lives)
        setup = Setup(self.directory, self.hosts, self.rules)
        gate = Gate(setup, self.directory, self.rules)
        cloudkit = CloudKit(gate, links, self.rules)
        upload = Upload(gate, self.hosts)
        context = self._files().server_context()
        apple = app.apple(
            auth=Auth(self.directory),
            setup=setup,
            cloudkit=cloudkit,
            upload=upload,
            control=Control(self),
            hosts=self.hosts,
            faults=self.faults,
            calls=self.calls,
            line=self.line,
        )
        content = Content(links, self._blob, self.directory, self.line, has_cookies=self.hosts.cookie_domain is None)
        self.hosts.port = await self._listen(apple, self._port, context)
        second = app.content(content, upload, hosts=self.hosts, faults=self.faults, calls=self.calls)
        self.hosts.content_port = await self._listen(second, self._port + 1 if self._port else 0, context)

    async def stop(self) -> None:
        for runner in reversed(self._runners):
            await runner.cleanup()
        self._runners.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _listen(self, application: web.Application, port: int, context: ssl.SSLContext) -> int:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_CLOSE_S)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context)
        await site.start()
        address: tuple[str, int] = runner.addresses[-1]
        return address[1]

    def _blob(self, signature: str) -> Blob | None:
        """The bytes behind a link, whoever's they are."""
        vaults = [self._vault, *(account.library.vault for account in self.accounts)]
        return next((blob for vault in vaults if (blob := vault.find(signature)) is not None), None)

    def _files(self) -> Certificates:
        if self._certificates is None:
            self._certificates = certificates(self.home)
        return self._certificates
