"""The types of the table of problems: a row, and the findings that its condition returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from feldera_exporter.micros import Micros

SEVERITIES: Final = ("critical", "warning", "info")
"""`critical` pages, `warning` opens a ticket, `info` is only shown."""

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Period:
    """A period in which a condition holds, if nothing changes.

    Attributes:
        begin: when it begins; may be in the future.
        end: when it ends; None where time alone does not end it.
        label: the overdue status, or the service of Feldera; empty where the problem names none.
        continues: whether a problem that is present already keeps its earlier beginning.
    """

    begin: Micros
    end: Micros | None = None
    label: str = ""
    continues: bool = False

    def holds(self, now: Micros) -> bool:
        """Return whether the instant `now` lies in the period."""
        return self.begin <= now and (self.end is None or now < self.end)


@dataclass(frozen=True, slots=True)
class Undecided:
    """It is not known until an instant at the latest whether a condition holds: a present problem stays, an absent one does not begin."""

    until: Micros
    label: str = ""


Finding = Period | Undecided
Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Problem(Generic[Subject]):
    """One row of the table.

    Attributes:
        name: in CamelCase; the alert's name is this with a prefix.
        severity: one of `SEVERITIES`.
        summary: a constant headline.
        meaning: one or two sentences. `{subject}` stands for the pipeline or the instance, `{label}` for the status or
            the service, `{limit}` for the limit of the status.
        first_step: what to do first, in one sentence.
        condition: returns the findings, from the subject and an instant; pure.
        labelled: whether the problem names a status (of a pipeline) or a service (of an instance).
        yields_to: the problem that hides this one when a subject has both; empty if none does.
        limit_of: the status dimension whose limit counts; empty where none does.
    """

    name: str
    severity: str
    summary: str
    meaning: str
    first_step: str
    condition: Callable[[Subject, Micros], Findings]
    labelled: bool = False
    yields_to: str = ""
    limit_of: str = ""
