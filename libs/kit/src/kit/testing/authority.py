"""A certificate authority of a test's own, for servers on the loopback interface and for their clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from kit.embedded.nats_server import NatsTls
from kit.embedded.ports import LOOPBACK
from kit.keys import write_private

_VALID = timedelta(days=1)


class Authority:
    """Signs certificates for 127.0.0.1; `ca_file` is what others need to trust them."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = _unsigned(name, name, self._key).add_extension(constraints, critical=True)
        self.ca_file = folder / f"{name}.ca.pem"
        write_private(self.ca_file, certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def issue(self, holder: str) -> tuple[Path, Path]:
        """A certificate of 127.0.0.1 and its key, as PEM files named after the holder."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))])
        certificate = _unsigned(holder, self._name, key).add_extension(names, critical=False)
        files = self._folder / f"{holder}.pem", self._folder / f"{holder}.key.pem"
        write_private(files[0], certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        write_private(files[1], key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return files

    def nats(self, *, asking_clients: bool = False) -> NatsTls:
        """What a NATS server needs to encrypt, and to ask for a certificate of ours in return."""
        certificate, key = self.issue("nats")
        return NatsTls(certificate, key, clients_ca_file=self.ca_file if asking_clients else None)


def _unsigned(holder: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(holder))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALID)
        .not_valid_after(now + _VALID)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
