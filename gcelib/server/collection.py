"""One GCE collection: get, list and aggregatedList from what a resource says it holds and how it looks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from gcelib import naming
from gcelib.errors import Fault, NotFound, Unavailable
from gcelib.server import permissions
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found
from gcelib.server.listing import MAX_RESULTS, Asked, Page, cut, page
from gcelib.server.rows import Answers, Look, Only, Row, Rows
from gcelib.server.rows import Rendered as Rendered

UNREACHABLE = "UNREACHABLE"
Known = Mapping[str, Callable[[Context, Any], Any]]
"""Fields that are told of an item without rendering the rest."""


def snake(name: str) -> str:
    """GCE's method name as a Python one: "aggregatedList" -> "aggregated_list"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Collection:
    """Fill in `name`, `kind`, `rows` and `render`; add a method for every further verb, in snake_case.

    `name` is GCE's ("machineTypes"), `kind` without its prefix ("machineType"). A verb takes a Context and
    returns a dict (a read) or a Work (a change). What a class does not define is refused by name.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    kept: ClassVar[bool] = True
    """Whether its rows come of what the view shows alone, so that rendered ones may be kept."""
    known: ClassVar[Known] = {}
    looks: ClassVar[Sequence[str]] = ("zones.list",)
    """The clouds' lists that are looked at in any case, as "nodes.list": asked for side by side, and with them those
    that were looked at the time before."""
    refusals: ClassVar[Mapping[str, str]] = {}
    """GCE's name of a method no cloud can carry out -> why not, and what to do instead: a sentence's second half."""

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        """(scope, item) pairs; `scope` is "zones/z", "regions/r", "global", or "" for every scope."""
        raise NotImplementedError

    def render(self, ctx: Context, scope: str, item: Any) -> Rendered:
        """One item as GCE shows it, without `kind` and `selfLink`."""
        raise NotImplementedError

    def find(self, ctx: Context, scope: str, ref: str) -> Any:
        """The item a path names. Raises NotFound, and Invalid when several could be meant."""
        raise NotImplementedError

    def scopes(self, ctx: Context) -> Sequence[str]:
        """Every scope an aggregated list has an entry for."""
        return [f"zones/{zone.name}" for zone in ctx.view.zones]

    def show(self, ctx: Context, scope: str, item: Any) -> Rendered:
        """One item with its kind and link."""
        rendered = self.render(ctx, scope, item)
        link = ctx.link(*filter(None, (scope,)), *self.segments(rendered["name"], scope))
        return {"kind": f"compute#{self.kind}", **rendered, "selfLink": link}

    @property
    def word(self) -> str:
        """What links and aggregated lists call the collection; method ids may call it otherwise."""
        return self.name

    def segments(self, name: str, scope: str) -> tuple[str, ...]:
        """What follows project and scope in a link to the item."""
        return (self.word, name)

    def get(self, ctx: Context) -> Any:
        """The one item the path names."""
        return self._answer(ctx, Answers, ctx.params[ctx.method.order[-1]], lambda answers: self._shown(ctx))

    def _alone(self, ctx: Context, looks: Sequence[str]) -> Any:
        """The same, where `find` asks for the item by itself; `looks` as the class's."""
        ref = ctx.params[ctx.method.order[-1]]
        return self._answer(ctx, Only, ref, lambda answers: self._shown(ctx), looks)

    def _shown(self, ctx: Context) -> Rendered:
        scope = scope_of(ctx)
        return self.show(ctx, scope, self.find(ctx, scope, ctx.params[ctx.method.order[-1]]))

    def list(self, ctx: Context) -> Any:
        """One page of the scope's items."""
        return self._answer(ctx, lambda: self._rows(ctx, scope_of(ctx)), asked(ctx, ""),
                            lambda rows: self._listed(ctx, rows))

    def _listed(self, ctx: Context, rows: Rows) -> Rendered:
        scope = scope_of(ctx)
        answer = self._envelope(ctx, "List", "/".join(filter(None, (scope, self.word))))
        look = self._look(ctx)
        found, token = cut(rows, look, asked(ctx, scope), ctx.services.sealer)
        if found:
            answer["items"] = [msgspec.Raw(row.json(look)) for row in found]
        if token:
            answer["nextPageToken"] = token
        return answer | partial(ctx, scope)

    def aggregated_list(self, ctx: Context) -> Any:
        """One page of the items of every scope, by scope; a scope without any says so."""
        return self._answer(ctx, lambda: self._rows(ctx, ""), asked(ctx, ""), lambda rows: self._aggregated(ctx, rows))

    def _aggregated(self, ctx: Context, rows: Rows) -> Rendered:
        look = self._look(ctx)
        found, token = cut(rows, look, asked(ctx, ""), ctx.services.sealer)
        items: dict[str, Rendered] = {scope: {} for scope in self.scopes(ctx)}
        for row in found:
            items.setdefault(row.scope, {}).setdefault(self.word, []).append(msgspec.Raw(row.json(look)))
        for scope, entry in items.items():
            if not entry:
                entry["warning"] = silence(ctx, scope) or nothing_here(scope)
        answer = self._envelope(ctx, "AggregatedList", f"aggregated/{self.word}")
        answer["items"] = items
        if token:
            answer["nextPageToken"] = token
        return answer | partial(ctx, "")

    def _answer(
        self, ctx: Context, gather: Callable[[], Any], question: Any, make: Callable[[Any], Rendered],
        looks: Sequence[str] = (),
    ) -> Any:
        """`make` of what `gather` gives, or the very answer this question had before while nothing has changed.

        Places count as they are written: what they mean is found out when an answer has to be made. `looks` are of
        something that is kept by itself.
        """
        if not self.kept:
            return make(gather())
        places = (ctx.params.get("zone"), ctx.params.get("region"), question if looks else "")
        key = (ctx.method.id, places, ctx.project, ctx.tenancy, ctx.links.base_url)
        use = lambda kept: kept.answer(question, lambda: make(kept), lambda: ctx.view.sound)  # noqa: E731
        return ctx.view.rendered(key, gather, use, looks or self.looks)

    def _rows(self, ctx: Context, scope: str) -> Rows:
        """All of the scope's rows; of what has its name already, nothing is rendered."""
        look = self._look(ctx)
        return Rows(
            Row(where, item.name, item) if isinstance(item, Found) else _seen(where, item, look)
            for where, item in self.rows(ctx, scope)
        )

    def _look(self, ctx: Context) -> Look:
        def bound(tell: Callable[[Context, Any], Any]) -> Callable[[str, Any], Any]:
            return lambda scope, item: tell(ctx, item)

        return Look(
            whole=lambda scope, item: self.show(ctx, scope, item),
            known={name: bound(tell) for name, tell in self.known.items()},
            sound=lambda: ctx.view.sound,
        )

    def test_iam_permissions(self, ctx: Context) -> Rendered:
        """Those of the permissions asked about that the caller has on the item."""
        self.find(ctx, scope_of(ctx), ctx.params[ctx.method.order[-1]])
        return permissions.held(ctx)

    def _page(self, ctx: Context, pairs: Iterable[tuple[str, Rendered]]) -> Page:
        """A page of what is rendered already, and is of the thing that the path names, if it names one."""
        of = next((ref for name, ref in ctx.params.items() if name not in ("project", "zone", "region")), "")
        return page(pairs, asked(ctx, f"{scope_of(ctx)} {of}"), ctx.services.sealer)

    def _envelope(self, ctx: Context, suffix: str, path: str) -> Rendered:
        return {
            "kind": f"compute#{self.kind}{suffix}",
            "id": f"projects/{ctx.project}/{path}",
            "selfLink": ctx.link(path),
        }


