"""`gcelib configure`: asks what the daemon must know, tries it, and writes the configuration."""

from __future__ import annotations

import argparse
import copy
import grp
import os
import secrets
import shlex
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gcelib.cli.arguments import Commands, add_command, add_config, program
from gcelib.cli.asking import Asker, NotAnswered, Question
from gcelib.cli.written import Tables, render, saved
from gcelib.config import CloudConfig, Config, load, places
from gcelib.config.names import join_address, split_address
from gcelib.config.sealed import write_private
from gcelib.errors import Fault

_ABOUT = """\
Ask for the addresses and keys, try them on the cloud, and write the configuration file (mode 0600).
Every question is also an option; with --no-input nothing is asked and the missing ones are listed.
A file that is there is replaced only with --force: its values are then the defaults, what is not asked
here is carried over, and the old file is kept beside it with the ending .old.
"""

_EXAMPLES = """\
  gcelib configure
  gcelib configure --force                 # change what was answered before
  gcelib configure --no-input --endpoint https://cloud.example/client/api \\
      --key "$KEY" --secret-file /etc/gcelib/cloud.secret --project demo
  gcelib configure --config /etc/gcelib/gcelib.toml --state-dir /var/lib/gcelib --group gcelib    # for a service
"""


def _port(answer: str) -> str:
    good = answer.isascii() and answer.isdigit() and int(answer) < 65536
    return "" if good else f'"{answer}" is not a port; write a number like 5000.'


def _protocol(answer: str) -> str:
    return "" if answer in ("http", "https") else f'"{answer}" is not a protocol; write http or https.'


_BIND_ADDRESS = Question("bind_address", "Bind address", "127.0.0.1", "address that gcelib listens on")
_BIND_PORT = Question("bind_port", "Bind port", "5000", "port that gcelib listens on", check=_port)
_HOST = Question("host", "CloudStack host, or its whole endpoint URL", "",
                 "host name of CloudStack's API, or its URL")
_PORT = Question("port", "CloudStack port", "443", "port of CloudStack's API", check=_port)
_PROTOCOL = Question("protocol", "CloudStack protocol", "https", "http or https", check=_protocol)
_PATH = Question("path", "CloudStack path", "/client/api", "path of CloudStack's API")
_KEY = Question("key", "API key", "", "API key of the account at the cloud")
_SECRET = Question("secret", "Secret key", "",
                   "its secret key; it shows in the process list, so prefer --secret-file", hidden=True)
_PROJECT = Question("project", "GCE project name", "demo", "name of the GCE project that clients will use")
_REGION = Question("region", "Region (empty: made from the zones' names)", "", "region of the cloud's zones",
                   optional=True)
