"""Rules with one thing changed: every threshold, comparison, matcher, duration, set operator and severity in turn."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import yaml

from feldera_exporter.rules.model import Alert
from feldera_exporter.rules.promql import BASE_TAGS
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.rendering import GROUP, INTERVAL, expression, severity
from feldera_exporter.rules.table import ALERTS
from rules.generate import scenarios
from rules.promtool import document, run
from rules.reach import TELEMETRY, graver, names, reach

_COMPARISONS: Final = {">": ("<", ">="), "<": (">", "<="), "==": ("!=",)}
_OPERATORS: Final = {"and": "unless", "unless": "and", "or": "and"}

_SITES: Final = re.compile(
    r"""(?P<comparison>(?<=\s)(?:==|>|<)(?=\s))
      | (?P<number>(?<=[\s(])(?:\d+\.\d+|\d+)(?=[\s)]|$))
      | (?P<duration>(?<=[\[:])\d+[smhd](?=[\]:])|(?<=offset\ )\d+[smhd])
      | (?P<matcher>(?:=~|!~|=)"[^"]*")
      | (?P<operator>(?<=\s)(?:and|or|unless)(?=\s))
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Mutant:
    """A rule with one change.

    Attributes:
        rule: the name of the alert or recording.
        change: what was changed, and where: `@n` counts the sites of the expression.
        expression: the changed PromQL; for an alert with its tags and what keeps it.
        for_: an alert's `for`.
        severity: an alert's label, empty for its own.
    """

    rule: str
    change: str
    expression: str
    for_: str = ""
    severity: str = ""


def _alternatives(kind: str, text: str) -> Iterator[str]:
    if kind == "comparison":
        yield from _COMPARISONS[text]
    elif kind == "number":
        number = float(text)
        yield from ("1", "-1") if number == 0 else (f"{number / 2:g}", f"{number * 2:g}")
    elif kind == "duration":
        amount, unit = int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[text[-1]], "s"
        yield from (f"{max(amount // 3, 1)}{unit}", f"{amount * 3}{unit}")
    elif kind == "matcher":
        sign, values = re.fullmatch(r'(=~|!~|=)"(.*)"', text).groups()  # type: ignore[union-attr]
        yield f'{ {"=": "!=", "=~": "!~", "!~": "=~"}[sign] }"{values}"'
        parts = values.split("|")
        yield from (
            f'{sign}"{"|".join(part for part in parts if part != gone)}"' for gone in parts if len(parts) > 1
        )
    else:
        yield _OPERATORS[text]


def changes(promql: str) -> Iterator[tuple[str, str]]:
    """Yield every change of an expression: what was changed, and the changed expression."""
    for at, site in enumerate(_SITES.finditer(promql)):
        kind, text = site.lastgroup or "", site.group()
        for other in _alternatives(kind, text):
            yield f"{text} -> {other} @{at}", promql[: site.start()] + other + promql[site.end() :]


def mutants(alert: Alert) -> Iterator[Mutant]:
    """Yield the mutants of an alert."""
    for change, changed in changes(alert.condition):
        yield Mutant(alert.name, change, expression(replace(alert, condition=changed), BASE_TAGS), alert.for_)
    if alert.for_:
        yield Mutant(alert.name, "for dropped", expression(alert, BASE_TAGS))
        doubled = str(int(alert.for_[:-1]) * 2) + alert.for_[-1]
        yield Mutant(alert.name, "for doubled", expression(alert, BASE_TAGS), doubled)
    if alert.kept:
        yield Mutant(
            alert.name, "kept -> not kept", expression(replace(alert, kept=False), BASE_TAGS), alert.for_
        )
    if alert.yields_to:
        alone = expression(replace(alert, yields_to=""), BASE_TAGS)
        yield Mutant(alert.name, "yields to none", alone, alert.for_)
    if alert.adds_up:
        alone = expression(replace(alert, adds_up=False), BASE_TAGS)
        yield Mutant(alert.name, "adds up nothing", alone, alert.for_)
    yield from severities(alert)


