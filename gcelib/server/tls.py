"""TLS: a local certificate authority made at first start, or the operator's own certificate.

In state_dir: `ca.pem` is the authority's certificate alone, for clients to trust; `ca-key.pem` its key;
`server.pem` the server's certificate with its key in one file, so that both change at once.
"""

from __future__ import annotations

import datetime
import ipaddress
import logging
import secrets
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gcelib.config import ConfigError, ServerConfig
from gcelib.config.sealed import open_to_others, shut, write_private

log = logging.getLogger(__name__)

RENEW_BEFORE = datetime.timedelta(days=30)
_CA_LIFE = datetime.timedelta(days=3650)
_SERVER_LIFE = datetime.timedelta(days=397)
# Every client since 2014 takes RSA; gcutil's OpenSSL may not take anything else.
_KEY_BITS = 2048
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})


def context(config: ServerConfig) -> ssl.SSLContext | None:
    """What the listener speaks TLS with; None for plain HTTP. Raises ConfigError for unusable files.

    A certificate that has changed, or is ours and about to end, is in the next one: OpenSSL keeps what it had of
    another kind of key beside a new one, and lets go of what it has before it knows that the new one fits.
    """
    if config.tls == "off":
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    certificate, key = (config.cert, config.key) if config.cert else (str(_server_file(config)), "")
    try:
        made.load_cert_chain(certificate, key or None, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        shown = f"{certificate} with {key}" if key else certificate
        raise ConfigError([f"server.cert: {shown} cannot be used for TLS: {reason}."]) from None
    _refuse_untold(Path(certificate))
    return made


def _refuse_untold(path: Path) -> None:
    """Raise ConfigError for a certificate that OpenSSL takes and of which nobody could tell until when it is good."""
    try:
        x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise ConfigError([f"server.cert: {path} cannot be used for TLS: it holds no BEGIN CERTIFICATE that can be "
                           f"read; openssl x509 -in {path} writes one."]) from None


def _no_password() -> str:
    """Without this, OpenSSL would ask on the terminal for the password of an encrypted key."""
    raise ValueError("the key is encrypted; give one without a password, in a file only this user reads")


def _server_file(config: ServerConfig) -> Path:
    """server.pem, renewed first where it has to be."""
    path = config.state_dir / "server.pem"
    try:
        _refuse_open(config.state_dir / "ca-key.pem", path)
        authority, authority_key = _authority(config.state_dir)
        names = wanted_names(config)
        if not _good(path, names, authority):
            write_private(path, _issue(names, authority, authority_key), replace=True)
            log.info("certificate for %s written to %s", ", ".join(names), path)
    except OSError as error:
        raise ConfigError(
            [f"server.state_dir: the certificate cannot be kept in {config.state_dir}: {error.strerror}."]
        ) from None
    return path


def _refuse_open(*keys: Path) -> None:
    """Raise ConfigError for a key that others may have read: whoever has it can pass for this server."""
    mistakes = [f"server.state_dir: {shut(key)}" for key in keys if key.exists() and open_to_others(key)]
    if mistakes:
        raise ConfigError(mistakes)


def wanted_names(config: ServerConfig) -> list[str]:
    """The names and addresses that clients may use for this server."""
    own = socket.gethostname()
    names = ["localhost", "127.0.0.1", "::1", own, socket.getfqdn(own), config.host]
    names.append(urlsplit(config.external_url).hostname or "")
    if config.host in _EVERYWHERE:
        names += _own_addresses(own)
    usable = (name.lower() for name in names if name not in _EVERYWHERE and name.isascii())
    return list(dict.fromkeys(usable))


def _own_addresses(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return []  # A host that does not know itself by name has no more addresses to offer.
    return [str(address[0]).partition("%")[0] for *_, address in found]


def _authority(state_dir: Path) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """The local CA, made when there is none. Of several processes starting at once, one makes it."""
    key_path, path = state_dir / "ca-key.pem", state_dir / "ca.pem"
    if not key_path.exists():
        write_private(key_path, _key_pem(_new_key()), replace=False)
    key = authority_key(key_path)
    known = _load(path)
    if known is None or known.public_key() != key.public_key() or _ends_soon(known):
        write_private(path, _self_signed(key).public_bytes(serialization.Encoding.PEM), replace=True)
        path.chmod(0o644)
        log.info("local certificate authority written to %s; clients must trust it", path)
        known = x509.load_pem_x509_certificate(path.read_bytes())
    return known, key


def authority_key(path: Path) -> rsa.RSAPrivateKey:
    """The local CA's key. Raises ConfigError for a file that holds another thing, OSError."""
    try:
        key: object = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError([f"server.state_dir: {path} holds no RSA key, or one with a password; remove it and "
                           "start again."])
    return key


def _load(path: Path) -> x509.Certificate | None:
    """The first certificate of a file; None when there is none that can be read."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _ends_soon(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) < RENEW_BEFORE


def _good(path: Path, names: list[str], authority: x509.Certificate) -> bool:
    """Whether the file's certificate is of this authority, lasts, and has all the names."""
    known = _load(path)
    if known is None or _ends_soon(known):
        return False
    try:
        known.verify_directly_issued_by(authority)
        present = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return set(names) <= set(present.get_values_for_type(x509.DNSName))


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _named(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])


def _builder(
    subject: x509.Name, public: rsa.RSAPublicKey, life: datetime.timedelta
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=24))  # Clients' clocks may be behind.
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(**allowed: bool) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in every})


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    # Two authorities of one name confuse clients that trust both.
    name = _named(f"gcelib local CA {socket.gethostname()[:30]} {secrets.token_hex(4)}")
    return (
        _builder(name, key.public_key(), _CA_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _issue(names: list[str], authority: x509.Certificate, authority_key: rsa.RSAPrivateKey) -> bytes:
    """A new server certificate with its key, as one PEM."""
    key = _new_key()
    certificate = (
        _builder(_named("gcelib"), key.public_key(), _SERVER_LIFE)
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + _key_pem(key)


def _alternatives(names: list[str]) -> list[x509.GeneralName]:
    """Every name as a DNS entry, addresses too: gcutil compares with nothing else; others want IP entries."""
    entries: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    for name in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            continue
    return entries
