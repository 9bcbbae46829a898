"""`/_simulator/…`: what a script or a person with curl can order while it runs.

- GET `state`: accounts, codes sent, calls and faults by endpoint
- POST `faults`: one Fault, `{"where": "content", "what": {"type": "cut", "after_bytes": 9000}, "times": 2}`
- DELETE `faults`: no more of them
- POST `clock`: `{"advance_s": 3600}`
- POST `line`: `{"first_byte_s": 0.08, "bytes_per_s": 5000000}`: how far away it is, and each connection's speed
- POST `rescan`: take in what is new in the folder
- POST `account`: `{"apple_id": …, "has_web_access": false}` and the like (`AccountChange`)
- POST `library`: `{"do": "trash", "name": "IMG_0001.HEIC"}` and the like (`Order`)
- POST `sessions/forget`: cookies and session tokens end; with `{"trust": true}` trust as well
- POST `partition`: everybody moves to another pNN host
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from aiohttp import web

from mediabox.simulate.icloud.answers import answer, asked
from mediabox.simulate.icloud.faults import Fault
from mediabox.simulate.icloud.library import Library

if TYPE_CHECKING:
    from mediabox.simulate.icloud.world import World


class Advance(msgspec.Struct):
    advance_s: float


class Distance(msgspec.Struct):
    first_byte_s: float = 0.0
    bytes_per_s: float | None = None


class Forget(msgspec.Struct):
    trust: bool = False


class AccountChange(msgspec.Struct, omit_defaults=True):
    """Whatever is given is set."""

    apple_id: str = ""
    is_locked: bool | None = None
    needs_repair: bool | None = None
    has_web_access: bool | None = None
    has_advanced_protection: bool | None = None
    are_device_cookies_there: bool | None = None
    consents: bool | None = None
    pending_terms: int | None = None
    security_keys: list[str] | None = None
    has_trusted_devices: bool | None = None
    initial_route: str | None = None
    region: str | None = None
    unlock: bool = False


class Order(msgspec.Struct):
    """One thing a person does, to the asset whose original has this name."""

    do: Literal["favorite", "hide", "trash", "restore", "purge", "duplicate", "share", "unshare", "edit", "album"]
    name: str
    apple_id: str = ""
    on: bool = True
    path: str = ""  # edit: the rendition
    album: str = ""


class Control:
    def __init__(self, simulator: World) -> None:
        self._simulator = simulator

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/_simulator/state", self.state)
        router.add_post("/_simulator/faults", self.add_fault)
        router.add_delete("/_simulator/faults", self.clear_faults)
        router.add_post("/_simulator/clock", self.advance)
        router.add_post("/_simulator/line", self.line)
        router.add_post("/_simulator/rescan", self.rescan)
        router.add_post("/_simulator/account", self.account)
        router.add_post("/_simulator/library", self.library)
        router.add_post("/_simulator/sessions/forget", self.forget)
        router.add_post("/_simulator/partition", self.partition)

    async def state(self, request: web.Request) -> web.Response:
        del request
        simulator = self._simulator
        accounts = {
            account.apple_id: {
                "assets": account.library.personal.size,
                "zones": [zone.name for zone in account.library.zones()],
            }
            for account in simulator.accounts
        }
        return answer(
            {
                "accounts": accounts,
                "pushes": simulator.pushes,
                "calls": dict(simulator.calls),
                "fired": dict(simulator.faults.fired),
            }
        )

    async def add_fault(self, request: web.Request) -> web.Response:
        fault = await asked(request, Fault)
        try:
            self._simulator.faults.add(fault)
        except ValueError as err:
            return answer({"error": str(err)}, status=400)
        return answer({})

    async def clear_faults(self, request: web.Request) -> web.Response:
        del request
        self._simulator.faults.clear()
        return answer({})

    async def advance(self, request: web.Request) -> web.Response:
        self._simulator.clock.advance((await asked(request, Advance)).advance_s)
        return answer({})

    async def line(self, request: web.Request) -> web.Response:
        given = await asked(request, Distance)
        self._simulator.line.first_byte_s, self._simulator.line.bytes_per_s = given.first_byte_s, given.bytes_per_s
        return answer({})

    async def rescan(self, request: web.Request) -> web.Response:
        del request
        return answer({"added": await self._simulator.rescan()})

    async def account(self, request: web.Request) -> web.Response:
        given = await asked(request, AccountChange)
        account = self._simulator.account(given.apple_id)
        changes: dict[str, Any] = msgspec.to_builtins(given)
        for key in ("apple_id", "consents", "unlock"):
            changes.pop(key, None)
        for key, value in changes.items():
            setattr(account, key, value)
        if given.consents:
            self._simulator.consent(account)
        if given.unlock:
            self._simulator.directory.unlock(account)
        return answer({})

    async def library(self, request: web.Request) -> web.Response:
        given = await asked(request, Order)
        try:
            self._carry_out(self._simulator.account(given.apple_id).library, given)
        except (KeyError, OSError) as err:
            return answer({"error": str(err)}, status=404)
        return answer({})

    async def forget(self, request: web.Request) -> web.Response:
        if (await asked(request, Forget)).trust:
            self._simulator.directory.forget_trust()
        else:
            self._simulator.directory.forget_sessions()
        return answer({})

    async def partition(self, request: web.Request) -> web.Response:
        del request
        self._simulator.move_partition()
        return answer({"partition": self._simulator.hosts.partition})

    def _carry_out(self, library: Library, given: Order) -> None:
        asset = library.find(given.name).name
        match given.do:
            case "favorite":
                library.favorite(asset, on=given.on)
            case "hide":
                library.hide(asset, on=given.on)
            case "trash":
                library.trash(asset)
            case "restore":
                library.restore(asset)
            case "purge":
                library.purge(asset)
            case "duplicate":
                library.duplicate(asset)
            case "share":
                shared = next(iter(library.shared.values()), None) or library.start_sharing()
                library.move(asset, shared)
            case "unshare":
                library.move(asset, library.personal)
            case "edit":
                library.edit(asset, Path(given.path))
            case "album":
                library.add_to_album(asset, library.album(given.album).name)
