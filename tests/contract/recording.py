"""What gcutil says on the wire, command by command, in a form that is the same on every day and at every server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.contract.gcutil import Gcutil
from tests.contract.recorder import Exchange, Recorder

FOLDER = Path(__file__).parent / "recorded_gcutil"
DEAD_TOKEN = "a-token-that-has-died"
PUBLIC_KEY = (
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQDSs8dsCYuTyfsLGMrHuEbluAjRnsbqpslW61sXKG/kyAV3h8EEsz5vKGaJByDdT4Gs"
    "4RAn4j72s0/hm82ytLKVeCuwI2JrnflODKhEXJ9iG3X6IqxILdocJUnjKAdhlbyyawxa2+KowEhMHyTEHoRp/Q6ojv2HRDvP"
    "qavNk3r/SXGHkkfSbfn4bazHBXShoN5+ZkUK5rpfQJVQlPI6z0rquPn0fVEMZIlVSs+p4NNf1XrKJQkzxllzhquAD4hQv6xV"
    "Dwj5uQQLUP+skQK9VE5Z1Otolj9/Tn4eWIqqg7kHDMyX0Yn/eC2y+OoWDTMA5ymkKY7Z9V9TSDuGgJUsq72r"
    " ann@home"
)
"""Of a pair whose other half nobody has."""
IMAGE = "linux-centos-6-4-64-bit-10gb"
_OPERATION = re.compile(r"operation-[0-9]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+")

REFUSED = {"addroute", "getserialportoutput", "setusagebucket"}
"""Commands that the cloud has nothing for, as they are recorded."""

Command = tuple[str, Sequence[str]]
"""What is typed on standard input, and the command."""

SCENARIOS: dict[str, Sequence[Command]] = {
    "signing_in": [],
    "looking": [("", [*words.split()]) for words in (
        "listzones", "getzone ch-gv2", "listregions", "getregion ch", "listmachinetypes",
        "listmachinetypes --zone=ch-gv2", "getmachinetype micro --zone=ch-gv2", "listimages", f"getimage {IMAGE}",
        "listdisktypes", "getdisktype pd-standard --zone=ch-gv2", "listnetworks", "getnetwork default",
        "listfirewalls", "listinstances", "listdisks", "listoperations", "getproject",
    )],
    "a_firewall": [
        ("", ["addfirewall", "recorded", "--description=Recorded", "--allowed=tcp:22,tcp:80-90,udp:53,icmp",
              "--target_tags=web"]),
        ("", ["getfirewall", "recorded"]),
        ("", ["listfirewalls"]),
        ("y\n", ["deletefirewall", "recorded"]),
    ],
    "an_instance": [
        ("", ["addinstance", "recorded", "--zone=ch-gv2", "--machine_type=Micro", f"--image={IMAGE}", "--tags=web",
              "--description=Recorded", "--metadata=role:front", "--wait_until_running"]),
        ("", ["getinstance", "recorded"]),
        ("", ["listinstances"]),
        ("", ["listinstances", "--zone=ch-gv2", "--filter=name eq recorded|other", "--max_results=5"]),
        ("", ["getdisk", "recorded"]),
        ("", ["resetinstance", "recorded"]),
        ("y\ny\n", ["deleteinstance", "recorded"]),
        ("", ["getinstance", "recorded", "--zone=ch-gv2"]),
    ],
    "an_instance_asked_for": [
        ("1\n5\n6\n", ["addinstance", "asked", "--noadd_compute_key_to_project"]),
        ("", ["deleteinstance", "asked", "-f", "--delete_boot_pd"]),
    ],
    "disks_and_snapshots": [("", [*words.split()]) for words in (
        "addinstance holder --zone=de-adv1 --machine_type=micro --image=debian-12 --network=demo-network "
        "--external_ip_address=none --auto_delete_boot_disk --noadd_compute_key_to_project",
        "adddisk recorded --zone=de-adv1 --size_gb=10 --description=Recorded", "getdisk recorded",
        "attachdisk holder --zone=de-adv1 --disk=recorded,deviceName=data,mode=READ_WRITE",
        "setinstancediskautodelete holder --zone=de-adv1 --device_name=data --noauto_delete",
        "addsnapshot recorded --zone=de-adv1 --source_disk=recorded --description=Recorded", "listsnapshots",
        "getsnapshot recorded", "adddisk copied --zone=de-adv1 --source_snapshot=recorded", "listdisks --zone=de-adv1",
        "detachdisk holder --zone=de-adv1 --device_name=data", "deletesnapshot recorded -f",
        "deletedisk recorded -f", "deletedisk copied --zone=de-adv1 -f",
        "deleteinstance holder --zone=de-adv1 -f --delete_boot_pd",
    )],
    "images": [("", [*words.split()]) for words in (
        "addimage recorded gs://bucket/recorded.raw --description=Recorded", "getimage recorded",
        "deprecateimage recorded --state=DEPRECATED --replacement=debian-12", "deleteimage recorded -f",
    )],
    "networks_and_routes": [("", [*words.split()]) for words in (
        "addnetwork recorded --range=10.9.0.0/24 --gateway=10.9.0.1 --description=Recorded", "getnetwork recorded",
        "listroutes", "addroute recorded 192.168.0.0/24 --network=recorded --next_hop_ip=10.9.0.9",
        "deletenetwork recorded -f",
    )],
    "addresses": [("", [*words.split()]) for words in (
        "addinstance reached --zone=de-adv1 --machine_type=micro --image=debian-12 --network=demo-network "
        "--external_ip_address=none --auto_delete_boot_disk --noadd_compute_key_to_project",
        "reserveaddress recorded --region=de --description=Recorded", "getaddress recorded", "listaddresses",
        "addaccessconfig reached --zone=de-adv1", "deleteaccessconfig reached --zone=de-adv1",
        "releaseaddress recorded --region=de -f", "deleteinstance reached --zone=de-adv1 -f --delete_boot_pd",
    )],
    "load_balancing": [("", [*words.split()]) for words in (
        "addinstance balanced --zone=de-adv1 --machine_type=micro --image=debian-12 --network=demo-network "
        "--external_ip_address=none --auto_delete_boot_disk --noadd_compute_key_to_project",
        "addhttphealthcheck recorded --port=8080 --request_path=/up", "updatehttphealthcheck recorded --port=8081 -f",
        "gethttphealthcheck recorded", "listhttphealthchecks",
        "addtargetpool recorded --region=de --instances=de-adv1/instances/balanced --session_affinity=CLIENT_IP",
        "addtargetpoolhealthcheck recorded --region=de --health_check=recorded",
        "removetargetpoolhealthcheck recorded --region=de --health_check=recorded",
        "removetargetpoolinstance recorded --region=de --instances=de-adv1/instances/balanced",
        "addtargetpoolinstance recorded --region=de --instances=de-adv1/instances/balanced",
        "settargetpoolbackup recorded --region=de", "gettargetpool recorded", "listtargetpools",
        "addforwardingrule recorded --region=de --target_pool=recorded --port_range=80", "getforwardingrule recorded",
        "listforwardingrules", "gettargetpoolhealth recorded --region=de",
        "addtargetinstance recorded --zone=de-adv1 --instance=balanced", "gettargetinstance recorded",
        "listtargetinstances",
        "setforwardingruletarget recorded --region=de --target_instance=de-adv1/targetInstances/recorded",
        "deleteforwardingrule recorded --region=de -f", "deletetargetinstance recorded --zone=de-adv1 -f",
        "deletetargetpool recorded --region=de -f", "deletehttphealthcheck recorded -f",
        "deleteinstance balanced --zone=de-adv1 -f --delete_boot_pd",
    )],
    "settings_of_an_instance": [("", [*words.split()]) for words in (
        "addinstance set-me --zone=ch-gv2 --machine_type=micro --image=" + IMAGE +
        " --auto_delete_boot_disk --noadd_compute_key_to_project",
        "setscheduling set-me --zone=ch-gv2 --on_host_maintenance=terminate --noautomatic_restart",
        "getserialportoutput set-me --zone=ch-gv2", "setusagebucket --bucket=recorded", "clearusagebucket",
        "deleteinstance set-me --zone=ch-gv2 -f --delete_boot_pd",
    )],
    "metadata_and_operations": [
        ("", ["setcommoninstancemetadata", "--metadata=role:web", "-f"]),
        ("", ["listoperations", "--global", "--filter=status eq DONE"]),
        ("", ["getoperation", "{OPERATION1}"]),
        ("y\n", ["deleteoperation", "{OPERATION1}"]),
    ],
}


class Names:
    """Gives what differs from run to run the same name each time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._operations: dict[str, str] = {}
        self._secrets: dict[str, str] = {DEAD_TOKEN: DEAD_TOKEN}

    def learn(self, answer: bytes) -> None:
        """Take the tokens from an answer of the token endpoint."""
        try:
            said = json.loads(answer)
        except ValueError:
            return
        for field, name in (("access_token", "{TOKEN}"), ("refresh_token", "{REFRESH_TOKEN}")):
            if isinstance(said, dict) and field in said:
                self._secrets[said[field]] = name

    def plain(self, text: str) -> str:
        """The text with addresses, operations and secrets under their names."""
        text = text.replace(self._url, "{URL}")
        for secret, name in self._secrets.items():
            text = text.replace(secret, name)
        return _OPERATION.sub(self._operation, text)

    def real(self, text: str) -> str:
        """The text with the operations' own names."""
        for real, name in self._operations.items():
            text = text.replace(name, real)
        return text

    def _operation(self, found: re.Match[str]) -> str:
        name = f"{{OPERATION{len(self._operations) + 1}}}"
        return self._operations.setdefault(found[0], name)


