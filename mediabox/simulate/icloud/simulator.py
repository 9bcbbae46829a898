"""The iCloud itself: builds the parts, listens, and is what tests hold in their hands."""

from __future__ import annotations

import ssl
from functools import cached_property
from pathlib import Path
from typing import Self

from aiohttp import web

from mediabox.simulate.icloud import app
from mediabox.simulate.icloud.auth import Auth
from mediabox.simulate.icloud.cloudkit import CloudKit
from mediabox.simulate.icloud.content import Content, Links
from mediabox.simulate.icloud.control import Control
from mediabox.simulate.icloud.gate import Gate
from mediabox.simulate.icloud.setup import Setup
from mediabox.simulate.icloud.tls import Certificates, certificates
from mediabox.simulate.icloud.upload import Upload
from mediabox.simulate.icloud.world import World

_CLOSE_S = 1.0  # what running answers get when the server goes


class Simulator(World):
    """An iCloud on loopback. `async with Simulator(home) as icloud:` listens on a free port.

    Add accounts before or while it runs. `calls` counts requests by endpoint (see
    `faults.ENDPOINTS`), `pushes` holds the codes that were sent, `clock.advance` lets time pass.
    """

    @property
    def certificate_authority(self) -> Path:
        """The file clients have to trust."""
        return self._files.authority

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        links = Links(self.hosts, self.clock, self.lives)
        setup = Setup(self.directory, self.hosts, self.rules)
        gate = Gate(setup, self.directory, self.rules)
        cloudkit = CloudKit(gate, links, self.rules)
        upload = Upload(gate, self.hosts)
        context = self._files.server_context()
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
        content = Content(links, self.blob, self.directory, self.line, has_cookies=self.hosts.cookie_domain is None)
        self.hosts.port = await self._listen(apple, self.port, context)
        second = app.content(content, upload, hosts=self.hosts, faults=self.faults, calls=self.calls)
        self.hosts.content_port = await self._listen(second, self.port + 1 if self.port else 0, context)

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

    @cached_property
    def _runners(self) -> list[web.AppRunner]:
        return []

    @cached_property
    def _files(self) -> Certificates:
        return certificates(self.home)
