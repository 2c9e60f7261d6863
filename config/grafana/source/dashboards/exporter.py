"""The board of the exporter: whether it hears from Feldera, what that costs, and how it is itself."""

from dashboards import links, variables
from dashboards.board import Board
from dashboards.exporter_api import events, polls
from dashboards.exporter_process import exposition, now, process


def exporter() -> Board:
    """Return the board."""
    job = variables.choice("job", "Job", "label_values(feldera_exporter_build_info, job)", variables.ANY)
    replica = variables.choice(
        "instance",
        "Replica",
        'label_values(feldera_exporter_build_info{job=~"$job"}, instance)',
        variables.ANY,
    )
    return Board(
        "feldera-exporter",
        "Feldera: exporter",
        "Every replica of feldera-exporter: whether it hears from Feldera, what that costs, and how it is itself.",
        (variables.DATA_SOURCE, job, replica, variables.instances(several=True), variables.EXPORTER),
        {
            "Now": now(),
            "Feldera's API": polls(),
            "Events": events(),
            "What Prometheus reads": exposition(),
            "The process": process(),
        },
        links={"The fleet": links.FLEET_BOARD},
    )