def record(gcutil: Gcutil, recorder: Recorder, scenario: str) -> list[dict[str, Any]]:
    """Run the commands of a scenario through the recorder; gcutil's address is the recorder's."""
    names = Names(recorder.url)
    recorder.take()
    gcutil.log_in()
    said = [{"command": ["auth"], "requests": _requests(recorder.take(), names)}]
    if scenario == "signing_in":
        _let_die(gcutil)
        return [*said, _ran(gcutil, recorder, names, "", ["listzones"])]
    (gcutil.home / ".ssh/google_compute_engine").write_text("")
    (gcutil.home / ".ssh/google_compute_engine.pub").write_text(PUBLIC_KEY)
    return [_ran(gcutil, recorder, names, answers, words) for answers, words in SCENARIOS[scenario]]


def _let_die(gcutil: Gcutil) -> None:
    """Put another access token among the credentials: the server knows nothing of it."""
    store = gcutil.home / "credentials"
    kept = json.loads(store.read_text())
    kept["data"][0]["credential"]["access_token"] = DEAD_TOKEN
    store.write_text(json.dumps(kept))


def _ran(gcutil: Gcutil, recorder: Recorder, names: Names, answers: str, words: Sequence[str]) -> dict[str, Any]:
    gone = words[:1] == ["getinstance"] and "--zone=ch-gv2" in words
    refused = gone or words[0] in REFUSED
    gcutil.run(*(names.real(word) for word in words), answers=answers, code=1 if refused else 0)
    return {"command": [*words], "requests": _requests(recorder.take(), names)}


