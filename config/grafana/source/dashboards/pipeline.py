"""The board of one pipeline: where it stands, against what was asked and what is allowed, and how it came to that."""

from dashboards import links, problems, variables
from dashboards.board import Board
from dashboards.pipeline_now import now
from dashboards.pipeline_past import counted, durations, timelines


def pipeline() -> Board:
    """Return the board."""
    return Board(
        "feldera-pipeline",
        "Feldera: one pipeline",
        "One pipeline: desired and actual status, how long it may last, its problems and errors.",
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
            "What happened": timelines(),
            "How long": durations(),
            "What was counted": counted(),
        },
        marks=problems.OF_PIPELINES.since(),
        marked=True,
        links={
            "The fleet": links.FLEET_BOARD,
            "The exporter": links.EXPORTER_BOARD,
            "The exporter's page of the pipeline": links.PIPELINE_PAGE,
        },
    )
