"""Turning values into HTTP answers, and request bodies into values."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from aiohttp import web

JSON = "application/json; charset=UTF-8"
T = TypeVar("T")

# Apple's answers outside CloudKit are written as literals where they are sent: each is
# used once, and reads as its recording does.
Body = dict[str, Any] | list[Any] | msgspec.Struct


def answer(body: Body, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON, as Apple labels it."""
    return web.Response(
        body=msgspec.json.encode(body), status=status, headers={"Content-Type": JSON, **(headers or {})}
    )


async def asked(request: web.Request, type_: type[T]) -> T:
    """The request's body. Clients label it text/plain or application/json; Apple reads JSON either way."""
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=type_)
    except msgspec.MsgspecError as err:
        text = msgspec.json.encode({"serverErrorCode": "BAD_REQUEST", "reason": f"{request.path}: {err}"}).decode()
        raise web.HTTPBadRequest(text=text, content_type="application/json") from err


def refusal(code: str, reason: str, *, status: int, retry_after_s: int | None = None) -> web.Response:
    """CloudKit's `no`."""
    body: dict[str, Any] = {"serverErrorCode": code, "reason": reason, "errorClass": code, "error": code}
    headers = {}
    if retry_after_s is not None:
        body["retryAfter"] = retry_after_s
        headers["Retry-After"] = str(retry_after_s)
    return answer(body, status=status, headers=headers)
