"""The parsers of the client library read back exactly what was listed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from feldera_exporter.exposition.family import Sample, extra, whole
from feldera_exporter.exposition.segment import Column
from feldera_exporter.exposition.text import Format, seconds
from feldera_exporter.metrics.catalogue import Catalogue, catalogue
from feldera_exporter.micros import from_datetime
from feldera_exporter.state.pipeline import Facts
from metrics.expected import OPEN, Samples, dated, samples, timestamp
from metrics.listable import elements, instants, lists
from support.exporter_driver import ExporterDriver
from support.tools import example_count

AT = 1_787_314_200_000_000
PARSERS: dict[Format, Any] = {
    Format.TEXT: text_string_to_metric_families,
    Format.OPENMETRICS: openmetrics.text_string_to_metric_families,
}
DECIDED = {"feldera_pipeline_problem_since_timestamp_seconds"}
"""What the exporter decides itself."""
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def _read(text: str, format_: Format) -> Samples:
    found = [sample for family in PARSERS[format_](text) for sample in family.samples]
    read = {(sample.name, frozenset(sample.labels.items())): float(sample.value) for sample in found}
    assert len(read) == len(found), "a sample is there twice"
    return read


def _misread(listed: list[dict[str, Any]], shown: Catalogue | None = None) -> dict[Any, Any]:
    """Return every sample that is not what the list says, in either format, with what was read and expected."""
    driver = ExporterDriver(shown=shown)
    driver.poll(msgspec.json.encode(listed), AT)
    assert driver.selection.listing.unreadable == ()
    expected: Samples = {}
    for element in listed:
        expected |= samples(element, AT / 1e6)
    wrong: dict[Any, Any] = {}
    for format_ in Format:
        read, begun = _read(driver.scrape(format_), format_), 0
        listed_families = {
            key for key in read if key[0].startswith("feldera_pipeline_") and key[0] not in DECIDED
        }
        for key in expected.keys() | listed_families:
            if key[0] == OPEN:
                assert read[key] > 0
                begun += 1
            elif read.get(key) != expected.get(key):
                wrong[key] = (read.get(key), expected.get(key))
        assert begun == sum(dated(element["deployment_desired_status_since"]) for element in listed)
        size = ("feldera_pipelines", frozenset({("feldera_instance", "test")}))
        assert read[size] == len(listed)
    return wrong


@settings(max_examples=example_count(60), deadline=None, suppress_health_check=SLOW)
@given(lists)
def test_what_is_read_back_is_what_was_listed(listed: list[dict[str, Any]]) -> None:
    """For any list that the API document allows, both parsers find each fact of its JSON, and no other."""
    assert _misread(listed) == {}


@settings(max_examples=example_count(100), deadline=None)
@given(instants)
def test_the_expected_instants_are_right(text: str) -> None:
    """The expected instants are the library's, up to a microsecond."""
    assert timestamp(text) == pytest.approx(datetime.fromisoformat(text).timestamp(), abs=2e-6)


def _lying(name: str, read: Callable[[Facts], Iterable[Sample]]) -> Catalogue:
    """Return the catalogue in which the families whose names end so are read like this."""
    right = catalogue()
    columns = tuple(
        Column(replace(column.family, read=read, of=whole), column.attribute)
        if column.family.exposed_name.endswith(name)
        else column
        for column in right.pipelines
    )
    assert columns != right.pipelines
    return replace(right, pipelines=columns)


def _created(facts: Facts) -> Iterable[Sample]:
    yield Sample(seconds(from_datetime(facts.row.created_at)))


LIES = {
    "every since is the creation": _lying("deployment_status_since_timestamp_seconds", _created),
    "has_error is the contrary": _lying(
        "deployment_has_error", lambda facts: [Sample("1" if facts.row.deployment_error is None else "0")]
    ),
    "the version is the name": _lying(
        "_info",
        lambda facts: [
            Sample(
                "1",
                extra(
                    ("platform_version", facts.row.name),
                    ("program_profile", facts.row.profile),
                    *facts.tag_labels,
                ),
            )
        ],
    ),
    "nothing was created": _lying("created_timestamp_seconds", lambda _: ()),
    "any error is unknown": _lying(
        "deployment_error_info", lambda _: [Sample("1", extra(("error_code", "unknown")))]
    ),
}
"""Catalogues that say something else than what was listed."""


@pytest.mark.parametrize("lie", LIES)
def test_a_wrong_value_is_found(lie: str) -> None:
    """A wrong value of any family is found, so the test above can fail."""

    @settings(
        max_examples=example_count(20),
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=SLOW,
        database=None,
    )
    @given(elements)
    def honest(element: dict[str, Any]) -> None:
        assert _misread([element], LIES[lie]) == {}

    with pytest.raises((AssertionError, BaseExceptionGroup)):
        honest()
