"""`gcelib simulator`: a CloudStack management server's API in memory, for trying and for testing clients."""

from __future__ import annotations

import argparse
import json
import queue
import signal
import sys
from pathlib import Path
from typing import Any

from gcelib.cli import COMMANDS
from gcelib.cli.telling import Progress
from gcelib.simulator import Simulator
from gcelib.simulator.faults import KINDS
from gcelib.simulator.scenery import ZONES
from gcelib.simulator.settings import Settings

DESCRIPTION = """\
Serve a simulated CloudStack: zones, offerings, templates, machines, disks, networks, jobs, all in memory.
Nothing is stored, nothing leaves this machine. Any CloudStack client works with the URL and keys it prints."""

EPILOG = f"""\
Zones: CH-GV2 (basic, security groups), DE-ADV1 (isolated networks), FR-SG1 (advanced, security groups).
Accounts: demo (a plain user, in the CloudStack project shared-project), other (a second tenant), admin.

Faults are written FIELD=VALUE,… with the fields kind, command, times, skip, seconds, status, errorcode,
text, account; the kinds are {", ".join(KINDS)}.

  gcelib simulator --listen 127.0.0.1:8080
  gcelib simulator --job-delay 0 --machines 1000
  gcelib simulator --faults kind=job_fail,command=deployVirtualMachine,errorcode=533
  gcelib simulator --faults faults.json

A running simulator takes faults at /simulator/faults (POST, GET, DELETE), shows the truth about its
machines at /simulator/machines (GET), and expunges destroyed ones at /simulator/expunge (POST)."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of `gcelib`."""
    parser = subparsers.add_parser(
        "simulator",
        help=COMMANDS["simulator"],
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:8080", help="default: %(default)s")
    parser.add_argument("--job-delay", metavar="SECONDS", type=_seconds,
                        help="how long every job takes; 0: until it is polled; default: as long as usual")  # fmt: skip
    parser.add_argument("--machines", metavar="N", type=int, default=0, help="running machines of demo to begin with")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="fixes all ids and keys; default: 1")
    parser.add_argument("--expunge", action="store_true", help="let users expunge, which a default cloud does not")
    parser.add_argument("--expunge-delay", metavar="SECONDS", type=_seconds, default=86400.0,
                        help="when destroyed machines vanish and free their names; default: a day")  # fmt: skip
    parser.add_argument("--zones", metavar="NAME", nargs="+", choices=ZONES, default=list(ZONES),
                        help="only these zones")  # fmt: skip
    parser.add_argument("--tenants", metavar="NAME", nargs="+", default=[], help="further accounts")
    parser.add_argument("--faults", metavar="FILE|FAULT", nargs="+", default=[],
                        help="what goes wrong: faults, or JSON files with a list of them")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="say where it is and the keys as JSON, in one line")
    parser.add_argument("--quiet", action="store_true", help="show no progress on a terminal")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0, or 1 when it can't start."""
    # A signal may come at any line of this thread: unlike an Event's, this queue's lock is never what it waits for.
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda told, _: stop.put(told))
    try:
        simulator = _simulator(args)
        simulator.start()
    except (ValueError, OSError) as error:
        print(f"gcelib simulator: {error}", file=sys.stderr)
        return 1
    _announce(simulator, args.json)
    stop.get()
    simulator.stop()
    return 0


def _announce(simulator: Simulator, as_json: bool) -> None:
    """Say that it answers, where, and with which keys."""
    accounts = simulator.accounts.values()
    if as_json:
        keys = [{"name": each.name, "key": each.api_key, "secret": each.secret_key} for each in accounts]
        print(json.dumps({"url": simulator.url, "accounts": keys}), flush=True)
        return
    print(f"url {simulator.url}")
    for account in accounts:
        print(f"account {account.name} key {account.api_key} secret {account.secret_key}")
    print("ready", flush=True)


def _simulator(args: argparse.Namespace) -> Simulator:
    host, port = _address(args.listen)
    with Progress(args.quiet or args.json) as progress:
        simulator = Simulator(
            host=host, port=port, seed=args.seed, preload=args.machines, zones=args.zones, tenants=args.tenants,
            settings=Settings(job_delay=args.job_delay, user_may_expunge=args.expunge,
                              expunge_delay=args.expunge_delay),
            tell=lambda made: progress("machines", made, args.machines),
        )  # fmt: skip
    for text in args.faults:
        if "=" in text:
            simulator.faults.add_text(text)
        else:
            for row in _faults_in(Path(text)):
                simulator.faults.add_row(row)
    return simulator


def _faults_in(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path} must hold a JSON list of faults")
    return rows


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"--listen takes HOST:PORT, not {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
