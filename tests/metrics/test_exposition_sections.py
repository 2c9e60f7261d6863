"""Updated sections: unchanged parts stay the same objects, and the text is the same as when everything is rendered again."""

import dataclasses
import re
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from feldera_exporter.config import Configuration
from feldera_exporter.config.schema import Filter
from feldera_exporter.exposition.snapshot import Content, Snapshot
from feldera_exporter.exposition.text import Format
from feldera_exporter.ledger.visible_counters import HOLD
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES, catalogue
from feldera_exporter.metrics.exposition_sections import ExpositionSections, updated_sections
from feldera_exporter.metrics.pipeline_gauges import LIMITED
from feldera_exporter.problems.evaluate import InstanceWithProblems
from feldera_exporter.state.fleet import observed, with_settings
from feldera_exporter.state.instance_settings import InstanceSettings
from metrics.listed import NumberedPipelines, identity
from support.exporter_driver import CONFIGURATION, ExporterDriver
from support.tools import example_count

AT: Final = 1_787_314_200_000_000
SECOND: Final = 1_000_000


def _text(page: ExpositionSections, format_: Format = Format.TEXT) -> bytes:
    content = Content(page.sections, lambda _: b"", lambda *_: None)
    return b"".join(Snapshot(lambda: content).body(format_, packed=False))


def test_what_did_not_change_stays() -> None:
    """After a poll in which one pipeline changed, the lines and blocks of all others are the same objects."""
    listed, driver = NumberedPipelines(300), ExporterDriver()
    driver.poll(listed.body(), AT)
    driver.scrape()
    before = driver.page
    listed.set(7, deployment_desired_status_since="2026-08-21T11:00:00Z")
    driver.poll(listed.body(), AT + 5 * SECOND)
    driver.scrape()
    changed = 0
    for old, new in zip(before.sections, driver.page.sections, strict=True):
        if old.family.name.startswith("feldera_pipeline_deployment_status_seconds"):
            continue
        kept = [a is b for a, b in zip(old.blocks, new.blocks, strict=True)]
        if old.family.name == "feldera_pipeline_deployment_desired_status_since_timestamp_seconds":
            assert kept.count(False) == 1
            changed += 1
        elif old.family.name.startswith("feldera_pipeline_"):
            assert all(kept), old.family.name
    assert changed == 1


def test_the_same_list_is_not_looked_into() -> None:
    """Equal bytes give the same objects as before."""
    listed, driver = NumberedPipelines(3), ExporterDriver()
    driver.poll(listed.body(), AT)
    selection, pipelines = driver.selection, driver.fleet.pipelines
    driver.poll(listed.body(), AT + SECOND)
    assert driver.selection is selection
    assert driver.fleet.pipelines is pipelines


def test_only_the_moving_counter_moves() -> None:
    """Between two polls without events, only the time in the present status differs."""
    listed, driver = NumberedPipelines(50), ExporterDriver()
    driver.poll(listed.body(), AT - HOLD)
    driver.scrape()
    driver.poll(listed.body(), AT + 10 * SECOND)
    first = driver.scrape().splitlines()
    driver.poll(listed.body(), AT + 15 * SECOND)
    second = driver.scrape().splitlines()
    moved = [(old, new) for old, new in zip(first, second, strict=True) if old != new]
    assert len(moved) == 50
    for old, new in moved:
        assert old.startswith("feldera_pipeline_deployment_status_seconds_total{")
        assert 'status="Running"' in old
        assert round(float(new.rpartition(" ")[2]) - float(old.rpartition(" ")[2]), 6) == 5


_NUMBERS: Final = st.integers(0, 40)
_CHANGES: Final[dict[str, dict[str, object]]] = {
    "rename": {"name": "renamed-100%d"},
    "desire": {"deployment_desired_status_since": "2026-08-21T11:00:01Z"},
    "report": {"refresh_version": 4711},
    "fail": {"program_status": "SystemError", "deployment_error": {"message": "m", "error_code": "Oh"}},
    "spoil": {"created_at": "yesterday"},
    "repair": {"created_at": "2026-08-21T10:00:00Z"},
}
_STEPS: Final = st.tuples(st.sampled_from(["create", "delete", "scrape", *_CHANGES]), _NUMBERS)


