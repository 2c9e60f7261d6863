"""The boards follow the rules of grafana/dashboard-linter, except for needed exceptions with reasons."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from boards.linting import RULES, Finding
from support.dashboards import BOARDS, Json

HIGH_AVAILABILITY: Final = "two replicas watch one Feldera: what they say is aggregated, not chosen by target"
_WHOLE: Final = "says something of the whole time shown"
EXCEPTIONS: Final = {
    "template_job": {"fleet": HIGH_AVAILABILITY, "pipeline": HIGH_AVAILABILITY},
    "template_instance": {"fleet": HIGH_AVAILABILITY, "pipeline": HIGH_AVAILABILITY},
    "target_job": {"fleet /": HIGH_AVAILABILITY, "pipeline /": HIGH_AVAILABILITY},
    "target_instance": {"fleet /": HIGH_AVAILABILITY, "pipeline /": HIGH_AVAILABILITY},
    "target_rate_interval": {
        "fleet / Deployment status /": _WHOLE,
        "fleet / Program status /": _WHOLE,
        "fleet / How long transient statuses last /": _WHOLE,
        "pipeline / Time in each status /": _WHOLE,
    },
}
"""For each rule the beginnings of places where it does not hold, and why."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.__name__))
def test_rule(rule: Callable[[], Iterator[Finding]]) -> None:
    """A rule holds for all boards except where an exception is stated, and each exception is needed."""
    exceptions = EXCEPTIONS.get(rule.__name__, {})
    found = list(rule())
    assert [each for each in found if not each[0].startswith(tuple(exceptions))] == []
    assert {begin for begin in exceptions if not any(place.startswith(begin) for place, _ in found)} == set()


def test_exceptions_name_rules() -> None:
    """Each exception names an existing rule."""
    assert EXCEPTIONS.keys() <= {rule.__name__ for rule in RULES}


def test_a_board_without_anything_breaks_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty board breaks every rule, so no rule passes because it looks at nothing."""
    query = {
        "expr": 'sum(rate(x_total{a="b"}[5m])) + y_total{}',
        "legendFormat": "",
        "refId": "A",
        "datasource": None,
    }
    variable = {"name": "v", "type": "query", "refresh": 1, "query": {"query": "up"}, "datasource": None}
    defaults: Json = {"thresholds": {"steps": []}, "noValue": ""}
    panel = {
        "type": "bargauge",
        "title": "",
        "description": "",
        "datasource": None,
        "targets": [query, query],
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }
    limited = {
        **panel,
        "type": "timeseries",
        "targets": [{**query, "legendFormat": "limit"}],
        "options": {"legend": {"showLegend": False}},
    }
    document = {
        "editable": True,
        "panels": [panel, limited],
        "annotations": {"list": []},
        "templating": {"list": [variable]},
    }
    monkeypatch.setitem(BOARDS, "bad", document)
    for rule in RULES:
        assert any(place.startswith("bad") for place, _ in rule()), rule.__name__