class Zonal(Collection):
    """A collection whose items a directory has by zone."""

    def directory(self, ctx: Context) -> Directory[Any]:
        """Every item of every zone."""
        raise NotImplementedError

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return ((where, item) for item in self.directory(ctx) if scope in ("", where := f"zones/{item.zone}"))

    def find(self, ctx: Context, scope: str, ref: str) -> Any:
        found = self.directory(ctx).match(ref, scope.partition("/")[2])
        if found is None:
            raise missing(ctx, scope, self.name, ref)
        return found


def asked(ctx: Context, scope: str) -> Asked:
    """Which rows of the scope's list a request wants."""
    return Asked(
        filter=ctx.query.get("filter", ""), order_by=ctx.query.get("orderBy", ""),
        max_results=ctx.query.get("maxResults", MAX_RESULTS), page_token=ctx.query.get("pageToken", ""),
        binding=f"{ctx.tenancy} {ctx.method.id} {scope}",
    )


def _seen(scope: str, item: Any, look: Look) -> Row:
    """A row of what is called as it is shown, and not before."""
    shown = look.whole(scope, item)
    return Row(scope, str(shown.get("name", "")), item, msgspec.json.encode(shown))


def scope_of(ctx: Context) -> str:
    """The scope a path names, with the zone's or region's GCE name: "zones/z", "regions/r", "global" or ""."""
    if "zone" in ctx.params:
        return f"zones/{ctx.view.zone(ctx.params['zone'], ctx.project).name}"
    if "region" in ctx.params:
        return f"regions/{region_name(ctx, ctx.params['region'])}"
    return "global" if "/global/" in f"/{ctx.method.path}/" else ""


