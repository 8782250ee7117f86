"""Remembered lists: kept for their time, dropped by our writes, never stale, asked once at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from gcelib.drivers.base import FACETS, Traits
from gcelib.drivers.layers import Remember
from gcelib.drivers.lists import Lists, fresh, lifetime
from gcelib.errors import Exceeded, Unavailable
from gcelib.models import Job, JobState, Network, Node, NodeState
from gcelib.store.generations import EVERYTHING

SECONDS = {"zones": 3600, "sizes": 600, "images": 300, "nodes": 5, "other": 10}
RUNNING = Job(JobState.RUNNING, token="t", target="n1")


class Facet:
    """Counts how often it is asked; `gate` holds an answer back."""

    def __init__(self, cloud):
        self.cloud, self.asked, self.rows, self.fault, self.gate = cloud, 0, [], None, None
        self.begun = threading.Event()

    def list(self):
        self.asked += 1
        rows = list(self.rows)
        self.begun.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        return rows

    types = list

    def find(self, name):
        self.asked += 1
        return [row for row in self.rows if row.name == name]

    def start(self, *, key, **args):
        raise AssertionError("writes go through submit")


class Cloud:
    """A cloud in memory whose one machine list a write changes."""

    name, provider = "gva", "cloudstack"
    traits = Traits()

    def __init__(self):
        for facet in FACETS:
            setattr(self, facet, None if facet == "balancers" else Facet(self))
        self.fault, self.polled = None, RUNNING

    def abilities(self):
        return {"nodes": frozenset({"list", "find", "create", "start"}), "volumes": frozenset({"list", "types"})}

    def submit(self, facet, verb, args, key):
        self.nodes.rows.append(node(f"made-{len(self.nodes.rows)}"))
        if self.fault:
            raise self.fault
        return RUNNING

    def seek(self, facet, verb, args, key):
        return None

    def poll(self, job):
        return self.polled


def node(name, state=NodeState.RUNNING, busy=False):
    return Node(id=name, name=name, state=state, zone_id="z", busy=busy)


@pytest.fixture
def made():
    now = [0.0]
    cloud = Cloud()
    return cloud, Remember(cloud, SECONDS, clock=lambda: now[0]), now


@pytest.mark.parametrize(("facet", "seconds"), [
    ("zones", 3600), ("sizes", 600), ("images", 300), ("nodes", 5), ("volumes", 10), ("quotas", 10),
])  # fmt: skip
def test_a_list_is_kept_for_its_time_and_no_longer(made, facet, seconds):
    cloud, remembering, now = made
    for moment, asked in ((0, 1), (seconds - 0.1, 1), (seconds + 0.1, 2)):
        now[0] = moment
        getattr(remembering, facet).list()
        assert getattr(cloud, facet).asked == asked


def test_zero_seconds_turn_it_off():
    cloud = Cloud()
    remembering = Remember(cloud, {"nodes": 0})
    remembering.nodes.list()
    remembering.nodes.list()
    remembering.volumes.list()
    remembering.volumes.list()
    assert (cloud.nodes.asked, cloud.volumes.asked) == (2, 2)


@pytest.mark.parametrize(
    "changing", [node("a", NodeState.STAGING), node("a", NodeState.STOPPING), node("a", busy=True)]
)
def test_a_list_with_a_changing_machine_is_kept_for_a_second_only(made, changing):
    cloud, remembering, now = made
    cloud.nodes.rows = [node("b"), changing]
    remembering.nodes.list()
    now[0] = 0.9
    remembering.nodes.list()
    assert cloud.nodes.asked == 1
    now[0] = 1.1
    remembering.nodes.list()
    assert cloud.nodes.asked == 2


def test_what_a_client_created_it_sees_at_once(made):
    _cloud, remembering, _ = made
    assert remembering.nodes.list() == ()
    remembering.submit("nodes", "create", {}, "k")
    assert [row.name for row in remembering.nodes.list()] == ["made-0"]
    remembering.nodes.start(key="k", id="made-0")
    assert len(remembering.nodes.list()) == 2


@pytest.mark.parametrize("fault", [Unavailable("lost"), Exceeded("quota"), ValueError("ours")])
def test_a_write_that_failed_is_forgotten_about_too(made, fault):
    cloud, remembering, _ = made
    remembering.nodes.list()
    cloud.fault = fault
    with pytest.raises(type(fault)):
        remembering.submit("nodes", "create", {}, "k")
    assert len(remembering.nodes.list()) == 1


def test_a_write_leaves_zones_sizes_and_images_and_drops_all_that_moves(made):
    cloud, remembering, _ = made
    for _ in range(2):
        for facet in FACETS:
            if facet != "balancers":
                getattr(remembering, facet).list()
        remembering.submit("nodes", "create", {}, "k")
    counts = {facet: getattr(cloud, facet).asked for facet in FACETS if facet != "balancers"}
    assert {facet for facet, asked in counts.items() if asked == 1} == {"zones", "sizes", "images"}


def test_tags_on_an_image_drop_the_images_too(made):
    cloud, remembering, _ = made
    remembering.images.list()
    remembering.submit("tags", "set", {"kind": "image"}, "k")
    remembering.images.list()
    assert cloud.images.asked == 2


@pytest.mark.parametrize("end", [JobState.DONE, JobState.FAILED])
def test_the_end_of_a_job_drops_what_it_changed(made, end):
    cloud, remembering, _ = made
    job = remembering.submit("nodes", "create", {}, "k")
    remembering.nodes.list()
    remembering.poll(job)
    remembering.nodes.list()
    assert cloud.nodes.asked == 1
    cloud.polled = replace(job, state=end, token="")
    remembering.poll(job)
    remembering.nodes.list()
    assert cloud.nodes.asked == 2


def test_the_end_of_a_job_begun_elsewhere_drops_images_too(made):
    cloud, remembering, _ = made
    remembering.images.list()
    cloud.polled = Job(JobState.DONE)
    remembering.poll(Job(JobState.RUNNING, token="from before a restart"))
    remembering.images.list()
    assert cloud.images.asked == 2


def test_a_list_begun_before_a_write_is_never_kept(made):
    cloud, remembering, _ = made
    cloud.nodes.gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(remembering.nodes.list)
        assert cloud.nodes.begun.wait(10)
        remembering.submit("nodes", "create", {}, "k")
        cloud.nodes.gate.set()
        assert early.result(10) == ()
    assert len(remembering.nodes.list()) == 1
    assert cloud.nodes.asked == 2


def test_a_reader_after_a_write_does_not_wait_for_a_list_begun_before_it(made):
    cloud, remembering, _ = made
    slow = cloud.nodes.gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(remembering.nodes.list)
        assert cloud.nodes.begun.wait(10)
        cloud.nodes.gate = None
        remembering.submit("nodes", "create", {}, "k")
        assert len(remembering.nodes.list()) == 1
        slow.set()
        early.result(10)
    assert len(remembering.nodes.list()) == 1


def test_many_readers_at_once_ask_the_cloud_once_and_share_its_failure(made):
    cloud, remembering, _ = made
    for fault in (None, Unavailable("down", retry_after=9)):
        cloud.nodes.gate, cloud.nodes.fault, cloud.nodes.asked = threading.Event(), fault, 0
        remembering.drop()
        with ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(remembering.nodes.list) for _ in range(8)]
            assert cloud.nodes.begun.wait(10)
            cloud.nodes.gate.set()
            outcomes = [each.exception(10) for each in asking]
        if fault is None:
            assert (cloud.nodes.asked, outcomes) == (1, [None] * 8)
        else:
            assert {(type(each), each.message, each.retry_after) for each in outcomes} == {(Unavailable, "down", 9)}


def test_a_list_that_says_the_same_as_before_is_the_same(made):
    cloud, remembering, now = made
    cloud.nodes.rows = [node("a"), node("b")]
    first = remembering.nodes.list()
    now[0] = 6
    cloud.nodes.rows = [node("a"), node("b")]
    assert remembering.nodes.list() is first
    remembering.drop()
    assert remembering.nodes.list() is first
    cloud.nodes.rows = [node("a"), node("b", NodeState.STOPPED)]
    with fresh():
        assert remembering.nodes.list()[1].state is NodeState.STOPPED
    assert cloud.nodes.asked == 4


def test_a_failure_is_not_remembered(made):
    cloud, remembering, _ = made
    cloud.nodes.fault = Unavailable("down")
    with pytest.raises(Unavailable):
        remembering.nodes.list()
    cloud.nodes.fault = None
    assert remembering.nodes.list() == ()


def test_two_facets_are_asked_side_by_side(made):
    cloud, remembering, _ = made
    cloud.nodes.gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(remembering.nodes.list)
        assert cloud.nodes.begun.wait(10)
        assert remembering.volumes.list() == ()
        cloud.nodes.gate.set()
        slow.result(10)


def test_fresh_asks_anew_and_remembers_the_answer(made):
    cloud, remembering, _ = made
    remembering.nodes.list()
    cloud.nodes.rows = [node("a")]
    with fresh():
        assert len(remembering.nodes.list()) == 1
    assert len(remembering.nodes.list()) == 1
    assert cloud.nodes.asked == 2


def test_what_is_asked_anew_is_kept_whatever_else_of_its_facet_is_asked_anew_meanwhile():
    lists = Lists()
    lists.get("volumes", "list", 60, lambda: ["old"])

    def ask():
        assert lists.get("volumes", "types", 60, lambda: ["type"]) == ("type",)
        return ["new"]

    with fresh():
        assert lists.get("volumes", "list", 60, ask) == ("new",)
    assert (lists.kept("volumes", "list"), lists.kept("volumes", "types")) == (("new",), ("type",))


@pytest.mark.parametrize(("name", "rows", "kept"), [
    ("a", [node("a"), node("b", NodeState.STOPPED)], True), ("a", [node("a", NodeState.STOPPED), node("b")], False),
    ("a", [node("b")], False), ("c", [node("a"), node("b"), node("c")], False), ("c", [], True),
])
def test_a_list_that_what_was_found_later_contradicts_is_dropped(made, name, rows, kept):
    cloud, remembering, _ = made
    cloud.nodes.rows = [node("a"), node("b")]
    whole = remembering.nodes.list()
    cloud.nodes.rows = rows
    remembering.nodes.find(name)
    assert remembering.lists.kept("nodes", "list") is (whole if kept else None)


def test_an_earlier_answer_that_comes_later_is_not_kept():
    lists = Lists()

    def ask():
        with fresh():
            assert lists.get("nodes", "list", 60, lambda: ["newer"]) == ("newer",)
        return ["old"]

    for _ in range(2):
        assert lists.get("nodes", "list", 60, ask) in (("old",), ("newer",))
        assert lists.kept("nodes", "list") == ("newer",)
    assert not lists._flights


def test_seek_goes_past_the_memory(made):
    _cloud, remembering, _ = made
    remembering.nodes.list()
    assert remembering.seek("nodes", "create", {}, "k") is None


def test_what_was_found_by_its_name_is_remembered_as_a_list_is(made):
    cloud, remembering, now = made
    remembering.nodes.list()
    cloud.nodes.rows = [node("a"), node("b", busy=True)]
    for _ in range(2):
        assert [row.name for row in remembering.nodes.find("a")] == ["a"]
        assert [row.name for row in remembering.nodes.find("b")] == ["b"]
    assert cloud.nodes.asked == 3
    now[0] = 1.1
    remembering.nodes.find("a"), remembering.nodes.find("b")
    assert cloud.nodes.asked == 4
    remembering.submit("nodes", "start", {"id": "a"}, "k")
    remembering.nodes.find("a")
    assert cloud.nodes.asked == 5


def test_making_one_machine_leaves_what_was_found_by_another_name(made):
    cloud, remembering, _ = made
    for name in ("a", "B"):
        remembering.nodes.find(name)
    job = remembering.submit("nodes", "create", {"name": "b"}, "k")
    assert [len(remembering.nodes.find(name)) for name in ("a", "B")] == [0, 0]
    assert cloud.nodes.asked == 3
    cloud.polled = replace(job, state=JobState.DONE, token="")
    remembering.poll(job)
    remembering.nodes.find("a"), remembering.nodes.find("B")
    assert cloud.nodes.asked == 4


def test_a_machine_drops_the_networks_only_where_it_may_bring_one(made):
    cloud, remembering, _ = made
    for args, dropped in (({"network_ids": ["n"]}, 0), ({"zone_id": "z"}, 1)):
        remembering.networks.list()
        before = cloud.networks.asked
        remembering.submit("nodes", "create", args, "k")
        remembering.networks.list()
        assert cloud.networks.asked - before == dropped
    cloud.networks.rows = [Network(id="n", name="n", zone_id="z")]
    remembering.drop()
    remembering.networks.list()
    for facet, verb, args in (("nodes", "create", {"zone_id": "z"}), ("nodes", "destroy", {"id": "1"}),
                              ("volumes", "create", {"name": "v"}), ("firewalls", "create_group", {"name": "g"})):
        before = cloud.networks.asked
        remembering.submit(facet, verb, args, "k")
        remembering.networks.list()
        assert cloud.networks.asked == before, (facet, verb)
    remembering.submit("networks", "create", {}, "k")
    remembering.networks.list()
    assert cloud.networks.asked == before + 1


def test_a_new_group_drops_groups_and_no_machines(made):
    cloud, remembering, _ = made
    for _ in range(2):
        remembering.nodes.list(), remembering.firewalls.list(), remembering.firewalls.find("default")
        remembering.submit("firewalls", "create_group", {"name": "own"}, "k")
    assert (cloud.nodes.asked, cloud.firewalls.asked) == (1, 3)


def test_disk_types_are_remembered_apart_from_disks(made):
    cloud, remembering, _now = made
    remembering.volumes.list()
    remembering.volumes.types()
    remembering.volumes.types()
    assert cloud.volumes.asked == 2


def test_what_a_cloud_lacks_its_memory_lacks_too(made):
    cloud, remembering, _ = made
    assert remembering.balancers is None
    assert (remembering.name, remembering.provider, remembering.traits) == ("gva", "cloudstack", cloud.traits)
    assert remembering.abilities() == cloud.abilities()
    with pytest.raises(AttributeError):
        remembering.nodes.dance  # noqa: B018


def test_lists_stay_right_under_many_threads():
    lists, truth, lock = Lists(), [0], threading.Lock()

    def write(_):
        with lock:
            truth[0] += 1
            mine = truth[0]
        lists.drop(frozenset({"nodes"}))
        return lists.get("nodes", "list", 60, lambda: [truth[0]])[0] >= mine

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(500)))
    assert not lists._flights
    assert lifetime([], 5) == 5


@pytest.mark.parametrize(("numbers", "nodes", "images"), [
    ([{"": 1}, {"": 1}], 1, 1),
    ([{"": 1}, {"": 2}, {"": 2}], 2, 1),
    ([{"": 2}, {"": 9}, {"": 2}], 2, 1),
    ([{"": 9}, {"": -5}], 2, 1),
    ([{}, {"images": 1}], 2, 2),
    ([{EVERYTHING: 7}, {EVERYTHING: 8}], 2, 2),
], ids=["the same", "another", "a late one", "a smaller one", "of images", "of everything"])
def test_what_other_processes_changed_is_forgotten_once(made, numbers, nodes, images):
    cloud, remembering, _ = made
    for each in numbers:
        remembering.catch_up(each)
        remembering.nodes.list()
        remembering.images.list()
    assert (cloud.nodes.asked, cloud.images.asked) == (nodes, images)


def test_any_number_of_names_that_are_asked_for_push_no_list_out_and_the_oldest_of_them_go(made):
    cloud, remembering, _ = made
    remembering.nodes.list(), remembering.nodes.find("first")
    for number in range(1000):
        remembering.nodes.find(f"name-{number}")
    asked = cloud.nodes.asked
    remembering.nodes.list(), remembering.nodes.find("name-999")
    assert cloud.nodes.asked == asked
    remembering.nodes.find("first"), remembering.nodes.find("name-0")
    assert cloud.nodes.asked == asked + 2
