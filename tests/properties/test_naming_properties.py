"""Host names and labels: one label only for names that differ in nothing but case, and twins told apart as expected."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from gcelib import naming
from gcelib.naming import Named

HOSTS = st.from_regex(r"\A[a-cA-C]([a-cA-C01-]{0,8}[a-cA-C01])?\Z")


@given(HOSTS, HOSTS)
def test_host_names_have_one_label_only_if_they_differ_in_case_alone(one: str, other: str) -> None:
    assert naming.is_host_name(one)
    assert naming.is_label(naming.slug(one))
    assert (naming.slug(one) == naming.slug(other)) == (one.lower() == other.lower())


@given(st.lists(st.tuples(HOSTS, st.uuids()), max_size=12, unique_by=lambda pair: pair[1]))
def test_a_label_that_is_no_machines_own_name_may_have_a_suffix(machines: list[tuple[str, uuid.UUID]]) -> None:
    things = [Named(str(id), name) for name, id in machines]
    labels = naming.labels(things)
    own = [thing.name.lower() for thing in things]
    assert len(set(labels.values())) == len(things)
    for thing in things:
        label = labels[thing.id]
        if own.count(thing.name.lower()) == 1:
            assert label == thing.name.lower()
        else:
            assert naming.may_have_suffix(label)
            assert label not in own
