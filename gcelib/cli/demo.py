"""`gcelib demo`: a cloud in memory, the server and accounts in one process, and the lines to try them with."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import ssl
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcelib import __version__
from gcelib.auth.accounts import Accounts
from gcelib.cli import access_token
from gcelib.cli.arguments import Commands, add_command, program
from gcelib.cli.setups import KINDS, Setup
from gcelib.cli.setups.setup import quote
from gcelib.cli.telling import Progress
from gcelib.config import (
    CacheConfig,
    CloudConfig,
    Config,
    ConfigError,
    ImageProject,
    ProjectConfig,
    Secret,
    ServerConfig,
)
from gcelib.config.names import split_address
from gcelib.config.sealed import write_private
from gcelib.errors import Exists, Unavailable
from gcelib.store import Store

LISTEN = "127.0.0.1:5000"
ADMIN_LISTEN = "127.0.0.1:5001"
PROJECT = "demo"

_ABOUT = """\
Run everything at once, to try it: a CloudStack management server in memory, gcelib in front of it, and two
accounts. Once it answers it prints lines for gcloud, gcutil and curl that work as pasted into another shell.

Ctrl-C or SIGTERM ends it. Without --state nothing is left behind.
"""

_EXAMPLES = """\
  gcelib demo
  gcelib demo --listen 127.0.0.1:8443 --machines 20
  gcelib demo --state ./demo        # accounts and certificates stay for the next time
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the printed lines name: things that this demo's cloud really has."""

    zone: str
    machine_type: str
    image: str


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "demo", _ABOUT, _EXAMPLES)
    parser.add_argument("--listen", metavar="H:P", default=LISTEN, help=f"address and port of the API [{LISTEN}]")
    parser.add_argument("--state", metavar="DIR", type=Path, help="where to keep accounts and certificates")
    parser.add_argument("--machines", metavar="N", type=int, default=0, help="machines there are from the beginning")
    parser.add_argument("--no-tls", action="store_true", help="plain HTTP, on loopback only")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Run until told to stop. Raises ConfigError for --listen, OSError for a port in use."""
    # Imported here so that the other commands do not wait for the whole server to be loaded.
    from gcelib.server import logs
    from gcelib.server.daemon import Daemon
    from gcelib.simulator import Simulator

    state = (args.state or Path(tempfile.mkdtemp(prefix="gcelib-demo-"))).expanduser().absolute()
    with Progress(quiet=False) as progress:
        simulator = Simulator(preload=args.machines, tell=lambda made: progress("machines", made, args.machines))

    def clean_up() -> None:
        simulator.stop()
        if not args.state:
            shutil.rmtree(state, ignore_errors=True)

    try:
        simulator.start()
        keys = simulator.accounts[PROJECT]
        config = _config(args, state, simulator.url, keys.api_key, keys.secret_key)
        logs.set_up()
        daemon = Daemon(config, last_act=clean_up)
        return daemon.run(lambda: _introduce(config, daemon.url, daemon.admin_url))
    finally:
        clean_up()


def _config(args: argparse.Namespace, state: Path, endpoint: str, key: str, secret: str) -> Config:
    try:
        split_address(args.listen)
    except ValueError:
        raise ConfigError([f'--listen: "{args.listen}" is not host:port; write 127.0.0.1:5000']) from None
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    server = ServerConfig(
        listen=args.listen,
        # Moved away from the shipped port, it may run beside another one.
        admin_listen=ADMIN_LISTEN if args.listen == LISTEN else "127.0.0.1:0",
        tls="off" if args.no_tls else "auto",
        state_dir=state,
    )
    cloud = CloudConfig(name=PROJECT, provider="cloudstack", endpoint=endpoint, key=key, secret=Secret(secret))
    return Config(
        server=server,
        cache=CacheConfig(),
        clouds={PROJECT: cloud},
        projects={PROJECT: ProjectConfig(name=PROJECT, clouds=(PROJECT,))},
        # gcloud asks for this family when nobody names an image.
        image_projects={"debian-cloud": ImageProject("debian-cloud", PROJECT, {"debian-12": "Debian 12"})},
    )


def _introduce(config: Config, bound: str, admin: str) -> None:
    """Make the accounts, look that the server answers them, and print what to paste."""
    url = _reachable(config, bound)
    folder = config.server.state_dir
    ca_file = config.server.ca_path()
    key_file = folder / "demo-key.json"
    password = secrets.token_urlsafe(9)
    store = Store.open(config.server.database_url())
    try:
        email = _make_accounts(Accounts(store), key_file, url, password)
    finally:
        store.close()
    setup = Setup(
        url=url, project=PROJECT, project_id=PROJECT, program=program(), folder=str(folder / "clients"),
        ca_file=str(ca_file or ""), key_file=str(key_file), account=email,
    )
    token = access_token.fetch(key_file, ca_file)
    scene = _look(url, token, ca_file)
    token_file = folder / "demo-token"
    write_private(token_file, token.encode() + b"\n", replace=True)
    print(_text(setup, scene, password, token_file, admin), flush=True)


def _reachable(config: Config, bound: str) -> str:
    """The address for clients on this machine: the one bound, localhost when that is every address."""
    host, _ = split_address(config.server.listen)
    if host not in ("0.0.0.0", "::"):
        return bound
    return f"{bound.partition('://')[0]}://localhost:{bound.rpartition(':')[2]}"


def _make_accounts(accounts: Accounts, key_file: Path, url: str, password: str) -> str:
    """A program with a key file and a person with a password, both admins; the person's name to sign in."""
    try:
        key = accounts.create_service("demo-robot", PROJECT, "admin", url)
    except Exists:
        key = accounts.rotate_key("demo-robot", url)
    write_private(key_file, (json.dumps(key, indent=2) + "\n").encode(), replace=True)
    try:
        return accounts.create_user(PROJECT, password, PROJECT, "admin").email
    except Exists:
        return accounts.set_password(PROJECT, password).email


