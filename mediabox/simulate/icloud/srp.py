"""The server's half of Apple's sign-in: SRP-6a, RFC 5054's 2048-bit group, SHA-256, no name in x.

`I` names the account only in the proofs. Integers are hashed as their shortest big-endian
bytes, except in `k`, `u` and H(g), which RFC 5054 pads to the length of N. The secret is
PBKDF2-HMAC-SHA256 over SHA-256 of the password: raw bytes for `s2k`, hex text for `s2k_fo`.
"""

import hashlib
import hmac
import secrets
from typing import Literal

Protocol = Literal["s2k", "s2k_fo"]

# RFC 5054, appendix A, 2048-bit group.
N = int(
    "AC6BDB41324A9A9BF166DE5E1389582FAF72B6651987EE07FC3192943DB56050A37329CBB4A099ED8193E0757767A13DD52312AB4B03310D"
    "CD7F48A9DA04FD50E8083969EDB767B0CF6095179A163AB3661A05FBD5FAAAE82918A9962F0B93B855F97993EC975EEAA80D740ADBF4FF74"
    "7359D041D5C33EA71D281E446B14773BCA97B43A23FB801676BD207A436C6481F1D2B9078717461A5B9D32E688F87748544523B524B0D57D"
    "5EA77A2775D2ECFA032CFBDBF52FB3786160279004E57AE6AF874E7303CE53299CCC041C7BC308D82A5698F3A8D0C38271AE35F8E9DBFBB6"
    "94B5C803D89F7AE435DE236D525F54759B65E372FCD68EF20FA7111F9E4AFF73",
    16,
)
G = 2
_WIDTH = 256  # bytes of N


class Verifier:
    """What the server keeps instead of a password. One key derivation (about 10 ms), then reusable."""

    def __init__(self, account_name: str, password: str, *, protocol: Protocol, salt: bytes, iterations: int) -> None:
        self.account_name = account_name
        self.protocol = protocol
        self.salt = salt
        self.iterations = iterations
        secret = _secret(password, protocol=protocol, salt=salt, iterations=iterations)
        self.v = pow(G, _integer(_digest(salt, _digest(b":", secret))), N)


class Exchange:
    """One attempt to sign in: made when the client sends A, settled when it sends M1."""

    def __init__(self, verifier: Verifier, a: bytes) -> None:
        """Raises ValueError when A is a multiple of N, which would make any proof pass (RFC 5054, 2.5.4)."""
        self._verifier = verifier
        self._a = _integer(a)
        if self._a % N == 0:
            raise ValueError("A is a multiple of N")
        self._secret = secrets.randbits(256)
        k = _integer(_digest(_padded(N), _padded(G)))
        self._b = (k * verifier.v + pow(G, self._secret, N)) % N

    @property
    def b(self) -> bytes:
        """What the client needs beside the salt."""
        return _shortest(self._b)

    def is_proven(self, m1: bytes, m2: bytes) -> bool:
        """Whether the client derived the same key: checks M1 and the M2 Apple has it send along."""
        u = _integer(_digest(_padded(self._a), _padded(self._b)))
        shared = pow(self._a * pow(self._verifier.v, u, N), self._secret, N)
        key = _digest(_shortest(shared))
        of_group = bytes(x ^ y for x, y in zip(_digest(_shortest(N)), _digest(_padded(G)), strict=True))
        name = _digest(self._verifier.account_name.encode())
        expected = _digest(of_group, name, self._verifier.salt, _shortest(self._a), _shortest(self._b), key)
        answer = _digest(_shortest(self._a), expected, key)
        return hmac.compare_digest(expected, m1) and hmac.compare_digest(answer, m2)


def _secret(password: str, *, protocol: Protocol, salt: bytes, iterations: int) -> bytes:
    digest = hashlib.sha256(password.encode())
    text = digest.digest() if protocol == "s2k" else digest.hexdigest().encode()
    return hashlib.pbkdf2_hmac("sha256", text, salt, iterations, 32)


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _padded(number: int) -> bytes:
    return number.to_bytes(_WIDTH, "big")
