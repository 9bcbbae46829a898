"""Keep bytes readable to this box alone: AES-256-GCM with a key that rests elsewhere.

The key is the systemd credential `mediabox-key` (`mediabox_key` where the service loads the
folder `/etc/mediabox/credentials`), else `<home>/keys/seal`, made once. A stolen copy of the
sealed files in `<home>/secrets` is worth nothing without it.
"""

from __future__ import annotations

import os
import secrets
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mediabox.errors import NeedsHuman
from mediabox.message import message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREDENTIALS = ("mediabox-key", "mediabox_key")
FOLDER, KEYS, KEY = "secrets", "keys", "seal"
OLD_KEY = "key"  # in FOLDER, beside what it seals: where it was until it got a folder of its own
MOVED = b"moved to ../keys/seal\n"
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
        self._path = home / KEYS / KEY
        self._ciphers: list[AESGCM] = []

    def seal(self, content: bytes, *, account: str) -> bytes:
        """`content` for this account's eyes. Raises NeedsHuman when the key cannot be used."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return MAGIC + nonce + self._opened()[0].encrypt(nonce, content, account.encode())

    def unseal(self, sealed: bytes, *, account: str) -> bytes:
        """What was sealed for `account`. Raises NeedsHuman: another key, another account, or a damaged file."""
        nonce, rest = sealed[len(MAGIC) : len(MAGIC) + NONCE_BYTES], sealed[len(MAGIC) + NONCE_BYTES :]
        if not sealed.startswith(MAGIC) or len(nonce) < NONCE_BYTES:
            raise _unreadable(account)
        for cipher in self._opened():
            with suppress(InvalidTag):
                return cipher.decrypt(nonce, rest, account.encode())
        raise _unreadable(account)

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
            what = message("{path} is not readable: {reason}", path=str(path), reason=err.strerror or str(err))
            raise NeedsHuman(what, issue="icloud.unreadable", subject=account) from err
        return self.unseal(sealed, account=account)

    def _opened(self) -> list[AESGCM]:
        """The key that seals first; the file's still opens what was sealed before there was a credential."""
        if not self._ciphers:
            held = list(_credentials())
            if not held or self._path.exists() or self._is_beside():
                held.append(self._of_file())
            self._ciphers = [AESGCM(_derived(key)) for key in held]
        return self._ciphers

    def _of_file(self) -> bytes:
        if not self._path.exists():
            self._move() if self._is_beside() else self._make(self._path)
        _refuse_wide(self._path)
        return _long_enough(self._path.read_bytes().strip(), str(self._path))

    def _is_beside(self) -> bool:
        old = self.folder / OLD_KEY
        return old.exists() and old.read_bytes() != MOVED

    def _move(self) -> None:
        """A key that lies beside what it seals protects nothing from whoever copies that folder."""
        old = self.folder / OLD_KEY
        _refuse_wide(old)
        self._write(self._path, old.read_bytes(), replace=True)
        self._write(old, MOVED, replace=True)

    def _make(self, path: Path) -> None:
        """Another process may be making it at the same time: the first one's counts."""
        with suppress(FileExistsError):
            self._write(path, secrets.token_hex(KEY_BYTES).encode() + b"\n", replace=False)


def _credentials() -> Iterator[bytes]:
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    for path in (os.path.join(folder, name) for name in CREDENTIALS if folder):
        if os.path.exists(path):
            with open(path, "rb") as held:
                yield _long_enough(held.read().strip(), path)


def _derived(material: bytes) -> bytes:
    """The key may be written as people like (hexadecimal, Base64, raw): HKDF makes 256 bits of it (RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=b"mediabox seal 1").derive(material)


def _long_enough(material: bytes, where: str) -> bytes:
    if len(material) >= KEY_BYTES:
        return material
    what = message(
        "the key in {path} has {found:n} bytes; at least {wanted:n} are needed",
        path=where,
        found=len(material),
        wanted=KEY_BYTES,
    )
    remedy = message("Put a new one there (`openssl rand -hex 32`), restart mediabox, and sign in again.")
    raise NeedsHuman(what, issue="secrets.key", remedy=remedy)


def _refuse_wide(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        what = message("the key {path} is readable by others (mode {mode})", path=str(path), mode=format(mode, "04o"))
        remedy = message(
            "Run `chmod 600 {path}`. If someone else may have read it, change the password of the Apple account.",
            path=shlex.quote(str(path)),
        )
        raise NeedsHuman(what, issue="secrets.mode", remedy=remedy)


def _unreadable(account: str) -> NeedsHuman:
    what = message("the stored sign-in of {account} cannot be opened with this key", account=account)
    remedy = message("Restore the key it was stored with, or run `mediabox auth icloud {account}`.", account=account)
    return NeedsHuman(what, issue="icloud.unreadable", subject=account, remedy=remedy)
