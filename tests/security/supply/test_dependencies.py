"""What gcelib needs has a lower and an upper bound, and the lower ones are those that were tried."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
BOUNDED = re.compile(r"([A-Za-z0-9._-]+)(?:\[\w+\])?>=([0-9.]+),<([0-9.]+)")


def requirements() -> dict[str, list[str]]:
    """install_requires and each extra of setup.py, by name."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    call = next(
        node for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setup"
    )  # fmt: skip
    given = {word.arg: word.value for word in call.keywords}
    lists = {
        node.targets[0].id: ast.literal_eval(node.value) for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.List)
    }  # fmt: skip

    def read(node: ast.expr) -> list[str]:
        if isinstance(node, ast.Name):
            return list(lists[node.id])
        assert isinstance(node, ast.List)
        return [word for each in node.elts
                for word in (read(each.value) if isinstance(each, ast.Starred) else [ast.literal_eval(each)])]

    extras = given["extras_require"]
    assert isinstance(extras, ast.Dict)
    named = {ast.literal_eval(key): read(value) for key, value in zip(extras.keys, extras.values, strict=True) if key}
    return {"": ast.literal_eval(given["install_requires"]), **named}


@pytest.mark.parametrize("extra", ["", "postgres", "redis", "otel", "test"])
def test_every_dependency_is_bounded_below_and_above(extra: str) -> None:
    assert requirements()[extra]
    for line in requirements()[extra]:
        found = BOUNDED.fullmatch(line)
        assert found, line
        lower, upper = (tuple(map(int, found[group].split("."))) for group in (2, 3))
        assert lower < upper, line


def test_the_lower_bounds_are_those_that_are_installed_by_make_lowest() -> None:
    bounds = {found[1]: found[2] for found in map(BOUNDED.fullmatch, requirements()[""]) if found}
    lines = [line for line in (ROOT / "packaging" / "lowest.txt").read_text().splitlines() if not line.startswith("#")]
    assert dict(line.split("==") for line in lines) == bounds


NAMES = {"libcloud": "apache-libcloud", "sqlalchemy": "SQLAlchemy", "jwt": "PyJWT", "argon2": "argon2-cffi",
         "prometheus_client": "prometheus-client", "re2": "google-re2"}  # fmt: skip
"""Modules that are called otherwise than their packages."""


def test_what_is_imported_is_required_and_nothing_else_is() -> None:
    imported = set()
    for path in (ROOT / "gcelib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    imported -= {*sys.stdlib_module_names, "gcelib"}
    lines = [line for extra in ("", "postgres", "redis") for line in requirements()[extra]]
    required = {found[1] for found in map(BOUNDED.fullmatch, lines) if found}
    assert {NAMES.get(name, name) for name in imported} == required


def audit() -> ModuleType:
    """packaging/audit.py."""
    spec = importlib.util.spec_from_file_location("audit", ROOT / "packaging" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(name: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", **({"vulns": []} | facts if "skip_reason" not in facts else facts)}


HOLE = {"id": "CVE-2026-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ([row("good"), row("better")], 0, "no known hole in 2 packages."),
        ([row("good"), row("own", skip_reason="not on PyPI")], 0, "NOT LOOKED AT: own."),
        ([row("good"), row("bad", vulns=[HOLE])], 1, "bad 1.0: CVE-2026-1, mended in 1.1"),
        ([row("own", skip_reason="x"), row("bad", vulns=[HOLE])], 1, "CVE-2026-1"),
        ([row("a", skip_reason="x"), row("b", skip_reason="x")], 0, "NOT DONE"),
        ([row("gcelib", skip_reason="x"), row("good")], 0, "no known hole in 1 packages."),
    ],
)
def test_the_audit_says_what_it_looked_at(rows: list[dict[str, Any]], code: int, words: str) -> None:
    found = audit().verdict(json.dumps({"dependencies": rows, "fixes": []}), "")
    assert found[0] == code
    assert words in found[1]


@pytest.mark.parametrize(
    ("stderr", "code", "words"),
    [
        ("Traceback\nrequests.exceptions.ConnectionError: no route", 0, "NOT DONE"),
        ("Traceback\nNameError: name 'x' is not defined", 1, "failed"),
        ("", 1, "failed"),
        ("No module named pip_audit", 1, "No module named pip_audit"),
    ],
)
def test_only_data_out_of_reach_excuses_an_audit(stderr: str, code: int, words: str) -> None:
    found = audit().verdict("", stderr)
    assert found[0] == code
    assert words in found[1]
