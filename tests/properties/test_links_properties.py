"""What a link is printed from is what it is read as, in every form."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcelib.errors import Invalid
from gcelib.server.links import Links, Ref, parse

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    lambda n: n not in {".", ".."}
)
LABELS = st.from_regex(r"[a-z]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
SCOPES = st.one_of(
    st.just("global"),
    st.builds("zones/{}".format, NAMES.filter(lambda n: "/" not in n)),
    st.builds("regions/{}".format, LABELS),
)
COLLECTIONS = st.sampled_from(["instances", "disks", "machineTypes", "networks", "addresses"])
REFS = st.one_of(
    st.builds(Ref, NAMES, SCOPES, COLLECTIONS, NAMES),
    st.builds(Ref, NAMES, st.just(""), st.sampled_from(["zones", "regions"]), NAMES),
    st.builds(lambda project: Ref(project, "", "projects", project), NAMES),
    st.builds(lambda project, name: Ref(project, "global", "images", f"family/{name}"), NAMES, NAMES),
)
BASES = st.sampled_from(["http://localhost:5000", "https://cloud.example", "https://cloud.example/some/where"])


@given(REFS, BASES)
def test_a_full_link_is_read_as_what_it_was_printed_from(ref: Ref, base: str) -> None:
    link = Links(base).to(ref)
    assert link.startswith(base + "/compute/v1/projects/")
    assert parse(link, project="another") == ref
    for form in (link.removeprefix(base), link.removeprefix(base + "/compute/v1/")):
        assert parse(form, project="another") == ref
    for version in ("beta", "alpha", "v1beta16"):
        assert parse(link.replace("/compute/v1/", f"/compute/{version}/", 1), project="another") == ref


@given(REFS.filter(lambda ref: ref.collection != "projects"), BASES)
def test_a_relative_link_takes_the_project_from_its_place(ref: Ref, base: str) -> None:
    links = Links(base)
    relative = links.to(ref).removeprefix(links.project(ref.project) + "/")
    assert parse(relative, project=ref.project) == ref


@given(st.builds(Ref, NAMES, SCOPES, COLLECTIONS, LABELS))
def test_a_bare_name_takes_everything_from_its_place(ref: Ref) -> None:
    assert parse(ref.name, project=ref.project, collection=ref.collection, scope=ref.scope) == ref


@given(REFS)
def test_plain_paths_are_printed_alike_by_both_ways(ref: Ref) -> None:
    links = Links("https://h")
    parts = [ref.project, ref.scope.partition("/")[2], ref.name.removeprefix("family/")]
    if not any("/" in part for part in parts):
        assert links.at(ref.path) == links.to(ref)


@given(
    st.text() | st.lists(st.sampled_from(["projects", "zones", "global", "a", "/", "//", ":", "%", "."])).map("".join)
)
def test_anything_is_a_link_or_refused(text: str) -> None:
    answer: Ref | Invalid
    try:
        answer = parse(text, project="p", collection="instances", scope="zones/z", field="f")
    except Invalid as refusal:
        answer = refusal
    assert answer.collection == "instances" if isinstance(answer, Ref) else answer.field == "f"
