"""The rules of the house: who may import whom, how long a file may be, what a module may be called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "gcelib"
FILES = sorted(ROOT.rglob("*.py"))
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base2", "handler2"}

LAYERS = {
    "errors": 0, "models": 1, "store": 2, "config": 2, "naming": 2, "web": 2, "within": 2, "auth": 3, "drivers": 3,
    "server": 4, "simulator": 4, "cli": 5, "__main__": 6, "__init__": 0,
}
"""A module imports from layers below its own, or from its own package."""

ONLY_UNDER = {
    "libcloud": "drivers/",
    "oauthlib": "auth/",
    "sqlalchemy": "store/",
    "alembic": "store/",
    "redis": "store/marks.py",
    "bottle": "server/app.py",
    "cheroot": "server/listen",
    "cachetools": "server/shelf.py",
    "re2": "server/filters",
    "prometheus_client": "server/metrics.py",
    "opentelemetry": "server/tracing.py",
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Every dotted module a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_file_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < LONGEST_FILE
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring or not text.strip(), "no module docstring"
    assert path.stem not in BANNED_NAMES


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_function_is_long(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_point_down(path: Path) -> None:
    own = relative(path).partition("/")[0].removesuffix(".py")
    for module in imports(path):
        package, _, rest = module.partition(".")
        if package == "gcelib" and rest and rest.partition(".")[0] in LAYERS:
            other = rest.partition(".")[0]
            assert other == own or LAYERS[other] < LAYERS[own], f"{own} imports {module}"
        if own == "simulator" and package == "gcelib":
            assert rest.startswith("simulator") or not rest, f"the simulator imports {module}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_library_is_known_in_its_own_place_only(path: Path) -> None:
    for module in imports(path):
        places = ONLY_UNDER.get(module.partition(".")[0])
        if places and not relative(path).startswith("simulator/"):
            assert relative(path).startswith(places), f"{module} in {relative(path)}"


def test_a_resource_imports_no_other_resource_and_no_driver() -> None:
    folder = ROOT / "server" / "resources"
    for path in folder.rglob("*.py"):
        own = path.relative_to(folder).parts[0].removesuffix(".py")
        for module in imports(path):
            if module.startswith("gcelib.server.resources."):
                other = module.split(".")[3]
                assert other in (own, "images") or own == "__init__", f"{own} imports {module}"
            assert not module.startswith("gcelib.drivers.") or module.startswith("gcelib.drivers.base"), module


def test_nothing_outside_a_providers_folder_names_a_provider() -> None:
    for path in [*(ROOT / "server").rglob("*.py"), *(ROOT / "auth").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare):
                words = [item.value for item in ast.walk(node) if isinstance(item, ast.Constant)]
                assert not {"cloudstack", "openstack", "ec2"} & {str(word).lower() for word in words}, relative(path)