QUESTIONS = (_BIND_ADDRESS, _BIND_PORT, _HOST, _PORT, _PROTOCOL, _PATH, _KEY, _SECRET, _PROJECT, _REGION)


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "configure", _ABOUT, _EXAMPLES)
    add_config(parser)
    for question in QUESTIONS:
        shown = f" [{question.default}]" if question.default else ""
        parser.add_argument(question.flag, metavar="X", help=question.help + shown)
    parser.add_argument("--endpoint", metavar="URL",
                        help="the cloud's whole API address, instead of host, port, protocol and path")
    parser.add_argument("--secret-file", metavar="F",
                        help="file that holds the secret key; the configuration will refer to it")
    parser.add_argument("--cloud", metavar="NAME", help="name of this cloud in the configuration")
    parser.add_argument("--provider", metavar="NAME", help="libcloud compute provider [cloudstack]")
    parser.add_argument("--option", metavar="K=V", action="append", default=[],
                        help="an option for the libcloud driver, as often as needed")
    parser.add_argument("--state-dir", metavar="DIR", help="where the server keeps its state")
    parser.add_argument("--group", metavar="NAME", help="group that may read the file, too: the service's")
    parser.add_argument("--no-input", action="store_true", help="ask nothing; list what is missing")
    parser.add_argument("--no-test", action="store_true", help="write without trying the cloud")
    parser.add_argument("--force", action="store_true", help="replace a configuration that is there")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Ask, try, write. Raises ConfigError when the answers make no configuration."""
    target = (args.config or places()[0]).expanduser().absolute()
    if target.exists() and not args.force:
        return _refuse([f"gcelib: {target} is there and stays as it is; add --force to replace it."], 1)
    try:
        group = _group(args.group, target)
    except KeyError:
        return _refuse([f"gcelib: there is no group {args.group}; make it first, or leave --group out."], 1)
    before = saved(target)
    name = args.cloud or next(iter(before.get("clouds", {})), args.provider or "cloudstack")
    while True:
        try:
            tables, project = _answers(args, before, name)
        except NotAnswered as missing:
            return _refuse(missing.lines, 2)
        text = render(tables)
        config = _checked(target, text)
        if args.no_test or _try(config.clouds[name]):
            break
        if args.no_input or not sys.stdin.isatty() or not _asked(args):
            return _refuse(["gcelib: nothing was written; correct the answers, or add --no-test."], 1)
        print("\nNothing was written. Once more: Enter repeats an answer, Ctrl-C ends it.\n")
        before = tables
    if target.exists():
        write_private(target.with_name(target.name + ".old"), target.read_bytes(), replace=True)
    if not write_private(target, text.encode(), replace=bool(args.force)):
        return _refuse([f"gcelib: {target} was written by somebody else meanwhile; nothing was replaced."], 1)
    if group is not None:
        os.chown(target, -1, group)
        target.chmod(0o640)
    _next_steps(target, args, project)
    return 0


def _asked(args: argparse.Namespace) -> bool:
    """Whether a person answers something that the cloud judges."""
    options = ((args.endpoint, args.host), (args.key,), (args.secret, args.secret_file))
    return any(all(given is None for given in ways) for ways in options)


def _group(named: str | None, target: Path) -> int | None:
    """The group that may read the file: the one named, else that of the file that is there. Raises KeyError."""
    if named:
        return grp.getgrnam(named).gr_gid
    before = target.stat() if target.exists() else None
    return before.st_gid if before and before.st_mode & 0o040 else None


def _refuse(lines: list[str], code: int) -> int:
    print(*lines, sep="\n", file=sys.stderr)
    return code


def _answers(args: argparse.Namespace, before: Tables, name: str) -> tuple[Tables, str]:
    """The whole configuration (what was saved, with the answers over it), and the project that was named."""
    asker = Asker(args.no_input)
    tables = copy.deepcopy(before)
    server = tables.setdefault("server", {})
    cloud = tables.setdefault("clouds", {}).setdefault(name, {})
    cloud["provider"] = args.provider or cloud.get("provider", "cloudstack")
    host, port = _listening(server)
    host = asker.ask(_BIND_ADDRESS, args.bind_address, host).strip("[]")
    port = asker.ask(_BIND_PORT, args.bind_port, port)
    if args.state_dir:
        server["state_dir"] = str(Path(args.state_dir).expanduser().absolute())
    server["listen"] = join_address(host, int(port) if port.isdigit() else 0)
    _ask_endpoint(asker, args, cloud)
    _ask_keys(asker, args, cloud)
    for option in args.option:
        key, _, value = option.partition("=")
        cloud.setdefault("options", {})[key] = value
    projects = tables.setdefault("projects", {})
    mine = next((each for each, row in projects.items() if name in row.get("clouds", ())), "")
    project = asker.ask(_PROJECT, args.project, mine)
    row = projects.setdefault(project, {})
    row["clouds"] = list(dict.fromkeys([*row.get("clouds", ()), name]))
    region = asker.ask(_REGION, args.region, str(cloud.get("region", "")))
    cloud.pop("region", None)
    if region:
        cloud["region"] = region
    asker.finish()
    return tables, project


def _listening(server: Tables) -> tuple[str, str]:
    try:
        host, port = split_address(str(server.get("listen", "")))
    except ValueError:
        return "", ""
    return host, str(port)


def _ask_endpoint(asker: Asker, args: argparse.Namespace, cloud: Tables) -> None:
    if args.endpoint is not None:
        cloud["endpoint"] = args.endpoint
        return
    if cloud["provider"] != "cloudstack" and args.host is None:
        return
    host = asker.ask(_HOST, args.host, str(cloud.get("endpoint", "")))
    if "://" in host or not host:
        cloud["endpoint"] = host
        return
    port = asker.ask(_PORT, args.port)
    protocol = asker.ask(_PROTOCOL, args.protocol, "https" if port in ("443", "8443") else "http")
    path = asker.ask(_PATH, args.path)
    usual = {"http": "80", "https": "443"}.get(protocol) == port
    place = f"[{host}]" if ":" in host and not host.startswith("[") else host
    cloud["endpoint"] = f"{protocol}://{place}{'' if usual else ':' + port}/{path.lstrip('/')}"


def _ask_keys(asker: Asker, args: argparse.Namespace, cloud: Tables) -> None:
    elsewhere = any(cloud.get(way) for way in ("key_env", "key_file"))
    key = asker.ask(_KEY, args.key, str(cloud.get("key", "")), kept=elsewhere)
    if key:
        _replace(cloud, "key", "key", key)
    if args.secret_file:
        _replace(cloud, "secret", "secret_file", str(Path(args.secret_file).expanduser().absolute()))
        return
    kept = any(cloud.get(way) for way in ("secret", "secret_env", "secret_file"))
    secret = asker.ask(_SECRET, args.secret, kept=kept)
    if secret:
        _replace(cloud, "secret", "secret", secret)


def _replace(cloud: Tables, name: str, way: str, value: str) -> None:
    for each in (name, f"{name}_env", f"{name}_file"):
        cloud.pop(each, None)
    cloud[way] = value


def _checked(target: Path, text: str) -> Config:
    """The text read as the daemon will read it, from a draft beside the file. Raises ConfigError."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
    write_private(draft, text.encode(), replace=False)
    try:
        plain = {key: each for key, each in os.environ.items() if not key.startswith("GCELIB_")}
        return load(draft, plain)
    finally:
        draft.unlink()


def _try(cloud: CloudConfig) -> bool:
    """Ask the cloud for its zones, and say what it answered."""
    from gcelib.config import CacheConfig
    from gcelib.drivers.registry import build

    where = urlsplit(cloud.endpoint).netloc or cloud.provider
    print(f"Trying {where} ...", flush=True)
    try:
        made: Any = build(cloud, CacheConfig())
        try:
            began = time.monotonic()
            made.ping()
            took = (time.monotonic() - began) * 1000
            zones = [zone.name for zone in made.zones.list()] if made.zones else []
        finally:
            made.close()
    except Fault as fault:
        print(f"{where} refused: {fault.message}", file=sys.stderr)
        return False
    found = ", ".join(zones) if zones else "none, so that nothing can be made there"
    print(f"It answered in {took:.0f} ms. Zones: {found}.")
    return True


def _next_steps(target: Path, args: argparse.Namespace, project: str) -> None:
    called, named = program(), f" --config {shlex.quote(str(target))}" if args.config else ""
    quoted = shlex.quote(project)
    print(f"""Wrote {target}.

Next:
  {called} serve{named}
and, while it runs, in another shell:
  {called} account create-service me --project {quoted} --role operator --key-file me.json{named}
  eval "$({called} client gcloud --project {quoted} --key-file me.json{named})"
  gcloud compute zones list""")