def _look(url: str, token: str, ca_file: Path | None) -> Scene:
    """What there is to name, asked for over HTTP as any client would. Raises Unavailable."""
    context = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None

    def names(path: str) -> list[str]:
        request = urllib.request.Request(
            f"{url}/compute/v1/projects/{PROJECT}/{path}", headers={"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                found: dict[str, Any] = json.load(answer)
        except (OSError, ValueError) as error:
            raise Unavailable(f"The server does not answer {path}: {error}") from None
        return [item["name"] for item in found.get("items", [])]

    zone = names("zones")[0]
    sizes = names(f"zones/{zone}/machineTypes")
    return Scene(zone, "micro" if "micro" in sizes else sizes[0], names("global/images")[0])


def _text(setup: Setup, scene: Scene, password: str, token_file: Path, admin: str) -> str:
    parts = [
        f"# gcelib {__version__} demo: a cloud in memory behind {setup.url}, project {PROJECT}.",
        "# Paste any of these into another shell. Everything that is not a command is a comment.",
        "",
        "# ---- gcloud",
        KINDS["gcloud"](setup)[0].text.rstrip(),
        *_gcloud_lines(scene),
        "",
        "# ---- gcutil (1.16.1): sign in first, by itself, for it reads the code from where you type",
        KINDS["gcutil"](setup)[0].text.rstrip(),
        f"# On the page it names sign in as {setup.account} with the password {password}",
        "gcutil auth --noconfirm_email",
        "",
        "# ---- gcutil, once it is signed in",
        *_gcutil_lines(scene),
        "",
        "# ---- curl",
        *_curl_lines(setup, token_file),
        "",
        "# ---- a browser",
        f"# The console is {admin}/console/ : sign in as {setup.account} with the password {password}",
        "",
        f"# gcelib demo is ready: {setup.url} (Ctrl-C ends it)",
    ]
    return "\n".join(parts)


def _gcloud_lines(scene: Scene) -> list[str]:
    zone = f"--zone={quote(scene.zone)}"
    return [
        "gcloud compute zones list",
        "gcloud compute machine-types list",
        "gcloud compute firewall-rules create demo-ssh --network=default --allow=tcp:22",
        f"gcloud compute instances create demo-1 {zone} --machine-type={quote(scene.machine_type)} "
        f"--image={quote(scene.image)} --network=default",
        "gcloud compute instances list",
        f"gcloud compute instances delete demo-1 {zone} --quiet",
        "gcloud compute firewall-rules delete demo-ssh --quiet",
    ]


def _gcutil_lines(scene: Scene) -> list[str]:
    return [
        "gcutil listzones",
        f"gcutil addinstance demo-2 --zone={quote(scene.zone)} --machine_type={quote(scene.machine_type)} "
        f"--image={quote(scene.image)} --noadd_compute_key_to_project --wait_until_running",
        "gcutil listinstances",
        f"gcutil deleteinstance demo-2 --zone={quote(scene.zone)} --force --delete_boot_pd",
    ]


def _curl_lines(setup: Setup, token_file: Path) -> list[str]:
    authority = f"--cacert {quote(setup.ca_file)} " if setup.ca_file else ""
    trusted = f" --ca-file {quote(setup.ca_file)}" if setup.ca_file else ""
    return [
        "# The token is good for an hour; a new one:",
        f"#   {setup.program} client token --key-file {quote(setup.key_path)}{trusted}",
        f'curl -sS {authority}-H "Authorization: Bearer $(cat {quote(str(token_file))})" '
        f"{setup.url}/compute/v1/projects/{PROJECT}/zones",
    ]