def severities(alert: Alert) -> Iterator[Mutant]:
    """Yield the mutants of an alert's severity: always graver, and where it depends on labels, each way wrong."""
    graver = {"info": "warning", "warning": "critical", "critical": "warning", "none": "info"}[alert.severity]
    wrong = {"severity changed": replace(alert, severity=graver)}
    if alert.critical_if:
        operator, rest = alert.critical_if.split(" ", 1)
        inverted = {"eq": "ne", "ne": "eq"}[operator]
        wrong |= {
            "critical_if dropped": replace(alert, critical_if=""),
            "critical_if inverted": replace(alert, critical_if=f"{inverted} {rest}"),
            "critical_if another value": replace(alert, critical_if=alert.critical_if[:-1] + 'x"'),
        }
    for change, changed in wrong.items():
        yield Mutant(alert.name, change, expression(alert, BASE_TAGS), alert.for_, severity(changed, ""))


def wrapping(alert: Alert) -> Iterator[Mutant]:
    """Yield the mutants of what is around an alert's condition: tags and keeping."""
    inside = len(tuple(changes(alert.condition)))
    for change, changed in tuple(changes(expression(alert, BASE_TAGS)))[inside:]:
        yield Mutant(alert.name, change, changed, alert.for_)


def recorded() -> Iterator[Mutant]:
    """Yield the mutants of the recordings."""
    for recording in recordings():
        for change, changed in changes(recording.expression):
            yield Mutant(recording.name, change, changed)


class Judge:
    """Runs mutants against the scenarios of one alert, the short ones first."""

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        self._needed = reach(alert)
        first, *rest = scenarios()[alert.name]
        long = [scenario for scenario in rest if max(scenario.expected) > max(first.expected)]
        # The boundary alone finds most changes, and at little cost.
        parts = ([first], [scenario for scenario in rest if scenario not in long], long)
        shown = self._needed | TELEMETRY
        self._tests = [document("rules.yml", part, only=alert.name, families=shown) for part in parts if part]

    @property
    def sound(self) -> bool:
        """Whether the scenarios hold for the rule as it is; a mutant's failure says nothing otherwise."""
        return self.survives(
            Mutant(self._alert.name, "", expression(self._alert, BASE_TAGS), self._alert.for_)
        )

    def survives(self, mutant: Mutant) -> bool:
        """Tell whether the scenarios hold for a mutant as well."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "rules.yml").write_text(self._rules(mutant), encoding="utf-8")
            return all(map(partial(_passes, Path(folder) / "tests.yml"), self._tests))

    def _rules(self, mutant: Mutant) -> str:
        own = mutant.rule == self._alert.name
        promql = mutant.expression if own else expression(self._alert, BASE_TAGS)
        needed = self._needed | names(mutant.expression)
        rules: list[dict[str, object]] = [
            {
                "record": recording.name,
                "expr": mutant.expression if recording.name == mutant.rule else recording.expression,
            }
            for recording in recordings()
            if recording.name in needed
        ]
        rules += (
            {
                "alert": other.name,
                "expr": expression(other, BASE_TAGS),
                "labels": {"severity": severity(other, "")},
            }
            for other in graver(self._alert)
        )
        delay = mutant.for_ if own else self._alert.for_
        rules.append(
            {
                "alert": self._alert.name,
                "expr": promql,
                "labels": {"severity": (own and mutant.severity) or severity(self._alert, "")},
                **({"for": delay} if delay else {}),
            }
        )
        return yaml.safe_dump({"groups": [{"name": GROUP, "interval": INTERVAL, "rules": rules}]})


def _passes(path: Path, tests: str) -> bool:
    path.write_text(tests, encoding="utf-8")
    return run("test", "rules", path).passed


def dependants(recording: str) -> tuple[Alert, ...]:
    """Return the alerts that rest on a recording."""
    return tuple(alert for alert in ALERTS if recording in reach(alert))
