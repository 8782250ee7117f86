"""What one option alone cannot show: names that must exist or be free, options that must fit together."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gcelib.config.mistakes import Mistakes, did_you_mean
from gcelib.config.names import idlike, is_idlike, is_label, is_loopback, is_project, split_address
from gcelib.config.options import INSECURE_WORDS, CloudConfig, Config, ProjectConfig, ServerConfig
from gcelib.config.sealed import no_file, open_to_others, shut

_SECRET_WORDS = re.compile(r"secret|password|passwd|token|private", re.IGNORECASE)


def is_bare(name: str) -> bool:
    """Whether TOML takes this as a key without quotes."""
    return bool(re.fullmatch(r"[A-Za-z0-9_-]+", name))


def check_readers(path: Path, tables: dict[str, Any], mistakes: Mistakes) -> None:
    """A file with secrets in it must not be readable by everybody."""
    held = sorted(_inline_secrets(tables))
    if held and open_to_others(path):
        mistakes.add(str(path), f"can be read by every user of this machine and holds "
                                f"{', '.join(held)}; run: chmod 600 {path}")


def _inline_secrets(tables: dict[str, Any]) -> Iterator[str]:
    server = tables.get("server")
    for key in ("database", "generations"):
        url = server.get(key) if isinstance(server, dict) else None
        if isinstance(url, str) and _password_in(url):
            yield f"server.{key}"
    clouds = tables.get("clouds")
    for name, row in clouds.items() if isinstance(clouds, dict) else ():
        if not isinstance(row, dict):
            continue
        if row.get("secret"):
            yield f"clouds.{name}.secret"
        options = row.get("options")
        for key in options if isinstance(options, dict) else ():
            if _SECRET_WORDS.search(key):
                yield f"clouds.{name}.options.{key}"


def _password_in(url: str) -> bool:
    return bool(re.match(r"[^:]+://[^/@]*:[^/@]+@", url) or re.search(r"[?&]password=[^&]", url))


def check(config: Config, mistakes: Mistakes) -> None:
    """Note everything that is wrong with a configuration whose single options are right."""
    _check_server(config.server, mistakes)
    for key in ("zones", "sizes", "images", "nodes", "other"):
        if getattr(config.cache, key) < 0:
            mistakes.add(f"cache.{key}", f"is negative; write {key} = 0 to remember nothing")
    for cloud in config.clouds.values():
        _check_cloud(cloud, mistakes)
    if config.clouds and not config.projects:
        mistakes.add("projects", "there is no project, so nobody could ask for anything; write "
                                 f'[projects.demo] and under it clouds = ["{next(iter(config.clouds))}"]')
    for project in config.projects.values():
        _check_project(project, config, mistakes)
    _check_names(config, mistakes)
    for public in config.image_projects.values():
        where = _place("image_projects", public.name)
        _check_cloud_name(f"{where}.cloud", public.cloud, config, mistakes)
        for family in public.families:
            if not is_label(family):
                mistakes.add(f"{where}.families", f'"{family}" is not a name GCE takes; write '
                                                  'lower-case letters, digits and dashes: "debian-12"')


def _check_server(server: ServerConfig, mistakes: Mistakes) -> None:
    listen = _check_address("server.listen", server.listen, mistakes)
    admin = _check_address("server.admin_listen", server.admin_listen, mistakes)
    if listen and listen == admin and listen[1]:
        mistakes.add("server.admin_listen", "is the same as server.listen; "
                                            'write admin_listen = "127.0.0.1:5001"')
    if server.tls not in ("auto", "off"):
        mistakes.add("server.tls", f'"{server.tls}" is not known; write tls = "auto" or tls = "off", '
                                   "or set cert and key")
    if bool(server.cert) != bool(server.key):
        given, lacking = ("cert", "key") if server.cert else ("key", "cert")
        mistakes.add(f"server.{lacking}", f"is missing though {given} is set; the two go together")
    if server.cert and server.tls == "off":
        mistakes.add("server.tls", 'is "off" though cert is set; remove one of the two')
    if server.insecure_listen not in ("", INSECURE_WORDS):
        mistakes.add("server.insecure_listen", f'write it in exactly these words: "{INSECURE_WORDS}"')
    elif listen and server.tls == "off" and not is_loopback(listen[0]) and not server.insecure_listen:
        mistakes.add("server.tls", f'is "off" while listening on {server.listen}, where others could read '
                                   'every token; write tls = "auto", or listen on 127.0.0.1, or behind a '
                                   f'proxy that ends TLS: insecure_listen = "{INSECURE_WORDS}"')
    _check_files(server, mistakes)
    _check_external_url(server.external_url, mistakes)
    _check_limits(server, mistakes)
    if server.log_format not in ("text", "json"):
        mistakes.add("server.log_format", f'"{server.log_format}" is not known; write "text" or "json"')
    if server.audit not in ("changes", "all", "off"):
        mistakes.add("server.audit", f'"{server.audit}" is not known; write "changes", "all" or "off"')
    if server.database and "://" not in server.database:
        mistakes.add("server.database", "is not an SQLAlchemy URL; write "
                                        '"sqlite:////var/lib/gcelib/gcelib.sqlite" or '
                                        '"postgresql+psycopg://user@host/name"')
    _check_generations(server, mistakes)
    if server.traces and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", server.traces):
        mistakes.add("server.traces", 'is not a URL of a collector; write "http://127.0.0.1:4318"')
    for proxy in server.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            mistakes.add("server.trusted_proxies", f'"{proxy}" is neither an address nor a network; '
                                                   'write ["10.0.0.0/8"]')


def _check_generations(server: ServerConfig, mistakes: Mistakes) -> None:
    if not server.generations:
        return
    try:
        parts = urlsplit(server.generations)
        local = parts.scheme == "unix" and len(parts.path) > 1
        far = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
        good = local or (far and re.fullmatch(r"(/\d*)?", parts.path) and not parts.fragment)
    except ValueError:
        good = False
    if not good or re.search(r"\s", server.generations):
        # It is not repeated: it may hold a password.
        mistakes.add("server.generations", 'is not a URL of Redis; write "redis://:PASSWORD@host:6379/0", with TLS '
                                           '"rediss://...", or "unix:///run/redis/redis.sock"; in user and password '
                                           "write / as %2F, # as %23")
    if not server.database.startswith("postgresql"):
        mistakes.add("server.generations", "is set, and there is nobody to tell: replicas share a PostgreSQL, another "
                                           "database has one server alone; set server.database to one, or remove it")


def _check_limits(server: ServerConfig, mistakes: Mistakes) -> None:
    if not 1 <= server.threads <= 1000:
        mistakes.add("server.threads", f"{server.threads} is not between 1 and 1000; write threads = 32")
    if not 1 <= server.request_seconds <= 3600:
        mistakes.add("server.request_seconds", f"{server.request_seconds:g} is not between 1 and 3600 seconds; write "
                                               "request_seconds = 60")
    if not 1 <= server.open_operations <= 1_000_000:
        mistakes.add("server.open_operations", f"{server.open_operations} is not between 1 and 1 000 000; write "
                                               "open_operations = 2000")


def _check_address(where: str, text: str, mistakes: Mistakes) -> tuple[str, int] | None:
    try:
        return split_address(text)
    except ValueError:
        mistakes.add(where, f'"{text}" is not host:port; write "127.0.0.1:5000" or "[::1]:5000"')
        return None


def _check_files(server: ServerConfig, mistakes: Mistakes) -> None:
    for key in ("cert", "key"):
        path = Path(getattr(server, key))
        why_not = no_file(path) if getattr(server, key) else ""
        if why_not:
            mistakes.add(f"server.{key}", why_not)
        elif key == "key" and server.key and open_to_others(path):
            mistakes.add("server.key", shut(path))


def _check_external_url(url: str, mistakes: Mistakes) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = None
    if not good or "@" in url or not re.fullmatch(r"\S+", url):
        mistakes.add("server.external_url", f'"{url}" is not a URL of a server; write "https://gce.example.com"')
    elif parts.path.strip("/") or parts.query or parts.fragment or "?" in url or "#" in url:
        mistakes.add("server.external_url", "has a path or a query, which GCE's clients do not keep; "
                                            f'write "{parts.scheme}://{parts.netloc}"')


def _check_cloud(cloud: CloudConfig, mistakes: Mistakes) -> None:
    where = _place("clouds", cloud.name)
    if not is_bare(cloud.name):
        mistakes.add(where, "a cloud's name has letters, digits, dashes and underscores only")
    if cloud.provider.strip() == "" and "provider" not in _noted(where, mistakes):
        mistakes.add(f"{where}.provider", 'is empty; write provider = "cloudstack"')
    if cloud.endpoint:
        _check_endpoint(f"{where}.endpoint", cloud.endpoint, mistakes)
    _check_calls(where, cloud, mistakes)
    why_not = no_file(Path(cloud.ca_file)) if cloud.ca_file else ""
    if why_not:
        mistakes.add(f"{where}.ca_file", why_not)
    if cloud.region and not is_label(cloud.region):
        mistakes.add(f"{where}.region", f'"{cloud.region}" is not a name GCE takes; write it like "ch-gva"')
    for theirs, ours in cloud.zones.items():
        if not is_label(ours) or "-" not in ours:
            mistakes.add(f"{where}.zones", f'"{ours}" is not a zone\'s name, which is its region\'s, a dash '
                                           f'and more; write "{theirs}" = "ch-gva-2"')
    twice = sorted({name for name in cloud.zones.values() if list(cloud.zones.values()).count(name) > 1})
    if twice:
        mistakes.add(f"{where}.zones", f'"{twice[0]}" is given to several zones; each needs its own name')


def _check_calls(where: str, cloud: CloudConfig, mistakes: Mistakes) -> None:
    if not 0 < cloud.timeout <= 3600:
        mistakes.add(f"{where}.timeout", f"{cloud.timeout:g} is not between 0 and 3600 seconds; "
                                         "write timeout = 30")
    if not 1 <= cloud.concurrent <= 1000:
        mistakes.add(f"{where}.concurrent", f"{cloud.concurrent} is not between 1 and 1000; write concurrent = 20")
    if not (cloud.per_second == 0 or 0.01 <= cloud.per_second <= 100_000):
        mistakes.add(f"{where}.per_second", f"{cloud.per_second:g} is not between 0.01 and 100000; write "
                                            "per_second = 10, or 0 for no limit")


def _noted(where: str, mistakes: Mistakes) -> set[str]:
    """The options of this place that something has been said about already."""
    prefix = where + "."
    return {line[len(prefix):].partition(":")[0] for line in mistakes.lines if line.startswith(prefix)}


def _check_endpoint(where: str, url: str, mistakes: Mistakes) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if good and parts.username is not None:
        mistakes.add(where, "holds a user name or password, which URLs spread; use key and secret for them")
    elif not good or re.search(r"\s", url):
        mistakes.add(where, 'is not an http(s) URL; write "https://cloud.example/client/api"')


def _check_project(project: ProjectConfig, config: Config, mistakes: Mistakes) -> None:
    where = _place("projects", project.name)
    if project.credentials not in ("cloud", "caller"):
        mistakes.add(f"{where}.credentials", f'"{project.credentials}" is not known; '
                                             'write credentials = "cloud" or credentials = "caller"')
    elif project.name == "*" and project.credentials != "caller":
        mistakes.add(where, 'needs credentials = "caller": with one key for all, whoever has a role on it could '
                            "ask for anything; name each project in a section of its own")
    elif project.name == "*" and project.tenant:
        mistakes.add(f"{where}.tenant", "is one project and cannot stand for every name; remove it")
    if not project.clouds and "clouds" not in _noted(where, mistakes):
        mistakes.add(f"{where}.clouds", 'is empty; write clouds = ["NAME"]')
    for cloud in project.clouds:
        _check_cloud_name(f"{where}.clouds", cloud, config, mistakes)
    if len(set(project.clouds)) < len(project.clouds):
        mistakes.add(f"{where}.clouds", "names a cloud twice; name it once")


def _check_cloud_name(where: str, name: str, config: Config, mistakes: Mistakes) -> None:
    if name and name not in config.clouds:
        mistakes.add(where, f'there is no [clouds.{name}]; {did_you_mean(name, config.clouds)}')


def _check_names(config: Config, mistakes: Mistakes) -> None:
    """Every name of a project, alias or image project stands for one thing."""
    owners: dict[str, str] = {}
    named = [(_place("projects", each.name), each.name) for each in config.projects.values()]
    named += [(_place("image_projects", name), name) for name in config.image_projects]
    named += [(_place("projects", each.name) + ".aliases", alias)
              for each in config.projects.values() for alias in each.aliases]
    for where, name in named:
        if not is_project(name) and name != "*":
            mistakes.add(where, f'"{name}" cannot stand in a URL as a project; write letters, digits and '
                                ". _ - @ : + only, 128 at most")
        elif name in owners:
            mistakes.add(where, f'"{name}" is taken by {owners[name]}; each name stands for one project')
        else:
            owners[name] = where.removesuffix(".aliases")


def with_automatic_aliases(config: Config) -> Config:
    """The configuration with each name's id-like form as an alias, where gcloud needs it and it is free."""
    taken = {name for each in config.projects.values() for name in (each.name, *each.aliases)}
    taken |= set(config.image_projects)
    derived = [idlike(name) for name in config.projects if not is_idlike(name)]
    projects = {}
    for name, project in config.projects.items():
        alias = idlike(name)
        free = name != "*" and alias not in taken and derived.count(alias) == 1
        projects[name] = replace(project, aliases=(*project.aliases, alias)) if free else project
    return replace(config, projects=projects)


def _place(section: str, name: str) -> str:
    return f"{section}.{name}" if is_bare(name) else f'{section}."{name}"'
