"""The support bundle of a pipeline: a ZIP file (pipeline-manager `support_data_collector.rs`)."""

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Final

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import encode
from feldera_exporter.simulator.json_rendering import event_json, row_json
from feldera_exporter.simulator.logs import log_of
from feldera_exporter.simulator.pipeline_metrics import as_text, pipeline_metrics
from feldera_exporter.simulator.stats import stats
from feldera_exporter.simulator.timestamps import instant_text
from feldera_exporter.simulator.versions import parse_version

Collect = Callable[[Feldera, str], bytes]


def _logs(feldera: Feldera, name: str) -> bytes:
    return log_of(feldera.get(name)).after(0)


def _configuration(feldera: Feldera, name: str) -> bytes:
    pipeline = feldera.get(name)
    return encode(row_json(pipeline.id, pipeline.row, "all", parse_version(feldera.version)))


def _events(feldera: Feldera, name: str) -> bytes:
    return encode([event_json(event, "all") for event in feldera.get(name).log.newest_first()])


CONTENTS: Final[Mapping[str, tuple[str, Collect]]] = {
    "metrics": ("metrics.txt", lambda feldera, name: as_text(pipeline_metrics(feldera, name))),
    "logs": ("logs.txt", _logs),
    "stats": ("stats.json", lambda feldera, name: encode(stats(feldera, name))),
    "pipeline_config": ("pipeline_config.json", _configuration),
    "pipeline_events": ("pipeline_events.json", _events),
}
"""What a bundle holds, by the parameter that leaves it out: the file's name and its content."""


def bundle(feldera: Feldera, name: str, wanted: Mapping[str, bool]) -> bytes:
    """Return a bundle as a ZIP, with the parts that are wanted.

    Raises:
        ApiError: 404, no such pipeline.
    """
    taken = instant_text(feldera.settle())
    manifest = [f"Support bundle of {feldera.get(name).row.name}, {taken}"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for parameter, (file, collect) in CONTENTS.items():
            if not wanted.get(parameter, False):
                manifest.append(f"{file}: skipped")
                continue
            try:
                archive.writestr(f"{taken}_{file}", collect(feldera, name))
                manifest.append(f"{file}: collected")
            except ApiError as error:
                manifest.append(f"{file}: {error}")
        archive.writestr("manifest.txt", "\n".join(manifest))
    return buffer.getvalue()
