"""Makes valid and invalid certificates for the tests' servers."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: The allowed uses of an authority's key.
_SIGNS = x509.KeyUsage(
    **dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False),
    **dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False),
    key_cert_sign=True,
    crl_sign=True,
)


class Authority:
    """A certificate authority, which signs valid and invalid server certificates."""

    def __init__(self, directory: Path, name: str = "Test CA") -> None:
        self.directory = directory
        self.key, self.certificate = _certificate(name)
        self.bundle = directory / "ca.pem"
        self.bundle.write_bytes(_pem(self.certificate))

    def server(self, *names: str, expired: bool = False, self_signed: bool = False) -> ssl.SSLContext:
        """Return a server's TLS context with a certificate for these names."""
        issuer = None if self_signed else (self.key, self.certificate)
        key, certificate = _certificate("OMS", names, issuer, expired)
        path = self.directory / f"server-{certificate.serial_number}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(_pem(certificate) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(common_name: str, names: tuple[str, ...] = (), issuer: Any = None, expired: bool = False) -> Any:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signing_key, issued_by = (issuer[0], issuer[1].subject) if issuer else (key, subject)
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * day)
        .not_valid_after(now - day if expired else now + day)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        # Python 3.13 and later refuse a certificate without these.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    if not names:
        builder = builder.add_extension(_SIGNS, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    return key, builder.sign(signing_key, hashes.SHA256())


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
