"""`gcelib account`: makes accounts for people and programs, and says what they may do."""

from __future__ import annotations

import argparse
import datetime
import getpass
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcelib.auth.accounts import Accounts
from gcelib.auth.policy import ROLES
from gcelib.auth.vault import rotate_seal
from gcelib.cli.arguments import Commands, add_command, add_config, read_own_config
from gcelib.cli.audited import audited
from gcelib.config import Config
from gcelib.config.mistakes import did_you_mean
from gcelib.config.sealed import write_private
from gcelib.errors import Exists, Invalid, NotFound
from gcelib.store import Account, Store

_ABOUT = """\
Accounts are what clients sign in with: a person by a name and a password, a program by a key file in
Google's format. Each has a role on one or more projects: a viewer looks, an operator works with
instances, disks, snapshots and images, an admin does everything. A running server needs no restart.
"""

_EXAMPLES = """\
  gcelib account create-service robot --project demo --role operator --key-file robot.json
  gcelib account create-user ann@example.com --project demo --role admin
  gcelib account grant ann@example.com --project other --role viewer
  gcelib account list
"""

_KEY_FILE = 4096
"""Bytes that a key file takes at most."""


def add(commands: Commands) -> None:
    """Put the command and its own sub-commands into the parser."""
    parser = add_command(commands, "account", _ABOUT, _EXAMPLES)
    verbs = parser.add_subparsers(metavar="VERB", required=True, dest="verb")
    named = _verb(verbs, "create-service", "a program, with a key file")
    _role_options(named)
    _key_options(named)
    named = _verb(verbs, "create-user", "a person, with a password (asked for on a terminal)")
    _role_options(named)
    given = named.add_mutually_exclusive_group()
    given.add_argument("--password-file", type=Path, metavar="F", help="file whose first line is the password")
    given.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    _role_options(_verb(verbs, "grant", "give a role on a project in place of the one held there"))
    _project_option(_verb(verbs, "revoke", "take the role on a project away"))
    named = _verb(verbs, "disable", "shut an account out, ending all it is signed in with")
    named.add_argument("--undo", action="store_true", help="let it in again")
    named = _verb(verbs, "rotate-key", "a new key file for a program; its old keys end now")
    _key_options(named)
    named.add_argument("--keep-old", action="store_true", help="let the old keys work on")
    about = "Make a new seal key, and seal the cloud keys of callers with it. Page tokens given out before expire."
    rotated = verbs.add_parser("rotate-seal", help="a new seal key for callers' own cloud keys", description=about)
    add_config(rotated)
    rotated.set_defaults(func=run, name="")
    listed = verbs.add_parser("list", help="every account and its roles", description="List every account.")
    listed.add_argument("--format", choices=("table", "json"), default="table")
    add_config(listed)
    listed.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says. Raises a Fault or ConfigError that says what is wrong."""
    config = read_own_config(args)
    if getattr(args, "project", None):
        args.project = _project(config, args.project, left=args.verb == "revoke")
    with _accounts(config) as accounts:
        if args.verb == "list":
            _list(accounts, config, args)
            return 0
        named = {"project": getattr(args, "project", ""), "role": getattr(args, "role", "")}
        with audited(config, args.verb, account=args.name, **named):
            _VERBS[args.verb](accounts, config, args)
    return 0


def _create_service(accounts: Accounts, config: Config, args: argparse.Namespace) -> None:
    _check_key_file(args)
    key = accounts.create_service(args.name, args.project, args.role, config.server.public_url())
    _write_key(args, key)


def _rotate_key(accounts: Accounts, config: Config, args: argparse.Namespace) -> None:
    _check_key_file(args)
    key = accounts.rotate_key(args.name, config.server.public_url(), keep=args.keep_old)
    _write_key(args, key)


def _create_user(accounts: Accounts, _config: Config, args: argparse.Namespace) -> None:
    account = accounts.create_user(args.name, _password(args), args.project, args.role)
    print(f"{account.email} may sign in now.")


def _grant(accounts: Accounts, _config: Config, args: argparse.Namespace) -> None:
    print(_described(accounts.grant(args.name, args.project, args.role)))


def _revoke(accounts: Accounts, _config: Config, args: argparse.Namespace) -> None:
    print(_described(accounts.revoke(args.name, args.project)))


def _disable(accounts: Accounts, _config: Config, args: argparse.Namespace) -> None:
    print(_described(accounts.disable(args.name, not args.undo)))


def _rotate_seal(_accounts: Accounts, config: Config, _args: argparse.Namespace) -> None:
    path = config.server.seal_key_path()
    store = Store.open(config.server.database_url())
    try:
        sealed, dropped = rotate_seal(store, path, time.time)
    finally:
        store.close()
    print(f"{path} is new; {sealed} pairs of cloud keys are sealed with it.")
    if dropped:
        print(f"{dropped} pairs could be opened with no key there is, and are gone: their owners sign in again.")


def _list(accounts: Accounts, _config: Config, args: argparse.Namespace) -> None:
    found = accounts.list()
    if args.format == "json":
        rows = [
            {"email": each.email, "kind": each.kind, "roles": dict(each.roles), "disabled": each.disabled,
             "used": _time(each.used)}
            for each in found
        ]
        print(json.dumps(rows, indent=2))
        return
    for account in found:
        print(_described(account))
    if not found:
        print("There are no accounts yet; see: gcelib account create-user --help", file=sys.stderr)


_VERBS = {
    "create-service": _create_service,
    "create-user": _create_user,
    "grant": _grant,
    "revoke": _revoke,
    "disable": _disable,
    "rotate-key": _rotate_key,
    "rotate-seal": _rotate_seal,
}


def _verb(verbs: Commands, name: str, summary: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
    parser.add_argument("name", metavar="NAME", help="an e-mail, or a short name as in robot")
    add_config(parser)
    parser.set_defaults(func=run)
    return parser


def _project_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", required=True, metavar="P", help='project, or "*" for every one')


def _role_options(parser: argparse.ArgumentParser) -> None:
    _project_option(parser)
    parser.add_argument("--role", required=True, choices=ROLES)


def _key_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", required=True, type=Path, metavar="F", help="where to write the key")
    parser.add_argument("--force", action="store_true", help="replace the file when it is there")


def _project(config: Config, name: str, *, left: bool) -> str:
    """The project's own name for a name or an alias; an account on one that is not there helps nobody, but a role that
    is `left` of one can be taken away."""
    found = config.project(name)
    if name == "*" or left:
        return found.name if found else name
    if (found or config.projects.get("*")) and (found is None or found.credentials == "caller"):
        raise Invalid(
            f"Project {name} is its callers' own: who signs in with keys to its cloud may do there whatever the cloud "
            "lets those keys do, and nobody else can have a role on it.", field="project",
        )
    if found:
        return found.name
    raise NotFound(f"There is no project {name!r} in the configuration; {did_you_mean(name, config.projects)}")


@contextmanager
def _accounts(config: Config) -> Iterator[Accounts]:
    store = Store.open(config.server.database_url())
    try:
        yield Accounts(store)
    finally:
        store.close()


def _check_key_file(args: argparse.Namespace) -> None:
    """Before anything is made, or ended: an account whose key nobody has is of no use."""
    if args.key_file.exists() and not args.force:
        raise _taken(args.key_file)
    folder = args.key_file.absolute().parent
    if not folder.is_dir():
        raise Invalid(f"There is no directory {folder} for the key file.", field="key-file")
    if args.key_file.is_dir():
        raise Invalid(f"{args.key_file.absolute()} is a directory; name a file for the key.", field="key-file")
    if args.key_file.is_symlink() or (args.key_file.exists() and not args.key_file.is_file()):
        # What is replaced is gone: /dev/stdout for every program of the machine.
        raise Invalid(f"{args.key_file.absolute()} is a link or a device; name a file for the key.", field="key-file")
    try:
        with tempfile.TemporaryFile(dir=folder) as attempt:
            attempt.write(bytes(_KEY_FILE))
    except OSError as error:
        raise Invalid(f"No key file can be written in {folder} by this user: {error.strerror}. Nothing was done.",
                      field="key-file") from None


def _write_key(args: argparse.Namespace, key: dict[str, str]) -> None:
    content = (json.dumps(key, indent=2) + "\n").encode()
    if not write_private(args.key_file, content, replace=args.force):
        raise _taken(args.key_file)
    print(f"{key['client_email']}: the key is in {args.key_file}. Keep it: there is no other copy.")


def _taken(path: Path) -> Exists:
    return Exists(f"{path} exists already and is not overwritten; name another file, or add --force.")


def _password(args: argparse.Namespace) -> str:
    """The password from where the arguments say; on a terminal it is asked for twice."""
    if args.password_file:
        lines = args.password_file.read_text(encoding="utf-8").splitlines()
        return lines[0] if lines else ""
    if args.password_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise Invalid("The two passwords differ; nothing was made.", field="password")
    return first


def _time(moment: float | None) -> str | None:
    """When something was, as RFC 3339 has it; None for never."""
    if moment is None:
        return None
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="seconds")


def _described(account: Account) -> str:
    roles = ", ".join(f"{project}={role}" for project, role in account.roles.items()) or "no role"
    return f"{account.email}\t{account.kind}\t{roles}" + ("\tdisabled" if account.disabled else "")
