"""The clients of the soak: bare REST in several trades, Google's libraries, libcloud, gcloud and gcutil."""

# google-auth and libcloud have no types.
# mypy: allow-untyped-calls, disable-error-code="import-untyped"

from __future__ import annotations

import datetime
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import compute_v1
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials
from libcloud.common.types import LibcloudError

from tests.contract import browser, gcutil
from tests.contract.gcloud import Gcloud
from tests.contract.google_libraries import SCOPE, compute
from tests.contract.libcloud_driver import led
from tests.live import Live
from tests.soak.run import Job, Soak
from tests.wire.machines import machine

PROJECT = "/compute/v1/projects/demo"
HERE = f"{PROJECT}/zones/ch-gv2"
IMAGE = "linux-ubuntu-12-04-lts-64-bit-10gb"
LOWEST_PORT = 10_000
"""Firewalls of the soak open one port each from here on; nothing else in the cloud does."""

KEPT = {"zones/ch-gv2/instances": 40, "zones/ch-gv2/disks": 70, "global/firewalls": 20, "regions/de/addresses": 10,
        "zones/de-adv1/instances": 10}
"""How many there may be of each before old ones are deleted; a machine's disk is one, too."""
OLD = 180.0
"""Seconds after which no round has anything to do with it any more."""


def name_of(kind: str, dice: random.Random) -> str:
    """A name that nothing had."""
    return f"{kind}-{dice.getrandbits(40):x}"


def machines(soak: Soak, dice: random.Random) -> None:
    """A machine and a disk from making to deleting; every fifth stays."""
    name = name_of("s", dice)
    if not soak.change(dice, "POST", f"{HERE}/instances", machine(name, labels={"soak": "yes"})):
        return
    found = soak.ask(dice, "GET", f"{HERE}/instances/{name}")
    if "error" in found and found["error"]["code"] == 404:
        soak.find(f"{name} was made and is not shown")
    soak.change(dice, "POST", f"{HERE}/instances/{name}/stop")
    if soak.change(dice, "POST", f"{HERE}/disks", {"name": f"{name}-d", "sizeGb": "5"}) and dice.random() < 0.5:
        source = {"source": f"zones/ch-gv2/disks/{name}-d", "deviceName": "data"}
        soak.change(dice, "POST", f"{HERE}/instances/{name}/attachDisk", source)
        soak.change(dice, "POST", f"{HERE}/instances/{name}/detachDisk?deviceName=data")
    if dice.random() < 0.5:
        soak.change(dice, "POST", f"{HERE}/instances/{name}/start")
    soak.ask(dice, "GET", f"{PROJECT}/aggregated/instances")
    if dice.random() < 0.8:
        soak.change(dice, "DELETE", f"{HERE}/disks/{name}-d")
        soak.change(dice, "DELETE", f"{HERE}/instances/{name}")


def settings(soak: Soak, dice: random.Random) -> None:
    """A machine whose labels, metadata and tags are changed over and over: what was set is what is shown."""
    name = name_of("t", dice)
    if not soak.change(dice, "POST", f"{HERE}/instances", machine(name, tags={"items": ["web"]})):
        return
    for _ in range(4):
        value = name_of("v", dice)
        _set(soak, dice, name, "setLabels", "labels", {"label": value})
        _set(soak, dice, name, "setMetadata", "metadata", {"items": [{"key": "soak", "value": value}]})
        _set(soak, dice, name, "setTags", "tags", {"items": sorted({"web", f"tag{dice.randrange(5)}"})})
    if dice.random() < 0.9:
        soak.change(dice, "DELETE", f"{HERE}/instances/{name}")


def _set(soak: Soak, dice: random.Random, name: str, method: str, field: str, wanted: Any) -> None:
    now = soak.ask(dice, "GET", f"{HERE}/instances/{name}")
    if "error" in now:
        return
    body = {**wanted, "fingerprint": now[field]["fingerprint"]} if field != "labels" else {
        "labels": wanted, "labelFingerprint": now["labelFingerprint"]}
    if soak.change(dice, "POST", f"{HERE}/instances/{name}/{method}", body):
        shown = soak.ask(dice, "GET", f"{HERE}/instances/{name}").get(field, {})
        if {key: shown.get(key) for key in wanted} != wanted:
            soak.find(f"{name}: {method} of {wanted} was done, and {shown} is shown")


