"""What the rules are checked against is what the exporter really exposes."""

from feldera_exporter.feldera.answers import OUTCOMES
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, SERVICES
from feldera_exporter.rules.table import ALERTS
from rules.exposed import CLOSED, described, exposed, seen
from rules.reach import RECORDINGS, reach


def test_what_the_rules_rest_on_was_seen() -> None:
    """Every family of the rules has samples in a real exposition, or is set by the running program as described."""
    names = {name for name, _ in seen()}
    running = {
        "up",
        "feldera_up",
        "feldera_exporter_api_clock_skew_seconds",
        "feldera_exporter_last_successful_poll_timestamp_seconds",
        "feldera_exporter_poll_interval_seconds",
    }
    needed = set().union(*map(reach, ALERTS)) - set(RECORDINGS)
    assert needed - names - running == set()
    assert running - {"up"} <= dict(described()).keys()


def test_samples_have_the_labels_described() -> None:
    """No sample of a family has other labels than its description."""
    told = dict(described())
    wrong = {name for name, own in seen() if name in told and told[name] != {label for label, _ in own}}
    assert wrong == set()


def test_closed_sets_are_complete() -> None:
    """What was seen of them is all that there is."""
    families = exposed()
    assert families["feldera_pipeline_deployment_status"].values["status"] == set(DEPLOYMENT.statuses)
    assert families["feldera_exporter_polls_total"].values["outcome"] == set(OUTCOMES)
    assert families["feldera_cluster_service_healthy"].values["service"] == set(SERVICES)
    assert {label for family in families.values() for label in family.values} == CLOSED | {"expect"}
