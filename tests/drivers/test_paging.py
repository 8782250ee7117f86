"""Lists as a whole: pages, caps, rows that come and go, rows that are bad."""

from __future__ import annotations

import threading

import pytest
from cloud_stub import refusal

from gcelib.drivers import deadline
from gcelib.drivers.cloudstack import records, wire
from gcelib.errors import Fault, Refused, Unavailable
from gcelib.models import NodeState


def vms(count, first=0):
    return [{"id": f"vm-{number}", "name": f"n{number}", "state": "Running"} for number in range(first, count)]


def paged(rows_now, *, cap=500, count=True, calls=None):
    """A cloud that pages what `rows_now(number of the call)` gives; `cap` is its largest page."""

    def script(command, params):
        if command == "listCapabilities":
            return {"capability": {"defaultuipagesize": 20}}
        number = len(calls) if calls is not None else 0
        if calls is not None:
            calls.append(params)
        page, size = int(params["page"]), int(params["pagesize"])
        if size > cap:
            return refusal(command, 431, "the page size is over the limit")
        rows = rows_now(number)
        chunk = rows[(page - 1) * size : page * size]
        return ({"count": len(rows)} if count else {}) | ({"virtualmachine": chunk} if chunk else {})

    return script


def names(client):
    return [row.name for row in client.rows("listVirtualMachines", "virtualmachine", records.VmRow)]


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize("total", [0, 1, 499, 500, 501, 1000, 1203])
def test_every_row_of_every_page_comes_once(stub, client_of, total, count):
    cloud = stub(paged(lambda call: vms(total), count=count))
    assert names(client_of(cloud.url)) == [f"n{number}" for number in range(total)]


def test_1203_machines_take_three_calls(stub, client_of):
    calls = []
    cloud = stub(paged(lambda call: vms(1203), calls=calls))
    assert len(names(client_of(cloud.url))) == 1203
    assert sorted((call["page"], call["pagesize"]) for call in calls) == [("1", "500"), ("2", "500"), ("3", "500")]


def test_as_many_pages_as_are_needed_are_fetched_side_by_side_and_one_connection_is_left(stub, client_of):
    under_way, most, lock, full = [0], [0], threading.Lock(), threading.Event()
    listed = paged(lambda call: vms(5000))

    def script(command, params):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        if most[0] == 7:
            full.set()
        if params["page"] != "1":
            assert full.wait(10)
        answer = listed(command, params)
        with lock:
            under_way[0] -= 1
        return answer

    cloud = stub(script)
    assert names(client_of(cloud.url, size=8)) == [f"n{number}" for number in range(5000)]
    assert sorted(int(params["page"]) for _, _, params in cloud.calls) == list(range(1, 11))
    assert most[0] == 7


def test_the_pages_after_the_first_are_asked_for_before_that_one_is_read(stub, client_of):
    asked, listed = threading.Event(), paged(lambda call: vms(900))

    def script(command, params):
        if params["page"] == "2":
            asked.set()
        return listed(command, params)

    def make(row):
        assert asked.wait(10)
        return row.name

    client = client_of(stub(script).url)
    found = client.made("listVirtualMachines", "virtualmachine", records.VmRow, make)
    assert found == [f"n{number}" for number in range(900)]


def test_a_first_page_that_cannot_be_read_fails_the_list(stub, client_of):
    cloud = stub(lambda command, params: {"count": 900, "virtualmachine": 5})
    with pytest.raises(Unavailable, match="not a list"):
        names(client_of(cloud.url))


def test_one_connection_fetches_one_page_at_a_time(stub, client_of):
    cloud = stub(paged(lambda call: vms(1700)))
    assert names(client_of(cloud.url, size=1)) == [f"n{number}" for number in range(1700)]
    assert [params["page"] for _, _, params in cloud.calls] == ["1", "2", "3", "4"]


def test_a_page_that_fails_fails_the_list_and_no_more_are_asked_for(stub, client_of):
    listed = paged(lambda call: vms(20000))
    cloud = stub(lambda command, params: refusal(command, 530, "broken") if params["page"] == "3" else listed(
        command, params))
    with pytest.raises(Fault, match="broken"):
        names(client_of(cloud.url))
    assert len(cloud.calls) < 20


def test_pages_keep_to_the_time_that_their_request_may_take(stub, client_of):
    held, listed = threading.Event(), paged(lambda call: vms(2000))

    def script(command, params):
        if params["page"] == "3":
            held.wait(10)
        return listed(command, params)

    client = client_of(stub(script).url)
    try:
        with deadline.within(1.0), pytest.raises(Unavailable):
            names(client)
    finally:
        held.set()


@pytest.mark.parametrize("told", [
    lambda rows, chunk: len(chunk), lambda rows, chunk: len(rows) - 200, lambda rows, chunk: 7,
    lambda rows, chunk: len(rows) + 700,
], ids=["of the page", "too few", "far too few", "too many"])
def test_a_wrong_count_hides_no_row(stub, client_of, told):
    rows = vms(1703)

    def script(command, params):
        page, size = int(params["page"]), int(params["pagesize"])
        chunk = rows[(page - 1) * size : page * size]
        return {"count": told(rows, chunk), **({"virtualmachine": chunk} if chunk else {})}

    cloud = stub(script)
    assert names(client_of(cloud.url)) == [f"n{number}" for number in range(1703)]
    assert len(cloud.calls) < 24


