"""The certificate that clients are shown now, and whether it is good."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from gcelib.config import ServerConfig
from gcelib.server.findings import Finding, found

ABOUT = "TLS"
SOON = datetime.timedelta(days=21)


@dataclass(frozen=True, slots=True)
class Shown:
    """The certificate in `path`, good from `begins` until `ends`."""

    path: Path
    begins: datetime.datetime
    ends: datetime.datetime

    def findings(self, now: datetime.datetime) -> list[Finding]:
        """Nothing, or what is wrong with its time."""
        if now < self.begins:
            return [found("certificate-not-yet", ABOUT,
                          f"The certificate in {self.path} is good from {self.begins:%Y-%m-%d} on only.")]
        if self.ends <= now:
            return [found("certificate-ended", ABOUT, f"The certificate in {self.path} ended on {self.ends:%Y-%m-%d}.")]
        if self.ends - now < SOON:
            return [found("certificate-ends-soon", ABOUT,
                          f"The certificate in {self.path} ends on {self.ends:%Y-%m-%d}.")]
        return []


def certificate_path(server: ServerConfig) -> Path:
    """The file of the certificate that the configuration wants to be shown."""
    return Path(server.cert) if server.cert else server.state_dir / "server.pem"


def shown(server: ServerConfig) -> Shown | None:
    """What the file holds now; None without TLS. Raises OSError, ValueError for one that cannot be read."""
    if server.tls == "off":
        return None
    path = certificate_path(server)
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    return Shown(path, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
