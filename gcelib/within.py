"""A value that a context variable has within a block."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Within(Generic[Value]):
    """A context manager that gives the value. Every request enters several; a generator would cost three times as
    much."""

    __slots__ = ("_before", "_value", "_variable")

    def __init__(self, variable: ContextVar[Any], value: Value) -> None:
        self._variable, self._value = variable, value
        self._before: Token[Any] | None = None

    def __enter__(self) -> Value:
        self._before = self._variable.set(self._value)
        return self._value

    def __exit__(self, *raised: object) -> None:
        assert self._before is not None
        self._variable.reset(self._before)
