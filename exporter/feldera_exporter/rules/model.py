"""What a rule is: an alert or a recording, as a frozen value without any setting of a user in it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SEVERITIES: Final = ("critical", "warning", "info", "none")
"""`critical` pages, `warning` is a ticket, `info` is not routed, `none` is the watchdog's."""


class Scope(StrEnum):
    """What one firing alert is about; it decides the labels that every alert of the scope carries."""

    PIPELINE = "pipeline"
    INSTANCE = "instance"
    EXPORTER = "exporter"


class Pace(StrEnum):
    """How often a rule is evaluated: what counts over long windows, or has limits of many minutes, need not hurry."""

    PROMPT = "15s"
    SLOW = "1m"


LABELS: Final = {
    Scope.PIPELINE: ("feldera_instance", "pipeline", "pipeline_name"),
    Scope.INSTANCE: ("feldera_instance",),
    Scope.EXPORTER: (),
}
"""The labels by which a condition of each scope is aggregated; an alert's `by` comes after them."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        name: CamelCase with the prefix `Feldera`; also the name of its runbook's page.
        scope: what it is about; pipelines' alerts get the tag labels.
        condition: PromQL yielding exactly the labels of the scope and `by`, one series for each alert.
        severity: one of `SEVERITIES`.
        summary: a constant headline.
        description: what is the case, templated by Prometheus; begins with the subject.
        by: further labels that tell alerts of this name apart.
        critical_if: a condition of Prometheus's templates under which the severity is critical instead.
        for_: how long the condition must hold; only where the condition has no age of its own. Either at most two
            minutes (a restarted Prometheus fires again before Alertmanager's lease of four minutes ends) or at least
            ten (Prometheus restores those, `rules/group.go` RestoreForState).
        kept: whether it stays as it is while nothing can be known about its subject.
        evident: whether what its condition finds holds though its instance counts as out of sight.
        adds_up: whether it is about an instance and adds up what its shards know, so that it needs every one of them;
            otherwise each shard knows all of it.
        yields_to: the alert, above it in the table, that says the same more exactly or more gravely; empty if none does.
        aged: whether all that its condition yields are recorded ages, which carry the tags already.
        pace: how often it is evaluated.
    """

    name: str
    scope: Scope
    condition: str
    severity: str
    summary: str
    description: str
    by: tuple[str, ...] = ()
    critical_if: str = ""
    for_: str = ""
    kept: bool = True
    evident: bool = False
    adds_up: bool = False
    yields_to: str = ""
    aged: bool = False
    pace: Pace = Pace.PROMPT

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the condition yields."""
        return LABELS[self.scope] + self.by


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule.

    Attributes:
        name: `feldera:<what>:<unit or choice>`.
        expression: PromQL.
        purpose: why it exists, for the generated file.
        pace: how often it is evaluated.
    """

    name: str
    expression: str
    purpose: str
    pace: Pace = Pace.PROMPT