def _requests(exchanges: Sequence[Exchange], names: Names) -> list[dict[str, Any]]:
    """The requests, a poll that is repeated once only, and of the browser's the address it was sent to."""
    found: list[dict[str, Any]] = []
    for exchange in exchanges:
        by_browser = exchange.headers.get("user-agent", "").startswith("python-requests")
        if by_browser and exchange.method == "POST":
            continue
        names.learn(exchange.answer)
        request = _request(exchange, names, by_browser)
        names.plain(exchange.answer.decode())
        if not (found and found[-1] == request and "/operations/" in request["path"]):
            found.append(request)
    return found


def _request(exchange: Exchange, names: Names, by_browser: bool) -> dict[str, Any]:
    address = urlsplit(exchange.target)
    said: dict[str, Any] = {
        "method": exchange.method,
        "path": names.plain(address.path),
        "query": {name: names.plain(value) for name, value in parse_qsl(address.query, keep_blank_values=True)},
        "status": exchange.status,
    }
    if by_browser:
        return {**said, "by": "the browser"}
    said["headers"] = {name: names.plain(value) for name, value in exchange.headers.items()}
    if exchange.headers.get("content-type", "").startswith("application/x-www-form"):
        said["form"] = {name: names.plain(value) for name, value in _form(exchange.body)}
    elif exchange.body:
        said["body"] = json.loads(names.plain(exchange.body.decode()))
    return said


def _form(body: bytes) -> Iterator[tuple[str, str]]:
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        yield name, {"code": "{CODE}", "client_secret": "{CLIENT_SECRET}"}.get(name, value)


def kept(scenario: str) -> list[dict[str, Any]]:
    """The recording of a scenario."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{scenario}.json").read_text())
    return found


def keep(scenario: str, said: list[dict[str, Any]]) -> None:
    """Put a recording where `kept` finds it."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{scenario}.json").write_text(json.dumps(said, indent=1) + "\n")
