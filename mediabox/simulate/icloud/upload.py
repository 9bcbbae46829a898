"""Photos coming in from a browser: the one-step uploadimagews, and the four steps that replaced it.

uploadimagews has answered 410 since 2026-08-25 (pyicloud); it stays here for the clients
that still know it, and a fault turns it off.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

import msgspec
from aiohttp import web

from mediabox.model.asset import Kind
from mediabox.model.signature import kind_of
from mediabox.simulate.icloud.answers import answer, asked
from mediabox.simulate.icloud.blob import Blob, of_bytes, reference_of, wrapping_key_of
from mediabox.simulate.icloud.gate import Gate
from mediabox.simulate.icloud.hosts import Hosts
from mediabox.simulate.icloud.library import Library
from mediabox.simulate.icloud.photos import Asset, Master

_LARGEST_BYTES = 1 << 30


class ReserveRequest(msgspec.Struct, rename="camel"):
    zone_name: str
    assets: dict[str, int]  # client's id to size in bytes


class Receipt(msgspec.Struct, rename="camel"):
    file_checksum: str
    size: int | None = None


class PutFile(msgspec.Struct, rename="camel"):
    file_name: str
    last_mod_date: int
    time_zone_offset: int  # minutes, UTC minus local time
    single_file_upload_request: Receipt


class PutRequest(msgspec.Struct, rename="camel"):
    zone_name: str
    files: list[PutFile]


class StatusRequest(msgspec.Struct, rename="camel"):
    upload_job_ids: list[str]


class Upload:
    """Handlers. Bound to paths in `app`."""

    def __init__(self, gate: Gate, hosts: Hosts) -> None:
        self._gate = gate
        self._hosts = hosts
        self._reserved: dict[str, Library] = {}
        self._jobs: set[str] = set()

    async def image(self, request: web.Request) -> web.Response:
        library = self._gate.session(request).account.library
        name = request.query.get("filename", "")
        blob = of_bytes(await request.read())
        if kind_of(blob.read(0, 4096), name) not in (Kind.PICTURE, Kind.VIDEO):
            return answer({"errors": [{"code": "TYPE_UNSUPPORTED", "message": f"{name} cannot be imported"}]})
        known = _holding(library, blob)
        asset = known or library.add(blob, file_name=name)
        records = [
            {"recordName": asset.master, "recordType": "CPLMaster"},
            {"recordName": asset.name, "recordType": "CPLAsset"},
        ]
        return answer({"records": records, "isDuplicate": known is not None})

    async def reserve(self, request: web.Request) -> web.Response:
        library = self._gate.session(request).account.library
        given = await asked(request, ReserveRequest)
        urls = {}
        for identifier, size in given.assets.items():
            if size > _LARGEST_BYTES:
                return answer({"errors": [{"code": "TOO_LARGE", "message": identifier}]}, status=413)
            ticket = secrets.token_urlsafe(24)
            self._reserved[ticket] = library
            urls[identifier] = f"{self._hosts.content}/U/{ticket}"
        return answer({"uploadUrls": urls})

    async def send(self, request: web.Request) -> web.Response:
        library = self._reserved.pop(request.match_info["ticket"], None)
        if library is None:
            return web.Response(status=410, text="Gone")
        blob = of_bytes(await request.read())
        library.vault.keep(blob)
        receipt = {
            "fileChecksum": blob.signature,
            "referenceChecksum": reference_of(blob.signature),
            "wrappingKey": wrapping_key_of(blob.signature),
            "size": blob.size_bytes,
            "receipt": base64.b64encode(secrets.token_bytes(24)).decode(),
        }
        return answer({"singleFile": receipt})

    async def put(self, request: web.Request) -> web.Response:
        library = self._gate.session(request).account.library
        given = await asked(request, PutRequest)
        return answer([self._registered(library, given.zone_name, file) for file in given.files])

    async def status(self, request: web.Request) -> web.Response:
        self._gate.session(request)
        given = await asked(request, StatusRequest)
        done = {True: {"progress": 100}, False: {"errorCode": 404}}
        return answer({job: done[job in self._jobs] for job in given.upload_job_ids})

    def _registered(self, library: Library, zone_name: str, file: PutFile) -> dict[str, Any]:
        blob = library.vault.find(file.single_file_upload_request.file_checksum)
        if blob is None:
            return {"response": {"status": 404, "isRetryable": True, "errorMessage": "no such upload"}}
        known = _holding(library, blob)
        if known is not None:
            duplicate = {"status": 409, "errorMessage": "already there"}
            return {"cplMaster": known.master, "cplAsset": known.name, "response": duplicate}
        asset = library.add(
            blob,
            file_name=file.file_name,
            taken_ms=file.last_mod_date,
            offset_s=-60 * file.time_zone_offset,
            zone=library.zone(zone_name),
        )
        job = secrets.token_hex(8)
        self._jobs.add(job)
        response = {"status": 200, "isRetryable": False}
        return {"uploadJobId": job, "cplMaster": asset.master, "cplAsset": asset.name, "response": response}


def _holding(library: Library, blob: Blob) -> Asset | None:
    """The asset these bytes are already, if they are."""
    for zone in library.zones():
        if isinstance(zone.get(blob.signature), Master):
            users = zone.users(blob.signature)
            if users:
                return zone.asset(min(users))
    return None