def region_name(ctx: Context, ref: str) -> str:
    """The GCE name of the region a path names; what is one cloud's alone needs that cloud. Raises NotFound."""
    regions = ctx.view.regions
    found = next((name for name in regions if name == ref or name == ref.lower()), None)
    if found is None:
        raise missing(ctx, "regions", ref)
    clouds = {zone.cloud.name for zone in regions[found]}
    if len(clouds) == 1 or ctx.method.verb != "GET":
        ctx.view.need(*clouds)
    return found


def missing(ctx: Context, *segments: str) -> NotFound:
    """GCE's words for a thing that is not there."""
    return NotFound(f"The resource 'projects/{'/'.join((ctx.project, *filter(None, segments)))}' was not found")


def nothing_here(scope: str) -> Rendered:
    """The warning an aggregated list has for a scope without items."""
    return {
        "code": "NO_RESULTS_ON_PAGE",
        "message": f"There are no results for scope '{scope}' on this page.",
        "data": [{"key": "scope", "value": scope}],
    }


def silence(ctx: Context, scope: str) -> Rendered:
    """The warning an aggregated list has for a scope that could not be looked at; empty when it could."""
    silent = {name: fault for name, fault in ctx.view.missing.items() if scope in _scopes_of(ctx, name)}
    if not silent:
        return {}
    data = [{"key": "scope", "value": scope}, *({"key": "cloud", "value": name} for name in silent)]
    return {"code": UNREACHABLE, "message": _words(silent), "data": data}


def partial(ctx: Context, scope: str) -> Rendered:
    """The warning of an answer from which a cloud is missing, with `unreachables` in the lists that GCE gives them.

    Both name the zones that could not be looked at, or the cloud where its zones are not known. Empty when none is.
    """
    silent = {
        name: fault for name, fault in ctx.view.missing.items()
        if not scope.startswith("regions/") or scope in _scopes_of(ctx, name)
    }
    if not silent:
        return {}
    zones = sorted(f"zones/{zone.name}" for zone in ctx.view.zones if zone.cloud.name in silent)
    known = {zone.cloud.name for zone in ctx.view.zones}
    data = [{"key": "cloud", "value": name} for name in silent] + [{"key": "scope", "value": zone} for zone in zones]
    answer: Rendered = {"warning": {"code": UNREACHABLE, "message": _words(silent), "data": data}}
    if "unreachables" in ctx.method.answers:
        answer["unreachables"] = sorted([*zones, *(name for name in silent if name not in known)])
    return answer


def _scopes_of(ctx: Context, cloud: str) -> set[str]:
    """The zones and regions that are this cloud's."""
    zones = [zone.name for zone in ctx.view.zones if zone.cloud.name == cloud]
    return {f"zones/{name}" for name in zones} | {f"regions/{naming.region_of(name)}" for name in zones}


def unsure(ctx: Context, fault: Fault) -> Fault:
    """The fault; or, for a thing that is not found while a cloud is silent that might have it, that nobody knows."""
    silent = ctx.view.missing
    if not isinstance(fault, NotFound) or not silent:
        return fault
    wait = max(each.retry_after for each in silent.values())
    words = f"{fault.message.rstrip('.')} on the clouds that answered, but another may have it. {_words(silent)}"
    return Unavailable(words, field=fault.field, retry_after=max(1, wait))


def _words(silent: Mapping[str, Fault]) -> str:
    """Why clouds are silent; most faults say by themselves whose they are."""
    return " ".join(
        fault.message if f"'{name}'" in fault.message else f"Cloud '{name}' did not answer: {fault.message}"
        for name, fault in silent.items()
    )


Handler = Callable[[Context], Any]
