"""The problems that the exporter found: their PromQL and their tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dashboards import links
from dashboards.board import SizedPanel
from dashboards.colours import BAD, GOOD, IDLE, NEEDS_PERSON, SEVERITIES
from dashboards.mappings import names, severities
from dashboards.panels import Display, Json, Query, Thresholds, known, stat
from dashboards.queries import INSTANCE, NAMED, PIPELINE, TAGS, amount, indented, trusted
from dashboards.tables import Column, table
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS


@dataclass(frozen=True, slots=True)
class Problems:
    """The problems of one kind of subject.

    Attributes:
        family: the metric family: since when each problem exists, 0 after it ended.
        matchers: select the subjects.
        labels: the labels that distinguish problems.
        severities: the severity of each problem, by name.
    """

    family: str
    matchers: str
    labels: tuple[str, ...]
    severities: Mapping[str, str]

    def since(self, severity: str = "") -> str:
        """Return the PromQL of since when problems exist, of one severity or of all."""
        more = f', problem=~"{"|".join(self._named(severity))}"' if severity else ""
        return f"{trusted(f'{self.family}{{{self.matchers}{more}}}', self.labels)} > 0"

    def ranks(self, at: str = "") -> str:
        """Return the PromQL of a number that sorts by severity, for each replica; 0 after a problem ended.

        Args:
            at: the PromQL modifier of the evaluation time.
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

_KEPT: Final = "While Feldera cannot be reached, they stay as they were."


def counted() -> Json:
    """Return the panel with the number of problems by severity."""
    found = {
        name: "\nor ".join(f"({each.since(name)})" for each in (OF_PIPELINES, OF_INSTANCES) if name in each.severities.values())
        for name, _ in SEVERITIES.values()
    }  # fmt: skip
    return stat(
        "Problems",
        f"How many problems there are, by the severity of their alerts in the shipped rules. {_KEPT}",
        [Query(amount(expression), name) for name, expression in found.items()],
        Display(
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


def of_pipelines(width: int = 24, height: int = 11) -> SizedPanel:
    """Return the table of pipelines' problems, the most severe first."""
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
        f"The problems of pipelines, the most severe first. {_KEPT} A pipeline links to its dashboard, to the exporter's page "
        "with the whole error, and to Feldera's web console. A problem links to its runbook.",
        OF_PIPELINES,
        (*subject, *_WHEN, *tags),
    )
    return SizedPanel(panel, width, height)


def of_instances(width: int, height: int) -> SizedPanel:
    """Return the table of the problems of Feldera itself, the most severe first."""
    subject = (
        Column("Problem", "problem", links={"Runbook": links.RUNBOOK_OF_INSTANCE}),
        Column("Service", "feldera_service"),
    )
    panel = _table(
        "Problems of Feldera itself",
        f"The problems of whole instances, the most severe first. {_KEPT}",
        OF_INSTANCES,
        (*subject, *_WHEN, Column("Instance", "feldera_instance")),
    )
    return SizedPanel(panel, width, height)


_WHEN: Final = (
    Column("For", "Value #B", unit="s"),
    Column("Since", "Value #C", unit="dateTimeAsIso"),
)


def _table(title: str, description: str, of: Problems, columns: tuple[Column, ...]) -> Json:
    severity = f"{trusted(of.ranks(), of.labels)} > 0"
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
        display=Display(unit="none", no_value="no problems, or no data"),
    )


def most_urgent(of_others: str) -> str:
    """Return the PromQL of each pipeline's urgency: its most severe problem, then another number below a million.

    It is evaluated at the end of the time range.
    """
    ranked = f"1000000 * (\n{indented(OF_PIPELINES.ranks(' @ end()'))}\n)"
    return f"max by (feldera_instance, pipeline) (\n{indented(ranked)}\n  or\n{indented(of_others)}\n)"
