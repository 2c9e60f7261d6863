"""A refused element of the list affects no other: the others are watched, and the log names it."""

import pytest
from structlog.testing import capture_logs

from support.plans import INSTANT
from support.stepped_poller import SteppedPoller

STATUS = "feldera_pipeline_deployment_status"
TRANSITIONS = "feldera_pipeline_deployment_resources_status_transitions_total"
UNREADABLE = "feldera_exporter_unreadable_pipelines"


def running(poller: SteppedPoller) -> set[str]:
    """Return the pipelines that are shown to run."""
    return {
        labels.split('"')[3]
        for labels, value in poller.shown(STATUS).items()
        if value == 1 and 'status="Running"' in labels
    }


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"[" * 1000 + b"]" * 1000, id="nested 1,000 deep"),
        pytest.param(rb'["\udfff"]', id="half of a surrogate pair"),
        pytest.param(b'["\x01"]', id="control character"),
        pytest.param(b"NaN", id="no JSON"),
    ],
)
@pytest.mark.parametrize("field", [b'"tags":[]', b'"description":""'])
def test_a_refused_element_affects_no_other(
    monkeypatch: pytest.MonkeyPatch, value: bytes, field: bytes
) -> None:
    """Each poll succeeds, others' transitions count, and its own once it can be read again."""
    poller = SteppedPoller(monkeypatch)
    for name in ("first", "bad", "last"):
        poller.feldera.create(name, plan=INSTANT)
    poller.clock.advance(10)
    poller.poll(180)

    def spoil(body: bytes) -> bytes:
        before, name, after = body.partition(b'"name":"bad"')
        return before + name + after.replace(field, field.partition(b":")[0] + b":" + value, 1)

    poller.client.spoil = spoil
    with capture_logs() as lines:
        poller.poll()
        for name in ("first", "bad", "last"):
            poller.feldera.start(name)
        poller.poll(180)
    assert running(poller) == {"first", "last"}
    assert poller.shown(UNREADABLE)[""] == 1
    [line] = [line for line in lines if line["log_level"] == "warning"]
    assert line["error"].startswith("1, the first is bad: ")
    poller.client.spoil = bytes
    poller.poll(180)
    assert running(poller) == {"first", "bad", "last"}
    assert poller.shown(UNREADABLE)[""] == 0
    provisioned = {
        labels.split('"')[3]: value
        for labels, value in poller.shown(TRANSITIONS).items()
        if 'from="Provisioning",to="Provisioned"' in labels
    }
    assert provisioned == {"first": 1, "bad": 1, "last": 1}
    assert poller.shown("feldera_exporter_event_gaps_total")[""] == 0
