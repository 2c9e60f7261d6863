"""The families of what moves while nothing happens to a pipeline."""

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
        "Errors of all connectors since the pipeline started; absent where Feldera does not report them.",
        (),
        _known,
        attrgetter("connector_errors"),
    ),
    Family(
        "feldera_pipeline_refresh_version",
        "gauge",
        "Feldera's refresh version: that of a Provisioned pipeline moves every ten minutes, else its runner is frozen.",
        (),
        _known,
        attrgetter("refresh_version"),
    ),
)
