"""The families that change while a pipeline's statuses stay: connector errors and the runner's refreshes."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from feldera_exporter.exposition.family import Family, Sample
from feldera_exporter.feldera.wire import Progress


def _known(count: int | None) -> Iterator[Sample]:
    if count is not None:
        yield Sample(str(count))


FAMILIES: Final[tuple[Family[Progress], ...]] = (
    Family(
        "feldera_pipeline_connector_errors",
        "counter",
        "Total number of errors of all connectors since the pipeline started; absent if Feldera does not report it.",
        (),
        _known,
        attrgetter("connector_errors"),
    ),
    Family(
        "feldera_pipeline_refresh_version",
        "gauge",
        "Feldera's refresh version; the runner increases that of a Provisioned pipeline about every ten minutes.",
        (),
        _known,
        attrgetter("refresh_version"),
    ),
)
