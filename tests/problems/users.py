"""Users who start, stop, pause, edit, recompile and delete their pipelines, and never leave one in trouble."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Final

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.random_plans import draw_plan

MINUTE: Final = 60.0
PAUSES: Final = (15 * MINUTE, 200 * MINUTE)
"""The shortest and the longest time between two things that one user does."""

APPROVALS: Final = (2, 4, 6, 8, 10)
"""Minutes after a start at which its user looks whether something waits for approval."""

TAGS: Final = ("team:data", "team:ml", "tier:1", "tier:critical", "prod|ef4444")


class Users:
    """The users of an instance, each with one pipeline.

    Args:
        feldera: the instance.
        seed: of all that they do.
        size: how many there are.
    """

    def __init__(self, feldera: Feldera, seed: int, size: int) -> None:
        self._feldera = feldera
        self._random = Random(f"users/{seed}")
        self._habits = {
            "Stopped": ((self._start, self._edit, self._clear, self._delete, self._label), (8, 4, 2, 1, 1)),
            "Running": ((self._pause, self._stop, self._err, self._blip, self._label), (3, 4, 1, 1, 1)),
            "Paused": ((self._resume, self._stop), (3, 1)),
        }
        for number in range(size):
            self._create(f"pipeline-of-{number}")
            self._wait(f"pipeline-of-{number}")

    def _wait(self, name: str) -> None:
        self._feldera.later(self._random.uniform(*PAUSES), self._act, name)

    def _act(self, name: str) -> None:
        """Do something that is possible in the pipeline's status; refusals of Feldera are ignored."""
        doings, weights = self._habits.get(self._feldera.get(name).row.status, ((self._label,), (1,)))
        with suppress(ApiError):
            self._random.choices(doings, weights)[0](name)
        self._wait(name)

    def _create(self, name: str) -> None:
        tags = self._random.sample(TAGS, 2)
        self._feldera.create(name, tags, plan=draw_plan(self._random, 0.0))

    def _start(self, name: str) -> None:
        # Who starts early what does not compile gets an error, and an alert is right.
        if self._feldera.get(name).plan.compiled_as != "Success":
            self._edit(name)
        self._feldera.start(name, self._random.choice(("Running", "Running", "Paused")))
        for minutes in APPROVALS:
            self._feldera.later(minutes * MINUTE, self._approve, name)

    def _approve(self, name: str) -> None:
        with suppress(ApiError):
            self._feldera.approve(name)

    def _edit(self, name: str) -> None:
        """Change the program, sometimes to one that does not compile; the next edit repairs it."""
        plan = draw_plan(self._random, 0.0)
        was_well = self._feldera.get(name).plan.compiled_as == "Success"
        if was_well and self._random.random() < 0.3:
            plan = replace(plan, compiled_as=self._random.choice(("SqlError", "RustError")))
        self._feldera.edit(name, plan=plan)

    def _clear(self, name: str) -> None:
        self._feldera.clear(name)

    def _delete(self, name: str) -> None:
        """Delete it, and create another one of its name a minute later."""
        self._feldera.clear(name)
        self._feldera.later(MINUTE, partial(self._renew, name))

    def _renew(self, name: str) -> None:
        with suppress(ApiError):
            self._feldera.delete(name)
            self._create(name)

    def _label(self, name: str) -> None:
        self._feldera.patch_metadata(name, tags=self._random.sample(TAGS, 2))

    def _pause(self, name: str) -> None:
        self._feldera.pause(name)

    def _resume(self, name: str) -> None:
        self._feldera.resume(name)

    def _stop(self, name: str) -> None:
        self._feldera.stop(name, force=self._random.random() < 0.5)

    def _err(self, name: str) -> None:
        """A few bad records."""
        self._feldera.inject.connector_errors(name, self._random.randrange(1, 5))

    def _blip(self, name: str) -> None:
        """The network between runner and pipeline is lost for a minute."""
        self._feldera.inject.lose(name, MINUTE)
