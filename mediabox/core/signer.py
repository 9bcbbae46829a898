"""The box's key that signs release certificates: kept sealed, its public half where people find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mediabox.errors import NeedsHuman
from mediabox.message import message
from mediabox.model.certificate import Certificate, Signed, canonical

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from mediabox.contracts import PrivateWriting

KEY_FILE, PUBLIC_KEY_FILE = "release-key", "release-key.pub"
SEALED_FOR = "release"


class Sealing(Protocol):
    """Files only this box can read (the sign-ins rest the same way)."""

    @property
    def folder(self) -> Path: ...
    def read(self, path: Path, *, account: str) -> bytes | None: ...
    def write(self, path: Path, content: bytes, *, account: str) -> None: ...


class Signer:
    """The box's Ed25519 key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = key
        self.public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    @classmethod
    def of_home(cls, home: Path, seal: Sealing, *, write: PrivateWriting) -> Signer:
        """The key kept in this home, made at the first use; its public half is put where people find it. Blocking."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        path = seal.folder / KEY_FILE
        kept = seal.read(path, account=SEALED_FOR)
        if kept is None:
            made = Ed25519PrivateKey.generate()
            kept = made.private_bytes_raw()
            seal.write(path, kept, account=SEALED_FOR)
        if len(kept) != 32:
            raise NeedsHuman(
                message("{path} is not an Ed25519 key", path=str(path)), issue="secrets.key", subject=KEY_FILE
            )
        signer = cls(Ed25519PrivateKey.from_private_bytes(kept))
        write(home / PUBLIC_KEY_FILE, f"{signer.public_key}\n".encode(), replace=True, mode=0o644)
        return signer

    def sign(self, certificate: Certificate) -> Signed:
        return Signed(certificate=certificate, signature=self._key.sign(canonical(certificate)).hex())
