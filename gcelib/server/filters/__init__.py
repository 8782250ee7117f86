"""GCE's two filter languages as one: what clients ask lists for, compiled to a test on rendered resources.

The older one is `FIELD eq REGEX` and `FIELD ne REGEX`, alone or in parentheses side by side; the newer one
compares with `= != < <= > >= : =~ !~` and joins by AND, OR, NOT and `-`, as AIP-160 has it (OR binds more tightly
than AND).
"""

from __future__ import annotations

from gcelib.server.filters.parse import Filter, compile_filter

__all__ = ["Filter", "compile_filter"]
