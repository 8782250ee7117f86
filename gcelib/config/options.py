"""Every option there is, with its default and its help: the reference in docs/ is made from this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from gcelib.config import sealed
from gcelib.config.names import join_address, split_address
from gcelib.config.sealed import Secret

INSECURE_WORDS = "yes, without TLS"
NO_SECRET = Secret("")


def option(default: Any, help: str, *, secret: bool = False) -> Any:
    """A scalar option: its default, and the text that the reference prints; a secret stays out of repr."""
    return field(default=default, metadata={"help": help}, repr=not secret)


def table(help: str) -> Any:
    """An option that is a table of its own; it may hold anything, so it stays out of repr."""
    return field(default_factory=dict, metadata={"help": help}, repr=False)


def required(help: str) -> Any:
    """An option without a default."""
    return field(metadata={"help": help, "required": True})


def default_state_dir() -> Path:
    """Where this user's programs keep their state."""
    return Path(platformdirs.user_state_dir("gcelib", appauthor=False))


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """[server]: where gcelib listens and what it keeps."""

    listen: str = option(
        "127.0.0.1:5000", "Address and port of the API: host:port, IPv6 as [::1]:5000.")
    external_url: str = option(
        "", "How clients reach this server when not by listen: https://host or "
        "https://host:port. Every printed link begins with it.")
    tls: str = option(
        "auto", '"auto": a certificate of an own local CA, made in state_dir. "off": plain HTTP, for '
        "loopback or behind a proxy. With cert and key set, those are used.")
    cert: str = option("", "Certificate file, PEM, with the chain; together with key.")
    key: str = option("", "Private key file of cert, PEM.")
    insecure_listen: str = option(
        "", "Plain HTTP beyond loopback shows every token to the network. Behind a proxy that ends TLS, "
        f'write "{INSECURE_WORDS}".')
    admin_listen: str = option(
        "127.0.0.1:5001", "Address and port of /healthz, /readyz, /metrics and the console.")
    state_dir: Path = field(default_factory=default_state_dir, metadata={
        "help": "Directory of the database, the local CA and the seal key.",
        "shown": "~/.local/state/gcelib",
    })
    database: str = option(
        "", "SQLAlchemy URL of the database; empty: SQLite in state_dir. Replicas share a PostgreSQL: "
        "postgresql+psycopg://user:password@host/name.", secret=True)
    generations: str = option(
        "", "Where replicas tell each other that remembered lists are no longer so; empty: in the PostgreSQL that they "
        "share. A Redis answers sooner: redis://user:password@host:6379/0, rediss:// with TLS, unix:///path?db=0. "
        "Needs gcelib[redis].", secret=True)
    seal_key_file: str = option(
        "", "Key that seals page tokens and callers' keys; empty: made in state_dir. Replicas share one.")
    threads: int = option(32, "Requests worked on at the same time.")
    request_seconds: float = option(
        60.0, "Seconds that a request may spend on asking clouds; then it is answered 503.")
    open_operations: int = option(
        2000, "Operations of one project that are not done, at most; a change beyond them is answered 429.")
    strict_fields: bool = option(
        False, "true: a body field that GCE does not know is refused; false: it becomes a warning of the "
        "operation.")
    trusted_proxies: tuple[str, ...] = option(
        (), "Addresses or networks (CIDR) whose X-Forwarded-* headers are believed.")
    log_format: str = option("text", '"text" for people, "json" for machines.')
    traces: str = option(
        "", "An OpenTelemetry collector that is sent traces, by OTLP over HTTP: http://127.0.0.1:4318. Needs "
        "gcelib[otel]; empty: none.")
    audit: str = option(
        "changes", 'What goes into audit.log in state_dir, who did it with what outcome: "changes" and whatever was '
        'refused, "all" requests, or "off".')

    def address(self) -> tuple[str, int]:
        """Host and port of the API; IPv6 without brackets."""
        return split_address(self.listen)

    def admin_address(self) -> tuple[str, int]:
        """Host and port of health, metrics and console; IPv6 without brackets."""
        return split_address(self.admin_listen)

    @property
    def host(self) -> str:
        """The host of listen; IPv6 without brackets."""
        return self.address()[0]

    @property
    def port(self) -> int:
        """The port of listen."""
        return self.address()[1]

    def public_url(self) -> str:
        """What clients are given, without a slash at the end: external_url, else made from listen."""
        if self.external_url:
            return self.external_url.rstrip("/")
        host, port = self.address()
        shown = "localhost" if host in ("0.0.0.0", "::") else host
        return f"{'http' if self.tls == 'off' else 'https'}://{join_address(shown, port)}"

    def database_url(self) -> str:
        """The SQLAlchemy URL of the store."""
        return self.database or f"sqlite:///{self.state_dir}/gcelib.sqlite"

    def seal_key(self) -> bytes:
        """32 bytes that seal page tokens and callers' keys; made if missing. Raises ConfigError."""
        return sealed.seal_key(self.seal_key_path())

    def seal_key_path(self) -> Path:
        """The file of the seal key."""
        return Path(self.seal_key_file) if self.seal_key_file else self.state_dir / "seal.key"

    def audit_path(self) -> Path:
        """The audit log."""
        return self.state_dir / "audit.log"

    def ca_path(self) -> Path | None:
        """The local CA's certificate when tls is "auto" and no own certificate is set; else None."""
        return self.state_dir / "ca.pem" if self.tls == "auto" and not self.cert else None


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """[cache]: for how many seconds a cloud's answer is remembered; 0 turns one off."""

    zones: float = option(3600.0, "Zones.")
    sizes: float = option(600.0, "Machine sizes.")
    images: float = option(300.0, "Images and templates.")
    nodes: float = option(5.0, "Machines.")
    other: float = option(10.0, "Everything else.")


