"""Check a mediabox release certificate. Stands alone: copy this file anywhere; it wants Python 3.11 and `cryptography`.

Checks the signature, the form, the policy and the times; with the volumes mounted, the
bytes as well. Exit code 0 when all of it holds, 1 when anything does not, 2 for a volume it does not name.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERSION = 2  # of this script, and of the newest format it reads
FORMAT = "mediabox-release-"  # and the version of this script that a certificate needs
DAY_MS = 86_400_000
TEXT, NUMBER = str, int
COPY = {"volume": TEXT, "domain": TEXT, "locator": TEXT, "evidence": TEXT, "proved_at_ms": NUMBER,
        "written_at_ms": NUMBER, "journal_seq": NUMBER}  # fmt: skip
RESOURCE = {"remote_id": TEXT, "version": TEXT, "sha256": TEXT, "size_bytes": NUMBER, "archived_at_ms": NUMBER,
            "copies": [COPY]}  # fmt: skip
POLICY = {"copies": NUMBER, "domains": NUMBER, "rereads": NUMBER, "newest_proof_ms": NUMBER,
          "oldest_proof_ms": NUMBER, "settled_ms": NUMBER, "quarantine_ms": NUMBER, "freed_counts": bool}  # fmt: skip
RETURNED = "google-photos/"  # the owner's download of it, read once: a copy, but none that can be read again here
OLDER = {"freed_counts"}  # only in certificates of before December 2026; whatever it says counts for nothing
CERTIFICATE = {"format": TEXT, "source": TEXT, "remote_id": TEXT, "change_tag": TEXT, "issued_at_ms": NUMBER,
               "expires_at_ms": NUMBER, "policy": POLICY, "resources": [RESOURCE],
               "chain": {"seq": NUMBER, "sha256": TEXT}, "public_key": TEXT}  # fmt: skip
Json = dict[str, Any]


class Refused(Exception):
    """The certificate does not prove what it should."""


def canonical(value: Any) -> bytes:
    """Keys sorted, no spaces, UTF-8: the one way to write it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def read(content: bytes, *, key: str, now_ms: int) -> Json:
    """The certificate, when signature, form, policy and times hold. Raises Refused."""
    try:
        signed = json.loads(content.rstrip(b"\n"))
        if canonical(signed) != content.rstrip(b"\n"):
            raise Refused("it is not written canonically: somebody has changed it")
    except (ValueError, RecursionError) as err:
        raise Refused(f"it is not JSON: {err}") from err
    _check_version(signed)
    _fits(signed, {"certificate": CERTIFICATE, "signature": TEXT}, "")
    certificate: Json = signed["certificate"]
    _check_signature(certificate, signed["signature"], key)
    _check_times(certificate, now_ms)
    _check_policy(certificate)
    return certificate


def _check_version(signed: Any) -> None:
    """First of all: what a newer certificate has, or lacks, is not for this script to judge."""
    try:
        needed = int(signed["certificate"]["format"].removeprefix(FORMAT))
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise Refused("it is no release certificate of mediabox") from err
    if not 1 <= needed <= VERSION:
        raise Refused(f"it needs version {needed} of verify_certificate.py, and this is version {VERSION}: "
                      "copy it anew from the mediabox that wrote the certificate")  # fmt: skip


def _fits(value: Any, form: Any, where: str) -> None:
    """Exactly these keys with these types."""
    if isinstance(form, list):
        if not isinstance(value, list) or not value:
            raise Refused(f"{where} is no list, or empty")
        for number, each in enumerate(value):
            _fits(each, form[0], f"{where}[{number}]")
    elif isinstance(form, dict):
        if not isinstance(value, dict) or not form.keys() - OLDER <= value.keys() <= form.keys():
            raise Refused(f"{where or 'it'} does not have exactly the keys {', '.join(sorted(form.keys() - OLDER))}")
        for name, inner in value.items():
            _fits(inner, form[name], f"{where}.{name}".lstrip("."))
    elif type(value) is not form or (form is NUMBER and value < 0):
        raise Refused(f"{where} is {value!r}")


def _check_signature(certificate: Json, signature: str, key: str) -> None:
    if certificate["public_key"] != key:
        raise Refused(f"it names the key {certificate['public_key'][:16]}…, not {key[:16]}…")
    try:
        plain = bytes.fromhex(signature)
        if plain.hex() != signature:  # fromhex() skips spaces and takes capitals
            raise Refused("its signature is not written canonically")
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(plain, canonical(certificate))
    except (InvalidSignature, ValueError) as err:
        raise Refused("its signature does not fit") from err


def _check_times(certificate: Json, now_ms: int) -> None:
    if certificate["expires_at_ms"] - certificate["issued_at_ms"] != DAY_MS:
        raise Refused("it does not live for 24 hours")
    if not certificate["issued_at_ms"] <= now_ms <= certificate["expires_at_ms"]:
        raise Refused("it has expired, or is not valid yet")


