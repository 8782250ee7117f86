"""The key-value pairs that a cloud keeps on a thing."""

from __future__ import annotations

from collections.abc import Mapping

NO_TAGS: Mapping[str, str] = {}
