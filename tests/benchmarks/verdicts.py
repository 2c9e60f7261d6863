"""What the figures must come to: ratios within one run, and how they grow."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from support.tools import THOROUGH

Figures = Mapping[str, float]

LARGE: Final = 10_000
MILLION: Final = 1_000_000
TRANSITIONS: Final = MILLION if THOROUGH else MILLION // 10
"""How many must happen, and all be counted once; a million take minutes."""

THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class BoundedRatio:
    """One ratio and its bound."""

    what: str
    value: float
    bound: float
    at_most: bool = True

    @property
    def holds(self) -> bool:
        """Whether it is within its bound."""
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{'ok  ' if self.holds else 'MISS'} {self.what}: {self.value:.3g} (must be {sign} {self.bound:g})"

    def as_json(self) -> dict[str, Any]:
        """Return it for the file."""
        return asdict(self) | {"holds": self.holds}


def verdicts(
    results: Mapping[int, Figures], growth: Figures, once: Mapping[str, Figures]
) -> Sequence[BoundedRatio]:
    """Judge the largest fleet of a run, the growth up to it, and the single measurements."""
    figures = results[LARGE]
    ours, nginx = "exporter, gzip, {}", "nginx, sendfile off, gzip, {}"
    theirs = figures["generate_latest"] + figures["its gzip"]
    return (
        _ratio(figures, "poll, 1 % changed", "decode", 2.0),
        _ratio(figures, "poll, 1 % changed, all have a limit", "decode", 2.5),
        _ratio(figures, "poll, nothing changed", "decode", 0.4),
        _ratio(figures, "poll, half report connectors", "decode", 5.0),
        _ratio(figures, "gzip, 1 % changed", "gzip, whole", 0.2),
        _ratio(figures, "gzip, half report connectors", "gzip, whole", 0.2),
        *(
            verdict
            for many in ("1 scraper", "20 scrapers")
            for verdict in (
                _ratio(figures, f"{ours.format(many)}: CPU", f"{nginx.format(many)}: CPU", 2.2),
                _ratio(
                    figures,
                    f"{ours.format(many)}: scrapes/s",
                    f"{nginx.format(many)}: scrapes/s",
                    0.7,
                    at_most=False,
                ),
            )
        ),
        BoundedRatio(
            "generate_latest and gzip / scrape, gzip",
            theirs / figures["exporter, gzip, 1 scraper: CPU"],
            500,
            False,
        ),
        BoundedRatio(
            "RSS at 10,000 while scraped in both forms, MiB",
            figures["RSS while polled and scraped, MiB"],
            600,
        ),
        *(
            BoundedRatio(f"exponent of {name}", growth[name], 1.1)
            for name in (
                "poll, nothing changed",
                "poll, 1 % changed",
                "poll, 100 % changed",
                "RSS while polled and scraped, MiB",
            )
        ),
        BoundedRatio("share of a core for 50 instances", once["50 instances"]["share of a core"], 0.15),
        # Of Prometheus, over 1,000 pipelines.
        BoundedRatio("share of a core for the rules", once["rules"]["share of a core, 1 replica"], 0.005),
        *(
            BoundedRatio(f"transitions {what}", once["transitions"][what], 0)
            for what in ("missed", "counted twice", "gaps")
        ),
        BoundedRatio(
            "transitions that happened", once["transitions"]["happened"], TRANSITIONS, at_most=False
        ),
    )


def _ratio(figures: Figures, name: str, base: str, bound: float, *, at_most: bool = True) -> BoundedRatio:
    return BoundedRatio(f"{name} / {base}", figures[name] / figures[base], bound, at_most)
