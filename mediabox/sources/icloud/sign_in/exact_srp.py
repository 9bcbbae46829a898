"""Let pyicloud compute its proof with a salt as Apple sends it.

srp 1.0.22 computes through OpenSSL where it can, and there it takes the salt for a number:
a zero byte at its start is lost, the proof comes out wrong, and one account in 256 is told
that its password is. Its Python half keeps the bytes, as Apple does (cocagne/pysrp#61,
merged 2024, for that half only). This can go when
`test_an_account_whose_salt_begins_with_zero_signs_in` passes without it.
"""

import srp
from srp import _pysrp

_USED_BY_PYICLOUD = ("User", "SHA256", "NG_2048", "rfc5054_enable", "no_username_in_x")


def keep_salts_whole() -> None:
    """From now on `srp` is its Python half. May be repeated."""
    for name in _USED_BY_PYICLOUD:
        setattr(srp, name, getattr(_pysrp, name))