@dataclass(frozen=True, slots=True)
class CloudConfig:
    """[clouds.NAME]: a cloud and the keys to it."""

    name: str
    provider: str = required('A libcloud compute provider\'s name: "cloudstack", "openstack", "ec2", ...')
    endpoint: str = option(
        "", "The cloud's API: https://cloud.example/client/api. Empty where libcloud knows it.")
    key: str = option("", "The API key or user name.", secret=True)
    secret: Secret = field(
        default=NO_SECRET, metadata={"help": "The secret key or password."}, repr=False)
    ca_file: str = option("", "Certificate of the private CA that signed the cloud's own, PEM.")
    timeout: float = option(30.0, "Seconds that one call to the cloud may take.")
    concurrent: int = option(20, "Calls to the cloud at the same time, with one set of keys; more wait for their turn.")
    per_second: float = option(
        0.0, "Calls to the cloud a second, with all keys together, and so many at once; 0: as many as come.")
    region: str = option("", "The region that this cloud's zones are shown in; empty: from their names.")
    zones: Mapping[str, str] = table('Names for zones, the cloud\'s on the left: "CH-GV2" = "ch-gva-2".')
    options: Mapping[str, Any] = table("Handed to the libcloud driver by name.")


# Other ways to give a cloud's key and secret; they are resolved while reading.
CLOUD_SOURCES = {
    "key_env": "Name of the environment variable that holds the key.",
    "key_file": "File that holds the key; not readable by every user.",
    "secret_env": "Name of the environment variable that holds the secret.",
    "secret_file": "File that holds the secret; not readable by every user.",
}


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """[projects.NAME]: a GCE project and the clouds it stands on."""

    name: str
    clouds: tuple[str, ...] = required("Names of the clouds; several make one hybrid project.")
    aliases: tuple[str, ...] = option(
        (), "Other names of this project. A name that gcloud would not take has its id-like form as an alias "
        'by itself: "me@example.com" is "me-example-com", too. Those of [projects."*"] are each caller\'s own '
        "account.")
    credentials: str = option(
        "cloud", 'Whose keys are used: "cloud" for those of [clouds.NAME], "caller" for each caller\'s own, given '
        "at the sign-in. Then the project is the caller's account of this name, or one of the cloud's own projects "
        'that the caller is in, and [clouds.NAME] needs neither key nor secret. [projects."*"] is every name that '
        "no other section has.")
    tenant: str = option("", "One of the cloud's own projects, by name or id; empty: the account itself.")


@dataclass(frozen=True, slots=True)
class ImageProject:
    """[image_projects.NAME]: a cloud's public templates under a public project's name and families."""

    name: str
    cloud: str = required("Name of the cloud whose templates these are.")
    families: Mapping[str, str] = table(
        "Family on the left, the template's name or id on the right: "
        '"debian-12" = "Linux Debian 12 64-bit".')


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. `path` is the file it was read from, None when there was none."""

    server: ServerConfig
    cache: CacheConfig
    clouds: Mapping[str, CloudConfig]
    projects: Mapping[str, ProjectConfig]
    image_projects: Mapping[str, ImageProject] = field(default_factory=dict)
    path: Path | None = None

    def project(self, name: str) -> ProjectConfig | None:
        """The project of this name or alias; None when there is none."""
        found = self.projects.get(name)
        return found or next((each for each in self.projects.values() if name in each.aliases), None)

    def callers_clouds(self) -> tuple[str, ...]:
        """The clouds that callers sign in to with keys of their own, in the order of the projects."""
        named = [cloud for each in self.projects.values() if each.credentials == "caller" for cloud in each.clouds]
        return tuple(dict.fromkeys(name for name in named if name in self.clouds))
