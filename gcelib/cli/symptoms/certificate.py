"""The server's certificate: for whom, until when, and how each client is made to trust it."""

from __future__ import annotations

import datetime
import ipaddress
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from gcelib.cli.arguments import program
from gcelib.config import Config, ConfigError, ServerConfig
from gcelib.config.names import is_loopback
from gcelib.server import tls
from gcelib.server.findings import Finding, found, note, well, wrong
from gcelib.server.shown import ABOUT, Shown, certificate_path

CHANGING = datetime.timedelta(days=90)
"""So long before the end of the local CA its clients are thought of."""


def certificate(config: Config) -> Iterator[Finding]:
    """What clients are shown when they connect."""
    server = config.server
    if server.tls == "off":
        yield from _without(server)
        return
    path = certificate_path(server)
    if not path.exists():
        yield note(ABOUT, f"There is no {path} yet.", "`gcelib serve` makes it when it first starts.")
        return
    try:
        shown = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError) as error:
        yield wrong(ABOUT, f"{path} holds no certificate that can be read: {error}.", _again(server, path))
        return
    if server.cert:
        yield from _unusable(server)
    yield from names(server, shown, path)
    yield from expiry(shown, path, datetime.datetime.now(datetime.UTC))


def names(server: ServerConfig, shown: x509.Certificate, path: Path) -> Iterator[Finding]:
    """Whether it is for the host that clients are told to call."""
    host = urlsplit(server.public_url()).hostname or ""
    held = _held(shown)
    if _covers(held, host):
        yield well(ABOUT, f"The certificate is for {', '.join(held)}.")
    else:
        yield wrong(ABOUT, f"The certificate in {path} is for {', '.join(held) or 'no name'}, and clients call {host}.",
                    _again(server, path))


def expiry(shown: x509.Certificate, path: Path, now: datetime.datetime) -> Iterator[Finding]:
    """Whether it is good now, and for a while."""
    findings = Shown(path, shown.not_valid_before_utc, shown.not_valid_after_utc).findings(now)
    yield from findings
    if not findings:
        yield well(ABOUT, f"The certificate is good until {shown.not_valid_after_utc:%Y-%m-%d}.")


def authority(config: Config) -> Iterator[Finding]:
    """Until when the local CA is good: every client has to trust the next one."""
    path = config.server.ca_path()
    if path is None:
        return
    yield from _key(path.with_name("ca-key.pem"))
    if not path.exists():
        return
    try:
        ends = x509.load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc
    except (OSError, ValueError) as error:
        yield wrong(ABOUT, f"{path} holds no certificate that can be read: {error}.", f"Remove {shlex.quote(str(path))}"
                    " and restart `gcelib serve`: it makes another, which clients must trust.")
        return
    left = ends - datetime.datetime.now(datetime.UTC)
    if left < CHANGING:
        yield note(ABOUT, f"The local CA in {path} ends on {ends:%Y-%m-%d}.", "gcelib makes another in its last 30 "
                   "days, at a start; have clients trust that one, too, or let server.cert be of a CA that they trust.")


def trust(config: Config) -> Iterator[Finding]:
    """How each kind of client is told of the local CA."""
    path = config.server.ca_path()
    if path is None or not path.exists():
        return
    ca = shlex.quote(str(path))
    ways = {
        "gcutil": f'eval "$({program()} client gcutil)"   (puts the CA where its HTTP library looks)',
        "gcloud": f"export CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE={ca}",
        "curl": f"curl --cacert {ca} ...",
        "python": f"export REQUESTS_CA_BUNDLE={ca} HTTPLIB2_CA_CERTS={ca}",
        "every program of a Debian or Ubuntu": f"sudo cp {ca} /usr/local/share/ca-certificates/gcelib.crt && "
        "sudo update-ca-certificates",
    }
    told = "\n".join(f"{client}: {way}" for client, way in ways.items())
    yield note(ABOUT, f"The certificate is of this server's own CA; clients elsewhere need a copy of {path}.", told)


def _unusable(server: ServerConfig) -> Iterator[Finding]:
    """A certificate of the operator's that the server would not take: with another's key, or one with a password."""
    try:
        tls.context(server)
    except ConfigError as error:
        yield found("certificate-unused", ABOUT, " ".join(error.mistakes))


def _key(path: Path) -> Iterator[Finding]:
    """The local CA's key, where there is one."""
    try:
        tls.authority_key(path)
    except FileNotFoundError:
        return
    except OSError as error:
        yield wrong(ABOUT, f"{path} cannot be read: {error.strerror}.", "Run this as the user that gcelib runs as.")
    except ConfigError:
        yield wrong(ABOUT, f"{path} holds no RSA key, or one with a password.", f"Remove {shlex.quote(str(path))} and "
                    "restart `gcelib serve`: it makes another authority, which clients must trust.")


def _without(server: ServerConfig) -> Iterator[Finding]:
    secure = server.external_url.startswith("https:")
    if is_loopback(server.host) or secure:
        yield well(ABOUT, "Off: " + ("a proxy ends it." if secure else "only this machine can connect."))
    else:
        yield wrong(ABOUT, f"Off, while listening on {server.listen}: every token crosses the network in the clear, "
                    "unless a proxy ends TLS.", 'Write tls = "auto" under [server]; behind a proxy, '
                    'external_url = "https://..." with the name clients call.')


def _held(shown: x509.Certificate) -> list[str]:
    try:
        held = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    found = held.get_values_for_type(x509.DNSName) + [str(each) for each in held.get_values_for_type(x509.IPAddress)]
    return list(dict.fromkeys(found))


def _covers(held: list[str], host: str) -> bool:
    """RFC 6125 6.4.3: a wildcard stands for one whole label, and for no part of an address."""
    try:
        return str(ipaddress.ip_address(host)) in held
    except ValueError:
        wild = "*." + host.partition(".")[2]
        return any(name.lower() in (host.lower(), wild.lower()) for name in held)


def _again(server: ServerConfig, path: Path) -> str:
    if server.cert:
        return "Put a new one there, with its key and chain, and send SIGHUP to the daemon."
    return f"Remove {shlex.quote(str(path))} and restart `gcelib serve`: it makes another."
