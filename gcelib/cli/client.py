"""`gcelib client`: what to type, or which files to keep, so that a GCE client talks to this server."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from gcelib.cli import access_token
from gcelib.cli.arguments import Commands, add_command, add_config, program, read_config
from gcelib.cli.setups import KINDS, File, Setup
from gcelib.config import Config, ConfigError, ProjectConfig, idlike, is_idlike
from gcelib.config.mistakes import did_you_mean
from gcelib.errors import Exists, Invalid, NotFound

_ABOUT = """\
Print the set-up of a GCE client for this server: shell lines for gcloud, gcutil and curl, scripts and the
environment they need for the others. With --write they are kept as files in a folder.

`token` prints an access token, good for an hour, made from a service account's key file, or, for a project
that is its callers' own, from your keys to its cloud in CLOUD_API_KEY and CLOUD_SECRET_KEY.
"""

_EXAMPLES = """\
  eval "$(gcelib client gcloud --project demo --key-file me.json)"
  gcelib client gcloud --project demo --key-file me.json --named gcelib | sh
  gcelib client python --project demo --key-file me.json --write ./gce
  gcelib client gcutil --project me@example.com --account me
  gcelib client token --key-file me.json --ca-file ca.pem
"""

_NAME = re.compile("(?!(?:default|none)$)[a-z][a-z0-9-]{0,62}")


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "client", _ABOUT, _EXAMPLES)
    parser.add_argument("kind", metavar="KIND", choices=[*KINDS, "token"],
                        help=", ".join(KINDS) + ", or token")
    parser.add_argument("--project", metavar="P", help="project; not needed when there is only one")
    parser.add_argument("--account", metavar="A", help="account that the client is for")
    parser.add_argument("--key-file", metavar="F", type=Path, help="key file of the service account")
    parser.add_argument("--ca-file", metavar="F", type=Path,
                        help="certificate of the CA to trust, if it is not this machine's server's own")
    parser.add_argument("--named", metavar="NAME", default="",
                        help="with gcloud: one of its named configurations, for every shell")
    parser.add_argument("--write", metavar="DIR", type=Path, help="keep the set-up as files in this folder")
    parser.add_argument("--force", action="store_true", help="with --write: replace files that are there")
    add_config(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print or write. Raises ConfigError, NotFound for an unknown project, Exists for files in the way."""
    if args.kind == "token":
        return _token(args)
    config = read_config(args)
    if args.named and (args.kind != "gcloud" or not _NAME.fullmatch(args.named)):
        raise Invalid("--named is for gcloud, and takes a name of lower-case letters, digits and dashes other than "
                      "'default' and 'none'.")
    setup = _setup(config, args)
    made = KINDS[args.kind](setup)
    if args.write:
        _write(args.write, made, args.force)
    else:
        _print(made)
    if setup.own_keys and args.kind == "python":
        print("Note: key files do not serve this project, as it is its callers' own. Take a token from "
              f"`{setup.program} client token --project {setup.project}` for google.oauth2.credentials.Credentials.",
              file=sys.stderr)
    if setup.ca_file and not Path(setup.ca_file).is_file():
        print(f"Note: {setup.ca_file} is made when `gcelib serve` first starts.", file=sys.stderr)
    return 0


def _token(args: argparse.Namespace) -> int:
    ca_file = args.ca_file or _own_ca(args)
    key, secret = os.environ.get("CLOUD_API_KEY", ""), os.environ.get("CLOUD_SECRET_KEY", "")
    if not args.key_file and key and secret:
        url = read_config(args).server.public_url()
        print(access_token.fetch_with_keys(f"{url}/oauth2/token", key, secret, ca_file))
        return 0
    if not args.key_file:
        raise Invalid("gcelib client token needs --key-file F, the key file of a service account, or your own keys to "
                      "the cloud in CLOUD_API_KEY and CLOUD_SECRET_KEY.")
    print(access_token.fetch(args.key_file.expanduser(), ca_file))
    return 0


def _own_ca(args: argparse.Namespace) -> Path | None:
    """The CA of the server configured on this machine; a machine that is only a client has none."""
    try:
        path = read_config(args).server.ca_path()
    except ConfigError:
        if args.config:
            raise
        return None
    return path if path and path.is_file() else None


def _setup(config: Config, args: argparse.Namespace) -> Setup:
    project = _project(config, args.project)
    ca_file = args.ca_file or config.server.ca_path()
    key_file = args.key_file.expanduser().absolute() if args.key_file else None
    folder = args.write.expanduser().absolute() if args.write else _own_folder(config, project)
    return Setup(
        url=config.server.public_url(), project=args.project or project.name,
        project_id=_project_id(project) if args.kind in ("gcloud", "terraform") else "",
        program=program(), folder=str(folder), account=args.account or "",
        ca_file=str(ca_file.expanduser().absolute()) if ca_file else "", key_file=str(key_file or ""),
        own_keys=project.credentials == "caller", named=args.named,
    )


def _own_folder(config: Config, project: ProjectConfig) -> Path:
    """Where a client keeps what belongs to this server and project only."""
    server = urlsplit(config.server.public_url()).netloc
    base = Path(platformdirs.user_config_dir("gcelib", appauthor=False))
    return base / "clients" / f"{idlike(server)}-{idlike(project.name)}"


def _project(config: Config, name: str | None) -> ProjectConfig:
    named = sorted(set(config.projects) - {"*"})
    if name is None and len(config.projects) == len(named) == 1:
        return config.projects[named[0]]
    if name is None:
        own = ["the name of an account of the cloud, or of a project of its own"] if "*" in config.projects else []
        raise Invalid(f"Which project? Give --project, one of: {', '.join([*named, *own])}.")
    anyone = config.projects.get("*")
    found = config.project(name) or (anyone and replace(anyone, name=name, aliases=(idlike(name),)))
    if found is None:
        raise NotFound(f"There is no project '{name}'; {did_you_mean(name, config.projects)}")
    return found


def _project_id(project: ProjectConfig) -> str:
    """The project's name in the form gcloud takes."""
    found = next((name for name in (project.name, *project.aliases) if is_idlike(name)), None)
    if found is None:
        raise Invalid(f"gcloud does not take '{project.name}' as a project; give it an alias of "
                      f'lower-case letters, digits and dashes: under [projects."{project.name}"] write '
                      'aliases = ["my-project"]')
    return found


def _write(folder: Path, made: list[File], force: bool) -> None:
    folder = folder.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    taken = [file.name for file in made if (folder / file.name).exists()]
    if taken and not force:
        raise Exists(f"{folder} holds {', '.join(taken)} already; add --force to replace, or name another "
                     "folder.")
    for file in made:
        (folder / file.name).write_text(file.text, encoding="utf-8")
    print(f"Wrote to {folder}:")
    for file in made:
        print(f"  {file.name:24} {file.use}")


def _print(made: list[File]) -> None:
    """One file is printed bare, so that the shell can read it; of several each begins with its name."""
    for file in made:
        if len(made) > 1:
            print(f"######## {file.name} ({file.use})")
        print(file.text)


