"""Google's partial responses: the `fields` parameter, compiled to what it leaves of an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from gcelib.errors import Invalid

MAX_LENGTH = 8192
MAX_DEPTH = 32

Tree = dict[str, "Tree | None"]
"""What to keep by name; None keeps all of it. "*" stands for every name."""

_TOKEN = re.compile(r"\s*([(),/]|[^(),/\s]+)\s*")
_NAME = re.compile(r"\*|[A-Za-z0-9_.$@-]+")


def mask(text: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that keeps of an answer only what `text` selects; an empty text keeps everything.

    `items/name,nextPageToken`, `items(name,zone)`, `*`, and for maps `items/*/instances(name)`; lists are
    entered element by element. A field that is not there selects nothing. Raises `Invalid` (field "fields")
    for a text that is no selection.
    """
    if not text.strip():
        return lambda answer: answer
    tree = _Parser(text).parse()

    def apply(answer: dict[str, Any]) -> dict[str, Any]:
        return _object(answer, [tree])

    return apply


def _object(value: dict[str, Any], trees: list[Tree]) -> dict[str, Any]:
    kept = {}
    for name, inner in value.items():
        below = [tree[key] for tree in trees for key in (name, "*") if key in tree]
        if not below:
            continue
        wanted = [tree for tree in below if tree is not None]
        if len(wanted) < len(below):
            kept[name] = inner
        elif isinstance(inner, dict):
            kept[name] = _object(inner, wanted)
        elif isinstance(inner, list):
            kept[name] = _list(inner, wanted)
    return kept


def _list(value: list[Any], trees: list[Tree]) -> list[Any]:
    kept: list[Any] = []
    for element in value:
        if isinstance(element, dict):
            kept.append(_object(element, trees))
        elif isinstance(element, list):
            kept.append(_list(element, trees))
    return kept


class _Parser:
    """SELECTION is PATH { , PATH }; PATH is NAME { / NAME } [ ( SELECTION ) ]."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MAX_LENGTH:
            self._refuse(f"it is longer than {MAX_LENGTH} characters")
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def parse(self) -> Tree:
        tree: Tree = {}
        self._selection([tree], 0)
        if self.at < len(self.tokens):
            self._refuse(f"'{self.tokens[self.at]}' was not expected")
        return tree

    def _selection(self, roots: list[Tree], depth: int) -> None:
        self._path(roots, depth)
        while self._take(","):
            self._path(roots, depth)

    def _path(self, roots: list[Tree], depth: int) -> None:
        """Add one path to each of the trees."""
        name = self._name()
        while self._take("/"):
            roots = self._descend(roots, name)
            depth += 1
            name = self._name()
        if depth > MAX_DEPTH:
            self._refuse(f"it is nested more than {MAX_DEPTH} deep")
        if self._take("("):
            self._selection(self._descend(roots, name), depth + 1)
            if not self._take(")"):
                self._refuse("a ')' is missing")
        else:
            for tree in roots:
                tree[name] = None

    @staticmethod
    def _descend(roots: list[Tree], name: str) -> list[Tree]:
        """The trees below a name, made where missing; where everything is kept there is none to add to."""
        below = [tree.setdefault(name, {}) for tree in roots]
        return [tree for tree in below if tree is not None]

    def _name(self) -> str:
        name: str = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not _NAME.fullmatch(name):
            self._refuse(f"a field name was expected, not '{name[:50]}'" if name else "it ends too early")
        self.at += 1
        return name

    def _take(self, token: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == token:
            self.at += 1
            return True
        return False

    def _refuse(self, why: str) -> NoReturn:
        shown = self.text if len(self.text) <= 100 else self.text[:100] + "..."
        raise Invalid(f"Invalid value for field 'fields': '{shown}': {why}.", field="fields")
