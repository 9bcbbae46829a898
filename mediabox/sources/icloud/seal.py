"""Keep bytes readable to this box alone: AES-256-GCM with a key that rests elsewhere.

The key is the systemd credential `mediabox-key`, else `<home>/secrets/key`, made once.
A stolen backup of the sealed files is worth nothing without it.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mediabox.errors import NeedsHuman

if TYPE_CHECKING:
    from pathlib import Path

CREDENTIAL = "mediabox-key"
FOLDER, KEY = "secrets", "key"
MAGIC = b"mediabox sealed 1\n"
NONCE_BYTES = 12  # 96 bits: what GCM is made for (NIST SP 800-38D, section 8.2)
KEY_BYTES = 32


class Write(Protocol):
    """Durably write a private file (0600, in a folder only its owner enters), whole or not at all. Blocking."""

    def __call__(self, path: Path, content: bytes, *, replace: bool) -> None:
        """Raises FileExistsError when `replace` is False and it is there; OSError."""


class Seal:
    """Seals and unseals for one home. Blocking: the first use reads, or makes, the key."""

    def __init__(self, home: Path, *, write: Write) -> None:
        self.folder = home / FOLDER
        self._write = write
        self._cipher: AESGCM | None = None

    def seal(self, content: bytes, *, account: str) -> bytes:
        """`content` for this account's eyes. Raises NeedsHuman when the key cannot be used."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return MAGIC + nonce + self._opened().encrypt(nonce, content, account.encode())

    def unseal(self, sealed: bytes, *, account: str) -> bytes:
        """What was sealed for `account`. Raises NeedsHuman: another key, another account, or a damaged file."""
        nonce, rest = sealed[len(MAGIC) : len(MAGIC) + NONCE_BYTES], sealed[len(MAGIC) + NONCE_BYTES :]
        if not sealed.startswith(MAGIC) or len(nonce) < NONCE_BYTES:
            raise _unreadable(account)
        try:
            return self._opened().decrypt(nonce, rest, account.encode())
        except InvalidTag as err:
            raise _unreadable(account) from err

    def write(self, path: Path, content: bytes, *, account: str) -> None:
        """Seal `content` into a file. Raises NeedsHuman, OSError."""
        self._write(path, self.seal(content, account=account), replace=True)

    def read(self, path: Path, *, account: str) -> bytes | None:
        """What a file holds; None when there is none. Raises NeedsHuman."""
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as err:
            message = f"{path} cannot be read: {err.strerror}"
            raise NeedsHuman(message, issue="icloud.unreadable", subject=account) from err
        return self.unseal(sealed, account=account)

    def _opened(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(_derived(self._key()))
        return self._cipher

    def _key(self) -> bytes:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder and os.path.exists(credential := os.path.join(folder, CREDENTIAL)):
            with open(credential, "rb") as held:
                return _long_enough(held.read().strip(), credential)
        path = self.folder / KEY
        if not path.exists():
            self._make(path)
        _refuse_wide(path)
        return _long_enough(path.read_bytes().strip(), str(path))

    def _make(self, path: Path) -> None:
        """Another process may be making it at the same time: the first one's counts."""
        try:
            self._write(path, secrets.token_hex(KEY_BYTES).encode() + b"\n", replace=False)
        except FileExistsError:
            return


def _derived(material: bytes) -> bytes:
    """The key may be written as people like (hexadecimal, Base64, raw): HKDF makes 256 bits of it (RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=b"mediabox seal 1").derive(material)


def _long_enough(material: bytes, where: str) -> bytes:
    if len(material) >= KEY_BYTES:
        return material
    message = f"the key in {where} has {len(material)} bytes, at least {KEY_BYTES} are needed"
    remedy = "Put a new one there (`openssl rand -hex 32`), restart mediabox, and sign in again."
    raise NeedsHuman(message, issue="secrets.key", remedy=remedy)


def _refuse_wide(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        message = f"the key {path} can be read by others (mode {mode:04o})"
        remedy = f"Run `chmod 600 {path}`. If somebody else may have read it, change the Apple account's password."
        raise NeedsHuman(message, issue="secrets.mode", remedy=remedy)


def _unreadable(account: str) -> NeedsHuman:
    message = f"the sealed sign-in of {account} cannot be opened with this key"
    remedy = f"Bring back the key it was sealed with, or sign in anew: `mediabox auth icloud {account}`."
    return NeedsHuman(message, issue="icloud.unreadable", subject=account, remedy=remedy)