@pytest.mark.parametrize("vanish", [3, 5, 8])
def test_rows_that_vanish_while_pages_come_side_by_side_hide_no_other(stub, client_of, vanish):
    calls = []
    cloud = stub(paged(lambda call: vms(5000) if call < vanish else vms(5000, first=2), calls=calls))
    found = names(client_of(cloud.url))
    assert len(found) == len(set(found))
    assert set(found) >= {f"n{number}" for number in range(2, 5000)}


@pytest.mark.parametrize("cap", [499, 100, 20])
def test_a_cloud_with_a_lower_cap_is_asked_for_smaller_pages_and_that_is_remembered(stub, client_of, cap):
    cloud = stub(paged(lambda call: vms(230), cap=cap))
    client = client_of(cloud.url)
    assert len(names(client)) == 230
    before = len(cloud.calls)
    assert len(names(client)) == 230
    assert {params["pagesize"] for _, _, params in cloud.calls[before:]} == {str(max(
        size for size in (200, 100, 50, 20) if size <= cap))}


def test_a_list_that_is_refused_for_another_reason_says_so(stub, client_of):
    cloud = stub(lambda command, params: refusal(command, 431, "no such zone"))
    with pytest.raises((Refused, Unavailable), match="no such zone"):
        names(client_of(cloud.url))


def test_a_row_that_vanishes_between_two_pages_hides_no_other(stub, client_of):
    calls = []
    cloud = stub(paged(lambda call: vms(1100) if call == 0 else vms(1100, first=1), calls=calls))
    assert set(names(client_of(cloud.url))) == {f"n{number}" for number in range(1, 1100)}


def test_a_row_that_appears_between_two_pages_is_not_doubled(stub, client_of):
    calls = []
    cloud = stub(paged(lambda call: vms(1100) if call == 0 else [{"id": "new", "name": "new"}, *vms(1100)],
                       calls=calls))
    found = names(client_of(cloud.url))
    assert len(found) == len(set(found))
    assert set(found) >= {f"n{number}" for number in range(1100)}


def test_a_cloud_that_ignores_the_page_number_is_not_asked_for_ever(stub, client_of):
    cloud = stub(lambda command, params: {"count": 5000, "virtualmachine": vms(500)})
    assert len(names(client_of(cloud.url))) == 500
    assert len(cloud.calls) < 14


def test_one_bad_row_leaves_the_rest_standing(stub, cloud_of, caplog):
    rows = [
        {"id": "1", "name": "good", "state": "Running", "memory": "512", "cpunumber": 2},
        "not a row",
        {"name": "no id"},
        {"id": "2", "name": 7, "state": "Levitating", "nic": "none", "memory": {"a": 1}, "tags": None},
        {"id": "3", "name": "half", "state": "Stopped", "nic": [{"ipaddress": "10.0.0.1"}, 5, {"type": []}]},
        None,
    ]

    def script(command, params):
        return {"virtualmachine": rows, "count": 6} if command == "listVirtualMachines" else {}

    found = cloud_of(stub(script).url).nodes.list()
    assert [(node.id, node.name, node.state) for node in found] == [
        ("1", "good", NodeState.RUNNING), ("2", "7", NodeState.RUNNING), ("3", "half", NodeState.STOPPED),
    ]
    assert found[0].ram_mb == 512
    assert "Levitating" in found[1].state_text
    assert [nic.ip for nic in found[2].nics] == ["10.0.0.1", ""]
    assert "left out" in caplog.text


@pytest.mark.parametrize("rows", [{}, 5, "text", {"a": []}])
def test_a_list_that_is_no_list_is_unavailable(stub, client_of, rows):
    cloud = stub(lambda command, params: {"count": 1, "virtualmachine": rows})
    with pytest.raises(Unavailable, match="not a list"):
        names(client_of(cloud.url))


@pytest.mark.parametrize("fields", [{}, {"count": 0}, {"virtualmachine": None}, {"virtualmachine": []}])
def test_every_shape_of_an_empty_list_is_empty(stub, client_of, fields):
    assert names(client_of(stub(lambda command, params: fields).url)) == []


@pytest.mark.parametrize("state", ["Destroyed", "Expunging"])
def test_destroyed_machines_are_hidden(stub, cloud_of, state):
    cloud = cloud_of(stub(lambda command, params: {"virtualmachine": [{"id": "1", "state": state}]}).url)
    assert cloud.nodes.list() == []


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2013-10-13T21:41:27+0200", "2013-10-13T19:41:27+00:00"),
        ("2013-10-13T21:41:27Z", "2013-10-13T21:41:27+00:00"),
        ("2013-10-13T21:41:27", "2013-10-13T21:41:27+00:00"),
    ],
)
def test_times_of_the_cloud_become_utc(text, iso):
    assert wire.time_of(text).isoformat() == iso


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01T00:00:00+2359", "2013-13-13T00:00:00Z"])
def test_texts_that_are_no_time_are_none(text):
    assert wire.time_of(text) is None
