"""Names of projects and listening addresses: what they may be, and the id-like form gcloud insists on."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

_IDLIKE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_PROJECT = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._@:+]{0,127}")
_LABEL = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")


def is_idlike(name: str) -> bool:
    """Whether gcloud takes this as a project: lower-case letters, digits and dashes, not a bare number."""
    return bool(_IDLIKE.fullmatch(name)) and not name.isdigit()


def idlike(name: str) -> str:
    """The name in the form gcloud takes: "ian@ianduffy.ie" becomes "ian-ianduffy-ie"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:63].rstrip("-")
    if not text or text.isdigit():
        return f"project-{text}".rstrip("-")
    return text


def is_project(name: str) -> bool:
    """Whether this can stand for a project in a URL's path: no slash, no space, at most 128 characters."""
    return bool(_PROJECT.fullmatch(name))


def is_label(name: str) -> bool:
    """Whether this is a name as GCE wants it (RFC 1035, 63 characters)."""
    return bool(_LABEL.fullmatch(name))


def split_address(text: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:5000" or "[::1]:5000"; the host without brackets. Raises ValueError."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("no port")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if not _HOST.fullmatch(host):
        raise ValueError("not a host")
    if re.fullmatch(r"[\d.]+", host):
        ipaddress.IPv4Address(host)
    return host, int(port)


def join_address(host: str, port: int) -> str:
    """Host and port as in a URL, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host; any name but "localhost" is taken as reachable."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
