"""Puts what a command changes into the server's audit log."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

from gcelib.auth.audit import Audit
from gcelib.config import Config
from gcelib.errors import Fault
from gcelib.server.logs import mask
from gcelib.store.audit import AuditFile


@contextmanager
def audited(config: Config, what: str, *, event: str = "account", **facts: str) -> Iterator[None]:
    """One line about what happens inside, refused when it raises a Fault; `facts` say what it is done to."""
    with closing(AuditFile(config.server.audit_path())) as file:
        lines = Audit(file.add, level=lambda: config.server.audit, clean=mask)
        said = {"who": _user(), "proof": "command line", "what": what, **facts}
        try:
            yield
        except Fault as fault:
            if lines.wants(change=True):
                lines.line(event, "refused", {**said, "reason": fault.reason})
            raise
        if lines.wants(change=True):
            lines.line(event, "done", said)


def _user() -> str:
    """The user of this machine; behind sudo, the one who called it, too."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    return f"{name} (for {before})" if before and before != name else name
