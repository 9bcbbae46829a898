import pytest
import srp
import srp._pysrp as reference
from pyicloud.srp_password import SrpPassword, SrpProtocolType

from mediabox.simulate.icloud.srp import Exchange, N, Protocol, Verifier


def exchanged(password: str, typed: str, *, protocol: Protocol) -> bool:
    """What PyPI's `srp` and pyicloud's password make of our challenge."""
    for each in (srp, reference):
        each.rfc5054_enable()
        each.no_username_in_x()
    verifier = Verifier("a@example.com", password, protocol=protocol, salt=b"0123456789abcdef", iterations=1000)
    secret = SrpPassword(typed)
    secret.set_encrypt_info(verifier.salt, verifier.iterations, 32, SrpProtocolType(protocol))
    user = srp.User("a@example.com", secret, hash_alg=srp.SHA256, ng_type=srp.NG_2048)
    _, a = user.start_authentication()
    exchange = Exchange(verifier, a)
    m1 = user.process_challenge(verifier.salt, exchange.b)
    return exchange.is_proven(m1, user.H_AMK)


@pytest.mark.parametrize("protocol", ["s2k", "s2k_fo"])
def test_agrees_with_the_client_library_when_the_password_is_right(protocol: Protocol) -> None:
    assert all(exchanged("pässword", "pässword", protocol=protocol) for _ in range(5))


@pytest.mark.parametrize("protocol", ["s2k", "s2k_fo"])
def test_disagrees_when_it_is_wrong(protocol: Protocol) -> None:
    assert not exchanged("pässword", "password", protocol=protocol)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_refuses_a_key_that_would_prove_anything(times: int) -> None:
    verifier = Verifier("a", "b", protocol="s2k", salt=b"salt", iterations=1)

    with pytest.raises(ValueError, match="multiple"):
        Exchange(verifier, (times * N).to_bytes(300, "big"))
