"""The edge of keeping: an outage that is longer than the hour over which an alert counts."""

from rules.cases import CASES
from rules.scenarios import ONSET, Scenario, unreachable
from rules.world import exporter


def outlasting(name: str) -> Scenario:
    """Return a scenario in which an alert is kept though all that it counted lies more than an hour back."""
    case = CASES[name][0]
    begin, end = ONSET + 120, ONSET + 4800
    told = (*case.firing(), unreachable(), unreachable("FelderaExporterDataStale"))
    return Scenario(
        "an outage longer than an hour",
        (exporter(case.bad, outage=(begin, end)),),
        {begin: case.firing(), begin + 600: told, end - 60: told, end + 60: ()},
    )
