"""What is written is what the field's own tools read."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isinf
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from driver import Driver
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.vocabulary import DIMENSIONS, PROGRAM, RESOURCES, RUNTIME, STORAGE, combine
from feldera_exporter.fleet.pipeline import Pipeline
from feldera_exporter.history.history import seconds
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.metrics.counters import SECONDS
from tools import tool

AT = 1_787_314_200_000_000
PARSERS: dict[Format, Any] = {
    Format.TEXT: text_string_to_metric_families,
    Format.OPENMETRICS: openmetrics.text_string_to_metric_families,
}
Labels = frozenset[tuple[str, str]]

instants = st.integers(0, 2_000_000_000_000_000).map(
    lambda micros: f"{_stamp(micros // 1_000_000)}{_fraction(micros % 1_000_000)}Z"
)


def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _fraction(micros: int) -> str:
    return f".{micros:06d}" if micros % 1000 else f".{micros // 1000:03d}" if micros else ""


names = st.from_regex(r"([A-Za-z0-9][-A-Za-z0-9_]{0,20})?[A-Za-z0-9]", fullmatch=True)
tags = st.lists(st.text(alphabet='abc :=.|/\\"\nü', max_size=12), max_size=3)


@st.composite
def elements(draw: st.DrawFn) -> dict[str, Any]:
    """Return a pipeline as Feldera may list it."""
    resources = draw(st.sampled_from([*RESOURCES.statuses]))
    provisioned = resources == "Provisioned"
    runtime = draw(st.sampled_from([*RUNTIME.statuses])) if provisioned else None
    failed = draw(st.booleans()) and not provisioned
    return {
        "id": str(draw(st.uuids())),
        "name": draw(names),
        "tags": draw(tags),
        "created_at": draw(instants),
        "platform_version": draw(st.text(max_size=8)),
        "program_config": {"profile": draw(st.sampled_from([None, "dev", "optimized"]))},
        "program_status": draw(st.sampled_from([*PROGRAM.statuses])),
        "program_status_since": draw(instants),
        "deployment_error": {"message": "m", "error_code": draw(st.text(max_size=20)), "details": None}
        if failed
        else None,
        "refresh_version": draw(st.integers(0, 2**63 - 1)),
        "storage_status": draw(st.sampled_from([*STORAGE.statuses])),
        "deployment_status": combine(resources, runtime),
        "deployment_status_since": draw(instants),
        "deployment_desired_status": draw(st.sampled_from(["Stopped", "Running", "Paused"])),
        "deployment_desired_status_since": draw(instants),
        "deployment_resources_status": resources,
        "deployment_resources_status_since": draw(instants),
        "deployment_resources_desired_status": draw(st.sampled_from(["Stopped", "Provisioned"])),
        "deployment_resources_desired_status_since": draw(instants),
        "deployment_runtime_status": runtime,
        "deployment_runtime_status_since": draw(instants) if provisioned else None,
        "deployment_runtime_status_details": draw(
            st.sampled_from([None, "text", {"connector_stats": {"num_errors": 7}}, {"other": [1]}])
        ),
        "deployment_runtime_desired_status": "Running" if provisioned else None,
        "deployment_runtime_desired_status_since": draw(instants) if provisioned else None,
    }


def _read(text: str, format_: Format) -> dict[tuple[str, Labels], float]:
    samples = [sample for family in PARSERS[format_](text) for sample in family.samples]
    read = {(sample.name, frozenset(sample.labels.items())): float(sample.value) for sample in samples}
    assert len(read) == len(samples), "a sample is there twice"
    return read


def _facts(driver: Driver) -> Iterator[tuple[tuple[str, Labels], float]]:
    """Yield every sample by the tables' readers, without the text in between."""
    for column in catalogue().pipelines:
        for key, pipeline in driver.fleet.pipelines.items():
            subject = (pipeline.facts, pipeline.progress, pipeline.history)[column.facet]
            shared = _shared(key, pipeline)
            for sample in column.family.read(column.family.of(subject)):
                yield (
                    (column.family.exposed_name, frozenset(shared | _pairs(sample.extra))),
                    float(sample.value),
                )
    for key, pipeline in driver.fleet.pipelines.items():
        status = pipeline.history.spent.status
        labels = frozenset(_shared(key, pipeline) | {("status", status)})
        as_of = driver.fleet.credited.get(key, driver.fleet.as_of)
        yield (SECONDS.exposed_name, labels), seconds(pipeline.history, as_of).get(status, 0) / 1e6


def _shared(key: str, pipeline: Pipeline) -> set[tuple[str, str]]:
    return {
        ("feldera_instance", "test"),
        ("pipeline", f"pipeline-{key}"),
        ("pipeline_name", pipeline.facts.row.name),
    }


def _pairs(extra: str) -> set[tuple[str, str]]:
    parsed = next(iter(text_string_to_metric_families(f"x{{{extra.removeprefix(',')}}} 1\n")))
    return set(parsed.samples[0].labels.items())


@settings(max_examples=60, deadline=None)
@given(st.lists(elements(), max_size=6, unique_by=lambda e: e["id"]))
def test_both_parsers_read_back_every_sample(listed: list[dict[str, Any]]) -> None:
    """prometheus_client's text and OpenMetrics parsers find the same samples, and no other, with the same values."""
    driver = Driver()
    driver.poll(msgspec.json.encode(listed), AT)
    told = dict(_facts(driver))
    for format_ in Format:
        read = _read(driver.scrape(format_), format_)
        of_pipelines = {key: value for key, value in read.items() if key[0].startswith("feldera_pipeline_")}
        assert of_pipelines == told
        assert read["feldera_pipelines", frozenset({("feldera_instance", "test")})] == len(listed)


@settings(max_examples=60, deadline=None)
@given(elements())
def test_the_statuses_read_back_are_the_statuses_listed(element: dict[str, Any]) -> None:
    """In each state set exactly the listed status is 1, none while it is null; the instants are those listed."""
    driver = Driver()
    driver.poll(msgspec.json.encode([element]), AT)
    read = _read(driver.scrape(), Format.TEXT)
    for dimension in DIMENSIONS:
        ones = [
            dict(labels)["status"]
            for (name, labels), value in read.items()
            if name == f"feldera_pipeline_{dimension.name}" and value == 1
        ]
        assert ones == ([] if element[dimension.name] is None else [element[dimension.name]])
        limits = [
            v for (name, _), v in read.items() if name == f"feldera_pipeline_{dimension.name}_limit_seconds"
        ]
        assert all(limit > 0 for limit in limits)
        assert all(isinf(limit) or limit < 10**6 for limit in limits)


def test_promtool_has_nothing_to_say() -> None:
    """`promtool check metrics` finds neither an error nor a matter of style."""
    driver = Driver()
    driver.poll(msgspec.json.encode([]), AT)
    checked = subprocess.run(
        [tool("promtool"), "check", "metrics"],
        input=driver.scrape().encode(),
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.parametrize("format_", Format)
def test_families_are_contiguous(format_: Format) -> None:
    """Each family has one header, and its samples follow it, as OpenMetrics demands."""
    driver = Driver()
    driver.poll(msgspec.json.encode([]), AT)
    names = [line.split()[2] for line in driver.scrape(format_).splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
