"""The dashboard of the exporter: its requests to Feldera, its notifications, its scrapes, and its processes."""

from dashboards import links, variables
from dashboards.board import Board
from dashboards.exporter_api import events, polls
from dashboards.exporter_notifications import notifications
from dashboards.exporter_process import now, process, scrapes


def exporter() -> Board:
    """Return the dashboard."""
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
        "Every replica of feldera-exporter: its requests to Feldera, its notifications, its scrapes, and its process.",
        (variables.DATA_SOURCE, job, replica, variables.instances(several=True), variables.EXPORTER),
        {
            "Now": now(),
            "Feldera's API": polls(),
            "Events": events(),
            "Notifications": notifications(),
            "Scrapes": scrapes(),
            "The process": process(),
        },
        links={"The fleet": links.FLEET_BOARD},
    )