def firewalls(soak: Soak, dice: random.Random) -> None:
    """A firewall for machines with a tag, changed, and mostly deleted again."""
    name, port = name_of("f", dice), str(dice.randrange(LOWEST_PORT, 60_000))
    body = {"name": name, "network": "global/networks/default", "sourceRanges": ["10.0.0.0/8"],
            "allowed": [{"IPProtocol": "tcp", "ports": [port]}], "targetTags": [dice.choice(["web", "tag1", "tag2"])]}
    if not soak.change(dice, "POST", f"{PROJECT}/global/firewalls", body):
        return
    found = soak.ask(dice, "GET", f"{PROJECT}/global/firewalls/{name}")
    if found.get("allowed", body["allowed"]) != body["allowed"] or found.get("error", {}).get("code") == 404:
        soak.find(f"{name} was made and is shown as {found}")
    soak.change(dice, "PATCH", f"{PROJECT}/global/firewalls/{name}", {"sourceRanges": ["10.0.0.0/8", "172.16.0.0/12"]})
    if dice.random() < 0.9:
        soak.change(dice, "DELETE", f"{PROJECT}/global/firewalls/{name}")
    soak.rest(1.0)


def addresses(soak: Soak, dice: random.Random) -> None:
    """An address that is reserved, labelled, stands for a machine now and then, and is given back."""
    name = name_of("a", dice)
    there = f"{PROJECT}/regions/de/addresses"
    if not soak.change(dice, "POST", there, {"name": name, "description": "By the soak"}):
        return
    found = soak.ask(dice, "GET", f"{there}/{name}")
    if "error" in found:
        if found["error"]["code"] == 404:
            soak.find(f"{name} was reserved and is not shown")
        return
    soak.change(dice, "POST", f"{there}/{name}/setLabels", {"labels": {"soak": "yes"},
                                                           "labelFingerprint": found["labelFingerprint"]})
    if dice.random() < 0.5:
        zone = f"{PROJECT}/zones/de-adv1/instances"
        access = {"type": "ONE_TO_ONE_NAT", "name": "External NAT", "natIP": found["address"]}
        nic = {"network": "global/networks/demo-network", "accessConfigs": [access]}
        boot = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}
        soak.change(dice, "POST", zone, machine(f"{name}-m", "de-adv1", disks=[boot], networkInterfaces=[nic]))
        soak.change(dice, "DELETE", f"{zone}/{name}-m")
    if dice.random() < 0.95:
        soak.change(dice, "DELETE", f"{there}/{name}")
    soak.rest(1.0)


def google(soak: Soak, dice: random.Random) -> None:
    """A machine's life by google-cloud-compute."""
    live, name = dice.choice(soak.site.replicas), name_of("g", dice)
    source = machine(name)["disks"][0]["initializeParams"]["sourceImage"]
    boot = compute_v1.AttachedDisk(boot=True, auto_delete=True, initialize_params=(
        compute_v1.AttachedDiskInitializeParams(source_image=source)))
    wish = compute_v1.Instance(name=name, machine_type="zones/ch-gv2/machineTypes/micro", disks=[boot],
                               network_interfaces=[compute_v1.NetworkInterface(network="global/networks/default")])
    try:
        client = compute(live, compute_v1.InstancesClient, Credentials(live.token))
        client.insert(project="demo", zone="ch-gv2", instance_resource=wish).result(timeout=90)
        list(client.list(project="demo", zone="ch-gv2"))
        client.delete(project="demo", zone="ch-gv2", instance=name).result(timeout=90)
        soak.count("google-cloud-compute: rounds")
    except (GoogleAPICallError, GoogleAuthError, requests.RequestException, TimeoutError):
        soak.count("google-cloud-compute: rounds that failed")
        soak.rest(0.5)


def robot(soak: Soak, dice: random.Random) -> None:
    """A program with a key file and google-auth: a new token each round, then lists page by page."""
    live = dice.choice(soak.site.replicas)
    key = {**json.loads(live.key_file.read_text()), "token_uri": f"{live.url}/oauth2/token"}
    who = service_account.Credentials.from_service_account_info(key, scopes=[SCOPE])
    try:
        with AuthorizedSession(who, auth_request=Request(soak.session(live))) as session:
            session.verify = soak.trust
            for path in ("zones", "aggregated/instances", "aggregated/disks", "global/firewalls", "global/networks"):
                session.get(f"{live.url}{PROJECT}/{path}", timeout=30).raise_for_status()
            _pages(session, f"{live.url}{HERE}/instances")
        for each in soak.site.replicas:
            each.token = who.token
        soak.count("google-auth: rounds")
    except (GoogleAuthError, requests.RequestException):
        soak.count("google-auth: rounds that failed")
    soak.rest(1.0)


def _pages(session: AuthorizedSession, url: str) -> None:
    query = {"maxResults": "50", "filter": 'status = "RUNNING"'}
    while True:
        answer = session.get(url, params=query, timeout=30)
        answer.raise_for_status()
        if "nextPageToken" not in answer.json():
            return
        query["pageToken"] = answer.json()["nextPageToken"]


