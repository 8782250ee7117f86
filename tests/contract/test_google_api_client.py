"""google-api-python-client, with Google's document and with the one served; every answer is checked against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from tests.contract import google_libraries
from tests.live import Live

ZONE = {"project": "demo", "zone": "ch-gv2"}
IMAGE = "projects/demo/global/images/linux-centos-6-4-64-bit-10gb"
BODY = {
    "machineType": "zones/ch-gv2/machineTypes/micro",
    "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": IMAGE}}],
    "networkInterfaces": [{"network": "global/networks/default"}],
}


DOCUMENTS = {"Googles document": google_libraries.api, "our document": google_libraries.served}


@pytest.fixture(scope="module", params=list(DOCUMENTS.values()), ids=list(DOCUMENTS))
def service(plain: Live, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The service object, made from either document."""
    make: Callable[[Live], Any] = request.param
    with make(plain) as made:
        yield made


def done(service: Any, operation: dict[str, Any]) -> dict[str, Any]:
    """The operation at its end, which must be a good one."""
    names = {"project": "demo", "operation": operation["name"]}
    while operation["status"] != "DONE":
        if "zone" in operation:
            operation = service.zoneOperations().wait(**names, zone="ch-gv2").execute()
        else:
            operation = service.globalOperations().wait(**names).execute()
    assert "error" not in operation, operation
    return operation


def test_a_machine_from_making_to_deleting(service: Any) -> None:
    machines = service.instances()
    done(service, machines.insert(**ZONE, body={"name": "by-api", **BODY}).execute())
    assert machines.get(**ZONE, instance="by-api").execute()["status"] == "RUNNING"
    done(service, machines.stop(**ZONE, instance="by-api").execute())
    assert machines.list(**ZONE, filter="status eq TERMINATED").execute()["items"][0]["name"] == "by-api"
    found = machines.aggregatedList(project="demo").execute()["items"]
    assert [item["name"] for item in found["zones/ch-gv2"]["instances"]] == ["by-api"]
    done(service, machines.delete(**ZONE, instance="by-api").execute())
    assert "items" not in machines.list(**ZONE).execute()


def test_list_next_walks_to_the_end(service: Any) -> None:
    names: list[str] = []
    request = service.images().list(project="demo", maxResults=10)
    while request is not None:
        answer = request.execute()
        names += [image["name"] for image in answer["items"]]
        request = service.images().list_next(request, answer)
    assert len(names) == len(set(names)) == 28


def test_fields_order_and_filter(service: Any) -> None:
    answer = service.machineTypes().list(**ZONE, fields="items(name,guestCpus),nextPageToken", maxResults=2,
                                         orderBy="name").execute()
    assert answer["items"] == [{"name": "extra-large", "guestCpus": 4}, {"name": "huge", "guestCpus": 8}]
    assert set(answer) == {"items", "nextPageToken"}
    newest = service.zoneOperations().list(**ZONE, orderBy="creationTimestamp desc").execute().get("items", [])
    assert [each["insertTime"] for each in newest] == sorted((each["insertTime"] for each in newest), reverse=True)
    old = service.images().list(project="demo", filter='name eq ".*debian-1[0-9]"').execute()["items"]
    assert [image["name"] for image in old] == ["debian-12", "debian-13"]
    new = service.images().list(project="demo", filter='name = "debian-12" OR name:windows-server-2012').execute()
    assert len(new["items"]) == 5


def test_a_query_too_long_for_an_address_is_sent_as_a_form(service: Any) -> None:
    names = "|".join(["debian-12", *(f"no-such-image-{number}" for number in range(200))])
    request = service.images().list(project="demo", filter=f"name eq {names}")
    assert len(request.uri) > 2048
    assert [image["name"] for image in request.execute()["items"]] == ["debian-12"]


def test_a_batch_answers_each_part_for_itself(service: Any, plain: Live) -> None:
    answers: dict[str, Any] = {}
    errors: dict[str, int] = {}

    def keep(id: str, answer: Any, error: HttpError | None) -> None:
        if error is None:
            answers[id] = answer
        else:
            errors[id] = error.resp.status

    batch = BatchHttpRequest(callback=keep, batch_uri=f"{plain.url}/batch/compute/v1")
    batch.add(service.zones().get(project="demo", zone="fr-sg1"), request_id="zone")
    batch.add(service.instances().get(**ZONE, instance="nobody"), request_id="nobody")
    batch.add(service.projects().get(project="demo"), request_id="project")
    batch.execute(http=service._http)
    assert (answers["zone"]["name"], answers["project"]["name"]) == ("fr-sg1", "demo")
    assert errors == {"nobody": 404}


def test_an_error_says_what_is_wrong(service: Any) -> None:
    with pytest.raises(HttpError) as caught:
        service.zones().get(project="demo", zone="nowhere").execute()
    assert caught.value.status_code == 404
    assert caught.value.reason == "The resource 'projects/demo/zones/nowhere' was not found"
    assert caught.value.error_details[0]["reason"] == "notFound"
    with pytest.raises(HttpError) as caught:
        service.zones().list(project="demo", filter="name eq (").execute()
    assert (caught.value.status_code, caught.value.error_details[0]["reason"]) == (400, "invalid")


def test_over_tls(secure: Live) -> None:
    for make in DOCUMENTS.values():
        with make(secure) as service:
            zones = service.zones().list(project="demo").execute()["items"]
        assert [zone["name"] for zone in zones] == ["ch-gv2", "de-adv1", "fr-sg1"]
        assert zones[0]["selfLink"].startswith(f"{secure.url}/compute/v1/")


def test_the_served_document_names_what_is_offered_and_no_more(plain: Live) -> None:
    with google_libraries.served(plain) as service:
        assert {"instances", "zones", "zoneOperations", "firewalls", "images"} <= set(dir(service))
        assert not hasattr(service, "interconnects")
