"""Which path is whose. Two servers: everything of Apple's, and the content host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from mediabox.simulate.icloud.answers import answer, refusal
from mediabox.simulate.icloud.auth import Auth
from mediabox.simulate.icloud.cloudkit import CloudKit
from mediabox.simulate.icloud.content import Content
from mediabox.simulate.icloud.control import Control
from mediabox.simulate.icloud.faults import FAULT, Dropped, Faults, Refused, Status, What
from mediabox.simulate.icloud.hosts import Hosts, partition_of
from mediabox.simulate.icloud.labels import label
from mediabox.simulate.icloud.line import Line
from mediabox.simulate.icloud.setup import Setup
from mediabox.simulate.icloud.upload import Upload

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler, str]

_AUTH = "/appleauth/auth"
_SETUP = "/setup/ws/1"
_DATABASE = "/database/1/com.apple.photos.cloud/production/{scope:private|shared}"
_LARGEST_BODY = 1 << 30


def apple(
    *,
    auth: Auth,
    setup: Setup,
    cloudkit: CloudKit,
    upload: Upload,
    control: Control,
    hosts: Hosts,
    faults: Faults,
    calls: Counter[str],
    line: Line,
) -> web.Application:
    """idmsa, setup, ckdatabasews and uploadimagews in one."""
    middlewares = [_watch(faults, calls), _far(line), _at_home(hosts)]
    app = web.Application(middlewares=middlewares, client_max_size=_LARGEST_BODY)
    for method, path, handler, name in (
        *_auth(auth),
        *_setup(setup),
        *_cloudkit(cloudkit, hosts.below("ckdatabasews")),
        *_upload(upload, hosts.below("uploadimagews")),
    ):
        app.router.add_route(method, path, handler, name=name)
    control.add_routes(app.router)
    app.on_response_prepare.append(_label)
    return app


def content(handler: Content, upload: Upload, *, hosts: Hosts, faults: Faults, calls: Counter[str]) -> web.Application:
    """cvws.icloud-content.com."""
    app = web.Application(middlewares=[_watch(faults, calls), _at_home(hosts)], client_max_size=_LARGEST_BODY)
    app.router.add_get("/B/{path}/{name:.*}", handler.get, name="content", allow_head=False)
    app.router.add_post("/U/{ticket}", upload.send, name="upload.bytes")
    app.on_response_prepare.append(_label)
    return app


def _auth(auth: Auth) -> list[Route]:
    return [
        ("GET", f"{_AUTH}/authorize/signin", auth.authorize, "auth.authorize"),
        ("POST", f"{_AUTH}/signin/init", auth.init, "auth.init"),
        ("POST", f"{_AUTH}/signin/complete", auth.complete, "auth.complete"),
        ("POST", f"{_AUTH}/repair/complete", auth.repair, "auth.repair"),
        ("GET", _AUTH, auth.page, "auth.page"),
        ("PUT", f"{_AUTH}/verify/trusteddevice/securitycode", auth.push_to_device, "auth.device.push"),
        ("GET", f"{_AUTH}/verify/trusteddevice", auth.push_to_device, "auth.device.push.again"),
        ("POST", f"{_AUTH}/verify/trusteddevice/securitycode", auth.device_code, "auth.device.code"),
        ("PUT", f"{_AUTH}/verify/phone", auth.push_to_phone, "auth.phone.push"),
        ("POST", f"{_AUTH}/verify/phone/securitycode", auth.phone_code, "auth.phone.code"),
        ("POST", f"{_AUTH}/verify/security/key", auth.key, "auth.key"),
        ("POST", f"{_AUTH}/bridge/{{step:.+}}", auth.bridge, "auth.bridge"),
        ("GET", f"{_AUTH}/2sv/trust", auth.trust, "auth.trust"),
    ]


def _setup(setup: Setup) -> list[Route]:
    return [
        ("POST", f"{_SETUP}/validate", setup.validate, "setup.validate"),
        ("POST", f"{_SETUP}/accountLogin", setup.login, "setup.login"),
        ("POST", f"{_SETUP}/logout", setup.logout, "setup.logout"),
        ("POST", f"{_SETUP}/requestWebAccessState", setup.web_access, "setup.web_access"),
        ("POST", f"{_SETUP}/enableDeviceConsentForPCS", setup.consent, "setup.consent"),
        ("POST", f"{_SETUP}/requestPCS", setup.pcs, "setup.pcs"),
        ("*", f"{_SETUP}/getTerms", setup.terms, "setup.terms"),
        ("*", f"{_SETUP}/repairDone", setup.terms_done, "setup.terms_done"),
    ]


def _cloudkit(cloudkit: CloudKit, below: str) -> list[Route]:
    base = f"{below}{_DATABASE}"
    return [
        ("POST", f"{base}/zones/list", cloudkit.zones_list, "zones.list"),
        ("POST", f"{base}/changes/database", cloudkit.database_changes, "changes.database"),
        ("POST", f"{base}/changes/zone", cloudkit.zone_changes, "changes.zone"),
        ("POST", f"{base}/records/query", cloudkit.query, "records.query"),
        ("POST", f"{base}/records/lookup", cloudkit.lookup, "records.lookup"),
        ("POST", f"{base}/records/modify", cloudkit.modify, "records.modify"),
        ("POST", f"{base}/internal/records/query/batch", cloudkit.count, "records.count"),
    ]


def _upload(upload: Upload, below: str) -> list[Route]:
    return [
        ("POST", f"{below}/upload", upload.image, "upload.image"),
        ("POST", f"{below}/photosupload/createUploadUrl", upload.reserve, "upload.reserve"),
        ("POST", f"{below}/photosupload/putAsset", upload.put, "upload.put"),
        ("POST", f"{below}/photosupload/uploadStatus", upload.status, "upload.status"),
    ]


async def _label(request: web.Request, response: web.StreamResponse) -> None:
    name = request.match_info.route.name
    if name:
        label(response, name.removesuffix(".again"))


def _watch(faults: Faults, calls: Counter[str]) -> Middleware:
    """Count each call by endpoint, let a fault answer in its place."""

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = (request.match_info.route.name or "").removesuffix(".again")
        if not name:
            return await handler(request)
        calls[name] += 1
        fault = faults.take(name, await _about(request, name))
        FAULT.set(fault)
        response = _instead(fault, name) or await handler(request)
        if isinstance(fault, Dropped):
            if request.transport is not None:
                request.transport.close()
            return response
        return response

    return watch


async def _about(request: web.Request, name: str) -> str:
    """What `Fault.only` is looked for in: the address, and the body where it is small JSON."""
    body = "" if name in ("upload.bytes", "upload.image") else (await request.read()).decode(errors="replace")
    return f"{request.path_qs} {body}"


def _instead(fault: What | None, name: str) -> web.Response | None:
    """A fault's own answer, when it needs nothing of the handler."""
    match fault:
        case Status():
            headers = dict(fault.headers)
            if fault.retry_after_s is not None:
                headers["Retry-After"] = str(fault.retry_after_s)
            return web.Response(text=fault.body, status=fault.code, headers=headers, content_type=fault.content_type)
        case Refused() if name != "changes.zone":
            return refusal(fault.code, fault.reason, status=fault.status, retry_after_s=fault.retry_after_s)
        case Dropped(is_done=False):
            return web.Response(status=500)
        case _:
            return None


def _far(line: Line) -> Middleware:
    """As long to the first byte as on the content host; orders of ours (`control`) have no way to go."""

    @web.middleware
    async def far(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.route.name:
            await line.reach()
        return await handler(request)

    return far


def _at_home(hosts: Hosts) -> Middleware:
    """A host serves its own paths only; a partition the account has left answers 421, as at Apple."""

    @web.middleware
    async def at_home(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, endpoint = request.host.partition(":")[0], request.match_info.route.name or ""
        if endpoint and not hosts.is_right(host, endpoint):
            return web.Response(status=404, text="Not Found")
        partition = request.match_info.get("partition") or partition_of(host)
        if partition is not None and partition != str(hosts.partition):
            return answer({"serverErrorCode": "AUTHENTICATION_FAILED", "reason": "misdirected"}, status=421)
        return await handler(request)

    return at_home
