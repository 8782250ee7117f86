"""The dashboard and the alerts ask for figures and labels that there are, and every alert says how it is mended."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gcelib.server import metrics
from gcelib.server.findings import CAUSES

ROOT = Path(__file__).parents[2]
RULES = ROOT / "packaging" / "prometheus" / "gcelib.rules.yml"
DASHBOARD = ROOT / "packaging" / "grafana" / "gcelib.json"

OURS = re.compile(r"\b(gcelib_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
SERIES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
OF_PROMETHEUS = {"instance", "job", "le"}
OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"}
"""Prometheus' own, and those of its client library."""


def series() -> dict[str, set[str]]:
    """The name of every series that there is, and its labels."""
    return {
        f"{name}{suffix}": {*labels, *OF_PROMETHEUS}
        for name, (kind, labels, _) in metrics.reference().items() for suffix in SERIES[kind]
    } | {name: set(OF_PROMETHEUS) for name in OTHERS}  # fmt: skip


def alerts() -> list[dict[str, Any]]:
    """Every rule of the file."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Every panel that shows something."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def questions() -> Iterator[tuple[str, str]]:
    """Where a question stands, and the question."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in json.loads(DASHBOARD.read_text())["templating"]["list"][1:]:
        yield variable["name"], re.sub(r"label_values\((\w+), (\w+)\)", r"sum by (\2) (\1)", variable["query"]["query"])


def mistakes(question: str) -> list[str]:
    """Names and labels of a question that there are not."""
    known = series()
    asked = OURS.findall(question)
    wrong = [name for name, _ in asked if name not in known]
    held: set[str] = set()
    for name, selector in asked:
        held |= known.get(name, set())
        wrong += [f"{name}.{label}" for label, _ in LABEL.findall(selector) if label not in known.get(name, set())]
    grouped = [label.strip() for part in GROUPED.findall(question) for label in part.split(",")]
    return wrong + [label for label in grouped if label not in held] + ([] if asked else ["nothing of ours"])


@pytest.mark.parametrize(("where", "question"), [*questions()])
def test_every_question_is_about_figures_and_labels_that_there_are(where: str, question: str) -> None:
    assert not mistakes(question), where


@pytest.mark.parametrize("question", [
    "gcelib_requests > 1", 'gcelib_requests_total{project="x"}', "sum by (machine) (gcelib_requests_total)",
    "gcelib_request_seconds", "vector(1)",
])
def test_a_figure_or_label_that_is_not_there_is_found(question: str) -> None:
    assert mistakes(question)


def test_every_figure_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    missing = [name for name in metrics.reference() if not re.search(rf"\b{name}(_bucket|_count)?\b", shown)]
    assert missing == []
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in panels())


def filled(text: str, labels: dict[str, str]) -> str:
    """An annotation as Prometheus fills it in."""
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels.get(match[1], ""), text)


def test_every_cause_has_an_alert_with_the_very_cure_that_the_server_tells() -> None:
    by_cause = {found[1]: rule for rule in alerts() if (found := re.search(r'cause="([\w-]+)"', rule["expr"]))}
    assert set(by_cause) == set(CAUSES)
    for cause, rule in by_cause.items():
        cure = filled(rule["annotations"]["cure"], {"subject": "SUBJECT"})
        assert cure == CAUSES[cause].cure.format(subject="SUBJECT"), cause
        assert rule["annotations"]["summary"].startswith(CAUSES[cause].title.rstrip(".")), cause


