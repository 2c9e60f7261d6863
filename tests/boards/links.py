"""Where a click leads: from a board to another one, to the exporter's pages, to Feldera's web console."""

from types import MappingProxyType
from typing import Final

PIPELINE: Final = (
    "/d/feldera-pipeline?var-datasource=${datasource}&var-feldera_instance=${__data.fields.Instance:percentencode}"
    "&var-pipeline=${__data.fields.Id:percentencode}&${__url_time_range}"
)
CONSOLE: Final = "${console}/pipelines/${__data.fields.Pipeline:percentencode}/"
RUNBOOK: Final = "${exporter}/runbooks/${__data.fields.Alert:percentencode}"
PAGE: Final = (
    "${exporter}/pipelines/${__data.fields.Instance:percentencode}/${__data.fields.Pipeline:percentencode}"
)
"""The exporter's own page of a pipeline, with the whole text of its error."""

FLEET_BOARD: Final = "/d/feldera-fleet"
EXPORTER_BOARD: Final = "/d/feldera-exporter"

OF_PIPELINE: Final = MappingProxyType(
    {
        "Board of the pipeline": PIPELINE,
        "The exporter's page, with the whole error": PAGE,
        "Feldera's web console": CONSOLE,
    }
)
"""Where a click on a pipeline's name leads."""
