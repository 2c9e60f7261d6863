"""The problems that the exporter found: their PromQL and their tables. What is a problem it alone decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dashboards import links
from dashboards.board import Place
from dashboards.colours import BAD, GOOD, IDLE, NEEDS_PERSON, SEVERITIES
from dashboards.mappings import names, severities
from dashboards.panels import Json, Look, Query, Thresholds, known, stat
from dashboards.queries import INSTANCE, NAMED, PIPELINE, TAGS, amount, indented, seen
from dashboards.tables import Column, table
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS


@dataclass(frozen=True, slots=True)
class Problems:
    """The problems of one kind of subject.

    Attributes:
        family: says since when there are problems, and 0 for those that ended.
        matchers: choose the subjects.
        labels: tell problems apart.
        severities: that of each problem, by name.
    """

    family: str
    matchers: str
    labels: tuple[str, ...]
    severities: Mapping[str, str]

    def since(self, severity: str = "") -> str:
        """Return since when there are problems, of one severity or of any."""
        more = f', problem=~"{"|".join(self._named(severity))}"' if severity else ""
        return f"{seen(f'{self.family}{{{self.matchers}{more}}}', self.labels)} > 0"

    def ranks(self, at: str = "") -> str:
        """Return a number that sorts by severity, as each replica says it; 0 where the problem ended.

        Args:
            at: PromQL's modifier of the time.
        """
        terms = (
            f'{rank} * ({self.family}{{{self.matchers}, problem=~"{"|".join(self._named(name))}"}}{at} > bool 0)'
            for rank, (name, _) in SEVERITIES.items()
            if self._named(name)
        )
        return "\nor ".join(terms)

    def _named(self, severity: str) -> list[str]:
        return [name for name, known_as in self.severities.items() if known_as == severity]


OF_PIPELINES: Final = Problems(
    "feldera_pipeline_problem_since_timestamp_seconds",
    f"{PIPELINE}, {TAGS}",
    (*NAMED, "problem", "status", "team", "tier"),
    {row.name: row.severity for row in PIPELINE_PROBLEMS.values()},
)
OF_INSTANCES: Final = Problems(
    "feldera_instance_problem_since_timestamp_seconds",
    INSTANCE,
    ("feldera_instance", "problem", "feldera_service"),
    {row.name: row.severity for row in INSTANCE_PROBLEMS.values()},
)

_HELD: Final = "While Feldera cannot be seen they stay as they were."


def counted() -> Json:
    """Return the numbers of problems by severity."""
    found = {
        name: "\nor ".join(f"({each.since(name)})" for each in (OF_PIPELINES, OF_INSTANCES) if name in each.severities.values())
        for name, _ in SEVERITIES.values()
    }  # fmt: skip
    return stat(
        "Problems",
        f"How many problems there are, by the severity of their alerts in the shipped rules. {_HELD}",
        [Query(amount(expression), name) for name, expression in found.items()],
        Look(
            thresholds=known(GOOD, (1.0, NEEDS_PERSON)),
            no_value="unknown",
            overrides=[_shade("critical", known(GOOD, (1.0, BAD))), _shade("info", known(IDLE))],
        ),
    )


def _shade(name: str, thresholds: Thresholds) -> Json:
    steps = [{"value": value, "color": colour} for value, colour in thresholds]
    value = {"mode": "absolute", "steps": steps}
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": "thresholds", "value": value}],
    }


def of_pipelines(width: int = 24, height: int = 11) -> Place:
    """Return the table of pipelines' problems, gravest first."""
    subject = (
        Column("Pipeline", "pipeline_name", links=links.OF_PIPELINE),
        Column("Problem", "problem", links={"Runbook": links.RUNBOOK_OF_PIPELINE}),
        Column("Status", "status", mappings=names(), cell="color-text"),
    )
    tags = (
        Column("Team", "team"),
        Column("Tier", "tier"),
        Column("Instance", "feldera_instance"),
        Column("Id", "pipeline", hidden=True),
    )
    panel = _table(
        "Problems of pipelines",
        f"What the exporter says is wrong with a pipeline, gravest first, and since when. {_HELD} A click on a pipeline opens "
        "its board, the exporter's page with the whole error, or Feldera's web console, one on a problem the runbook.",
        OF_PIPELINES,
        (*subject, *_WHEN, *tags),
    )
    return Place(panel, width, height)


def of_instances(width: int, height: int) -> Place:
    """Return the table of the problems of Feldera itself, gravest first."""
    subject = (
        Column("Problem", "problem", links={"Runbook": links.RUNBOOK_OF_INSTANCE}),
        Column("Service", "feldera_service"),
    )
    panel = _table(
        "Problems of Feldera itself",
        f"What the exporter says is wrong with an instance as a whole, gravest first, and since when. {_HELD}",
        OF_INSTANCES,
        (*subject, *_WHEN, Column("Instance", "feldera_instance")),
    )
    return Place(panel, width, height)


_WHEN: Final = (
    Column("For", "Value #B", unit="s"),
    Column("Since", "Value #C", unit="dateTimeAsIso"),
)


def _table(title: str, description: str, of: Problems, columns: tuple[Column, ...]) -> Json:
    severity = f"{seen(of.ranks(), of.labels)} > 0"
    return table(
        title,
        description,
        (
            Query(severity, "Severity"),
            Query(f"time() - ({of.since()})", "For"),
            Query(f"1000 * ({of.since()})", "Since"),
        ),
        (Column("Severity", "Value #A", mappings=severities(), cell="color-background"), *columns),
        sort=("Severity", "For"),
        look=Look(unit="none", no_value="no problem, or nothing is seen"),
    )


def most_urgent(of_others: str) -> str:
    """Return how urgent each pipeline is: by its gravest problem, then by another number below a million.

    At every instant of the time shown it is what it is at the end of it.
    """
    ranked = f"1000000 * (\n{indented(OF_PIPELINES.ranks(' @ end()'))}\n)"
    return f"max by (feldera_instance, pipeline) (\n{indented(ranked)}\n  or\n{indented(of_others)}\n)"
