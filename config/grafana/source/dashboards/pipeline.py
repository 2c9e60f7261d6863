"""The dashboard of one pipeline: its statuses, limits, problems and errors, and their history."""

from dashboards import links, problems, variables
from dashboards.board import Board
from dashboards.pipeline_now import now
from dashboards.pipeline_past import counters, durations, timelines


def pipeline() -> Board:
    """Return the dashboard."""
    return Board(
        "feldera-pipeline",
        "Feldera: one pipeline",
        "One pipeline: desired and actual status, limits, problems and errors.",
        (
            variables.DATA_SOURCE,
            variables.instances(several=False),
            *variables.tags(),
            variables.pipelines(several=False),
            variables.CONSOLE,
            variables.EXPORTER,
        ),
        {
            "Now": now(),
            "Timelines": timelines(),
            "Durations": durations(),
            "Counters": counters(),
        },
        problems=problems.OF_PIPELINES.since(),
        marked=True,
        links={
            "The fleet": links.FLEET_BOARD,
            "The exporter": links.EXPORTER_BOARD,
            "The exporter's page about the pipeline": links.PIPELINE_PAGE,
        },
    )
