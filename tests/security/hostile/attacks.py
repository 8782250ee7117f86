"""One hostile request after the other, grown from a seed, as the bytes that go over the wire."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_from_bytes

from gcelib.server.resources import offered, table
from tests.security.hostile.wild import TEXTS, Wild
from tests.wire.machines import machine

ROOT = "/compute/v1/projects/demo"
LISTS = ("zones", "global/networks", "global/firewalls", "global/images", "regions", "zones/ch-gv2/instances",
         "aggregated/instances", "zones/ch-gv2/operations", "zones/ch-gv2/machineTypes", "global/operations")
GOOD = {
    "zones/ch-gv2/instances": ("Instance", machine("wild")),
    "global/firewalls": ("Firewall", {"name": "wild", "network": "global/networks/default",
                                      "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}],
                                      "sourceRanges": ["10.0.0.0/8"]}),
    "global/networks": ("Network", {"name": "wild", "IPv4Range": "10.0.0.0/8"}),
    "zones/ch-gv2/disks": ("Disk", {"name": "wild", "sizeGb": "1"}),
    "setCommonInstanceMetadata": ("Metadata", {"items": [{"key": "a", "value": "b"}]}),
}
REGULAR = (
    "(a+)+$", "(a|aa)+$", "(.*)*x", "((a{1,30}){1,30}){1,30}", "a{1000}{1000}", "(x+x+)+y", "(?:a?){500}a{500}", "[",
    "(", ")",
    "\\", "*", "+", "?", "(?P<n>a)(?P=n)", "\\1", "(?=a)", "(?<=a)b", "\\C", "\\pN{1000}", "[^\\x00-\\x{10ffff}]",
    "(?i)" * 50,
    "|".join(["abc"] * 3000), "(" * 400 + ")" * 400, "a" * 16000, "[a-z]" * 3000, "\\Q" + "x" * 100, "(?s:.)*" * 900,
    "\x00", "\ud7ff", "^$" * 2000, "(a*)*" * 200, ".{999}.{999}.{999}", "\\x{110000}", "[[:nothing:]]", "(?P<a",
    "\\p{Klingon}",
)
METHODS = [method for method in table().methods.values() if method.id in offered() and method.name != "wait"]
FILTERS = (
    "name eq {0}", "name ne {0}", "name eq '{0}'", 'name eq "{0}"', "(name eq {0})(status eq {0})", "name={0}",
    "name:{0}",
    "name<{0}", "labels.{0}=x", "{0}", "NOT {0}", "-(name={0})", "name='{0}", 'name="{0}', "{0} eq {0}",
    "(" * 300 + "{0}",
    "name=a OR " * 200 + "{0}", "NOT " * 3000 + "name=a", "-" * 9000 + "name=a", "(" * 33 + "name=a" + ")" * 33,
)
FIELDS = ("items(" * 500, "a/" * 3000, "*/" * 100, "items(name", "),(", "a" * 9000, "items(a,items(b,items(c", "\x00",
    "a(b)c",
          "*(" * 31 + "a" + ")" * 31, "(", ",", "/", "items//name", "a,,b", "*(*(*(*(*))))," * 100 + "a")
PATHS = (
    "/compute/v1/projects/demo/zones/%2e%2e/instances", "/compute/v1/projects/demo/../../../etc/passwd",
    "/compute/v1//projects",
    "/compute/v1/projects/demo/zones/ch-gv2%2finstances", "/compute/v1/projects/demo/zones/%00",
    "/compute/v1/projects/%c0%ae",
    "/compute/v1/projects/demo/zones/%252e%252e", "/compute/v1/projects/demo/zones/%ff%fe",
    "/compute/v1/projects/%ED%A0%80",
    "/compute/v1/projects/demo/zones/ch-gv2/instances/e%CC%81", "/compute/v1/projects/demo/zones/%EF%BD%83h-gv2", "/%",
    "/compute/v1/projects/demo/zones/ch-gv2;a=b", "/compute/v1/projects/demo/zones/ch-gv2?",
    "/compute/v1/projects/%zz/zones",
    "/compute/v1/projects/demo/zones/" + "a" * 5000, "/compute/v1" + "/a" * 2000,
    "/compute/v1/projects/demo/zones/ch-gv2/",
    "/compute/v1/projects/../projects/demo/zones", "/./compute/v1/projects/demo",
    "/compute/v1/projects/demo/global/images/family/",
    "/compute/v1/projects/demo\\zones", "/COMPUTE/V1/projects/demo", "/compute/v2/projects/demo",
    "/compute/v1/projects/",
    "/discovery/v1/apis/../..", "/discovery/v1/apis/compute/v9/rest", "/discovery/v1/apisX", "/batch/..",
    "/oauth2/..%2f",
    "/compute/v1/projects/demo/zones/\u202e", "//evil.example/compute/v1/projects/demo",
    "/compute/v1/projects/demo/zones/%0d%0aX:y",
)
LINES = (
    b"", b"GET", b"GET / HTTP/9.9", b"GET / HTTP/1.1 x", b"get / http/1.1", b"GET http:// HTTP/1.1",
    b"GET /\x00 HTTP/1.1",
    b"GET / HTTP/1.1\r\nHost", b"GET / HTTP/1.1\r\n: x", b"GET / HTTP/1.1\r\nA\x00: b", b"GET / HTTP/1.1\r\nA: \x00",
    b"GET / HTTP/1.1\r\n b: c", b"GET /" + b"a" * 70_000, b"GET / HTTP/1.1\r\nX: " + b"b" * 70_000, b"\x16\x03\x01\x00",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 8000, b"CONNECT x:1 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET * HTTP/1.1",
    b"\xff\xfe",
    b"PRI * HTTP/2.0", b"GET https://evil.example/compute/v1/projects/demo HTTP/1.1", b"GET /a#b HTTP/1.1",
    b"GET\t/ HTTP/1.1",
    b"GET http://[::1/ HTTP/1.1", b"GET http://a@b/ HTTP/1.1", b"TRACE / HTTP/1.1", b"GET / HTTP/1.1\nHost: x",
    b"A" * 70_000,
    b"POST / HTTP/1.1\r\nContent-Length: -1", b"POST / HTTP/1.1\r\nContent-Length: 1e3",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999", b"GET / HTTP/1.1\r\nExpect: 200-maybe",
    b"GET / HTTP/0.9",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: identity", b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade",
    b"GET /\xff\xff HTTP/1.1",
)
CHUNKS = (
    b"zz\r\n", b"-1\r\n", b"0x1\r\na\r\n0\r\n\r\n", b"fffffffffffffff\r\n", b"1\r\nab\r\n",
    b"1;\x00\r\na\r\n0\r\n\r\n", b"1\na\n0\n\n",
    b" 1\r\na\r\n0\r\n\r\n", b"1" * 2000, b"0\r\n" + b"a: b\r\n" * 5000, b"1\r\na\r\n" * 500 + b"0\r\n\r\n",
    b"0\r\n\r\n",
    b"5\r\n{}{}{\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
)
HEADERS = (
    "Host: <script>", "Host: a b", "Host: \u00e9", "Host: " + "a" * 300, "Host: evil.example:99999",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-For: x, y, z", "Forwarded: for=\"", "X-HTTP-Method-Override: DELETE", "X-HTTP-Method-Override: BREW",
    "Accept-Encoding: gzip;q=nonsense", "Content-Encoding: gzip", "Content-Encoding: br", "Range: bytes=0-0",
    "If-Match: *",
    "Cookie: " + "a=b; " * 300, "Content-Type: text/xml", "Content-Type: multipart/mixed; boundary=",
    "Expect: 100-continue",
    "Cache-Control: no-cache", "X-Request-Id: \u00e9\u00e9", "If-Modified-Since: never", "Transfer-Encoding: chunked",
    "Accept: text/html",
)


@dataclass(frozen=True)
class Attack:
    """What is sent; `ends` when more must not be sent after it, `page` when HTML may answer."""

    kind: str
    data: bytes
    ends: bool = False
    page: bool = False


class Attacks:
    """An endless supply. `token` is a good one of an admin of project demo, `instance` a machine of its."""

    def __init__(self, seed: int, token: str, instance: str = "target") -> None:
        self.chance = Random(seed)
        self.wild = Wild(self.chance, table().schemas)
        self.token = token
        self.instance = instance
        self.kinds: list[Callable[[], Attack]] = [
            self.path, self.filter, self.query, self.body, self.near, self.batch, self.bearer, self.form, self.line,
            self.method, self.chunk, self.zipped, self.fingerprint, self.header, self.page_token, self.garbled,
        ]

    def next(self) -> Attack:
        """One of any kind."""
        return self.chance.choice(self.kinds)()

    def request(
        self, kind: str, verb: str, target: str, body: bytes = b"", *headers: str, token: str | None = None,
        json_body: bool = True, page: bool = False,
    ) -> Attack:
        """A well-formed request around something that is not."""
        lines = [f"{verb} {target} HTTP/1.1"]
        if not any(each.startswith("Host:") for each in headers):
            lines.append("Host: localhost")
        lines.append(f"Authorization: Bearer {self.token if token is None else token}")
        if body and json_body:
            lines.append("Content-Type: application/json")
        lines += [*headers, f"Content-Length: {len(body)}", "", ""]
        return Attack(kind, "\r\n".join(lines).encode(errors="replace") + body, page=page)

    def path(self) -> Attack:
        """A path that means something else to somebody."""
        path = self.chance.choice(PATHS)
        if self.chance.random() < 0.5:
            cut = self.chance.randrange(1, len(path))
            path = path[:cut] + quote(self.wild.text(), safe="%/") + path[cut:]
        verb = self.chance.choice(("GET", "GET", "POST", "PUT", "PATCH", "DELETE", "BREW", "OPTIONS", "TRACE"))
        return self.request("path", verb, quote(path, safe="%/?;=:@\\&"), page=path.startswith(("/?", "/oauth2/auth")))

    def filter(self) -> Attack:
        """A filter, or a regular expression in it, made to explode."""
        literal = self.chance.choice((*REGULAR, *REGULAR, *TEXTS))
        text = self.chance.choice(FILTERS).replace("{0}", literal)
        return self._listed("filter", "filter", text[: self.chance.choice((16_384, 16_000, 17_000, 200))])

    def query(self) -> Attack:
        """A parameter that makes no sense."""
        name = self.chance.choice(("fields", "orderBy", "maxResults", "pageToken", "requestId", "alt", "prettyPrint",
            "filter",
                                   "returnPartialSuccess", "key", "userIp", "$.xgafv", "callback", "nonsense", "\x00"))
        text = self.chance.choice(FIELDS) if name == "fields" and self.chance.random() < 0.7 else self.wild.text()
        return self._listed("query", name, text)

    def _listed(self, kind: str, name: str, text: str) -> Attack:
        sent = quote(text, safe="")
        if len(sent) < 60_000:
            target = f"{ROOT}/{self.chance.choice(LISTS)}?{quote(name)}={sent}"
            return self.request(kind, "GET", target)
        form = ("Content-Type: application/x-www-form-urlencoded", "X-HTTP-Method-Override: GET")
        return self.request(kind, "POST", f"{ROOT}/zones", f"{name}={sent}".encode(), *form, json_body=False)

    def body(self) -> Attack:
        """A body far from its schema, to any method that takes one."""
        path, schema = self.chance.choice([(path, schema) for path, (schema, _) in GOOD.items()])
        kind = self.chance.randrange(4)
        if kind == 0:
            return self.request("body", "POST", f"{ROOT}/{path}", self._text(self.wild.anything()))
        if kind == 1:
            return self.request("body", "POST", f"{ROOT}/{path}", self._text(self.wild.deep(self.chance.choice((99,
                5000, 90_000)))))
        return self.request("body", "POST", f"{ROOT}/{path}", self._text(self.wild.of({"$ref": schema})))

    def near(self) -> Attack:
        """A good body with something wild in it."""
        path = self.chance.choice(list(GOOD))
        return self.request("near", "POST", f"{ROOT}/{path}", self._text(self.wild.near(*GOOD[path])))

    @staticmethod
    def _text(text: str) -> bytes:
        return text.encode("utf-8", "surrogatepass") or b" "

    def method(self) -> Attack:
        """Any method at all, its names plausible or absurd, its parameters and body grown from the document."""
        method = self.chance.choice(METHODS)
        path = "/compute/v1/" + method.path
        for name, param in method.params.items():
            if param.location == "path":
                known = {"project": "demo", "zone": "ch-gv2", "region": "ch", "instance": self.instance}
                value = known.get(name, "default") if self.chance.random() < 0.8 else self.wild.text()[:300]
                path = path.replace("{" + name + "}", quote(value, safe=""))
        names = [name for name, param in method.params.items() if param.location == "query"]
        chosen = self.chance.sample(names, min(len(names), self.chance.randrange(3)))
        query = "&".join(f"{name}={quote(self.wild.text()[:900], safe='')}" for name in chosen)
        body = self._text(self.wild.of({"$ref": method.request})) if method.request else b""
        return self.request("method", method.verb, f"{path}?{query}" if query else path, body)

    def fingerprint(self) -> Attack:
        """A change that names a version which never was."""
        text = self.chance.choice((self.wild.text(), "AAAAAAAAAAA=", "====", "AAAA" * 300, "-_-_", "42WmSpB8rSM=", "A"))
        verb, body = self.chance.choice((
            ("setMetadata", {"fingerprint": text, "items": [{"key": "k", "value": "v"}]}),
            ("setTags", {"fingerprint": text, "items": ["x"]}), ("setLabels", {"labelFingerprint": text,
                "labels": {"a": "b"}}),
        ))
        return self.request("fingerprint", "POST", f"{ROOT}/zones/ch-gv2/instances/{self.instance}/{verb}",
            json.dumps(body).encode())

    def page_token(self) -> Attack:
        """A page token that nobody gave out."""
        raw = self.chance.randbytes(self.chance.choice((0, 1, 11, 12, 13, 28, 60, 3000)))
        text = self.chance.choice((quote_from_bytes(raw, safe=""), raw.hex(), "A" * len(raw), "%00", "....",
            "eyJhIjoxfQ"))
        return self.request("page token", "GET", f"{ROOT}/zones?maxResults=1&pageToken={text}")

    def bearer(self) -> Attack:
        """A token that is none."""
        flipped = list(self.token)
        flipped[self.chance.randrange(len(flipped))] = self.chance.choice("aZ9-_")
        token = self.chance.choice((
            "", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "=" * 50, "\u00e9", "a" * 9000, self.token[:-1],
            self.token + "a",
            self.token.swapcase(), f"{self.token} {self.token}", "../../x", "' or 1=1 --", "eyJ" * 200 + ".a.b",
                ".." * 900, ".".join("abc"),
            "eyJhbGciOiJSUzI1NiIsImtpZCI6Ii4uLy4uL2V0Yy9wYXNzd2QifQ.e30.AA", "W10.W10.W10", "eyJhbGciOjF9.e30.AA",
            "".join(flipped) + "x",
        ))
        return self.request("bearer", self.chance.choice(("GET", "POST", "DELETE")), f"{ROOT}/zones", token=token)

    def form(self) -> Attack:
        """Nonsense to where tokens come from."""
        path = self.chance.choice(("/oauth2/token", "/token", "/oauth2/revoke", "/oauth2/introspect",
            "/oauth2/v1/tokeninfo",
                                   "/oauth2/auth", "/oauth2/v2/userinfo"))
        names = ("grant_type", "code", "redirect_uri", "client_id", "client_secret", "refresh_token", "assertion",
            "token",
                 "scope", "state", "csrf", "response_type", "code_verifier", "code_challenge", "access_token")
        grants = ("authorization_code", "refresh_token", "password", "client_credentials",
            "urn:ietf:params:oauth:grant-type:jwt-bearer")
        pairs = [(self.chance.choice(names), self.wild.text()) for _ in range(self.chance.randrange(8))]
        pairs.append(("grant_type", self.chance.choice(grants)))
        sent = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        kind = self.chance.choice(("application/x-www-form-urlencoded", "application/json", "text/plain",
            "multipart/form-data"))
        page = path == "/oauth2/auth"
        if self.chance.random() < 0.3:
            return self.request("form", "GET", f"{path}?{sent}", page=page)
        return self.request("form", "POST", path, sent.encode(), f"Content-Type: {kind}", json_body=False, page=page)

    def batch(self) -> Attack:
        """A batch in a batch, far too many parts, or no end."""
        boundary = self.chance.choice(("x", "a" * 200, "(.*)+", "'()+_,-./:=?", ""))
        inner = self.chance.choice((
            f"GET {ROOT}/zones/nowhere HTTP/1.1\r\n\r\n", "POST /batch/compute/v1 HTTP/1.1\r\n\r\n",
                "GET /batch HTTP/1.1\r\n\r\n", "",
            "GET", "GET \x00 HTTP/1.1\r\n\r\n", "BREW /compute/v1/ HTTP/1.1\r\n\r\n", "GET http://[ HTTP/1.1\r\n\r\n",
            ": : :\r\n\r\n",
            f"POST {ROOT}/global/networks HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{self.wild.anything()}",
            "GET https://evil.example/compute/v1/projects/demo/zones HTTP/1.1\r\n\r\n",
            "GET //[/compute/v1/ HTTP/1.1\r\n\r\n",
        ))
        count = self.chance.choice((0, 1, 2, 5, 1001) if self.chance.random() < 0.9 else (1000,))
        id = quote(self.wild.text()[:200]) if self.chance.random() < 0.5 else "1"
        part = f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <{id}>\r\n\r\n{inner}\r\n"
        end = self.chance.choice((f"--{boundary}--", f"--{boundary}--", "", "--"))
        kind = f'Content-Type: multipart/mixed; boundary="{boundary}"'
        path = self.chance.choice(("/batch", "/batch/compute/v1", "/batch/"))
        return self.request("batch", "POST", path, self._text(part * count + end), kind, json_body=False)

    def header(self) -> Attack:
        """A good request with a header that is not."""
        header = self.chance.choice(HEADERS)
        ends = header.startswith(("Transfer-Encoding", "Host: a b"))
        made = self.request("header", self.chance.choice(("GET", "POST")), f"{ROOT}/zones", b"{}", header)
        return Attack(made.kind, made.data, ends=ends)

    def line(self) -> Attack:
        """What is hardly HTTP."""
        return Attack("line", self.chance.choice(LINES) + b"\r\n\r\n", ends=True, page=True)

    def garbled(self) -> Attack:
        """A good request with some of its bytes changed, moved or gone."""
        data = bytearray(self.request("garbled", "GET", f"{ROOT}/zones").data)
        for _ in range(self.chance.randint(1, 4)):
            at = self.chance.randrange(len(data))
            change = self.chance.randrange(3)
            if change == 0:
                data[at] = self.chance.randrange(256)
            elif change == 1:
                del data[at : at + self.chance.randint(1, 8)]
            else:
                data[at:at] = self.chance.randbytes(self.chance.randint(1, 4))
        return Attack("garbled", bytes(data) + b"\r\n\r\n", ends=True, page=True)

    def chunk(self) -> Attack:
        """A chunked body that was put together wrongly."""
        head = f"POST {ROOT}/global/networks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n"
        head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        return Attack("chunk", head.encode() + self.chance.choice(CHUNKS), ends=True)

    def zipped(self) -> Attack:
        """A gzip that explodes, or is none."""
        plain = self.chance.choice((b"{}", b"[" * 100_000, b'{"name":"' + b"a" * 100_000, b"\0" * 1_000_000, BOMB))
        packed = zipped(plain)
        packed = self.chance.choice((packed, packed[:-3], packed + b"x", packed + packed, b"\x1f\x8b", packed[5:]))
        return self.request("gzip", "POST", f"{ROOT}/global/networks", packed, "Content-Encoding: gzip")


BOMB = b" " * 20_000_000


@functools.cache
def zipped(plain: bytes) -> bytes:
    """As gzip has it: made when it is sent first, not for everybody who loads this file."""
    return gzip.compress(plain, 1)
