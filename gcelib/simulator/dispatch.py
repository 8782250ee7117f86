"""From a request's parameters to an answer: who calls, may they, is it well said, then do it."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field

from gcelib.simulator import commands, signature
from gcelib.simulator.call import Call
from gcelib.simulator.commands import Body, Command, Parameter, Task
from gcelib.simulator.errors import ApiError, failed, invalid, not_in_role, unknown_id, unsupported, unverified
from gcelib.simulator.faults import AFTER, BEFORE, OF_JOBS, Fault, FaultPlan
from gcelib.simulator.jobs import Jobs
from gcelib.simulator.records import Account, Row
from gcelib.simulator.world import World

JSON_TYPE = "application/json; charset=UTF-8"
READS = ("get", "list", "query", "find")
PROXY_PAGE = b"<html><head><title>503 Service Unavailable</title></head><body>No server is available.</body></html>"


@dataclass(kw_only=True)
class Answer:
    """What goes back: `cut` is "reset" for no answer at all, "half" for half of it."""

    status: int
    body: bytes
    type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    cut: str = ""


class Dispatcher:
    """The management server's one entrance."""

    def __init__(self, world: World, faults: FaultPlan) -> None:
        self.world = world
        self.faults = faults
        self.jobs = Jobs(world)
        self.stopping = threading.Event()
        self._spent: dict[str, tuple[int, int]] = {}

    def answer(self, pairs: dict[str, str], post: bool) -> Answer:
        """Carry out one request; `pairs` are its query and form parameters as sent."""
        folded = {name.lower(): value for name, value in pairs.items()}
        name = folded.get("command", "")
        account = self.world.by_key.get(folded.get("apikey", ""))
        caller = account.name if account else ""
        for fault in self.faults.take(name, caller, BEFORE):
            if fault.kind != "delay":
                return _refusal(fault, name)
            self.stopping.wait(fault.seconds)
        try:
            with self.world.lock:
                self.world.advance()
                command = self._permit(pairs, folded, account, post)
                payload = self._carry_out(command, folded, pairs, post)
            answer = Answer(status=200, body=_dump(command.envelope, payload))
        except ApiError as error:
            answer = _error(error, name)
        except Exception:
            # The management server answers whatever happens inside it, and so do we; the reason is ours to read.
            logging.getLogger(__name__).exception("%s failed inside the simulator", name)
            answer = _error(failed("Internal error executing command, please contact your cloud provider"), name)
        for fault in self.faults.take(name, caller, AFTER):
            answer.cut = "reset" if fault.kind == "reset_after" else "half"
        return answer

    def _permit(self, pairs: dict[str, str], folded: dict[str, str], account: Account | None, post: bool) -> Command:
        simulated, others = commands.load()
        name = folded.get("command", "")
        strict = self.world.settings.enforce_post
        if not folded.get("signature") or account is None or not account.enabled:
            raise unverified()
        if name not in simulated and name not in others:
            raise unverified()
        if name in account.denied:
            raise not_in_role(name)
        self._throttle(account)
        signature.verify(pairs, folded, account.secret_key, self.world.now(), strict)
        if strict and not post and not name.startswith(READS):
            raise ApiError(400, f"The API {name} must be called by POST")
        if name in others:
            raise unsupported(f"The command {name} is not simulated")
        return simulated[name]

    def _throttle(self, account: Account) -> None:
        limit = self.world.settings.throttle
        if not limit or account.admin:
            return
        now = self.world.now()
        second, used = self._spent.get(account.name, (0, 0))
        used = used + 1 if second == int(now) else 1
        self._spent[account.name] = (int(now), used)
        if used > limit:
            left = int((int(now) + 1 - now) * 1000)
            text = f"The given user has reached his/her account api limit, please retry after {left} ms."
            raise ApiError(429, text, 4545)

    def _carry_out(self, command: Command, folded: dict[str, str], pairs: dict[str, str], post: bool) -> Row:
        account = self.world.by_key[folded["apikey"]]
        check(command, folded, self.world)
        call = Call(self.world, account, command.name, folded, post)
        assert command.act is not None
        try:
            result = command.act(call)
        except ApiError as error:
            if command.mode != "async" or error.at_door or call.touched is None:
                raise
            result = Task(body=_failing(error), on=call.touched, beside=True)
        if not isinstance(result, Task):
            payload: Row = result
            return payload
        broken = self.faults.take(command.name, account.name, OF_JOBS)
        job = self.jobs.submit(call, command, result, broken[0] if broken else None)
        return {"id": result.on.id, "jobid": job.id} if command.mode == "create" else {"jobid": job.id}


