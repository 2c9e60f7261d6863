"""What a problem is: a row of the table, and what its condition may answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

MICROSECONDS: Final = 1_000_000

SEVERITIES: Final = ("critical", "warning", "info")
"""`critical` pages, `warning` is a ticket, `info` is routed to nobody."""

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when a condition holds, as far as can be said now; microseconds by Feldera's clock.

    Attributes:
        begin: when it began to hold, or will begin if nothing happens until then.
        end: when it ends if nothing happens until then; None where time alone does not end it.
        label: the overdue status, or the service of Feldera; empty where the problem names none.
        continues: whether it keeps the beginning of what was the case before: it is one trouble, though its newest
            cause is later.
    """

    begin: int
    end: int | None = None
    label: str = ""
    continues: bool = False

    def holds(self, now: int) -> bool:
        """Return whether it holds at an instant."""
        return self.begin <= now and (self.end is None or now < self.end)


@dataclass(frozen=True, slots=True)
class Undecided:
    """It is not known yet whether a condition holds: what was the case before goes on until then.

    Attributes:
        until: when it will be known at the latest, microseconds by Feldera's clock.
        label: as that of a `Period`.
    """

    until: int
    label: str = ""


Finding = Period | Undecided


@dataclass(frozen=True, slots=True)
class Problem(Generic[Subject]):
    """One row of the table.

    Attributes:
        name: CamelCase, without a prefix.
        severity: one of `SEVERITIES`.
        summary: a constant headline.
        meaning: what is the case, in one or two sentences. `{subject}` stands for the pipeline or the instance, `{label}`
            for the status or service, `{limit}` for the limit of the status.
        first_step: what to do first, in one sentence.
        condition: what can be said of it now, from the subject and an instant of Feldera's clock in microseconds; pure.
        labelled: whether it names a status (of a pipeline) or a service (of an instance).
        yields_to: the problem of the same subject that says the same more exactly or more gravely; empty if none does.
        limit_of: the status dimension whose limit counts; empty where none does.
    """

    name: str
    severity: str
    summary: str
    meaning: str
    first_step: str
    condition: Callable[[Subject, int], Sequence[Finding]]
    labelled: bool = False
    yields_to: str = ""
    limit_of: str = ""
