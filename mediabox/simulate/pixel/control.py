"""`/_phone/…`: what a script or a person with curl can see and order while it runs. Loopback only.

- GET `state`: everything of `phone_state.PhoneState`
- GET `cloud`: what Google Photos has, one JSON line for each upload
- GET `files`: the picture files on the phone
- POST an order's name, its fields as JSON (`orders`): `curl -d '{"count": 3}' …/_phone/delete`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec
from aiohttp import web

from mediabox.errors import MediaboxError
from mediabox.simulate.pixel.obeying import carry_out
from mediabox.simulate.pixel.orders import order_of
from mediabox.simulate.pixel.phone_state import state_of

if TYPE_CHECKING:
    from mediabox.simulate.pixel.phone import Phone

_CLOSE_S = 1.0


class Control:
    """`async with Control(phone) as control:` listens at `control.url`. Raises OSError when the port is taken."""

    def __init__(self, phone: Phone, *, port: int = 0) -> None:
        self._phone = phone
        self._port = port
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/_phone/state", self._state)
        application.router.add_get("/_phone/cloud", self._cloud)
        application.router.add_get("/_phone/files", self._files)
        application.router.add_post("/_phone/{order}", self._order)
        runner = self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_CLOSE_S)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/_phone"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _state(self, request: web.Request) -> web.Response:
        del request
        try:
            async with self._phone.held():
                return _answer(await state_of(self._phone))
        except MediaboxError as err:
            return _answer({"error": str(err)}, status=503)

    async def _cloud(self, request: web.Request) -> web.Response:
        del request
        lines = b"".join(msgspec.json.encode(backup) + b"\n" for backup in self._phone.backups())
        return web.Response(body=lines, content_type="application/jsonl")

    async def _files(self, request: web.Request) -> web.Response:
        del request
        files = await self._phone.files()
        return _answer({name: status.st_size for name, status in sorted(files.items())})

    async def _order(self, request: web.Request) -> web.Response:
        try:
            given = msgspec.json.decode(await request.read() or b"{}", type=dict[str, Any])
            order = order_of(request.match_info["order"], given)
        except ValueError as err:  # msgspec's are, too
            return _answer({"error": str(err)}, status=400)
        try:
            return _answer(await carry_out(self._phone, order))
        except (KeyError, OSError) as err:
            return _answer({"error": str(err)}, status=404)
        except MediaboxError as err:
            return _answer({"error": str(err)}, status=503)


def _answer(body: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
