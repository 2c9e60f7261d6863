"""Alerts have the labels of the rules, and details that no label can have."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alertmanager.bridges import MINUTE, SECOND, stuck
from feldera_exporter.alertmanager.alerts import MAX_CHARACTERS, Alert, alert, details, wire
from feldera_exporter.config import AlertChoice
from feldera_exporter.feldera.wire import CUT, Cut, Cuts, FullEvent
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.problems.evaluate import Ended, Occurrence
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS, pipeline_alert
from feldera_exporter.rules.rendering import RuleOptions, rules
from pages.test_timeline import event
from support.fleets import NOW, pipeline

CHOICES = {
    "FelderaPipelineStuckProvisioning": AlertChoice(severity="warning", labels={"route": "night", "none": ""})
}
OPTIONS = RuleOptions(
    alerts=CHOICES,
    alert_labels={"namespace": "feldera", "route": "day"},
    severities={"critical": "page"},
    tag_labels=("team", "tier", "expect", "owner"),
    exporter_url="https://e.example/x/",
    dashboard_url="https://g/",
    external_labels={"cluster": "eu"},
)

EVERY = [
    *(
        Occurrence(name, "Stopped" if row.labelled else "", "id-a", "a")
        for name, row in PIPELINE_PROBLEMS.items()
    ),
    *(Occurrence(name, "runner" if row.labelled else "") for name, row in INSTANCE_PROBLEMS.items()),
]


@lru_cache
def by_name() -> dict[str, Any]:
    """Return the rules as they are printed, by the name of the alert."""
    document = yaml.safe_load(rules("prometheus", OPTIONS))
    return {rule["alert"]: rule for group in document["groups"] for rule in group["rules"] if "alert" in rule}


def filled(template: str, labels: dict[str, str]) -> str:
    """Return a rule's annotation as Prometheus fills it in, but for values."""
    text = re.sub(r"\{\{ with printf .*?\{\{ end \}\}", "", template)
    text = re.sub(
        r"\{\{ \$labels\.(\w+) \| urlquery \}\}", lambda found: quote_plus(labels.get(found[1], "")), text
    )
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels.get(found[1], ""), text)


@pytest.mark.parametrize("occurrence", EVERY, ids=lambda each: each.alert)
def test_the_labels_are_those_of_the_rules(occurrence: Occurrence) -> None:
    """Each alert has the labels that its rule's expression groups by and those that the rule adds, except empty ones."""
    tags = (("team", "data"), ("tier", ""), ("owner", "Ann")) if occurrence.pipeline_id else ()
    made = alert(occurrence._replace(tags=tags), NOW, "prod", OPTIONS)
    rule = by_name()[occurrence.alert]
    grouped = re.findall(r"max by \(([^)]*)\)", rule["expr"])[0].split(", ")
    assert set(made.labels) <= {*grouped, *rule["labels"], "alertname", "cluster"}
    values = {
        "feldera_instance": "prod",
        **({"pipeline": "pipeline-id-a", "pipeline_name": "a"} if occurrence.pipeline_id else {}),
        ("status" if occurrence.pipeline_id else "feldera_service"): occurrence.label,
        **dict(tags),
    }
    wanted = {"cluster": "eu", **{name: values[name] for name in grouped}, **rule["labels"]}
    wanted |= {"alertname": occurrence.alert}
    assert made.labels == {name: value for name, value in wanted.items() if value}


@pytest.mark.parametrize("occurrence", EVERY, ids=lambda each: each.alert)
def test_the_annotations_are_those_of_the_rules(occurrence: Occurrence) -> None:
    """Each annotation of a rule has the same text, with values in place of templates."""
    made = alert(occurrence, NOW, "prod", OPTIONS)
    rule = by_name()[occurrence.alert]["annotations"]
    expected = {name: filled(text, dict(made.labels)) for name, text in rule.items()}
    expected["description"] = expected["description"].replace(
        "{{ $value | humanizeTimestamp }}", "2026-08-21 12:00:00 UTC"
    )
    assert made.annotations == expected


def test_the_limit_is_in_the_description() -> None:
    """The sentence about a status that lasts too long names the limit."""
    late = pipeline("a", deployment_status="Provisioning")
    made = alert(stuck("a"), NOW, "prod", OPTIONS, late)
    assert "longer than its limit of 10m. The problem began at " in made.annotations["description"]
    assert alert(stuck("a"), NOW, "prod", OPTIONS).annotations["description"].count("its limit.") == 1


def test_the_error_is_in_the_annotations() -> None:
    """Code, message and details of the present error are annotations, cut at 2,000 characters."""
    error = {
        "error_code": "RuntimeError.WorkerPanic",
        "message": "\x1b" + "m" * 5_000,
        "details": msgspec.Raw(b'{"worker":3}'),
    }
    failed = pipeline("a", deployment_error=error)
    occurrence = Occurrence("DeploymentError", "", "id-a", "a")
    learnt = {"waiting_for": "w", "last_transitions": "t"}
    made = alert(occurrence, NOW, "prod", OPTIONS, failed, learnt).annotations
    assert made["error_code"] == "RuntimeError.WorkerPanic"
    assert made["error_message"] == "\N{SYMBOL FOR ESCAPE}" + "m" * (MAX_CHARACTERS - 1)
    assert made["error_details"] == '{\n  "worker": 3\n}'
    assert (made["waiting_for"], made["last_transitions"]) == ("w", "t")
    cut = Cuts(details=Cut(2_000_000, 2))
    long = {**error, "details": msgspec.Raw(msgspec.json.encode('{"worker' + "!" * 9_000)), CUT: cut}
    made = alert(occurrence, NOW, "prod", OPTIONS, pipeline("a", deployment_error=long)).annotations
    assert made["error_details"] == '{"worker' + "!" * (MAX_CHARACTERS - 8)
    bare = alert(occurrence, NOW, "prod", OPTIONS, pipeline("a"), learnt).annotations
    assert not {"error_message", "error_details"} & bare.keys()


