"""TLS for a hall without a certificate of its own: a small CA made at the first start, and a server certificate by it.

Clients get ``ca.pem`` once; the server certificate is renewed by itself without them noticing.
Source: RFC 5280; CA/Browser Forum limits (398 days) are kept for the leaf so that strict clients accept it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared_models.values.clock import UTC

if TYPE_CHECKING:
    from server_api.settings import Settings

_CA_DAYS = 3650
_LEAF_DAYS = 397
_RENEW_DAYS = 30


def certificate_for(settings: Settings) -> tuple[Path, Path]:
    """The certificate and key to serve with: those in the settings, else made ones (renewed in time)."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        return settings.tls_cert, settings.tls_key
    folder = settings.tls_dir
    folder.mkdir(parents=True, exist_ok=True)
    names = _names(settings)
    certificate, key = folder / "server.pem", folder / "server.key"
    if not (certificate.exists() and key.exists() and _still_good(certificate, names)):
        ca_key, ca = _authority(folder)
        _make_leaf(ca_key, ca, names, certificate, key)
    return certificate, key


def _names(settings: Settings) -> tuple[str, ...]:
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *settings.tls_names]
    if settings.host not in ("0.0.0.0", "::"):
        names.append(settings.host)
    return tuple(dict.fromkeys(name for name in names if name))


def _still_good(file: Path, names: tuple[str, ...]) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    if certificate.not_valid_after_utc - dt.datetime.now(UTC) < dt.timedelta(days=_RENEW_DAYS):
        return False
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in alternatives} == set(names)


def _authority(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_file, ca_file = folder / "ca.key", folder / "ca.pem"
    if key_file.exists() and ca_file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key, x509.load_pem_x509_certificate(ca_file.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"OneHall {socket.gethostname()}"[:64])])
    public = key.public_key()
    ca = (
        _begun(name, name, public, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_file, key)
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    return key, ca


def _make_leaf(
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    names: tuple[str, ...],
    file: Path,
    key_file: Path,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    leaf = (
        _begun(subject, ca.subject, key.public_key(), _LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write_key(key_file, key)
    pem = serialization.Encoding.PEM
    file.write_bytes(leaf.public_bytes(pem) + ca.public_bytes(pem))


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    days: int,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