def _check_policy(certificate: Json) -> None:
    policy, now_ms = certificate["policy"], certificate["issued_at_ms"]
    if policy["copies"] < 1 or policy["domains"] < 1 or policy["rereads"] < 1:
        raise Refused("its policy asks for no copy that was read again")
    for resource in certificate["resources"]:
        for reason in _shortfalls(policy, resource, now_ms):
            raise Refused(f"{resource['remote_id']}: {reason}")


def _shortfalls(policy: Json, resource: Json, now_ms: int) -> list[str]:
    proofs = [
        copy
        for copy in resource["copies"]
        if copy["evidence"] in ("R", "V") and 0 <= now_ms - copy["proved_at_ms"] <= policy["oldest_proof_ms"]
    ]
    read_again = [one for one in proofs if one["evidence"] == "R" and not one["volume"].startswith(RETURNED)]
    places = {(copy["volume"], copy["locator"]) for copy in proofs}
    newest_ms = max((copy["proved_at_ms"] for copy in proofs), default=0)
    wrong = {
        "fewer proved copies than its policy asks for": len(places) < policy["copies"],
        "fewer independent disks or hosts than its policy asks for":
            len({copy["domain"] for copy in proofs}) < policy["domains"],
        "fewer copies read again than its policy asks for": len(read_again) < policy["rereads"],
        "never read again long enough after it was written":
            not any(copy["proved_at_ms"] - copy["written_at_ms"] >= policy["settled_ms"] for copy in read_again),
        "the newest proof was too old": now_ms - newest_ms > policy["newest_proof_ms"],
        "archived too recently": now_ms - resource["archived_at_ms"] < policy["quarantine_ms"],
        "its SHA-256 is none": len(resource["sha256"]) != 64 or set(resource["sha256"]) - set("0123456789abcdef"),
    }  # fmt: skip
    return [reason for reason, is_wrong in wrong.items() if is_wrong]


def check_bytes(certificate: Json, folders: dict[str, str]) -> int:
    """Read the copies on the volumes that are mounted; how many. Raises Refused for one that is not whole."""
    count = 0
    for resource in certificate["resources"]:
        for copy in resource["copies"]:
            if copy["volume"] in folders:
                path = os.path.join(folders[copy["volume"]], copy["locator"])
                if _digest(path) != (resource["sha256"], resource["size_bytes"]):
                    raise Refused(f"{path} is not the file the certificate speaks of")
                count += 1
    return count


def _digest(path: str) -> tuple[str, int]:
    try:
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
    except OSError as err:
        raise Refused(f"{path} cannot be read: {err.strerror}") from err


def run(arguments: argparse.Namespace) -> int:
    try:
        with open(arguments.file, "rb") as file, open(_key_of(arguments), encoding="ascii") as key:
            content, public_key = file.read(), key.read().strip()
        now_ms = arguments.at if arguments.at is not None else time.time_ns() // 1_000_000
        certificate = read(content, key=public_key, now_ms=now_ms)
        known = sorted({copy["volume"] for resource in certificate["resources"] for copy in resource["copies"]})
        for each in arguments.volume:
            if "=" not in each or each.partition("=")[0] not in known:
                print(f"--volume {each}: write UUID=DIR, with one of {', '.join(known)}", file=sys.stderr)
                return 2
        count = check_bytes(certificate, dict(each.partition("=")[::2] for each in arguments.volume))
    except (Refused, OSError, ValueError) as err:
        print(f"REFUSED: {err}", file=sys.stderr)
        return 1
    policy = certificate["policy"]
    print(f"{certificate['remote_id']} ({certificate['change_tag']}): safe to free at {certificate['source']}.")
    print(f"Files: {len(certificate['resources'])}, each with proved copies: {policy['copies']} or more, "
          f"on independent disks or hosts: {policy['domains']} or more. Copies read now: {count}.")  # fmt: skip
    return 0


def _key_of(arguments: argparse.Namespace) -> str:
    if arguments.key is not None:
        return str(arguments.key)
    from mediabox.cli.home import home_of  # as `mediabox verify-certificate`: the box's own

    return str(home_of(arguments) / "release-key.pub")


if __name__ == "__main__":
    alone = argparse.ArgumentParser(description="Check a mediabox release certificate.")
    alone.add_argument("file", metavar="FILE", help="the certificate")
    alone.add_argument("--key", required=True, metavar="FILE", help="the box's public key, as it exported it")
    alone.add_argument("--volume", action="append", default=[], metavar="UUID=DIR", help="where a volume is mounted")
    alone.add_argument("--at", type=int, metavar="MS", help="judge as of this time (Unix milliseconds), not now")
    sys.exit(run(alone.parse_args()))
