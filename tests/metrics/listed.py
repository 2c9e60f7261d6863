"""A list of pipelines that tests can change."""

from typing import Any

import msgspec

from metrics.test_golden import RUNNING


class NumberedPipelines:
    """Running pipelines by number; each has a different id."""

    def __init__(self, count: int) -> None:
        self.elements: dict[int, dict[str, Any]] = {}
        for number in range(count):
            self.create(number)

    def create(self, number: int) -> None:
        """Add a pipeline."""
        name, pipeline_id = f"pipeline-{number}", identity(number)
        self.elements[number] = {**RUNNING, "id": pipeline_id, "name": name}

    def set(self, number: int, **fields: object) -> None:
        """Change a pipeline."""
        self.elements[number] |= fields

    def body(self) -> bytes:
        """Return the answer of Feldera, sorted by id."""
        return msgspec.json.encode([self.elements[number] for number in sorted(self.elements)])


def identity(number: int) -> str:
    """Return the id of a pipeline."""
    return f"01920000-0000-7000-8000-{number:012}"