def test_every_alert_says_what_how_bad_and_what_to_do_and_leads_to_its_section() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text()
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    sections = {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["for"]
        assert set(rule["annotations"]) == {"summary", "cure", "runbook"}
        place, _, section = rule["annotations"]["runbook"].partition("#")
        assert (place, section) == ("docs/monitoring.md", rule["alert"].lower())
        assert section in sections, rule["alert"]


def promtool(*words: str, given: bytes | None = None) -> None:
    """promtool WORDS, with something to read, which must be content and have nothing to remark."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([tool, *words], capture_output=True, input=given, timeout=60, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", str(RULES))


def test_prometheus_takes_the_questions_of_the_dashboard(tmp_path: Path) -> None:
    asked = [target["expr"].replace("$__rate_interval", "5m") for panel in panels() for target in panel["targets"]]
    rules = [{"record": f"asked:{number}", "expr": text} for number, text in enumerate(asked)]
    path = tmp_path / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(path))


def test_prometheus_takes_the_figures() -> None:
    metrics.request_done("compute.zones.list", 200, "ok", 0.1)
    promtool("check", "metrics", given=metrics.exposition())


TROUBLES: dict[str, dict[str, str]] = {
    "GcelibDown": {'up{job="gcelib",instance="i"}': "0x60"},
    "GcelibErrors": {'gcelib_requests_total{instance="i",method="m",status="503",outcome="backendError"}': "0+10x60",
                     'gcelib_requests_total{instance="i",method="m",status="200",outcome="ok"}': "0+50x60"},
    "GcelibSlow": {'gcelib_request_seconds_bucket{instance="i",method="m",le="10"}': "0+1x60",
                   'gcelib_request_seconds_bucket{instance="i",method="m",le="30"}': "0+10x60",
                   'gcelib_request_seconds_bucket{instance="i",method="m",le="+Inf"}': "0+10x60"},
    "GcelibCloudSlow": {'gcelib_cloud_call_seconds_bucket{cloud="c",le="10"}': "0+1x60",
                        'gcelib_cloud_call_seconds_bucket{cloud="c",le="30"}': "0+10x60",
                        'gcelib_cloud_call_seconds_bucket{cloud="c",le="+Inf"}': "0+10x60"},
    "GcelibCloudThrottles": {'gcelib_cloud_calls_total{cloud="c",outcome="TooMany"}': "0+10x60"},
    "GcelibOperationsOld": {'gcelib_operations_oldest_seconds{state="RUNNING",instance="i"}': "4000x60"},
    "GcelibOperationsFail": {'gcelib_operations_ended_total{outcome="failed",instance="i"}': "0+5x60",
                             'gcelib_operations_ended_total{outcome="done",instance="i"}': "0+5x60"},
    "GcelibQueueLate": {'gcelib_queue_late_seconds{instance="i"}': "60x60"},
    "GcelibPoolFull": {'gcelib_pool_busy{instance="i"}': "32x60", 'gcelib_pool_threads{instance="i"}': "32x60",
                       'gcelib_pool_queue{instance="i"}': "5x60"},
    "GcelibTurnsAway": {'gcelib_pool_turned_away_total{instance="i"}': "0+100x60"},
    "GcelibGuessing": {'gcelib_requests_total{instance="i",method="-",status="401",outcome="authError"}': "0+300x60",
                       'gcelib_requests_total{instance="i",method="m",status="200",outcome="ok"}': "0+1x60"},
    "GcelibAbsent": {'something_else{instance="i"}': "1x60"},
}  # fmt: skip
"""By alert, series a minute apart at which it must ring; instance "i" stands for a server of its own."""
LABELS = {"GcelibDown": {"job": "gcelib", "instance": "GcelibDown"}, "GcelibCloudSlow": {"cloud": "c"},
          "GcelibCloudThrottles": {"cloud": "c"}, "GcelibOperationsOld": {"state": "RUNNING"},
          "GcelibOperationsFail": {}, "GcelibAbsent": {}}  # fmt: skip


def trial(name: str, given: dict[str, str], expected: dict[str, list[Any]]) -> dict[str, Any]:
    """One of promtool's tests: these series, and the alerts there must be after three quarters of an hour."""
    return {
        "interval": "1m", "name": name, "input_series": [{"series": key, "values": row} for key, row in given.items()],
        "alert_rule_test": [{"eval_time": "45m", "alertname": each, "exp_alerts": rows}
                            for each, rows in expected.items()],
    }  # fmt: skip


def test_every_alert_rings_when_it_should_and_none_when_all_is_well(tmp_path: Path) -> None:
    rules = {rule["alert"]: rule for rule in alerts()}
    troubles: dict[str, str] = {}
    ringing: dict[str, list[Any]] = {}
    for name, rule in rules.items():
        cause = re.search(r'cause="([\w-]+)"', rule["expr"])
        labels = LABELS.get(name, {"instance": name})
        given = TROUBLES.get(name)
        if cause:
            labels = {"cause": cause[1], "subject": "here", "instance": name}
            given = {f'gcelib_findings{{cause="{cause[1]}",subject="here",instance="i"}}': "1x60"}
        assert given, f"{name} is tried by no series"
        # Each has a server of its own.
        troubles |= {key.replace('instance="i"', f'instance="{name}"'): values for key, values in given.items()}
        said = {key: filled(text, labels) for key, text in rule["annotations"].items()}
        ringing[name] = [{"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": said}]
    well = {'up{job="gcelib",instance="i"}': "1x60", 'gcelib_info{version="1",instance="i"}': "1x60",
            'gcelib_requests_total{instance="i",method="m",status="200",outcome="ok"}': "0+50x60",
            'gcelib_findings{cause="cloud-away",subject="here",instance="i"}': "0x60"}  # fmt: skip
    tests = [trial("troubles", troubles, ringing), trial("well", well, {name: [] for name in rules})]
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    promtool("test", "rules", str(path))
