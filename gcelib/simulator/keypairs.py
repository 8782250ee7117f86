"""SSH key pairs."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gcelib.simulator.call import Call, ownership
from gcelib.simulator.commands import command
from gcelib.simulator.errors import invalid
from gcelib.simulator.listing import listing
from gcelib.simulator.records import KeyPair, Owner, Row

TYPES = ("ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-ed25519")
"""How a key that SSHKeysHelper takes begins."""


def chosen_keypairs(call: Call, owner: Owner) -> list[KeyPair]:
    """The key pairs that keypair or keypairs names, from the owner's own. Raises ApiError 431."""
    if call.given("keypair") and call.given("keypairs"):
        raise invalid("keypair and keypairs are mutually exclusive")
    names = call.items("keypairs") or ([call.text("keypair")] if call.given("keypair") else [])
    mine = {pair.name: pair for pair in call.world.owned(KeyPair, owner)}
    for name in names:
        if name not in mine:
            raise invalid(f"A key pair with name '{name}' was not found")
    return [mine[name] for name in names]


def fingerprint(public_key: str) -> str:
    """The MD5 of a public key in its colon form. Raises ApiError 431 for what is no public key."""
    parts = public_key.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
        length = int.from_bytes(blob[:4], "big")
        if blob[4 : 4 + length].decode("ascii") != parts[0] or not public_key.startswith(TYPES):
            raise ValueError(parts[0])
    except (IndexError, ValueError, binascii.Error):
        raise invalid("Public key is invalid") from None
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[index : index + 2] for index in range(0, 32, 2))


def _row(call: Call, pair: KeyPair) -> Row:
    return {
        "id": pair.id,
        "name": pair.name,
        "fingerprint": pair.fingerprint,
        **ownership(call.world, pair.owner),
        "hasannotation": False,
    }


def _add(call: Call, public_key: str) -> KeyPair:
    owner, name, world = call.owner(), call.text("name"), call.world
    mark = fingerprint(public_key)
    for pair in world.owned(KeyPair, owner):
        if pair.name == name:
            raise invalid(f"A key pair with name '{name}' already exists")
        if pair.fingerprint == mark:
            raise invalid(f"A key pair with this public key already exists: '{pair.name}'")
    return world.add(
        KeyPair(id=world.new_id("keypair"), owner=owner, created=world.now(), name=name,
                public_key=public_key, fingerprint=mark)
    )  # fmt: skip


@command("registerSSHKeyPair")
def register(call: Call) -> Row:
    """Enter a public key."""
    return {"keypair": _row(call, _add(call, call.text("publickey")))}


@command("createSSHKeyPair")
def create(call: Call) -> Row:
    """Make a key pair; the private key is shown this once."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    pair = _add(call, public.decode())
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return {"keypair": {**_row(call, pair), "privatekey": text.decode()}}


@command("listSSHKeyPairs")
def list_keypairs(call: Call) -> Row:
    """The caller's key pairs."""
    rows = call.selected(call.visible(KeyPair), name="name", fingerprint="fingerprint")
    return listing(call, "sshkeypair", rows, lambda pair: _row(call, pair))


@command("deleteSSHKeyPair")
def delete(call: Call) -> Row:
    """Delete a key pair; machines made with it keep the key."""
    for pair in call.world.owned(KeyPair, call.owner()):
        if pair.name == call.text("name"):
            call.world.remove(pair)
            return {"success": True}
    raise invalid(f"A key pair with name '{call.text('name')}' does not exist")
