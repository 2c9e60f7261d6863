"""The edge of a severity that depends on a label: pipelines that matter most page."""

from typing import Final

from rules.cases import CASES
from rules.scenarios import Scenario, worst
from rules.world import STEP, exporter

_CASE: Final = worst(CASES["FelderaPipelineDeploymentError"][0])

TIERS: Final = (
    Scenario(
        "a pipeline of tier critical",
        (exporter(_CASE.bad),),
        {
            _CASE.onset: (),
            _CASE.onset + STEP: _CASE.firing({"team": "data", "tier": "critical"}),
        },
    ),
)