def test_a_page_is_linked() -> None:
    """The generator URL of an alert is the page of its pipeline or instance."""
    made = alert(stuck("a b/c"), NOW, "prod", OPTIONS)
    assert made.page == made.annotations["pipeline_url"] == "https://e.example/x/pipelines/prod/a%20b%2Fc"
    assert alert(Occurrence("FleetDegraded"), NOW, "prod", OPTIONS).page == "https://e.example/x/"


def test_configured_severity_and_labels() -> None:
    """Severity and labels from the configuration replace those of the alert; an empty label is left out."""
    labels = alert(stuck("a"), NOW, "prod", OPTIONS).labels
    assert (labels["severity"], labels["route"]) == ("warning", "night")
    assert not {"none", "tier"} & labels.keys()
    assert labels["pipeline_name"] == "a"


FIRING = Alert({"alertname": "A"}, {}, "https://e", NOW)


def test_a_lease() -> None:
    """A firing alert ends when its lease ends, an ended alert when it ended."""
    sent = wire(FIRING, NOW + MINUTE, 4 * MINUTE)
    assert (sent["startsAt"], sent["endsAt"]) == (
        "2026-08-21T12:00:00.000000Z",
        "2026-08-21T12:05:00.000000Z",
    )
    over = wire(Alert({}, {}, "", NOW, NOW + SECOND), NOW + MINUTE, 4 * MINUTE)
    assert (over["startsAt"], over["endsAt"]) == (
        "2026-08-21T12:00:00.000000Z",
        "2026-08-21T12:00:01.000000Z",
    )


@given(
    since=st.integers(-(2**70), 2**70),
    lasted=st.none() | st.integers(0, 2**50),
    now=st.integers(NOW - 10**12, NOW + 10**12),
)
def test_no_alert_ends_before_it_starts(since: int, lasted: int | None, now: int) -> None:
    """Alertmanager refuses an alert that ends before it starts, so a lasting alert always ends in the future."""
    ended = None if lasted is None else since + lasted
    sent = wire(Alert({}, {}, "", since, ended), now, 4 * MINUTE)
    assert sent["startsAt"] <= sent["endsAt"]
    present = wire(Alert({}, {}, "", now), now, 0)["startsAt"]
    assert (sent["endsAt"] > present) == (ended is None)


def full_event(**fields: Any) -> FullEvent:
    """Return an event as Feldera answers it."""
    return msgspec.json.decode(msgspec.json.encode(fields), type=FullEvent)


@pytest.mark.parametrize(
    ("statuses", "full", "expected"),
    [
        (
            {"resources": "Provisioning", "runtime": None},
            {"deployment_resources_status_details": {"pod": "has no node"}},
            '{\n  "pod": "has no node"\n}',
        ),
        (
            {"resources": "Provisioned", "runtime": "AwaitingApproval"},
            {
                "deployment_runtime_status_details": {
                    "approval_diff": "+a",
                    "connector_stats": {"num_errors": 0},
                }
            },
            '{\n  "approval_diff": "+a"\n}',
        ),
        (
            {"resources": "Provisioned", "runtime": "Initializing"},
            {"deployment_runtime_status_details": {"connector_stats": {"num_errors": 0}}},
            "",
        ),
        (
            {"resources": "Provisioned", "runtime": "Initializing"},
            {"deployment_runtime_status_details": "not all is there"},
            "not all is there",
        ),
        (
            {"resources": "Provisioned", "runtime": "Running"},
            {"deployment_resources_status_details": {"process": "has not exited"}},
            "",
        ),
        (
            {"resources": "Stopping", "runtime": None},
            {"deployment_resources_status_details": "Unable to stop" + "!" * 9_000},
            "Unable to stop" + "!" * (MAX_CHARACTERS - 14),
        ),
    ],
)
def test_waiting_for(statuses: dict[str, Any], full: dict[str, Any], expected: str) -> None:
    """`waiting_for` is set only for a status that should pass, and it contains no figures."""
    at = event(1, **statuses)
    assert (
        details(LatestEvents([at], full_event(event_id=at.event_id, **full)), NOW)["waiting_for"] == expected
    )


def test_the_last_transitions() -> None:
    """The five newest transitions are an annotation, the newest first, each with its time."""
    events = [event(minutes, program_status=status) for minutes, status in enumerate("abcdefgh")]
    lines = details(LatestEvents(events), NOW)["last_transitions"].splitlines()
    assert len(lines) == 5
    assert lines[0].endswith("Program: b → a")
    assert lines == sorted(lines, reverse=True)
    assert all(re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in lines)


def test_without_details() -> None:
    """Without an answer of Feldera an alert has no details."""
    assert not any(details(LatestEvents(problem="late"), NOW).values())
    assert pipeline_alert("Stuck") == Occurrence("Stuck", pipeline_id="a").alert
    assert alert(stuck("a"), Ended(NOW, NOW + 1), "prod", OPTIONS).ended == NOW + 1
