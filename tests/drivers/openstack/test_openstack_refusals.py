"""What OpenStack's refusals and failures mean; its words are the real ones."""

from __future__ import annotations

import pytest
from recorded_cloud import MADE, Recorded

from gcelib.drivers.openstack.cloud import OpenStack
from gcelib.errors import (
    Exceeded,
    Exists,
    Fault,
    Forbidden,
    InUse,
    NoCapacity,
    NotReady,
    Refused,
    TooMany,
    Unavailable,
    Uncertain,
)

WORDS: list[tuple[int, str, type[Fault]]] = [
    (409, "Cannot 'stop' instance 1 while it is in vm_state stopped", NotReady),
    (409, "Cannot 'attach_volume' instance 1 while it is in task_state spawning", NotReady),
    (400, "Invalid volume: Volume status must be available or error, but current status is: in-use.", NotReady),
    (409, "Security group rule already exists. Rule id is 1.", Exists),
    (409, "Key pair 'gcelib-1' already exists.", Exists),
    (409, "Security Group 1 in use.", InUse),
    (409, "Unable to complete operation on network 1. There are one or more ports still in use on the network.", InUse),
    (409, "IP address 10.0.0.5 already allocated in subnet 2", InUse),
    (409, "Quota exceeded for resources: ['router'].", Exceeded),
    (403, "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances", Exceeded),
    (413, "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'.", Exceeded),
    (403, "Policy doesn't allow os_compute_api:servers:create to be performed.", Forbidden),
    (409, "No more IP addresses available on network 1.", NoCapacity),
    (409, "Multiple possible networks found, use a Network ID to be more specific.", Refused),
    (400, "The requested availability zone is not available", Refused),
    (503, "Service Unavailable", Unavailable),
    (500, "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log if "
     "possible.", Uncertain),
    (504, "Gateway Timeout", Uncertain),
    (429, "Too many requests", TooMany),
]


def asked(cloud: OpenStack) -> None:
    """A change that needs one answer."""
    cloud.submit("nodes", "rename", {"id": MADE["node"], "name": "x"}, "key")


@pytest.mark.parametrize(("status", "words", "kind"), WORDS)
def test_a_refusal_is_told_by_its_words(
    site: Recorded, cloud: OpenStack, status: int, words: str, kind: type[Fault]
) -> None:
    error = {"error": {"code": status, "message": words}}
    site.script = lambda method, path, body: (status, error) if method == "PUT" else None
    with pytest.raises(Fault) as raised:
        asked(cloud)
    assert type(raised.value) is kind
    assert "Cloud 'lab' (openstack)" in raised.value.message
    if kind is not TooMany:
        assert words[:60] in raised.value.message


def test_the_html_of_glance_and_of_proxies_is_read(site: Recorded, cloud: OpenStack) -> None:
    html = "<html><head><title>403 Forbidden</title></head><body><h1>403</h1>You are not permitted.</body></html>"
    site.script = lambda method, path, body: (403, html) if method == "PUT" else None
    with pytest.raises(Forbidden) as raised:
        asked(cloud)
    assert "You are not permitted." in raised.value.message
    assert "<" not in raised.value.message


def test_a_token_taken_back_is_replaced_once_and_nothing_is_done_twice(site: Recorded, cloud: OpenStack) -> None:
    cloud.sizes.list()
    site.valid = "token-2"
    site.script = lambda method, path, body: (200, {"server": {}}) if method == "PUT" else None
    asked(cloud)
    assert len(site.sent("PUT")) == 2
    assert site.given == 2


def test_a_password_never_comes_back_in_a_message(site: Recorded, cloud: OpenStack) -> None:
    site.script = lambda method, path, body: (400, {"badRequest": {"message": "it was 'a password nobody has'"}})
    with pytest.raises(Refused) as raised:
        asked(cloud)
    assert "a password nobody has" not in raised.value.message


def test_an_answer_that_is_no_list_is_an_outage_and_an_odd_row_none(site: Recorded, cloud: OpenStack) -> None:
    site.script = lambda method, path, body: (200, {"flavours": []}) if "flavors" in path else None
    with pytest.raises(Unavailable, match="no list 'flavors'"):
        cloud.sizes.list()
    odd = {"flavors": [{"id": "1", "ram": "much"}, {"ram": 512}, "none", {"id": "2", "ram": 512}, {"id": "2"}]}
    site.script = lambda method, path, body: (200, odd) if "flavors" in path else None
    assert [(size.id, size.ram_mb) for size in cloud.sizes.list()] == [("1", 0), ("2", 512)]


def test_an_outage_of_one_service_is_told_by_its_name(site: Recorded, cloud: OpenStack) -> None:
    site.script = lambda method, path, body: (503, {"message": "down"}) if path.startswith("volume") else None
    with pytest.raises(Unavailable, match="GET volume /volumes/detail"):
        cloud.volumes.list()
    assert cloud.nodes.list()
