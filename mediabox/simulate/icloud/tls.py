"""A certificate authority of our own and one certificate, for this machine's loopback and for Apple's names.

pyicloud refuses hosts that are not HTTPS, so the simulator is. Clients are told to trust
the authority's file; nothing is installed anywhere.
"""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mediabox.simulate.icloud.hosts import NAMES

_LIFE_DAYS = 825  # the longest some clients accept for a leaf
_RENEW_DAYS = 30
_NAMES = ("localhost", "127.0.0.1", "::1", *NAMES)


class Certificates(msgspec.Struct, frozen=True, kw_only=True):
    """Where the three files are."""

    authority: Path  # give this one to clients (`verify=`, `ca_file`)
    leaf: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.leaf, self.key)
        return context


def certificates(folder: Path) -> Certificates:
    """The files in `folder`, made anew when missing or within a month of their end."""
    files = Certificates(authority=folder / "ca.pem", leaf=folder / "server.pem", key=folder / "server.key")
    if not _is_usable(files):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(files)
    return files


def _is_usable(files: Certificates) -> bool:
    if not (files.authority.exists() and files.leaf.exists() and files.key.exists()):
        return False
    leaf = x509.load_pem_x509_certificate(files.leaf.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    is_whole = set(NAMES) <= set(names.get_values_for_type(x509.DNSName))
    return is_whole and leaf.not_valid_after_utc > _now() + dt.timedelta(days=_RENEW_DAYS)


def _make(files: Certificates) -> None:
    """The authority's key is thrown away: it has signed all it ever will."""
    authority_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = _name("mediabox iCloud simulator CA")
    authority = (
        _builder(name, name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    leaf = (
        _builder(_name("localhost"), name, leaf_key.public_key())
        .add_extension(x509.SubjectAlternativeName([_alternative(each) for each in _NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    files.leaf.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    files.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - dt.timedelta(days=1))  # clocks differ
        .not_valid_after(_now() + dt.timedelta(days=_LIFE_DAYS))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
