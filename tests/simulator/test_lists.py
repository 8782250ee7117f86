"""The shapes of lists: empty, paged, past the end, capped; and the checks every command shares."""

from __future__ import annotations

import pytest

from gcelib.simulator import Settings
from tests.simulator.client import Caller, Refusal


def refused(code, call, command, **given):
    with pytest.raises(Refusal) as caught:
        call(command, **given)
    assert caught.value.code == caught.value.status == code
    return caught.value


def test_nothing_is_an_empty_object(demo):
    assert demo("listVirtualMachines") == {}
    assert demo("listVirtualMachines", page=1, pagesize=10) == {}


def test_a_page_past_the_end_has_a_count_and_no_rows(demo):
    count = demo("listServiceOfferings")["count"]
    assert demo("listServiceOfferings", page=5, pagesize=100) == {"count": count}


def test_the_count_is_the_total_and_pages_join_to_the_whole(demo):
    pages = [demo("listServiceOfferings", page=number, pagesize=4) for number in (1, 2, 3)]
    assert {page["count"] for page in pages} == {9}
    assert [len(page["serviceoffering"]) for page in pages] == [4, 4, 1]
    assert len({row["id"] for page in pages for row in page["serviceoffering"]}) == 9


@pytest.mark.parametrize("given", [
    {"page": 1}, {"pagesize": 10}, {"page": 1, "pagesize": 501}, {"pagesize": -1}, {"page": 1, "pagesize": -1},
    {"page": 0, "pagesize": 10}, {"page": "one", "pagesize": 10},
])  # fmt: skip
def test_a_window_that_makes_no_sense_is_a_431(demo, given):
    refused(431, demo, "listZones", **given)


def test_an_unpaged_list_stops_at_500_silently(simulate, session):
    demo = Caller(simulate(preload=520), "demo", session)
    whole = demo("listVirtualMachines")
    assert (whole["count"], len(whole["virtualmachine"])) == (520, 500)
    assert len(demo("listVirtualMachines", page=2, pagesize=500)["virtualmachine"]) == 20
    assert len(demo("listVirtualMachines", name="PRELOADED-7")["virtualmachine"]) == 1


def test_without_a_cap_minus_one_is_everything(simulate, session):
    demo = Caller(simulate(preload=30, settings=Settings(page_size=-1)), "demo", session)
    assert len(demo("listVirtualMachines", pagesize=-1)["virtualmachine"]) == 30


def test_a_missing_parameter_is_a_431_that_names_it(demo):
    assert "templatefilter" in str(refused(431, demo, "listTemplates"))
    assert refused(431, demo, "deployVirtualMachine").error["cserrorcode"] == 9999


def test_an_overlong_text_an_unknown_id_and_a_tab_are_431s(demo):
    refused(431, demo, "createSecurityGroup", name="n" * 256)
    refused(431, demo, "listVirtualMachines", id="00000000-0000-0000-0000-000000000000")
    refused(431, demo, "listVirtualMachines", zoneid="here")
    refused(431, demo, "createSecurityGroup", name="a\tb")


def test_a_badly_written_map_is_a_430(demo):
    refused(430, demo, "listVirtualMachines", **{"tags[x].key": "a"})


def test_unknown_parameters_are_ignored_and_a_repeated_one_counts_once(simulator, demo, session):
    assert demo("listZones", colour="blue")["count"] == 3
    sent = demo.parameters("listZones", name="CH-GV2")
    answer = session.get(simulator.url, params=[*sent.items(), ("name", "FR-SG1")])
    assert answer.json()["listzonesresponse"]["zone"][0]["name"] == "CH-GV2"


def test_the_content_type_and_dates_are_cloudstacks(demo):
    answer = demo.raw("listServiceOfferings")
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.json()["listserviceofferingsresponse"]["serviceoffering"][0]["created"].endswith("+0000")


def test_an_overlong_request_line_is_refused_by_the_web_server_not_in_json(demo):
    answer = demo.raw("listZones", keyword="k" * 9000)
    assert answer.status_code == 414
    assert "html" in answer.headers["Content-Type"]
    assert demo.raw("listZones", post=True, keyword="k" * 200).status_code == 200


def test_the_first_zone_holds_the_examples_sizes_and_images(demo):
    sizes = {row["name"]: (row["memory"], row["cpunumber"]) for row in demo.rows("listServiceOfferings")
             if not row["iscustomized"]}  # fmt: skip
    assert sizes == {
        "Micro": (512, 1), "Tiny": (1024, 1), "Small": (2048, 2), "Medium": (4096, 2), "Large": (8182, 4),
        "Extra-large": (16384, 4), "Huge": (32184, 8),
    }  # fmt: skip
    rows = demo.rows("listTemplates", templatefilter="executable", zoneid=demo.zone())
    assert len(rows) == 24
    assert len({row["id"] for row in rows}) == 24
    names = [row["name"] for row in rows]
    assert names.count("Linux Ubuntu 13.04 64-bit") == 5
    assert names.count("Windows Server 2012") == 4
    sizes_of = {row["displaytext"]: row["size"] >> 30 for row in rows}
    assert sizes_of["Linux CentOS 6.4 64-bit 10GB Disk"] == 10
    assert sizes_of["50"] == 50


def test_a_template_has_a_row_for_each_zone(demo):
    rows = demo.rows("listTemplates", templatefilter="featured", name="Debian 12")
    assert [row["zonename"] for row in rows] == ["DE-ADV1", "FR-SG1"]
    assert len({row["id"] for row in rows}) == 1
    assert len(demo.rows("listTemplates", templatefilter="featured", name="Debian 12", showunique="true")) == 1


def test_templates_that_are_not_ready_show_only_to_their_owner(demo, other):
    assert demo.rows("listTemplates", templatefilter="self")[0]["status"] == "37% Downloaded"
    assert not demo.rows("listTemplates", templatefilter="selfexecutable")
    assert not other.rows("listTemplates", templatefilter="self")
    refused(431, demo, "listTemplates", templatefilter="all")


def test_only_some_zones_can_be_asked_for(simulate, session):
    demo = Caller(simulate(zones=["CH-GV2"]), "demo", session)
    assert [row["networktype"] for row in demo.rows("listZones")] == ["Basic"]
    assert demo("listTemplates", templatefilter="executable")["count"] == 24
    with pytest.raises(ValueError, match="CH-GV2"):
        simulate(zones=["NOWHERE"])


def test_every_simulated_list_answers(demo):
    for api in demo.rows("listApis"):
        if api["name"].startswith("list") and not any(parameter["required"] for parameter in api["params"]):
            assert isinstance(demo(api["name"]), dict)
