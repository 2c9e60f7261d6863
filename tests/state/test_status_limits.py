"""Limits of statuses."""

import math
import re

import pytest

from feldera_exporter.config import Limits, Override
from feldera_exporter.feldera import statuses
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS
from feldera_exporter.state.instance_settings import status_limits
from problems.examples import pipeline

FIRST = Override({"Provisioning": 1.0, "Stopping": 2.0}, name=re.compile("etl-.*"))
SECOND = Override({"Provisioning": 3.0, "Clearing": 4.0}, tag=re.compile("slow|huge"))
BOTH = Override({"Melting": math.inf, "Provisioning": 9.0}, name=re.compile("etl-1"), tag=re.compile("slow"))
LIMITS = Limits(overrides=(FIRST, SECOND, BOTH))


def changed(name: str, *tags: str) -> dict[str, float]:
    """Return the limits of a pipeline that are not the default ones."""
    found = status_limits(LIMITS, name, tags)
    return {status: each for status, each in found.items() if DEFAULT_LIMITS.get(status) != each}


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (("other",), {}),
        (("etl-1",), {"Provisioning": 1.0, "Stopping": 2.0}),
        (("my-etl-1",), {}),
        (("other", "slow"), {"Provisioning": 3.0, "Clearing": 4.0}),
        (("other", "x", "huge|ef4444"), {"Provisioning": 3.0, "Clearing": 4.0}),
        (("other", "slower"), {}),
        (("etl-2", "slow"), {"Provisioning": 1.0, "Stopping": 2.0, "Clearing": 4.0}),
        (("etl-1", "slow"), {"Provisioning": 1.0, "Stopping": 2.0, "Clearing": 4.0, "Melting": math.inf}),
    ],
)
def test_first_matching_override_wins_per_status(
    pipeline: tuple[str, ...], expected: dict[str, float]
) -> None:
    """Each status takes its limit from the first override that names it and matches name and tag, else the default."""
    assert changed(*pipeline) == expected


def test_statuses_without_a_limit() -> None:
    """Steady and unknown statuses have none; an unknown one may be given one."""
    given = {"Melting": 5.0}
    for status in ("Running", "Paused", "Standby", "Stopped", "Novel"):
        limits = pipeline(status=status, limits=given).facts.limits
        assert (limits.deployment_status, limits.storage_status) == (math.inf, math.inf)
    assert pipeline(status="Melting", limits=given).facts.limits.deployment_status == 5.0
    limit = pipeline(status="Provisioning", limits=given).facts.limits.deployment_status
    assert limit == DEFAULT_LIMITS["Provisioning"]


def test_every_passing_status_has_a_default() -> None:
    """Of Feldera's statuses exactly those that should pass have a default limit; Provisioned is never shown as combined."""
    passing = {
        status
        for dimension in (statuses.DEPLOYMENT, statuses.STORAGE)
        for status, kind in dimension.statuses.items()
        if kind not in {statuses.Kind.GOOD, statuses.Kind.IDLE}
    } | {s for s, kind in statuses.PROGRAM.statuses.items() if kind is statuses.Kind.TRANSIENT}
    assert set(DEFAULT_LIMITS) == passing | {"StartPending", "Drift"}
