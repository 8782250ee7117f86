"""Metadata of instances and projects: checking, rendering, and what of it a new machine is given."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.errors import Invalid
from gcelib.server import fingerprint
from gcelib.server.context import Context, Ground

Items = list[dict[str, str]]
KEY = re.compile(r"[a-zA-Z0-9_-]{1,128}\Z")
LARGEST_VALUE = 256 * 1024
LARGEST_ALL = 512 * 1024
SSH_KEYS = ("ssh-keys", "sshKeys")
HARDWARE = "sk-"
"""How the types of keys begin that are in a hardware token: no cloud registers one."""


def place(ctx: Ground) -> str:
    """Where the store keeps what belongs to the project itself."""
    return f"project:{ctx.tenancy}"


def common(ctx: Context) -> Items:
    """The project's shared metadata items."""
    return list(ctx.view.notes_at(place(ctx), "project").get(ctx.tenancy, {}).get("metadata", []))


def render(items: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """`{kind, fingerprint, items}`; no `items` when there are none, as GCE does."""
    shown: dict[str, Any] = {"kind": "compute#metadata", "fingerprint": fingerprint.fingerprint(list(items))}
    if items:
        shown["items"] = [dict(item) for item in items]
    return shown


def checked(sent: Mapping[str, Any], current: Sequence[Mapping[str, str]], field: str) -> Items:
    """The items sent, if GCE would take them. Raises Invalid naming the field, Stale on an old fingerprint."""
    fingerprint.check(sent.get("fingerprint"), fingerprint.fingerprint(list(current)), "metadata")
    items: Items = []
    seen: set[str] = set()
    for index, item in enumerate(sent.get("items") or []):
        key, value = str(item.get("key", "")), str(item.get("value", ""))
        where = f"{field}.items[{index}]"
        if not KEY.match(key):
            raise Invalid(f"Invalid value for field '{where}.key': '{key}'. Letters, digits, '-' and '_', at most 128.",
                          field=f"{where}.key")
        if key in seen:
            raise Invalid(
                f"Invalid value for field '{where}.key': '{key}'. The key is given twice.", field=f"{where}.key"
            )
        if len(value.encode()) > LARGEST_VALUE:
            raise Invalid(f"Value for field '{where}.value' is too large: at most {LARGEST_VALUE} bytes.",
                          field=f"{where}.value")
        seen.add(key)
        items.append({"key": key, "value": value})
    if sum(len(item["key"]) + len(item["value"].encode()) for item in items) > LARGEST_ALL:
        raise Invalid(f"Value for field '{field}.items' is too large: at most {LARGEST_ALL} bytes in all.",
                      field=f"{field}.items")
    return items


def public_keys(own: Sequence[Mapping[str, str]], shared: Sequence[Mapping[str, str]]) -> list[str]:
    """The SSH public keys a new machine is given: its own, and the project's unless it blocks them.

    A line is GCE's `user:ssh-rsa AAAA... comment`, or a bare public key; the user part is dropped because
    a registered key pair has none. No key twice; those that clouds do not register come last.
    """
    values = {item["key"]: item["value"] for item in own}
    sources = [values.get(name, "") for name in SSH_KEYS]
    blocked = values.get("block-project-ssh-keys", "").lower() in ("true", "1", "yes")
    if not blocked and not values.get("sshKeys"):
        sources += [item["value"] for item in shared if item["key"] in SSH_KEYS]
    keys: dict[str, None] = {}
    for line in "\n".join(sources).splitlines():
        found = re.search(r"((?:ssh|ecdsa|sk)-[-a-z0-9@.]+ [A-Za-z0-9+/=]+(?: \S+)?)", line)
        if found:
            keys[found[1]] = None
    return sorted(keys, key=lambda key: key.startswith(HARDWARE))


def registered(keys: Sequence[str]) -> str:
    """The one of these keys that becomes a registered key pair, "" for none; the others go into the user data."""
    return "" if not keys or keys[0].startswith(HARDWARE) else keys[0]


def user_data(items: Sequence[Mapping[str, str]], keys: Sequence[str], longest: int) -> str:
    """What the machine's first boot reads, as base64 text; "" for none.

    `user-data` goes as it is. Else a `startup-script` goes as a script, and SSH keys beside the one that is a
    registered key pair as cloud-config; both together as a multi-part document. Source: cloud-init's user-data
    formats. Raises Invalid when it is longer than the cloud takes.
    """
    values = {item["key"]: item["value"] for item in items}
    if values.get("user-data"):
        text, field = values["user-data"].encode(), "user-data"
        if values.get("user-data-encoding") == "base64":
            text = _decoded(values["user-data"])
    else:
        further = keys[1:] if registered(keys) else keys
        text, field = _first_boot(values.get("startup-script", ""), further).encode(), "startup-script"
    encoded = base64.b64encode(text).decode()
    if len(encoded) > longest:
        raise Invalid(
            f"Metadata '{field}' is too long for this cloud: {len(encoded)} characters as base64, "
            f"it takes {longest}. Let the script fetch the rest.",
            field="resource.metadata",
        )
    return encoded


def unheard(items: Sequence[Mapping[str, str]], keys: Sequence[str]) -> list[tuple[str, str]]:
    """Warnings for what does not reach a machine beside its `user-data`: clouds hand over one text, and one key."""
    values = {item["key"]: item["value"] for item in items}
    if not values.get("user-data"):
        return []
    warnings = []
    if values.get("startup-script"):
        warnings.append("Metadata 'startup-script' has no effect beside 'user-data': a machine is handed one text. Put "
                        "the script into the user data.")
    if further := keys[1:] if registered(keys) else keys:
        warnings.append(f"Metadata 'ssh-keys' has no effect beside 'user-data' for {len(further)} of its keys: the "
                        "cloud registers one. Put the others into the user data.")
    return [("FIELD_VALUE_OVERRIDEN", each) for each in warnings]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error as error:
        raise Invalid("Metadata 'user-data' is not the base64 that 'user-data-encoding' says.",
                      field="resource.metadata") from error


def _first_boot(script: str, keys: Sequence[str]) -> str:
    config = "#cloud-config\nssh_authorized_keys:\n" + "".join(f"  - {key}\n" for key in keys) if keys else ""
    if not (script and config):
        return script or config
    from email.mime.multipart import MIMEMultipart
    from email.mime.text import MIMEText

    document = MIMEMultipart(boundary="==gcelib==")
    for text, subtype in ((config, "cloud-config"), (script, "x-shellscript")):
        document.attach(MIMEText(text, subtype, "utf-8"))
    return document.as_string()
