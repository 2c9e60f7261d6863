"""The families of what moves while nothing happens to a pipeline."""

from collections.abc import Iterator
from typing import Final

from feldera_exporter.exposition.family import Family, Sample
from feldera_exporter.feldera.wire import Progress


def _connector_errors(progress: Progress) -> Iterator[Sample]:
    if progress.connector_errors is not None:
        yield Sample(str(progress.connector_errors))


def _refresh_version(progress: Progress) -> Iterator[Sample]:
    yield Sample(str(progress.refresh_version))


FAMILIES: Final = (
    Family(
        "feldera_pipeline_connector_errors",
        "counter",
        "Errors of all connectors since the pipeline started; absent where Feldera does not report them.",
        (),
        _connector_errors,
    ),
    Family(
        "feldera_pipeline_refresh_version",
        "gauge",
        "Feldera's refresh version: that of a Provisioned pipeline moves every ten minutes, else its runner is frozen.",
        (),
        _refresh_version,
    ),
)
