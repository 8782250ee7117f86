"""Remembered lists: kept for their time, dropped by our writes, never stale, asked once at a time."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from msgspec.structs import replace

from gcelib.drivers.base import FACETS, Traits
from gcelib.drivers.layers import Remember
from gcelib.drivers.lists import Lists, fresh, lifetime
from gcelib.errors import Exceeded, Unavailable
from gcelib.models import Job, JobState, Network, Node, NodeState, Volume, VolumeState
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


@pytest.mark.parametrize(("found", "known"), [((), False), (("d",), True), (("d", "e"), False)])
def test_a_list_with_disks_that_a_machine_has_not_is_dropped(found, known):
    lists = Lists()
    disks = [Volume(id=name, name=name, size_gb=1, state=VolumeState.READY, zone_id="z", node_id="n") for name in "de"]
    whole = (disks[0], replace(disks[0], id="f", node_id="other"))
    lists.get("volumes", "list", 60, lambda: whole)
    lists.get("volumes", "of n", 60, lambda: [disk for disk in disks if disk.id in found])
    assert lists.kept("volumes", "list") == (whole if known else None)


def test_a_list_that_was_under_way_when_something_later_was_found_is_not_kept_against_it():
    lists, states = Lists(), (NodeState.RUNNING, NodeState.STOPPED)

    def ask(later):
        lists.get("nodes", "find a", 60, lambda: [node("a", states[later])])
        return [node("a"), node("b")]

    for later in (1, 0):
        lists.drop(frozenset({"nodes"}))
        lists.get("nodes", "list", 60, lambda later=later: ask(later))
        assert (lists.kept("nodes", "list") is None, lists.kept("nodes", "find a")[0].state) == (later, states[later])


def test_what_was_found_before_a_list_that_contradicts_it_is_not_told_after_it():
    lists = Lists()
    for name in "ab":
        lists.get("nodes", f"find {name}", 60, lambda name=name: [node(name)])
    lists.get("nodes", "list", 60, lambda: [node("a", NodeState.STOPPED), node("b")])
    lists.drop(frozenset({"nodes"}), "new")
    assert (lists.kept("nodes", "find a"), lists.kept("nodes", "find b")) == (None, (node("b"),))


def test_an_answer_that_is_too_old_to_be_told_keeps_those_to_earlier_questions_from_being_kept():
    now = [0.0]
    lists = Lists(clock=lambda: now[0])

    def ask():
        with fresh():
            lists.get("nodes", "list", 5, lambda: [node("a", NodeState.STOPPED)])
        now[0] += 6
        lists.get("zones", "list", 60, list)
        return [node("a")]

    lists.get("nodes", "list", 5, ask)
    assert lists.kept("nodes", "list") is None


class Told:
    """A cloud of machines whose `cpus` count its changes, and what was told of it: of no machine may it be older."""

    def __init__(self, chance):
        self.chance, self.now, self.changes = chance, 0.0, 0
        self.lists = Lists(clock=lambda: self.now)
        self.there = {}
        self.least = dict.fromkeys("abc", 0)
        self.past = {name: [(0, False)] for name in "abc"}
        self.under_way = {}

    def change(self, name):
        self.changes += 1
        self.past[name].append((self.changes, chance_of(self.chance, 0.7)))
        self.there.pop(name, None)
        if self.past[name][-1][1]:
            self.there[name] = replace(node(name, busy=chance_of(self.chance, 0.2)), cpus=self.changes)

    def ask(self, verb, anew):
        """Begin a question that nobody has under way, which has read what is there; it comes when it is told to."""
        flight = self.lists._flights.get(("nodes", verb))
        if not anew and (self.lists.kept("nodes", verb) is not None or (
                flight and flight.generation == self.lists._generation.get("nodes", 0))):
            return
        rows = [row for name, row in sorted(self.there.items()) if verb in ("list", f"find {name}")]
        read, comes = threading.Event(), threading.Event()

        def answer():
            read.set()
            assert comes.wait(10)
            return rows

        def wait():
            with fresh() if anew else nullcontext():
                self.lists.get("nodes", verb, 10, answer)

        thread = threading.Thread(target=wait)
        thread.start()
        assert read.wait(10)
        self.under_way[thread] = comes, {name: self.past[name][-1][0] for name in about(verb)}

    def come(self, thread):
        comes, known = self.under_way.pop(thread)
        comes.set()
        thread.join(10)
        for name, count in known.items():
            self.least[name] = max(self.least[name], count)

    def look(self):
        """Nothing that is remembered is older than what was told."""
        for verb in ("list", "find a", "find b", "find c"):
            rows = self.lists.kept("nodes", verb)
            there = {row.name: row.cpus for row in rows or ()}
            for name in () if rows is None else about(verb):
                as_told = [count for count, is_there in self.past[name] if count >= self.least[name]
                           and (count == there[name] if name in there else not is_there)]
                assert as_told, (verb, name)

    def step(self):
        chance = self.chance
        verb = chance.choice(("list", "find a", "find b", "find c"))
        match chance.choice(("ask", "ask", "come", "come", "change", "change", "wait", "write", "make")):
            case "ask" if len(self.under_way) < 4:
                self.ask(verb, chance_of(chance, 0.4))
            case "come" if self.under_way:
                self.come(chance.choice([*self.under_way]))
            case "change":
                self.change(chance.choice("abc"))
            case "wait":
                self.now += chance.choice((0.2, 1.5, 6.0))
            case "write" | "make" as what if chance_of(chance, 0.3):
                name = chance.choice("abc")
                self.change(name)
                self.lists.drop(frozenset({"nodes"}), name if what == "make" else "")
                self.least[name] = self.changes


def about(verb):
    return "abc" if verb == "list" else verb[-1:]


def chance_of(chance, share):
    return chance.random() < share


@pytest.mark.parametrize("seed", range(4))
def test_nothing_remembered_is_older_than_what_was_told_or_changed(seed):
    told = Told(random.Random(seed))
    for _ in range(500):
        told.step()
        told.look()
    for thread in [*told.under_way]:
        told.come(thread)
        told.look()
    assert not told.lists._under_way
