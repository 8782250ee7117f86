"""The one table inward: everything libcloud, requests and sockets raise has its fault."""

from __future__ import annotations

import socket
import ssl
from types import SimpleNamespace

import pytest
import requests
from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError, ProviderError
from libcloud.compute.types import KeyPairDoesNotExistError
from urllib3.exceptions import MaxRetryError, NewConnectionError

from gcelib.drivers import faults
from gcelib.drivers.faults import At, Garbled, Refusal, Strange, name
from gcelib.drivers.redaction import redact
from gcelib.errors import (
    Bug,
    Exceeded,
    Exists,
    Fault,
    Forbidden,
    InUse,
    NoCapacity,
    NotFound,
    Refused,
    TooMany,
    Unavailable,
    Uncertain,
    Unsupported,
)

AT = At("gva", "cloudstack", ("the-secret-key", "the-api-key"))
REFUSED = requests.exceptions.ConnectionError(
    MaxRetryError(None, "/client/api?apiKey=the-api-key&signature=abc", NewConnectionError(None, "refused"))
)
UNTRUSTED = requests.exceptions.SSLError(
    MaxRetryError(None, "/", ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED"))
)

ROWS = [
    (Refusal(400, "w", "c"), Refused, Refused),
    (Refusal(401, "w", "c"), Forbidden, Forbidden),
    (Refusal(429, "w", "c"), TooMany, TooMany),
    (Refusal(430, "w", "c"), Refused, Refused),
    (Refusal(431, "w", "c"), Refused, Refused),
    (Refusal(432, "w", "c"), Unsupported, Unsupported),
    (Refusal(503, "w", "c"), Unavailable, Unavailable),
    (Refusal(511, "w", "c"), Unavailable, Unavailable),
    (Refusal(530, "w", "c"), Unavailable, Refused),
    (Refusal(531, "w", "c"), Forbidden, Forbidden),
    (Refusal(532, "w", "c"), Exceeded, Exceeded),
    (Refusal(533, "w", "c"), NoCapacity, NoCapacity),
    (Refusal(534, "w", "c"), Unavailable, Unavailable),
    (Refusal(535, "w", "c"), Exceeded, Exceeded),
    (Refusal(536, "w", "c"), InUse, InUse),
    (Refusal(537, "w", "c"), Refused, Refused),
    (Refusal(539, "w", "c"), Unavailable, Unavailable),
    (Refusal(418, "w", "c"), Refused, Refused),
    (Garbled("html"), Strange, Uncertain),
    (Garbled("html", refused=True), Strange, Strange),
    (InvalidCredsError("no"), Forbidden, Forbidden),
    (ProviderError("w", 431), Refused, Refused),
    (ProviderError("w", 503), Unavailable, Unavailable),
    (MalformedResponseError("bad", body="<html>"), Strange, Uncertain),
    (LibcloudError("no"), Refused, Refused),
    (KeyPairDoesNotExistError("k", SimpleNamespace(name="any")), NotFound, NotFound),
    (RateLimitReachedError(headers={"retry-after": "7"}), TooMany, TooMany),
    (BaseHTTPError(403, "no"), Forbidden, Forbidden),
    (BaseHTTPError(404, "no"), NotFound, NotFound),
    (BaseHTTPError(409, "no"), Exists, Exists),
    (BaseHTTPError(500, "no"), Unavailable, Unavailable),
    (NotImplementedError(), Unsupported, Unsupported),
    (requests.exceptions.ConnectTimeout(), Unavailable, Unavailable),
    (requests.exceptions.ReadTimeout(), Unavailable, Uncertain),
    (requests.exceptions.ChunkedEncodingError(), Unavailable, Uncertain),
    (requests.exceptions.ContentDecodingError(), Unavailable, Uncertain),
    (requests.exceptions.SSLError("handshake"), Unavailable, Uncertain),
    (UNTRUSTED, Unavailable, Unavailable),
    (REFUSED, Unavailable, Unavailable),
    (requests.exceptions.ConnectionError("aborted"), Unavailable, Uncertain),
    (ConnectionResetError(), Unavailable, Uncertain),
    (TimeoutError(), Unavailable, Uncertain),
    (socket.gaierror(-2, "unknown"), Unavailable, Uncertain),
    (ssl.SSLError("x"), Unavailable, Uncertain),
    (KeyError("virtualmachine"), Unavailable, Uncertain),
    (IndexError(), Unavailable, Uncertain),
    (TypeError(), Unavailable, Uncertain),
    (AttributeError(), Unavailable, Uncertain),
    (ValueError(), Unavailable, Uncertain),
    (RecursionError(), Unavailable, Uncertain),
    (Exception("job failed"), Unavailable, Refused),
    (RuntimeError(), Bug, Bug),
]


@pytest.mark.parametrize(("exc", "read", "write"), ROWS, ids=[type(row[0]).__name__ for row in ROWS])
def test_every_row_of_the_table(exc, read, write):
    for kind, writes in ((read, False), (write, True)):
        fault = name(exc, AT, "deployVirtualMachine", writes=writes)
        assert type(fault) is kind
        assert "Cloud 'gva' (cloudstack)" in fault.message
        assert "deployVirtualMachine" in fault.message
        assert "the-api-key" not in fault.message
        if isinstance(fault, Unavailable | TooMany):
            assert fault.retry_after > 0


def test_the_table_of_codes_is_all_tried_here():
    tried = {row[0].code for row in ROWS if isinstance(row[0], Refusal | BaseHTTPError)}
    assert set(faults.CODES) - tried <= {405, 413, 422, 501}


def test_a_fault_stays_what_it_is():
    fault = Exists("taken")
    assert name(fault, AT, "x", writes=True) is fault


def test_the_clouds_wait_is_kept():
    assert name(RateLimitReachedError(headers={"retry-after": "7"}), AT, "x", writes=False).retry_after == 7


@pytest.mark.parametrize(
    "text",
    [
        "GET /client/api?command=x&apiKey=SECRETabc&signature=SECRET%3D&response=json",
        "Authorization: Bearer SECRET.token",
        "X-Auth-Token: SECRET",
        '{"password": "SECRET", "x": 1}',
        "secretkey=SECRET, more",
        "sessionkey=SECRET",
        "it said the-secret-key aloud",
    ],
)
def test_secrets_are_cut_out_of_every_text(text):
    clean = redact(text, AT.secrets)
    assert "SECRET" not in clean
    assert "the-secret-key" not in clean
    assert "[hidden]" in clean


def test_ordinary_words_are_left_alone():
    words = "The vm with hostName web-1 already exists in the network domain: cs.internal"
    assert redact(words) == words


def test_where_it_happened_does_not_print_its_secrets():
    assert "the-secret-key" not in f"{AT!r} {AT}"


def test_the_clouds_code_is_told_of_its_own_refusals_only():
    assert faults.cloud_code(name(Refusal(431, "w", "c"), AT, "c", writes=True)) == 431
    assert faults.cloud_code(name(ConnectionResetError(), AT, "c", writes=True)) == 0
    assert isinstance(name(Refusal(431, "w", "c"), AT, "c", writes=True), Fault)


class Theirs(Exception):
    """A driver's own exception; `code` as some have it."""

    def __init__(self, words: str, code: object = None) -> None:
        super().__init__(words)
        self.code = code


def raised(exc: BaseException) -> BaseException:
    """The exception with a traceback that ends outside gcelib."""
    try:
        raise exc
    except BaseException as found:
        return found


@pytest.mark.parametrize(("exc", "read", "write"), [
    (Theirs("no such plan"), Unavailable, Refused),
    (Theirs("no such thing", 404), NotFound, NotFound),
    (Theirs("busy", "503"), Unavailable, Unavailable),
    (Theirs("odd", "E_17"), Unavailable, Refused),
    (RuntimeError("broke"), Unavailable, Uncertain),
    (AssertionError(), Unavailable, Uncertain),
    (SystemExit(2), Unavailable, Uncertain),
    (BaseHTTPError(None, "no"), Unavailable, Unavailable),
])
def test_what_a_driver_raises_for_itself_is_no_mistake_of_ours(exc, read, write):
    for kind, writes in ((read, False), (write, True)):
        assert type(name(raised(exc), AT, "create_node", writes=writes)) is kind


def test_a_wait_may_be_a_number_a_date_or_in_a_header():
    waits = {"7": 7, "7.5": 7, "Wed, 21 Oct 2026 07:28:00 GMT": 5, "99999999": 600}
    for said, seconds in waits.items():
        assert name(BaseHTTPError(429, "w", {"Retry-After": said}), AT, "x", writes=False).retry_after == seconds
