"""Value mappings: from the codes and names of statuses, severities and yes or no to texts with a colour."""

from collections.abc import Mapping
from typing import Any, Final

from dashboards.colours import BAD, COLOURS, GOOD, IDLE, NEEDS_PERSON, SEVERITIES
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE, Dimension, Kind

Mappings = list[dict[str, Any]]

NOT_KNOWN: Final = "unknown status"


def _mapping(texts: Mapping[str, tuple[str, str]]) -> Mappings:
    options = {
        value: {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(texts.items())
    }
    return [{"type": "value", "options": options}]


def codes(dimension: Dimension) -> Mappings:
    """Return the texts of a dimension's codes: the index of each status, and one more code for unknown ones."""
    texts = {
        str(place): (status, COLOURS[kind]) for place, (status, kind) in enumerate(dimension.statuses.items())
    }
    return _mapping({**texts, str(len(texts)): (NOT_KNOWN, NEEDS_PERSON)})


def names() -> Mappings:
    """Return the colours of the names of statuses."""
    kinds: dict[str, Kind] = {**STORAGE.statuses, **PROGRAM.statuses, **DEPLOYMENT.statuses}
    return _mapping({status: (status, COLOURS[kind]) for status, kind in kinds.items()})


def severities() -> Mappings:
    """Return the texts of the numbers of severities."""
    return _mapping({str(number): shown for number, shown in SEVERITIES.items()})


def severity_names() -> Mappings:
    """Return the colours of the names of severities."""
    return _mapping({name: (name, colour) for name, colour in SEVERITIES.values()})


def yes_no(yes: str, no: str, *, bad: str = BAD) -> Mappings:
    """Return the texts of 1 and 0, where 1 is good."""
    return _mapping({"1": (yes, GOOD), "0": (no, bad)})


EVENTS_OR_POLLS: Final = _mapping({"1": ("in use", GOOD), "0": ("not in use", IDLE)})

NEVER: Final[Mappings] = [
    {
        "type": "range",
        "options": {"from": 1e9, "to": None, "result": {"text": "never", "color": BAD, "index": 0}},
    }
]
"""The text of a time since an instant that is 0."""
