"""The exporter's metrics about itself."""

from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.client import PIPELINES
from feldera_exporter.telemetry import CODES, Telemetry


def test_a_reload_forgets_no_source() -> None:
    """An instance keeps its source in a reload; a new one begins with events."""
    telemetry = Telemetry("1", "3")
    telemetry.initialise("old")
    telemetry.reads("old", "polls")
    for name in ("old", "new"):
        telemetry.initialise(name)

    def samples(name: str) -> list[str]:
        lines = telemetry.expose(Format.TEXT).decode().splitlines()
        start = f'feldera_exporter_transition_source{{feldera_instance="{name}",source='
        return [line.removeprefix(start) for line in lines if line.startswith(start)]

    assert samples("old") == ['"events"} 0.0', '"polls"} 1.0']
    assert samples("new") == ['"events"} 1.0', '"polls"} 0.0']


def test_a_late_answer_brings_no_series_back() -> None:
    """A page's request may end after its instance was removed."""
    telemetry = Telemetry("1", "3")
    telemetry.initialise("gone")
    telemetry.observe("gone", PIPELINES, "200", 0.1)
    assert 'feldera_instance="gone"' in telemetry.expose(Format.TEXT).decode()
    telemetry.forget("gone")
    telemetry.observe("gone", PIPELINES, "200", 0.1)
    assert 'feldera_instance="gone"' not in telemetry.expose(Format.TEXT).decode()


def test_made_up_codes_are_bounded() -> None:
    """Unusual codes share a label value."""
    telemetry = Telemetry("1", "3")
    telemetry.initialise("prod")
    for _ in range(2):
        for code in range(100, 1000):
            telemetry.observe("prod", PIPELINES, str(code), 0.1)
    text = telemetry.expose(Format.TEXT).decode()
    start = f'feldera_exporter_api_requests_total{{api_endpoint="{PIPELINES.name}",code="'
    codes = {
        line.removeprefix(start).partition('"')[0] for line in text.splitlines() if line.startswith(start)
    }
    assert codes == {*CODES, "other"}
