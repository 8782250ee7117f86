"""google-api-python-client as the tests of every method drive it: methods by name, changes carried through."""

from __future__ import annotations

from typing import Any

import pytest
from googleapiclient.errors import HttpError

from tests.contract.google_libraries import api
from tests.live import Live

SCOPES = {"zone": "zoneOperations", "region": "regionOperations"}


class Caller:
    """Calls methods in project demo; every answer is checked against the discovery document."""

    def __init__(self, live: Live) -> None:
        self.service = api(live)

    def close(self) -> None:
        """Let go of its connection."""
        self.service.close()

    def ask(self, collection: str, method: str, **arguments: Any) -> Any:
        """The answer to one call."""
        return getattr(getattr(self.service, collection)(), method)(project="demo", **arguments).execute()

    def change(self, collection: str, method: str, **arguments: Any) -> Any:
        """A change, waited for: its operation, DONE and without error."""
        return self.done(self.ask(collection, method, **arguments))

    def done(self, operation: Any) -> Any:
        """An operation once it is DONE; it must not have failed."""
        scope = next((name for name in SCOPES if name in operation), "")
        where = {scope: operation[scope].rpartition("/")[2]} if scope else {}
        while operation["status"] != "DONE":
            operation = self.ask(SCOPES.get(scope, "globalOperations"), "wait", operation=operation["name"], **where)
        assert "error" not in operation, operation["error"]
        return operation

    def names(self, collection: str, method: str = "list", **where: Any) -> list[str]:
        """The names on every page of a list; of an aggregated one in every scope."""
        calls = getattr(self.service, collection)()
        request = getattr(calls, method)(project="demo", maxResults=3, **where)
        found: list[str] = []
        while request is not None:
            answer = request.execute()
            items = answer.get("items", [])
            rows = [row for entry in items.values() for named, rows in entry.items() if named != "warning"
                    for row in rows] if isinstance(items, dict) else items
            found += [row.get("name", "") for row in rows]
            following = getattr(calls, f"{method}_next", None)
            request = following(request, answer) if following else None
        return found

    def refused(self, status: int, collection: str, method: str, **arguments: Any) -> str:
        """The message of a refusal with this status."""
        with pytest.raises(HttpError) as caught:
            self.ask(collection, method, **arguments)
        assert caught.value.resp.status == status, caught.value
        return str(caught.value.reason)
