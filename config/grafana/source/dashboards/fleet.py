"""The board of the fleet: the problems, then trends, timelines, durations, and Feldera itself."""

from dashboards import links, problems, variables
from dashboards.board import Board
from dashboards.fleet_now import now
from dashboards.fleet_past import durations, timelines, trends
from dashboards.fleet_platform import platform


def fleet() -> Board:
    """Return the board."""
    return Board(
        "feldera-fleet",
        "Feldera: fleet",
        "All pipelines of the Feldera instances chosen: what is wrong now, and how it came to that.",
        (
            variables.DATA_SOURCE,
            variables.instances(several=True),
            *variables.tags(),
            variables.pipelines(several=True),
            variables.CONSOLE,
            variables.EXPORTER,
        ),
        {
            "Problems": now(),
            "Trends": trends(),
            "Timelines": timelines(),
            "Durations": durations(),
            "Feldera itself": platform(),
        },
        marks=problems.OF_PIPELINES.since(),
        links={"The exporter": links.EXPORTER_BOARD, "The exporter's page of the fleet": links.FLEET_PAGE},
    )
