"""The board of the fleet: what needs somebody now, then trends, timelines, durations, and Feldera itself."""

from boards import links, variables
from boards.board import Board
from boards.fleet_now import now
from boards.fleet_past import durations, timelines, trends
from boards.fleet_platform import platform


def fleet() -> Board:
    """Return the board."""
    return Board(
        "feldera-fleet",
        "Feldera: fleet",
        "All pipelines of the Feldera instances chosen: what needs somebody now, and how it came to that.",
        (
            variables.DATA_SOURCE,
            variables.instances(several=True),
            *variables.tags(),
            variables.pipelines(several=True),
            variables.CONSOLE,
            variables.EXPORTER,
        ),
        {
            "What needs somebody now": now(),
            "Trends": trends(),
            "Timelines": timelines(),
            "Durations": durations(),
            "Feldera itself": platform(),
        },
        links={"The exporter": links.EXPORTER_BOARD},
    )