@settings(deadline=None, max_examples=example_count(60))
@given(st.lists(st.lists(_STEPS, max_size=5), min_size=1, max_size=8), st.integers(0, HOLD // 2))
def test_any_changes(polls: list[list[tuple[str, int]]], interval: int) -> None:
    """After any changes, the updated text equals the text rendered from the same state alone."""
    listed, driver = NumberedPipelines(20), ExporterDriver()
    driver.poll(listed.body(), AT)
    for poll, steps in enumerate(polls, 1):
        for what, number in steps:
            _happen(listed, driver, what, number)
        driver.poll(listed.body(), AT + poll * interval)
        driver.page = updated_sections(driver.page, (driver.observed,), driver.catalogue)
        fresh = updated_sections(ExpositionSections(), (driver.observed,), driver.catalogue)
        for format_ in Format:
            assert _text(driver.page, format_) == _text(fresh, format_)
        assert driver.page.samples == fresh.samples
        assert driver.page.samples == sum(line[:1] != b"#" for line in _text(fresh).splitlines())


def _happen(listed: NumberedPipelines, driver: ExporterDriver, what: str, number: int) -> None:
    if what == "scrape":
        driver.scrape()
    elif what == "create":
        listed.create(number)
    elif what == "delete":
        listed.elements.pop(number, None)
    elif number in listed.elements:
        listed.set(number, **_CHANGES[what])


_SINCE: Final = "_since_timestamp_seconds"
_LIMIT: Final = "_limit_seconds"


def _dated(text: str, kind: str) -> set[str]:
    """Return the dimensions that have a sample of a family ending so."""
    names = (line.partition("{")[0] for line in text.splitlines() if not line.startswith("#"))
    return {
        name.removeprefix("feldera_pipeline_").removesuffix(kind) for name in names if name.endswith(kind)
    }


def test_a_beginning_in_1970_is_none() -> None:
    """A beginning in 1970 is left out, and so is its limit."""
    listed, driver = NumberedPipelines(1), ExporterDriver()
    driver.poll(listed.body(), AT)
    everything = _dated(driver.scrape(), _SINCE)
    for number, (zero, known) in enumerate(
        (
            ("1970-01-01T00:00:00Z", False),
            ("0001-01-01T00:00:00Z", False),
            ("1970-01-01T00:00:00.000001Z", True),
        )
    ):
        listed.set(0, **{f"{name}_since": zero for name in everything - {"storage_status"}})
        driver.poll(listed.body(), AT + (number + 1) * SECOND)
        text = driver.scrape()
        assert _dated(text, _SINCE) == (everything if known else {"storage_status"})
        limited = {dimension.name for dimension in LIMITED}
        assert _dated(text, _LIMIT) == (limited if known else {"storage_status"})


def test_storage_of_an_unknown_age_has_no_limit() -> None:
    """After an event gap, beginning and limit of the storage status are absent until the next status."""
    listed, driver = NumberedPipelines(1), ExporterDriver()
    driver.poll(listed.body(), AT)
    shown = driver.ledger.published()
    for storage in (None, 0, AT):
        histories = {
            key: replace(history, since=replace(history.since, storage=storage))
            for key, history in shown.histories.items()
        }
        counters = dataclasses.replace(shown, histories=histories)
        fleet = observed(driver.fleet, driver.selection, counters, driver.policy, AT)
        text = _text(
            updated_sections(
                ExpositionSections(), (InstanceWithProblems(fleet, driver.problems),), driver.catalogue
            )
        ).decode()
        for kind in (_SINCE, _LIMIT):
            assert ("storage_status" in _dated(text, kind)) == (storage == AT)
        driver.fleet = fleet


def test_families_that_are_excluded() -> None:
    """Each family can be excluded, alone and with others, and at each reload."""
    listed = NumberedPipelines(3)
    for exclude in ((family,) for family in KNOWN_FAMILIES):
        driver = ExporterDriver(shown=catalogue(exclude=exclude))
        driver.poll(listed.body(), AT)
        text = driver.scrape()
        assert not any(line.startswith(f"{exclude[0]}{{") for line in text.splitlines())
    driver = ExporterDriver(shown=catalogue(exclude=tuple(KNOWN_FAMILIES)))
    for second in range(2):
        driver.poll(listed.body(), AT + second * SECOND)
        assert driver.scrape() == ""
        listed.create(3 + second)
    assert driver.page.samples == 0


def test_only_what_the_configuration_includes_is_shown_and_counted() -> None:
    """Excluded pipelines are never shown or counted, also after a change or a reload."""
    few = dataclasses.replace(
        CONFIGURATION.instances[0], pipelines=Filter(exclude=(re.compile("pipeline-1."),))
    )
    driver, listed = ExporterDriver(Configuration((few,))), NumberedPipelines(30)

    def shown() -> set[str]:
        assert (
            f'feldera_pipelines{{feldera_instance="test"}} {len(driver.fleet.pipelines)}\n' in driver.scrape()
        )
        return {pipeline.facts.row.name for pipeline in driver.fleet.pipelines.values()}

    all_names = {f"pipeline-{number}" for number in range(30)}
    included = {name for name in all_names if not re.fullmatch("pipeline-1.", name)}
    driver.poll(listed.body(), AT)
    assert shown() == included
    listed.set(13, refresh_version=int(listed.elements[13]["refresh_version"]) + 1)
    driver.poll(listed.body(), AT + SECOND)
    assert shown() == included
    other = dataclasses.replace(few, pipelines=Filter(exclude=(re.compile("pipeline-.?[5-9]"),)))
    driver.fleet = with_settings(driver.fleet, InstanceSettings(Configuration((other,)), other))
    assert shown() == {name for name in included if not re.fullmatch("pipeline-.?[5-9]", name)}


def test_a_pipeline_that_cannot_be_read_stays() -> None:
    """It is shown for as long as `staleness`, then removed; it counts as one of the instance's."""
    listed, driver = NumberedPipelines(3), ExporterDriver()
    driver.poll(listed.body(), AT)
    listed.set(1, created_at="yesterday")
    for seconds, shown in ((10, 3), (200, 3), (320, 2)):
        driver.poll(listed.body(), AT + seconds * SECOND)
        assert (len(driver.fleet.pipelines), driver.fleet.size) == (shown, shown)
        assert (identity(1) in driver.fleet.pipelines) == (shown == 3)
    listed.set(1, created_at="2026-08-21T10:00:00Z")
    driver.poll(listed.body(), AT + 330 * SECOND)
    assert driver.fleet.size == 3
    assert driver.fleet.lost == {}


def test_a_carriage_return_ends_no_line() -> None:
    """A carriage return in a name needs no escape, and the lines behind it are found."""
    listed, driver = NumberedPipelines(3), ExporterDriver()
    listed.set(0, name="a\rb")
    driver.poll(listed.body(), AT)
    [*_, last] = driver.fleet.pipelines
    counters = driver.fleet.counters
    fleet = dataclasses.replace(
        driver.fleet, counters=dataclasses.replace(counters, credited={last: counters.as_of})
    )
    shown = _text(
        updated_sections(
            ExpositionSections(), (InstanceWithProblems(fleet, driver.problems),), driver.catalogue
        )
    ).split(b"\n")
    moving = [line for line in shown if b"status_seconds_total{" in line and b'status="Running"' in line]
    assert len(moving) == 3
    assert len({line.partition(b'pipeline_name="')[2].partition(b'"')[0] for line in moving}) == 3