def _failing(error: ApiError) -> Body:
    """The body of a job that only says what was wrong with the call."""
    yield from ()
    raise error


def check(command: Command, folded: dict[str, str], world: World) -> None:
    """The checks that the server makes before a command sees its parameters. Raises ApiError 431."""
    for name, value in folded.items():
        if any((ord(letter) < 32 and letter not in "\n\r") or ord(letter) == 127 for letter in value):
            raise invalid(f"Received value for parameter {name} is invalid, contains illegal ASCII characters", 9999)
    for parameter in command.parameters.values():
        value = folded.get(parameter.name, "")
        if value:
            _check_value(command, parameter, value, world)
        elif parameter.required and not (parameter.type == "map" and _has_map(folded, parameter.name)):
            raise invalid(f"Unable to execute API command {command.name.lower()} due to missing parameter "
                          f"{parameter.name}", 9999)  # fmt: skip


def _check_value(command: Command, parameter: Parameter, value: str, world: World) -> None:
    if parameter.type == "string" and len(value) > parameter.longest:
        raise invalid(f"Value greater than max allowed length {parameter.longest} for param: {parameter.name}", 9999)
    if parameter.type == "integer" and not value.removeprefix("-").isdigit():
        raise invalid(f"Unable to execute API command {command.name.lower()} due to invalid value {value} "
                      f"for parameter {parameter.name}", 9999)  # fmt: skip
    if parameter.type == "uuid" and value != "-1" and value not in world.issued:
        raise unknown_id(parameter.name, value)
    if parameter.type == "list" and parameter.name.endswith("ids"):
        for item in value.split(","):
            if item.strip() and item.strip() not in world.issued:
                raise unknown_id(parameter.name, item.strip())


def _has_map(folded: dict[str, str], name: str) -> bool:
    return any(sent.startswith(name + "[") for sent in folded)


def _dump(envelope: str, payload: Row) -> bytes:
    return json.dumps({envelope: payload}, separators=(",", ":"), ensure_ascii=False).encode()


def _envelope(name: str, code: int) -> str:
    simulated, others = commands.load()
    if code == 432 or (name not in simulated and name not in others):
        return "errorresponse"
    return simulated[name].envelope if name in simulated else f"{name.lower()}response"


def _error(error: ApiError, name: str) -> Answer:
    payload = {"uuidList": [], "errorcode": error.code, "cserrorcode": error.cscode, "errortext": error.text}
    described = error.text.encode("latin-1", "replace").decode("latin-1").replace("\n", " ").replace("\r", " ")
    return Answer(status=error.code, body=_dump(_envelope(name, error.code), payload),
                  headers={"X-Description": described})  # fmt: skip


def _refusal(fault: Fault, name: str) -> Answer:
    if fault.kind == "reset":
        return Answer(status=0, body=b"", cut="reset")
    if fault.kind == "garbage":
        return Answer(status=200, body=(fault.text or "%% not an answer %%").encode())
    if fault.kind == "html":
        return Answer(status=fault.status or 503, body=PROXY_PAGE, type="text/html")
    status = fault.status or fault.errorcode or 530
    answer = _error(ApiError(fault.errorcode or status, fault.text or "Injected refusal"), name)
    answer.status = status
    return answer
