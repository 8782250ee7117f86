"""The local certificate authority: what it names, when it renews, how it keeps its key."""

from __future__ import annotations

import dataclasses
import datetime
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from gcelib.config import ConfigError, ServerConfig
from gcelib.server import tls


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def names(path: Path) -> tuple[set[str], set[str]]:
    found = certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(found.get_values_for_type(x509.DNSName)), {str(ip) for ip in found.get_values_for_type(x509.IPAddress)}


def test_the_certificate_names_this_machine_as_dns_and_as_ip(tmp_path: Path) -> None:
    config = ServerConfig(state_dir=tmp_path, listen="192.0.2.7:5000", external_url="https://cloud.example:8443")
    assert tls.context(config) is not None
    dns, ip = names(tmp_path / "server.pem")
    assert {"localhost", "127.0.0.1", "::1", "192.0.2.7", "cloud.example"} <= dns
    assert {"127.0.0.1", "::1", "192.0.2.7"} <= ip


def test_listening_everywhere_names_no_wildcard_address(tmp_path: Path) -> None:
    found = tls.wanted_names(ServerConfig(state_dir=tmp_path, listen="0.0.0.0:5000"))
    assert "0.0.0.0" not in found
    assert "localhost" in found


def test_the_authority_is_one_file_without_a_key_and_its_key_is_private(tmp_path: Path) -> None:
    tls.context(ServerConfig(state_dir=tmp_path))
    assert "PRIVATE KEY" not in (tmp_path / "ca.pem").read_text()
    for name in ("ca-key.pem", "server.pem"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    authority = certificate(tmp_path / "ca.pem")
    certificate(tmp_path / "server.pem").verify_directly_issued_by(authority)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    config = ServerConfig(state_dir=tmp_path)
    tls.context(config)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    tls.context(config)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_new_name_renews_the_certificate_but_not_the_authority(tmp_path: Path) -> None:
    config = ServerConfig(state_dir=tmp_path)
    tls.context(config)
    authority = (tmp_path / "ca.pem").read_bytes()
    tls.context(dataclasses.replace(config, external_url="https://new.example"))
    assert "new.example" in names(tmp_path / "server.pem")[0]
    assert (tmp_path / "ca.pem").read_bytes() == authority


def test_a_certificate_about_to_end_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ServerConfig(state_dir=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(tls, "_SERVER_LIFE", datetime.timedelta(days=29))
        tls.context(config)
    old = certificate(tmp_path / "server.pem")
    tls.context(config)
    new = certificate(tmp_path / "server.pem")
    assert new.not_valid_after_utc - old.not_valid_after_utc > datetime.timedelta(days=300)
    assert tls.RENEW_BEFORE.days == 30


def test_a_lost_authority_is_made_again_with_a_matching_certificate(tmp_path: Path) -> None:
    config = ServerConfig(state_dir=tmp_path)
    tls.context(config)
    (tmp_path / "ca.pem").unlink()
    (tmp_path / "ca-key.pem").unlink()
    tls.context(config)
    certificate(tmp_path / "server.pem").verify_directly_issued_by(certificate(tmp_path / "ca.pem"))


@pytest.mark.parametrize("broken", ["garbage", "an encrypted key", "a key of another kind"])
def test_an_authoritys_key_that_cannot_be_used_is_named(tmp_path: Path, broken: str) -> None:
    config = ServerConfig(state_dir=tmp_path)
    tls.context(config)
    kind = ed25519.Ed25519PrivateKey.generate()
    kept = serialization.NoEncryption() if broken[-4:] == "kind" else serialization.BestAvailableEncryption(b"words")
    pem = kind.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)
    (tmp_path / "ca-key.pem").write_bytes(b"garbage" if broken == "garbage" else pem)
    with pytest.raises(ConfigError, match=r"ca-key\.pem"):
        tls.context(config)


def test_a_broken_certificate_file_is_replaced(tmp_path: Path) -> None:
    config = ServerConfig(state_dir=tmp_path)
    tls.context(config)
    (tmp_path / "server.pem").write_text("garbage")
    assert tls.context(config) is not None
    assert names(tmp_path / "server.pem")[0]


def test_off_is_no_context_and_writes_nothing(tmp_path: Path) -> None:
    assert tls.context(ServerConfig(state_dir=tmp_path, tls="off")) is None
    assert list(tmp_path.iterdir()) == []


def test_an_own_certificate_is_used_and_state_dir_stays_empty(tmp_path: Path) -> None:
    tls.context(ServerConfig(state_dir=tmp_path / "other"))
    own = str(tmp_path / "other" / "server.pem")
    made = tls.context(ServerConfig(state_dir=tmp_path / "state", cert=own, key=own))
    assert made is not None
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("content", [None, "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_an_own_certificate_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "mine.pem"
    if content:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"mine\.pem"):
        tls.context(ServerConfig(state_dir=tmp_path, cert=str(path), key=str(path)))


@pytest.mark.parametrize("broken", ["another certificate's key", "no key", "an encrypted key"])
def test_a_key_that_does_not_fit_is_named(tmp_path: Path, broken: str) -> None:
    for name in ("one", "other"):
        tls.context(ServerConfig(state_dir=tmp_path / name))
    key = tmp_path / "key.pem"
    pem = (tmp_path / "other" / "server.pem").read_bytes()
    if broken == "an encrypted key":
        loaded = serialization.load_pem_private_key((tmp_path / "one" / "server.pem").read_bytes(), None)
        kept = serialization.BestAvailableEncryption(b"words")
        pem = loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)
    key.write_bytes(b"" if broken == "no key" else pem)
    with pytest.raises(ConfigError, match=r"key\.pem"):
        tls.context(ServerConfig(cert=str(tmp_path / "one" / "server.pem"), key=str(key)))
