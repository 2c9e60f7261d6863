"""Scenarios side by side in one world, each under names of its own.

What an evaluation costs promtool is mostly its rules, each read anew, whatever the number of pipelines.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rules.scenarios import Firing, Scenario
from rules.world import NAMING, STEP, rows


@dataclass(frozen=True)
class Member:
    """A scenario in a pack.

    Attributes:
        scenario: what is shown.
        prefix: what precedes the names of its instances; empty for one that stands alone.
    """

    scenario: Scenario
    prefix: str = ""

    @property
    def last(self) -> int:
        """The last second at which anything is expected."""
        return max(self.scenario.expected)

    def rows(self, until: int, families: frozenset[str], step: int = STEP) -> Iterator[tuple[str, str]]:
        """Yield its series in promtool's notation, as `world.rows` does."""
        yield from rows(self.scenario.targets, until, families, step, self.prefix)

    def firing(self, at: int) -> tuple[Firing, ...]:
        """Return what fires at one of its instants."""
        return tuple((name, self._renamed(labels)) for name, labels in self.scenario.expected[at])

    def alerts(self, only: str = "") -> str:
        """Return PromQL for whatever fires about it or about nobody in particular.

        Args:
            only: an alert's name, to look at that one alone.
        """
        matchers = ['alertstate="firing"', *([f'alertname="{only}"'] if only else [])]
        if self.prefix:
            matchers += (f'{label}=~"|{self.prefix}.*"' for label in sorted(NAMING))
        return f"ALERTS{{{', '.join(matchers)}}}"

    def _renamed(self, labels: Mapping[str, str]) -> Mapping[str, str]:
        return {label: self.prefix + value if label in NAMING else value for label, value in labels.items()}


Pack = tuple[Member, ...]


def packs(scenarios: Iterable[Scenario]) -> Iterator[Pack]:
    """Yield the scenarios in packs of about the same length, the shortest first."""
    known = sorted(map(Member, scenarios), key=lambda member: member.last)
    pack: list[Member] = []
    for member in known:
        if _alone(member.scenario):
            yield (member,)
            continue
        # Time that nobody needs costs as well: hours for the sake of one are not lived by all.
        if pack and member.last > 3 * pack[0].last:
            yield _named(pack)
            pack = []
        pack.append(member)
    if pack:
        yield _named(pack)


def _named(pack: list[Member]) -> Pack:
    if len(pack) == 1:
        return (pack[0],)
    return tuple(Member(member.scenario, f"{number}-") for number, member in enumerate(pack, 1))


def _alone(scenario: Scenario) -> bool:
    """Tell whether a scenario shows what can be seen only where there is nobody else."""
    nobody = any(NAMING.isdisjoint(labels) for fired in scenario.expected.values() for _, labels in fired)
    return scenario.alone or nobody or not scenario.targets
