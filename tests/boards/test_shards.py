"""Several shards, each of which counts for its own pipelines: the boards add them up, and count replicas once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from boards.recorded import NOW, Samples, Series, pipeline, refused, replica, series
from feldera_exporter.feldera.vocabulary import DEPLOYMENT

ERRORS: Final = "fleet / New errors by code / {{error_code}}"
ENDED: Final = "fleet / How long transient statuses last / Ended"
MEDIAN: Final = "fleet / How long transient statuses last / p50"
_SAMPLES: Final = NOW // 15


def _counting(exporters: Mapping[str, str], a_minute: int = 60) -> Iterator[Series]:
    """Yield exporters with their shards, each with so many errors and ended statuses a minute."""
    for name, shard in exporters.items():
        yield from replica(name, NOW - 5, shard=shard)
        labels = {"job": "feldera-exporter", "instance": name, "feldera_instance": "prod"}
        values = f"0+{a_minute // 4}x{_SAMPLES}"
        yield series("feldera_deployment_errors_total", values, error_code="StartError", **labels)
        status = {"status": "Stopping", **labels}
        yield series("feldera_status_duration_seconds_count", values, **status)
        for bound in ("10.0", "+Inf"):
            yield series("feldera_status_duration_seconds_bucket", values, le=bound, **status)


def _errors(count: float) -> dict[str, Samples]:
    return {
        ERRORS: [({"error_code": "StartError"}, count)],
        ENDED: [({"status": "Stopping"}, 60 * count)],
        MEDIAN: [({"status": "Stopping"}, 5)],
    }


@pytest.mark.parametrize(
    ("exporters", "count"),
    [
        ({"a": "0/3", "b": "1/3", "c": "2/3"}, 180),
        ({"a": "0/1", "b": "0/1"}, 60),
        ({"a": "0/2", "b": "1/2", "c": "0/2", "d": "1/2"}, 120),
        ({"a": "", "b": ""}, 60),
        ({"a": "", "b": "0/1"}, 60),
    ],
    ids=["shards", "replicas", "replicas of shards", "older exporters", "during an update"],
)
def test_shards_add_up_and_replicas_do_not(tmp_path: Path, exporters: dict[str, str], count: int) -> None:
    """Three shards with sixty errors a minute have 180; an older exporter, which does not tell, is the whole."""
    assert refused(tmp_path, _counting(exporters), _errors(count)) == ""


def test_an_exporter_whose_shard_changed_breaks_nothing(tmp_path: Path) -> None:
    """Two shards of one target in the time shown would fail the join for all."""

    def recorded() -> Iterator[Series]:
        yield from _counting({"a": ""})
        target = {"job": "feldera-exporter", "instance": "a"}
        half = _SAMPLES * 3 // 4
        yield series("feldera_exporter_shard_info", f"1x{half} stale", shard="0/3", **target)
        yield series("feldera_exporter_shard_info", f"_x{half + 1} 1x{_SAMPLES}", shard="0/4", **target)

    assert refused(tmp_path, recorded(), _errors(60)) == ""


def test_what_a_shard_counted_that_is_gone_stays(tmp_path: Path) -> None:
    """In the time shown, although it says nothing any more."""

    def recorded() -> Iterator[Series]:
        for each in _counting({"a": "0/2", "b": "1/2"}):
            if 'instance="b"' in each["series"]:
                values = each["values"].partition("x")[0]
                each["values"] = f"{values}x{_SAMPLES - 60} stale"
            yield each

    # A quarter of the hour is missing, but for half an interval that Prometheus adds.
    ended = 3600 + 15 * (180 + 0.5)
    assert refused(tmp_path, recorded(), {ENDED: [({"status": "Stopping"}, ended)]}) == ""


def test_the_shard_that_waits_longest_decides(tmp_path: Path) -> None:
    """How old the data are, and whether Feldera answers; the better one of two replicas of a shard counts."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5, shard="0/2")
        yield from replica("b", NOW - 90, up=0, shard="1/2")
        yield from replica("c", NOW - 100, shard="1/2")
        yield from pipeline("a", "orders", [(DEPLOYMENT, "Running", 0, 1e9)])

    prod = {"feldera_instance": "prod"}
    expected: dict[str, Samples] = {
        "fleet / Data age / {{feldera_instance}}": [(prod, 90)],
        "fleet / Feldera's API and services / {{feldera_instance}}: answers": [(prod, 0)],
        "fleet / Running / running": [({}, 1)],
        "fleet / Stuck / stuck": [],
    }
    assert refused(tmp_path, recorded(), expected) == ""
