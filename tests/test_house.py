"""The rules of the house: who may import whom, how long a file may be, what a module may be called."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

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


@functools.cache
def imports(path: Path) -> list[str]:
    """Every dotted module a file imports, wherever in the file."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def test_a_file_is_short_and_says_what_it_is_for() -> None:
    texts = {relative(path): path.read_text() for path in FILES}
    assert [name for name, text in texts.items() if len(text.splitlines()) >= LONGEST_FILE] == []
    assert [name for name, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))] == []
    assert [name for name in texts if Path(name).stem in BANNED_NAMES] == []


def test_no_function_is_long() -> None:
    long = [
        f"{relative(path)} {node.name}: {node.end_lineno - node.lineno + 1}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_imports_point_down() -> None:
    wrong = [f"{relative(path)} imports {module}" for path in FILES for module in imports(path)
             if not points_down(relative(path).partition("/")[0].removesuffix(".py"), module)]
    assert wrong == []


def points_down(own: str, module: str) -> bool:
    """Whether what is in this package of gcelib's may import the module."""
    package, _, rest = module.partition(".")
    other = rest.partition(".")[0]
    if package != "gcelib" or not rest:
        return True
    if own == "simulator":
        return other == own
    return other == own or LAYERS.get(other, -1) < LAYERS[own]


def test_a_library_is_known_in_its_own_place_only() -> None:
    wrong = [f"{relative(path)} imports {module}" for path in FILES if not relative(path).startswith("simulator/")
             for module in imports(path)
             if not relative(path).startswith(ONLY_UNDER.get(module.partition(".")[0], ""))]
    assert wrong == []


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
