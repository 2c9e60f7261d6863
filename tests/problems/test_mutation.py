"""Each number, comparison, operator and severity of the room matters to some example.

What the product is named for, stuck in Provisioning and a deployment error, is tried in every run; `make mutation` tries
everything.
"""

import re
from typing import Any, Final

import pytest

from problems.mutation import CHANGED, Mutant, made, mutants
from problems.test_conditions import EXAMPLES, SEVERITIES

NAMED: Final = {
    "conditions": {"overdue", "_after", "deployment_error", "error_at", "counted"},
    "table": {"StuckProvisioning", "DeploymentError"},
}
"""By module, the functions and rows that decide what the product is named for."""

EQUIVALENT: Final = (
    (r"earlier_lists\.EarlierLists", "0 -> ", "an instant that is long ago either way"),
    (r"earlier_lists\._sizes", r"1 -> 0", "what is kept too often: found by test_evaluate"),
    (r"conditions\._mostly_unavailable", r"1 -> 2", "asked again with the next list either way"),
    (r"instance_conditions\.(unhealthy|health_stale|license.*)", "1 -> 2", "as above"),
    (r"instance_conditions\.degraded", "0 -> ", "a fleet without a size has no list yet"),
)
"""Changes that no example can detect: a pattern of module and place, a pattern of the change, and the reason."""


def is_known(mutant: Mutant) -> bool:
    """Return whether a change is listed."""
    return any(
        re.fullmatch(place, f"{mutant.module}.{mutant.place}") and re.match(change, mutant.change)
        for place, change, _ in EQUIVALENT
    )


def survives(mutant: Mutant) -> bool:
    """Return whether all examples hold for a mutant as well, and it has the severities that there are."""
    try:
        with made(mutant) as modules:
            table: Any = modules["table"]
            rows = {**table.PIPELINE_PROBLEMS, **table.INSTANCE_PROBLEMS}
            if {name: row.severity for name, row in rows.items()} != SEVERITIES:
                return False
            modified: Any = modules["evaluate"]
            return all(
                each.found(modified.evaluate, modified.NO_PROBLEMS) == each.expected for each in EXAMPLES
            )
    except Exception:  # noqa: BLE001 - whatever breaks is noticed
        return False


PLACES: Final = [
    pytest.param(
        module,
        place,
        id=f"{module}.{place}",
        marks=() if place in NAMED.get(module, ()) else pytest.mark.mutation,
    )
    for module in CHANGED
    for place in dict.fromkeys(mutant.place for mutant in mutants(module))
]


@pytest.mark.parametrize(("module", "place"), PLACES)
def test_each_change_is_noticed(module: str, place: str) -> None:
    """An example fails for each change."""
    changes = [each for each in mutants(module) if each.place == place and not is_known(each)]
    assert [str(each) for each in changes if survives(each)] == []


def test_the_room_as_it_is_survives() -> None:
    """Without a change all examples hold, so the tests above fail because of the changes."""
    assert all(survives(Mutant(module, "", "", None)) for module in CHANGED)


def test_the_list_is_current() -> None:
    """Every listed change is one that is made, and they are few."""
    every = [mutant for module in CHANGED for mutant in mutants(module)]
    for place, change, reason in EQUIVALENT:
        assert any(
            re.fullmatch(place, f"{each.module}.{each.place}") and re.match(change, each.change)
            for each in every
        ), reason
    assert sum(map(is_known, every)) < len(every) / 10
