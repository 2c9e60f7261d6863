"""A pipeline's configuration is read in every spelling and answered in the version's own."""

from typing import Any

import pytest

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.runtime_config import (
    DEFAULTS,
    canonical,
    nanoseconds,
    provisioning_seconds,
    resources,
    size_in_bytes,
    spelled,
)

NEW = (0, 375, 0)
OLD = (0, 337, 0)
DURATIONS_ONLY = (0, 366, 0)


def test_nothing_set_is_the_defaults() -> None:
    """The newest versions leave out what is unset; older ones have null or a number."""
    assert canonical({}) is DEFAULTS
    assert spelled(DEFAULTS, NEW) == DEFAULTS
    old = spelled(DEFAULTS, OLD)
    assert (old["provisioning_timeout_secs"], old["clock_resolution_usecs"]) == (None, 1_000_000)
    assert old["fault_tolerance"] == {"model": "none", "checkpoint_interval_secs": 60}
    assert old["resources"]["memory_mb_max"] is None
    assert old["storage"] == {
        "backend": {"name": "default"},
        "compression": "default",
        "cache_mib": None,
        "min_storage_bytes": None,
        "min_step_storage_bytes": None,
    }
    assert "memory_mb_max" not in DEFAULTS["resources"]


@pytest.mark.parametrize(
    ("given", "group", "new", "old"),
    [
        ({"provisioning_timeout_secs": 1200}, "", ("provisioning_timeout", "20m"), ("provisioning_timeout_secs", 1200)),
        ({"provisioning_timeout": "1200s"}, "", ("provisioning_timeout", "20m"), ("provisioning_timeout_secs", 1200)),
        ({"provisioning_timeout": 90}, "", ("provisioning_timeout", "1m30s"), ("provisioning_timeout_secs", 90)),
        ({"clock_resolution_usecs": 1500}, "", ("clock_resolution", "1ms500us"), ("clock_resolution_usecs", 1500)),
        ({"max_buffering_delay": "0"}, "", ("max_buffering_delay", "0s"), ("max_buffering_delay_usecs", 0)),
        ({"max_rss_mb": 16000}, "", ("max_rss", "16G"), ("max_rss_mb", 16000)),
        ({"max_rss": "0B"}, "", ("max_rss", "0B"), ("max_rss_mb", 0)),
        (
            {"resources": {"memory_mb_max": 1}},
            "resources",
            ("memory_max", "1M"),
            ("memory_mb_max", 1),
        ),
        (
            {"resources": {"memory_max": "16Gi"}},
            "resources",
            ("memory_max", "16Gi"),
            ("memory_mb_max", 17179),
        ),
        ({"storage": {"cache_mib": 512}}, "storage", ("cache_size", "512Mi"), ("cache_mib", 512)),
        ({"storage": {"min_spill_size": "1001"}}, "storage", ("min_spill_size", "1001B"), ("min_storage_bytes", 1001)),
        (
            {"fault_tolerance": {"checkpoint_interval_secs": None}},
            "fault_tolerance",
            ("checkpoint_interval", None),
            ("checkpoint_interval_secs", None),
        ),
        (
            {"fault_tolerance": {"checkpoint_interval": "1d12h"}},
            "fault_tolerance",
            ("checkpoint_interval", "1d12h"),
            ("checkpoint_interval_secs", 129_600),
        ),
    ],
)  # fmt: skip
def test_a_setting_in_both_spellings(
    given: Any, group: str, new: tuple[str, Any], old: tuple[str, Any]
) -> None:
    """The answer has the version's own spelling alone, whichever was written."""
    config = canonical(given)
    for version, (name, value), other in ((NEW, new, old[0]), (OLD, old, new[0])):
        shown = spelled(config, version)
        part = shown[group] if group else shown
        assert (part[name], other in part) == (value, False)
    assert canonical(spelled(config, NEW)) == config


def test_a_version_between_spells_durations_only_in_the_new_way() -> None:
    """Sizes are spelt in the new way one release later."""
    shown = spelled(canonical({"provisioning_timeout_secs": 60, "max_rss_mb": 1000}), DURATIONS_ONLY)
    assert (shown["provisioning_timeout"], shown["max_rss_mb"]) == ("1m", 1000)


def test_a_group_that_is_given_is_filled_up() -> None:
    """A given group of fault tolerance is on; storage that is off stays off; null unsets."""
    assert canonical({"fault_tolerance": {}})["fault_tolerance"] == {"model": "exactly_once"}
    assert canonical({"storage": {"cache_mib": None}})["storage"] == DEFAULTS["storage"]
    off = canonical({"storage": None, "provisioning_timeout": None, "unknown": 1})
    assert off == {**DEFAULTS, "storage": None}
    assert spelled(off, OLD)["storage"] is None


@pytest.mark.parametrize(
    "given",
    [
        {"provisioning_timeout": "20"},
        {"provisioning_timeout": "soon"},
        {"provisioning_timeout": "1m,1s"},
        {"provisioning_timeout": True},
        {"provisioning_timeout": -1},
        {"provisioning_timeout": 1.5},
        {"max_rss": "1000"},
        {"max_rss": "1 GB"},
        {"max_rss": ""},
        {"env": {"FELDERA_X": "1"}},
        {"env": {"RUST_LOG": "debug", "OTHER": ""}},
    ],
)
def test_what_cannot_be_read_is_refused(given: Any) -> None:
    """The details have the configuration and the reason."""
    with pytest.raises(ApiError) as refused:
        canonical(given)
    assert (refused.value.status, refused.value.error_code) == (400, "InvalidRuntimeConfig")
    assert refused.value.details["value"] == given
    assert refused.value.details["error"]


def test_durations_and_sizes() -> None:
    """Durations are Go's with days; sizes have binary and decimal units with and without B."""
    assert nanoseconds("1h2m3s4ms5us6ns") == 3_723_004_005_006
    assert nanoseconds(".5s") == nanoseconds("500ms") == nanoseconds("500000µs") == nanoseconds("500000μs")
    assert size_in_bytes("1.5Gi") == size_in_bytes("1.5GiB") == 3 << 29
    assert size_in_bytes("16k") == size_in_bytes("16000B") == 16_000
    assert provisioning_seconds(canonical({"provisioning_timeout": "1500ms"})) == 1.5
    assert provisioning_seconds(DEFAULTS) is None


def test_what_can_change_while_a_pipeline_runs() -> None:
    """Four fields can change; a minimum above its maximum is refused."""
    assert resources({"memory_mb_max": 2000}) == {
        "cpu_cores_min": None,
        "cpu_cores_max": None,
        "memory_min": None,
        "memory_max": "2G",
    }
    for wrong in ({"cpu_cores_min": 9, "cpu_cores_max": 8}, {"memory_min": "2Gi", "memory_max": "2G"}):
        with pytest.raises(ApiError, match="exceeds"):
            resources(wrong)
