"""The command lines of gcloud that are typed in these tests: how many there are, and what they are about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract import gcloud_lines

LINES = [line for name in (*gcloud_lines.MACHINES, *gcloud_lines.STORAGE, *gcloud_lines.NETWORKS)
         for line in gcloud_lines.lines(name)]
GROUPS = {
    "addresses", "disk-types", "disks", "firewall-rules", "forwarding-rules", "http-health-checks", "images",
    "instance-groups unmanaged", "instance-templates", "instances", "machine-types", "networks", "networks subnets",
    "operations", "project-info", "regions", "routes", "snapshots", "target-instances", "target-pools", "zones",
}
FLAGS = ("--filter", "--format=json", "--format=yaml", "--format=\"value(", "--format=\"csv(", "--format=\"table[",
         "--sort-by", "--limit", "--page-size", "--uri", "--async", "--zones", "--regions", "--quiet", "--flatten")


def test_every_file_is_played() -> None:
    names = {*gcloud_lines.MACHINES, *gcloud_lines.STORAGE, *gcloud_lines.NETWORKS}
    assert {path.stem for path in gcloud_lines.FOLDER.glob("*.txt")} == names


def test_there_are_many_lines_of_every_group() -> None:
    assert len(LINES) >= 350
    count = {group: sum(line.group == group for line in LINES) for group in GROUPS}
    assert {group for group, lines in count.items() if lines < 3} == set()


def test_most_lines_are_done_and_every_refusal_says_what_it_names() -> None:
    assert sum(line.kind == "done" for line in LINES) >= 270
    assert all(value for line in LINES for what, value in line.expected if what != "done"), "a bare expectation"


def test_the_page_on_gcloud_counts_them_right() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "clients" / "gcloud.md").read_text()
    said = re.search(r"(\d+) lines are typed.*?(\d+) are done, (\d+) are mistakes.*?and (\d+) ask", page, re.S)
    kinds = [line.kind for line in LINES]
    assert said
    assert [int(number) for number in said.groups()] == [len(LINES), *map(kinds.count, ("done", "wrong", "refused"))]


@pytest.mark.parametrize("group", sorted(GROUPS - {"project-info"}))
def test_the_columns_of_every_groups_list_are_compared(group: str) -> None:
    assert any(line.columns for line in LINES if line.group == group and line.verb == "list")


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_of_lists_is_used(flag: str) -> None:
    assert any(flag in line.text for line in LINES)
