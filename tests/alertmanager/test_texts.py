"""The texts of notifications about several alerts, by each edition of Alertmanager's templates."""

from pathlib import Path
from typing import Any

import pytest

from support.notifications import rendered
from support.tools import editions

each_edition = pytest.mark.parametrize("edition", editions("amtool"))


def alert(
    name: str, ended: str = "", alertname: str = "FelderaPipelineDeploymentError", **labels: str
) -> dict[str, Any]:
    """Return an alert of a notification."""
    return {
        "status": "resolved" if ended else "firing",
        "labels": {"alertname": alertname, "feldera_instance": "prod", "pipeline_name": name, **labels},
        "annotations": {"summary": "A sentence.", "pipeline_url": f"http://localhost/{name}"},
        "startsAt": "2026-08-21T12:00:00Z",
        "endsAt": ended or "0001-01-01T00:00:00Z",
    }


def group(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Return a notification."""
    firing = any(each["status"] == "firing" for each in alerts)
    return {"status": "firing" if firing else "resolved", "alerts": alerts}


OVER = alert("ledger", "2026-08-21T12:30:13Z")


@each_edition
def test_a_firing_alert_is_in_title_and_link(tmp_path: Path, edition: str) -> None:
    """While an alert of a group fires, title and link are about those that fire, wherever they stand."""
    mixed = group(OVER, alert("orders"), OVER)
    assert rendered(tmp_path, "feldera.title", mixed, edition) == (
        "FIRING: orders of prod: DeploymentError since 2026-08-21 12:00:00 UTC"
    )
    assert rendered(tmp_path, "feldera.link", mixed, edition) == "http://localhost/orders"
    mixed = group(OVER, alert("orders"), alert("invoices"))
    assert rendered(tmp_path, "feldera.title", mixed, edition).endswith(", and 1 more")


@each_edition
def test_the_end_is_in_title_and_link(tmp_path: Path, edition: str) -> None:
    """When no alert of a group fires any more, title and link are about those that ended."""
    assert rendered(tmp_path, "feldera.title", group(OVER, OVER), edition) == (
        "RESOLVED: ledger of prod: DeploymentError since 2026-08-21 12:00:00 UTC, over since 12:30:13 UTC, and 1 more"
    )
    assert rendered(tmp_path, "feldera.link", group(OVER), edition) == "http://localhost/ledger"
