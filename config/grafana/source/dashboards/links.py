"""The links of the dashboards: to each other, to the exporter's pages, to Feldera's web console."""

from types import MappingProxyType
from typing import Final

PIPELINE: Final = (
    "/d/feldera-pipeline?var-datasource=${datasource}&var-feldera_instance=${__data.fields.Instance:percentencode}"
    "&var-pipeline=${__data.fields.Id:percentencode}&${__url_time_range}"
)
CONSOLE: Final = "${console}/pipelines/${__data.fields.Pipeline:percentencode}/"
RUNBOOK: Final = "${exporter}/runbooks/${__data.fields.Alert:percentencode}"
RUNBOOK_OF_PIPELINE: Final = "${exporter}/runbooks/FelderaPipeline${__data.fields.Problem:percentencode}"
RUNBOOK_OF_INSTANCE: Final = "${exporter}/runbooks/Feldera${__data.fields.Problem:percentencode}"
PAGE: Final = (
    "${exporter}/pipelines/${__data.fields.Instance:percentencode}/${__data.fields.Pipeline:percentencode}"
)
"""The exporter's page about a pipeline, with the whole error."""

FLEET_BOARD: Final = "/d/feldera-fleet"
EXPORTER_BOARD: Final = "/d/feldera-exporter"
FLEET_PAGE: Final = "${exporter}/"
PIPELINE_PAGE: Final = "${exporter}/pipelines/${feldera_instance:percentencode}/${pipeline:text}"
"""The exporter's pages about the selected fleet or pipeline. The variable's text is the name, which needs no encoding."""

OF_PIPELINE: Final = MappingProxyType(
    {
        "Dashboard of the pipeline": PIPELINE,
        "The exporter's page with the whole error": PAGE,
        "Feldera's web console": CONSOLE,
    }
)
"""The links of a pipeline's name."""