def libcloud(soak: Soak, dice: random.Random) -> None:
    """A machine's and a disk's life by libcloud's GCE driver; it follows https links only."""
    live, name = dice.choice(soak.site.replicas), name_of("l", dice)
    try:
        with led(live) as driver:
            node = driver.create_node(name, "micro", IMAGE, location="ch-gv2", ex_network="default", ex_tags=["web"])
            volume = driver.create_volume(2, f"{name}-d", location="ch-gv2", ex_disk_type="pd-standard")
            driver.list_nodes("ch-gv2")
            driver.ex_list_firewalls()
            driver.destroy_volume(volume)
            driver.destroy_node(node)
        soak.count("libcloud: rounds")
    except (LibcloudError, GoogleAuthError, requests.RequestException, OSError):
        soak.count("libcloud: rounds that failed")
    soak.rest(2.0)


def tidy(soak: Soak, dice: random.Random) -> None:
    """What was left behind long ago is deleted: memory that is flat can be told only where the cloud does not fill."""
    soak.rest(5.0)
    for path, most in KEPT.items():
        rows = soak.ask(dice, "GET", f"{PROJECT}/{path}", maxResults="500").get("items", [])
        old = [row for row in rows if not row.get("users") and _age(row) > OLD]
        if len(rows) > most and old:
            row = dice.choice(old)
            soak.change(dice, "DELETE", f"{PROJECT}/{path}/{row['name']}")
            soak.count("old things tidied away")


def _age(row: Any) -> float:
    made = datetime.datetime.fromisoformat(row["creationTimestamp"])
    return (datetime.datetime.now(datetime.UTC) - made).total_seconds()


class ByGcloud:
    """Rounds of gcloud's commands, a home for each replica."""

    __name__ = "gcloud"

    def __init__(self, home: Path, replicas: list[Live]) -> None:
        self._gclouds: list[Gcloud] = []
        for number, live in enumerate(replicas):
            (home / f"gcloud{number}").mkdir()
            self._gclouds.append(Gcloud(live, home / f"gcloud{number}"))
            self._gclouds[-1].activate()

    def __call__(self, soak: Soak, dice: random.Random) -> None:
        """A machine is made, listed and deleted."""
        one, name = dice.choice(self._gclouds), name_of("c", dice)
        here = "--zone=ch-gv2"
        create = ["create", name, here, "--machine-type=micro", f"--image={IMAGE}", "--image-project=demo"]
        ended = [one.tried("instances", *words)[0] for words in (create, ["list"], ["delete", name, here])]
        soak.count("gcloud: rounds that failed" if any(ended) else "gcloud: rounds")
        soak.rest(10.0)


class ByGcutil:
    """Rounds of gcutil's commands, signed in at each replica."""

    __name__ = "gcutil"

    def __init__(self, home: Path, replicas: list[Live]) -> None:
        browser.make_person(replicas[0])
        self._gcutils: list[gcutil.Gcutil] = []
        for number, live in enumerate(replicas):
            ca = live.ca if live.tls == "auto" else None
            one = gcutil.Gcutil([gcutil.python(), gcutil.executable()], live.url, home / f"gcutil{number}", ca)
            one.log_in()
            self._gcutils.append(one)

    def __call__(self, soak: Soak, dice: random.Random) -> None:
        """A machine is made, listed and deleted."""
        one, name = dice.choice(self._gcutils), name_of("u", dice)
        for words in (["addinstance", name, "--zone=ch-gv2", "--machine_type=micro", f"--image={IMAGE}",
                       "--noadd_compute_key_to_project"], ["listinstances"],
                      ["deleteinstance", name, "--zone=ch-gv2", "-f", "--delete_boot_pd"]):
            done = subprocess.run(one.command(*words), capture_output=True, timeout=gcutil.SECONDS, check=False,
                                  stdin=subprocess.DEVNULL, env=one.environment)
            if done.returncode:
                soak.count("gcutil: rounds that failed")
                break
        else:
            soak.count("gcutil: rounds")
        soak.rest(10.0)


def installed(home: Path, replicas: list[Live]) -> tuple[list[ByGcloud | ByGcutil], list[str]]:
    """The programs that are here, signed in; and a line for each that is not."""
    found: list[ByGcloud | ByGcutil] = []
    missing = []
    if shutil.which("gcloud"):
        found.append(ByGcloud(home, replicas))
    else:
        missing.append("gcloud is not installed")
    if gcutil.executable() and gcutil.python():
        found.append(ByGcutil(home, replicas))
    else:
        missing.append(f"gcutil is left out: {gcutil.NEEDED}")
    return found, missing


TRADES: tuple[Job, ...] = (machines, machines, settings, firewalls, addresses, google, robot, tidy)
"""What goes with plain HTTP as well."""
