"""The server that runs, if one does: what it knows of itself that nobody sees from outside."""

from __future__ import annotations

import datetime
import http.client
import json
from collections.abc import Iterator
from dataclasses import fields, replace

from gcelib.cli.symptoms.asking import ask, words
from gcelib.config import Config
from gcelib.config.names import join_address
from gcelib.server.findings import Finding, note, well
from gcelib.server.shown import ABOUT as TLS
from gcelib.server.shown import shown

ABOUT = "running server"
INSIDE = frozenset({"worker-stopped", "audit-unwritten", "certificate-unused", "store-refuses", "store-away"})
"""Causes that the server alone can see, or sees otherwise; of the others doctor finds out for itself."""


def running(config: Config) -> Iterator[Finding]:
    """What /readyz says, where it answers."""
    host, port = config.server.admin_address()
    url = f"http://{join_address({'0.0.0.0': '127.0.0.1', '::': '::1'}.get(host, host), port)}/readyz"
    try:
        told = json.loads(ask(url).body)
        findings = [Finding(row["part"], *(str(row[each.name]) for each in fields(Finding)[1:]))
                    for row in told["findings"]]  # fmt: skip
    except ConnectionRefusedError:
        yield note(ABOUT, f"None answers at {url}.", "Start `gcelib serve`; if it runs, see server.admin_listen.")
        return
    except (OSError, http.client.HTTPException) as error:
        yield note(ABOUT, f"{url} did not answer: {words(error)}.", "See server.admin_listen, and the server's log.")
        return
    except (ValueError, LookupError, TypeError):
        yield note(ABOUT, f"Something else than gcelib answers at {url}.", "See server.admin_listen.")
        return
    yield from (finding for finding in findings if finding.cause in INSIDE)
    yield from _older(config, findings)
    if told.get("status") == "ready":
        yield well(ABOUT, "It is ready.")
    else:
        yield note(ABOUT, "It is not ready: " + "; ".join(_unwell(told)) + ".", "The findings here say why.")


def _older(config: Config, findings: list[Finding]) -> Iterator[Finding]:
    """A certificate that the server still shows, and that is worse than the one on the disk."""
    try:
        there = shown(config.server)
    except (OSError, ValueError):
        return
    good = there is not None and not there.findings(datetime.datetime.now(datetime.UTC))
    for each in findings if good else ():
        if each.about == TLS and each.cause != "certificate-unused":
            yield replace(each, said=f"The server still shows the certificate before the one on the disk. {each.said}",
                          cure="Send SIGHUP (systemctl reload gcelib): the one on the disk is good.")


def _unwell(told: dict[str, object]) -> list[str]:
    """Its parts that are not well."""
    parts = {name: said for name, said in told.items() if name not in ("status", "findings", "clouds")}
    clouds = told.get("clouds")
    parts |= clouds if isinstance(clouds, dict) else {}
    return [f"{name}: {said}" for name, said in parts.items() if said != "ok"] or ["it does not say why"]
