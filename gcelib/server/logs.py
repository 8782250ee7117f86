"""What gcelib writes to its log: one line per request, a request id on every line, and never a secret."""

from __future__ import annotations

import contextvars
import datetime
import functools
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, TextIO

from gcelib.web import Request, Response
from gcelib.within import Within

_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

access_log = logging.getLogger("gcelib.access")

PATIENCE = 0.005
"""Seconds that the line of a read that went well may wait for others, to be written with them."""

_SECRET_NAMES = (
    r"api_?key|secret(?:_?key)?|client_secret|signature|password|passwd|(?:access|refresh|id)_?token|token|"
    r"assertion|private_?key|code|code_verifier|session_?key|x-amz-signature|x-auth-token|cookie"
)
_VALUE = r"(\"[^\"]*\"|'[^']*'|[^\s&\"',;})\]]+)"
_MASKS = (
    (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", "***"),
    (r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)?\s*)[^\s\"',;]+", r"\1***"),
    (r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}", r"\1***"),
    (r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?", "***"),
    (r"(://[^/\s:@]+:)[^/\s@]+(@)", r"\1***\2"),
    (rf"(?i)(?<![A-Za-z0-9])((?:{_SECRET_NAMES})[\"']?\s*[=:]\s*){_VALUE}", r"\1***"),
)
_COMPILED = tuple((re.compile(pattern), stars) for pattern, stars in _MASKS)


_HINTS = ("key", "secret", "signature", "passw", "token", "assertion", "code", "cookie", "authorization", "bearer",
          "eyj", "://")
"""One of these is in whatever a mask finds: most lines have none."""


def mask(text: str) -> str:
    """The text with whatever looks like a key, a token, a signature or a password replaced by stars."""
    if text.isascii():
        low = text.lower()
        if not any(hint in low for hint in _HINTS):
            return text
    for pattern, stars in _COMPILED:
        text = pattern.sub(stars, text)
    return text


def request_scope(request_id: str) -> Within[str]:
    """Every line logged inside carries this request id."""
    return Within(_request_id, request_id)


def request_id() -> str:
    """The id of the request being answered, "" outside of one."""
    return _request_id.get()


def request_done(request: Request, seen: Mapping[str, str], response: Response, seconds: float) -> None:
    """The one line of a request. `seen` holds what was found out: `method` (the API's id), `caller`.

    The path only: queries and bodies may hold what is nobody's business.
    """
    if not access_log.isEnabledFor(logging.INFO):
        return
    facts: dict[str, Any] = {
        "status": response.status,
        "verb": request.method,
        "path": request.path[:500],
        **seen,
        "remote": request.remote,
        "bytes": len(response.body),
        "ms": round(seconds * 1000, 1),
    }
    patient = request.method == "GET" and response.status < 400
    line(access_log, {name: value for name, value in facts.items() if value not in ("", None)}, patient=patient)


def line(log: logging.Logger, facts: Mapping[str, Any], *, patient: bool = False) -> None:
    """One line made of facts, in their order; one that is `patient` may be written PATIENCE later."""
    if not log.isEnabledFor(logging.INFO):
        return
    # Where in the code it was written, a line does not show: finding that out costs as much as the line.
    record = logging.LogRecord(log.name, logging.INFO, "", 0, _Facts(facts), None, None)
    record.facts, record.patient = facts, patient
    log.handle(record)


class _Facts:
    """Facts that become text when a formatter wants it."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts

    def __str__(self) -> str:
        return " ".join([f"{name}={_word(value)}" for name, value in self._facts.items()])


def _word(value: object) -> object:
    """A value that cannot look like several facts."""
    return json.dumps(value) if isinstance(value, str) and " " in value else value


class _Text(logging.Formatter):
    """A line for people: time, level, logger, request id, message."""

    def format(self, record: logging.LogRecord) -> str:
        id = _request_id.get()
        within = f" [{id}]" if id else ""
        return mask(f"{_stamp(record)} {record.levelname:7} {record.name}{within} {_said(self, record)}")


class _Json(logging.Formatter):
    """A line for machines: one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        line: dict[str, Any] = {"time": _stamp(record), "level": level, "logger": record.name}
        if _request_id.get():
            line["request_id"] = _request_id.get()
        facts = getattr(record, "facts", None)
        if facts is None:
            line["message"] = mask(_said(self, record))
        else:
            line |= {name: mask(value) if isinstance(value, str) else value for name, value in facts.items()}
        return json.dumps(line, ensure_ascii=False)


def _stamp(record: logging.LogRecord) -> str:
    """When it was, to the millisecond."""
    seconds, rest = divmod(record.created, 1)
    return f"{_second(seconds)}.{int(rest * 1000):03}+00:00"


@functools.lru_cache(4)
def _second(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _said(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The record's message with its traceback."""
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    return text


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines in the order they came in; what is patient with the next that is not, or PATIENCE later.

    A write lets other threads take over, which costs a short request more than all the rest of its line. A process that
    is killed loses the lines of the last reads; its changes are in the operations and in the audit log.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._held: list[str] = []
        self._any = threading.Event()
        self._writer: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        try:
            self._held.append(self.format(record) + self.terminator)
            if not getattr(record, "patient", False):
                self.flush()
            elif len(self._held) == 1:
                self._begin()
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Write what is held."""
        with self._guard:
            held, self._held = self._held, []
            if held:
                self.stream.write("".join(held))
            super().flush()

    @property
    def _guard(self) -> threading.RLock:
        """The lock that every handler of the standard library has."""
        assert self.lock is not None
        return self.lock

    def _begin(self) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="log", daemon=True)
            self._writer.start()
        self._any.set()

    def _write(self) -> None:
        while True:
            self._any.wait()
            self._any.clear()
            time.sleep(PATIENCE)
            try:
                self.flush()
            except (OSError, ValueError):
                # What would be said of it could not be written either.
                continue


def set_up(form: str = "text", level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log line to `stream` (standard error), as "text" or "json", masked. May be called again."""
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    # No line shows them, and each costs as much as the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    for chatty in ("urllib3", "requests", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
