"""JSON as no client writes it, grown from a seed: of the wrong type, too deep, too large, twice, or none at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

TEXTS = (
    "", " ", "\x00", "a\x00b", "\u202e", "\ufeff", "\U0001f4a9", "e\u0301", "\u00e9", "\u2028", "%00", "%2f",
    "../../etc/passwd",
    "<script>alert(1)</script>", "'; drop table operations; --", "${jndi:ldap://x}", "{{7*7}}", "\r\nSet-Cookie: a=b",
    "-",
    "null", "true", "0", "-0", "1e999", "NaN", "0x10", "\u0661\u0662", "9" * 400, "a" * 5000, "/" * 500, "a/" * 300,
    "projects/demo/zones/ch-gv2/machineTypes/micro",
    "https://evil.example/compute/v1/projects/demo/global/networks/default",
    "global/networks/default", "zones/ch-gv2/machineTypes/micro", "//", "http://[", "http://[::1",
    "projects/%ff/zones/x",
    "10.0.0.0/8", "10.0.0.0/99", "0.0.0.0/0", "::/0", "tcp", "22", "22-", "99999", "1-2-3", "-1", "icmp", "256",
    "ALLOW",
    "2024-01-01T00:00:00Z", "99999999999999999999", "9223372036854775808", "ch-gv2", "default", "micro",
)
"""Texts that are read wrongly somewhere."""

NUMBERS = (
    "0", "-0", "1", "-1", "1.5", "1e5", "1e999", "-1e999", "1e-999", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "9" * 400, "9" * 5000, "0.1e1", "2147483648", "4294967296", "1E400", "3.0", "65536",
)
NO_JSON = ("NaN", "Infinity", "-Infinity", "01", "+1", ".5", "0x1", "'a'", "undefined", "{a:1}", "[1,]", "{,}", '"\t"',
    "",
           '"\\ud800"', '"\\udc00\\ud800"', '"\\x"', "\ufeff{}", "tru", '"', "{", "[", "]", "{}{}", "/**/{}", '"\\u00')


class Wild:
    """Grows JSON texts out of one source of chance. `tame` of a hundred values are what the schema says."""

    def __init__(self, chance: Random, schemas: Mapping[str, Any], tame: int = 80) -> None:
        self.chance = chance
        self.schemas = schemas
        self.tame = tame

    def text(self) -> str:
        """A text, mostly one that somebody once fell over."""
        if self.chance.random() < 0.8:
            return self.chance.choice(TEXTS)
        return "".join(chr(self.chance.choice((self.chance.randrange(0x20, 0x7F), self.chance.randrange(0xD7FF))))
                       for _ in range(self.chance.randrange(40)))

    def string(self) -> str:
        """The same as a JSON string, now and then with half a character in it."""
        half = r"\ud800" if self.chance.random() < 0.03 else ""
        return json.dumps(self.text(), ensure_ascii=self.chance.random() < 0.5)[:-1] + half + '"'

    def anything(self, depth: int = 0) -> str:
        """Any JSON text; rarely none."""
        kind = self.chance.randrange(12)
        if kind == 0 and depth < 4:
            return "[" + ",".join(self.anything(depth + 1) for _ in range(self.chance.randrange(4))) + "]"
        if kind == 1 and depth < 4:
            return "{" + ",".join(f"{self.string()}:{self.anything(depth + 1)}" for _ in range(3)) + "}"
        if kind == 2:
            return self.deep(self.chance.choice((30, 70, 500)))
        if kind == 3 and self.chance.random() < 0.3:
            return self.chance.choice(NO_JSON)
        if kind < 7:
            return self.chance.choice((*NUMBERS, "true", "false", "null"))
        return self.string()

    def deep(self, depth: int) -> str:
        """Brackets in brackets."""
        opening, closing = self.chance.choice((("[", "]"), ('{"a":', "}"), ('[{"items":', "}]")))
        return opening * depth + "1" + closing * depth

    def of(self, schema: Mapping[str, Any], depth: int = 0) -> str:
        """A value of this schema, or nearly."""
        if depth > 6 or self.chance.randrange(100) >= self.tame:
            return self.anything(depth)
        schema = self.schemas[schema["$ref"]] if "$ref" in schema else schema
        kind = schema.get("type", "any")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return "[" + ",".join(self.of(schema["items"], depth + 1) for _ in range(self.chance.randrange(3))) + "]"
        if kind == "string":
            return json.dumps(self.chance.choice(schema["enum"])) if "enum" in schema else self.string()
        if kind == "boolean":
            return self.chance.choice(("true", "false"))
        return self.chance.choice(NUMBERS) if kind in ("integer", "number") else self.anything(depth)

    def _object(self, schema: Mapping[str, Any], depth: int) -> str:
        known = schema.get("properties", {})
        names = self.chance.sample(sorted(known), self.chance.randint(0, min(6, len(known))))
        members = [f"{json.dumps(name)}:{self.of(known[name], depth + 1)}" for name in names]
        if "additionalProperties" in schema:
            members.append(f"{self.string()}:{self.of(schema['additionalProperties'], depth + 1)}")
        if self.chance.random() < 0.2:
            members.append(f"{self.string()}:{self.anything(depth + 1)}")
        if members and self.chance.random() < 0.1:
            members.append(self.chance.choice(members))  # The same name twice.
        return "{" + ",".join(members) + "}"

    def near(self, schema: str, good: Mapping[str, Any]) -> str:
        """A good body with some of its fields, or of those that the schema knows besides, gone wild."""
        known = self.schemas[schema]["properties"]
        members = {name: json.dumps(value) for name, value in good.items()}
        for name in self.chance.sample(sorted({*known, *good}), self.chance.randint(1, 3)):
            members[name] = self.of(known.get(name, {"type": "any"}), 1)
        return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"
