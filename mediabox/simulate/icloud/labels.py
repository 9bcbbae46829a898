"""The headers each host puts on its answers, whatever they say (recorded: `tests/simulate/shapes.json`)."""

from __future__ import annotations

from aiohttp import web

from mediabox.simulate.icloud.directory import request_id

_BUILD = "R4-1"
_WORDS = ("dslang=FR-EN", "site=FRA")  # of the sign-in page: no session
_PLACES = {
    "content": "cvws:300201:pv50p00ic-qufw10060601:8082",
    "setup": "setupservice:300301:pv41p100ic-ztde06151401:8003",
}
_DATABASE = "ckdatabasews:16000101:st41p61ic-ztdv05081901:8201"


def label(response: web.StreamResponse, endpoint: str) -> None:
    """Add them to an answer of this endpoint."""
    family = endpoint.partition(".")[0]
    if family == "auth" and endpoint != "auth.page":
        response.headers.update({"X-Apple-I-Request-ID": request_id(), "X-BuildVersion": _BUILD})
        if endpoint in ("auth.device.code", "auth.phone.code", "auth.trust"):
            for word in _WORDS:
                response.headers.add("Set-Cookie", f"{word}; Domain=apple.com; Path=/; Secure; HttpOnly")
        return
    response.headers.update(
        {"X-Apple-Request-UUID": request_id(), "X-Responding-Instance": _PLACES.get(family, _DATABASE)}
    )
    if family in ("zones", "changes", "records"):
        response.headers["X-Apple-CloudKit-Version"] = "1.0"
    if family in ("setup", "zones"):
        response.headers.update({"X-Apple-User-Partition": "61", "X-Apple-Edge-Response-Time": "58"})
