"""The families that change while a pipeline's statuses stay: connector errors and the runner's refreshes."""

from operator import attrgetter
from typing import Final

from feldera_exporter.exposition.family import Family
from feldera_exporter.feldera.wire import Progress
from feldera_exporter.metrics.single_samples import known_number

FAMILIES: Final[tuple[Family[Progress], ...]] = (
    Family(
        "feldera_pipeline_connector_errors",
        "counter",
        "Total number of errors of all connectors since the pipeline started; absent if Feldera does not report it.",
        (),
        known_number,
        attrgetter("connector_errors"),
    ),
    Family(
        "feldera_pipeline_refresh_version",
        "gauge",
        "Feldera's refresh version; the runner increases that of a Provisioned pipeline about every ten minutes.",
        (),
        known_number,
        attrgetter("refresh_version"),
    ),
)
