"""The one way in and the one way out: authenticate, match, permit, validate, handle, render, log, count."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import msgspec

from gcelib.auth import Gate, audit
from gcelib.auth.caller import Caller
from gcelib.config import Config
from gcelib.drivers import deadline
from gcelib.drivers.base import Cloud
from gcelib.drivers.lists import fresh
from gcelib.drivers.projects import Projects
from gcelib.errors import Bug, Fault, NotFound, TooLarge, Unauthenticated, Unavailable, Unsupported, WrongVerb
from gcelib.server import batch, conditional, fields, fingerprint, kept, logs, metrics, resources, tracing, validate
from gcelib.server.abilities import possible
from gcelib.server.collection import unsure
from gcelib.server.context import Context, Services
from gcelib.server.discovery.serve import Discovery
from gcelib.server.links import Links
from gcelib.server.operations import render
from gcelib.server.operations.plan import Work
from gcelib.server.operations.record import Origin
from gcelib.server.routes import Method
from gcelib.server.rows import Kept
from gcelib.server.shelf import Shelf
from gcelib.server.tenancy import Tenancy, in_its_words, tenancy
from gcelib.server.trail import Trail
from gcelib.server.view import View
from gcelib.web import Request, Response

log = logging.getLogger(__name__)
API = "/compute/v1/"
DISCOVERY = "/discovery/v1/apis"
BATCHES = ("/batch", "/batch/compute/v1")


class Dispatch:
    """Callable: a Request to a Response, whatever happens on the way."""

    def __init__(
        self, gate: Gate, projects: Callable[[], Projects], services: Services, discovery: Discovery, trail: Trail
    ) -> None:
        self._trail = trail
        self._gate = gate
        self._projects = projects
        self._services = services
        self._discovery = discovery
        self._routes = resources.table()
        self._handlers = resources.handlers()
        self._shelf = Shelf()

    def __call__(self, request: Request) -> Response:
        """Answer, and put one line on the log, one on the audit log and one count on the books."""
        return self._told(request, lambda seen: self._answer(request, seen))

    def again(self, request: Request, caller: Caller, description: str) -> Response:
        """The answer to what was asked before, as if this caller asked it now; its operation says `description`."""
        return self._told(request, lambda seen: self._known(request, caller, seen, description))

    def _told(self, request: Request, answer: Callable[[dict[str, str]], Response]) -> Response:
        started = time.monotonic()
        seen: dict[str, str] = {"method": "-"}
        with audit.noting() as noted, tracing.request(request, seen) as done:
            response = conditional.answered(request, self._whatever_happens(request, seen, answer))
            done(response)
            seen["operation"] = noted.get("operation", "")
            self._trail.request(request, self._routes.methods.get(seen["method"]), noted, response)
        seconds = time.monotonic() - started
        method = seen["method"]
        counted = metrics.UNSERVED if method in self._routes.methods and method not in self._handlers else method
        metrics.request_done(counted, response.status, seen.get("reason", "ok"), seconds)
        logs.request_done(request, seen, response, seconds)
        return response

    def _whatever_happens(
        self, request: Request, seen: dict[str, str], answer: Callable[[dict[str, str]], Response]
    ) -> Response:
        try:
            return answer(seen)
        except Fault as fault:
            seen["reason"] = fault.reason
            audit.note(reason=fault.reason)
            return fault_response(fault)
        except Exception:
            log.exception("request %s", request.id)
            bug = Bug(f"gcelib made a mistake with this request; its log has the details under '{request.id}'.")
            seen["reason"] = bug.reason
            audit.note(reason=bug.reason)
            return fault_response(bug)

    def configure(self, config: Config) -> None:
        """Go by this configuration from the next request on."""
        self._services = replace(self._services, config=config)

    def _answer(self, request: Request, seen: dict[str, str]) -> Response:
        path = request.path
        if path.startswith(DISCOVERY):
            seen["method"] = "discovery"
            return self._describe(request, path.rstrip("/"))
        if path.rstrip("/") in BATCHES:
            seen["method"] = "batch"
            return self._batch(request)
        if not path.startswith(API):
            raise NotFound(f"There is nothing at '{path}'. The API is below '{API}'.")
        return self._known(request, self._gate.caller(request), seen)

    def _known(self, request: Request, caller: Caller, seen: dict[str, str], description: str = "") -> Response:
        """The answer to a request to the API by somebody known."""
        seen["caller"] = caller.email
        audit.note(who=caller.email, proof=caller.proof)
        method, params = self._routes.match(request.method, request.path.removeprefix(API))
        seen["method"] = method.id
        audit.note(named=params.get("project", ""))
        try:
            if method.id in self._handlers:
                return self._serve(request, caller, method, params, description)
            raise not_offered(method, [cloud.name for cloud in self._clouds(caller, params, method)])
        except Unauthenticated:
            if caller.keys is None:
                raise
            self._projects().callers.forget(caller.keys)
            raise self._gate.refused(caller.keys) from None

    def _serve(
        self, request: Request, caller: Caller, method: Method, params: Mapping[str, str], description: str
    ) -> Response:
        query = validate.query(method, request.params())
        choose = fields.mask(query["fields"]) if query.get("fields") else None
        found = self._tenancy(caller, params["project"], method)
        ctx: Context | None = None
        try:
            ctx = self._context(request, caller, method, params, query, found, description)
            response = self._handle(request, ctx, choose)
            return replace(response, headers={**response.headers, **conditional.STALE}) if ctx.view.stale else response
        except Fault as fault:
            told = unsure(ctx, fault) if ctx else fault
            raise in_its_words(told, found.name, params["project"]) from fault.__cause__

    def _handle(self, request: Request, ctx: Context, choose: Callable[[Any], Any] | None) -> Response:
        method, query = ctx.method, ctx.query
        asked_anew = fresh() if "no-cache" in request.header("cache-control").lower() else nullcontext()
        with asked_anew, deadline.within(self._services.config.server.request_seconds):
            try:
                answer = self._earlier(ctx, request) or self._handlers[method.id](ctx)
            except Fault:
                # The same request, sent to another process as well, may have been carried out meanwhile.
                answer = self._earlier(ctx, request)
                if answer is None:
                    raise
        if isinstance(answer, Work):
            with deadline.lifted():
                answer = self._begin(ctx, answer, request)
        if answer is None:
            return Response(204)
        text = answer.encoded if isinstance(answer, Kept) else msgspec.json.encode(answer)
        if choose or query.get("prettyPrint") is True:
            whole = msgspec.json.decode(text)
            return json_response(200, choose(whole) if choose else whole, pretty=query.get("prettyPrint") is True)
        return Response(200, {**_JSON, conditional.TAG: answer.tag} if isinstance(answer, Kept) else _JSON, text)

    def _clouds(self, caller: Caller, params: Mapping[str, str], method: Method) -> Sequence[Cloud]:
        """The clouds a refusal names; a method outside projects is refused for all of them."""
        if "project" in params:
            return self._tenancy(caller, params["project"], method).clouds
        return self._projects().clouds()

    def _tenancy(self, caller: Caller, project: str, method: Method) -> Tenancy:
        return tenancy(self._services.config, self._projects(), caller, project, method)

    def _context(
        self, request: Request, caller: Caller, method: Method, params: Mapping[str, str], query: Mapping[str, Any],
        found: Tenancy, description: str,
    ) -> Context:
        config = self._services.config
        body, unknown = validate.body(
            method, self._routes.schemas, request.body, request.header("content-type"),
            strict=config.server.strict_fields,
        )
        warnings = [
            ("UNDECLARED_PROPERTIES", f"'{name}' is no field of GCE v1's {method.request}; it was ignored.")
            for name in unknown
        ]
        reads = method.verb == "GET"
        # Before anything is looked at: what changes from now on may not be seen.
        began = None if reads else self._services.operations.moment()
        view = View(found.clouds, config, self._services.notes, self._shelf, found.name, lenient=reads)
        if method.verb != "GET" and method.name != "testIamPermissions" and not {"zone", "region"} & params.keys():
            # What is the whole project's is changed on every cloud, and its name must be free on each.
            view.need(*(cloud.name for cloud in found.clouds))
        return Context(
            method=method, caller=caller, project=params["project"], tenancy=found.name, params=params, query=query,
            body=body, view=view, links=Links(request.base_url), services=self._services, families=found.families,
            aliases=found.aliases, description=description,
            warnings=warnings, began=began,
        )

    def _earlier(self, ctx: Context, request: Request) -> dict[str, Any] | None:
        """The operation this very request began before, when its client gave it an id."""
        given = ctx.query.get("requestId", "")
        record = self._services.runner.earlier(
            project=ctx.tenancy, caller=ctx.caller.email, request_id=given,
            asked=kept.digest(request, ctx.method, ctx.query),
        ) if given else None
        if record is None:
            return None
        audit.note(operation=record.name)
        return render.render(record, ctx.render_path)

    def _begin(self, ctx: Context, work: Work, request: Request) -> dict[str, Any]:
        work = possible(ctx, work)
        _, _, path = work.target.partition("/")
        scope = "/".join(path.split("/")[:2]) if path.startswith(("zones/", "regions/")) else "global"

        def sealed(id: str) -> str:
            return self._services.seal.shut(kept.to_data(request), id)

        record = self._services.runner.begin(
            replace(work, target=f"{ctx.tenancy}/{path}" if path else ctx.tenancy,
                    warnings=[*ctx.warnings, *work.warnings], asked=kept.digest(request, ctx.method, ctx.query),
                    came_of=logs.request_id(), trace=tracing.parent(),
                    compared=work.verb != "insert" and fingerprint.sent(ctx.body),
                    touches=fingerprint.touched(ctx.body)),
            project=ctx.tenancy, scope=scope, caller=ctx.caller.email, request_id=ctx.query.get("requestId", ""),
            planned=ctx.began, origin=Origin(ctx.method.id, ctx.description, sealed),
        )
        audit.note(operation=record.name)
        return render.render(record, ctx.render_path)

    def _describe(self, request: Request, path: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise WrongVerb(f"'{path}' can only be read.", headers={"Allow": "GET, HEAD"})
        if path == DISCOVERY:
            return Response(200, _JSON, self._discovery.directory(request.base_url))
        if path == f"{DISCOVERY}/compute/v1/rest":
            return Response(200, _JSON, self._discovery.rest(request.base_url, resources.offered()))
        raise NotFound(f"There is no discovery document at '{path}'; the one served is {DISCOVERY}/compute/v1/rest.")

    def _batch(self, request: Request) -> Response:
        if request.method != "POST":
            raise WrongVerb("A batch is sent with POST.", headers={"Allow": "POST"})
        parts = batch.split(request.header("content-type"), request.body, request)
        sizes: list[int] = []

        def answer(part: Request | Fault) -> Response:
            if sum(sizes) >= batch.MAX_ANSWER:
                part = TooLarge("The answers of this batch are too large together; send the rest as another batch.")
            elif not deadline.left():
                part = Unavailable("This batch has taken all the time it may take; send this part again.")
            answered = fault_response(part) if isinstance(part, Fault) else self(part)
            sizes.append(len(answered.body))
            return answered

        with deadline.within(self._services.config.server.request_seconds):
            return batch.join(batch.in_turn(parts, answer))


_JSON = {"Content-Type": "application/json; charset=UTF-8"}


def json_response(
    status: int, data: Any, *, pretty: bool = False, headers: Mapping[str, str] | None = None
) -> Response:
    """Data as Google's JSON answers are: UTF-8, no HTML-unsafe surprises, compact unless asked."""
    text = msgspec.json.encode(data)
    return Response(status, {**_JSON, **(headers or {})}, msgspec.json.format(text, indent=2) if pretty else text)


def fault_response(fault: Fault) -> Response:
    """Any fault in Google's envelope: the only place that draws it."""
    entry: dict[str, Any] = {"domain": "global", "reason": fault.reason, "message": fault.message}
    if fault.field:
        entry.update(location=fault.field, locationType="parameter")
    if fault.status == HTTPStatus.PRECONDITION_FAILED:
        entry.update(location="If-Match", locationType="header")
    headers = dict(fault.headers)
    if fault.retry_after:
        headers["Retry-After"] = str(fault.retry_after)
    body = {"error": {"code": fault.status, "message": fault.message, "errors": [entry]}}
    return json_response(fault.status, body, headers=headers)


def not_offered(method: Method, clouds: list[str]) -> Unsupported:
    """GCE has the method and we do not: which method, on which clouds, what is missing."""
    where = ", ".join(f"'{name}'" for name in clouds)
    return Unsupported(f"{method.id} is not offered on cloud {where}: {resources.why_not(method)}")

