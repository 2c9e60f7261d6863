"""A random workload: users who start, stop, edit, rename and delete pipelines, and faults that break some of them."""

from random import Random
from typing import TYPE_CHECKING, Final

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.random_plans import CODES, draw_plan

if TYPE_CHECKING:
    from collections.abc import Callable

_TAGS: Final = ("team:data", "team:ml", "tier:1", "expect:running", "prod|ef4444", "slow-start")


class RandomWorkload:
    """Runs random actions on an instance at random instants of its clock; the same seed gives the same actions.

    Args:
        size: how many pipelines there are, about; they are created at once.
        rate: how many things are tried per second over the whole fleet.
        trouble: the share of plans in which something goes wrong or never ends.
    """

    def __init__(
        self,
        feldera: Feldera,
        seed: int = 0,
        *,
        size: int = 20,
        rate: float = 1.0,
        trouble: float = 0.2,
        prefix: str = "p",
    ) -> None:
        self._feldera = feldera
        self._random = Random(f"life/{seed}")
        self._rate = rate
        self._trouble = trouble
        self._prefix = prefix
        self._pipelines: list[SimulatedPipeline] = []
        self._born = 0
        self._going_on = True
        self._habits: dict[str, tuple[tuple[Callable[[str], None], ...], tuple[int, ...]]] = {
            "Stopped": (
                (
                    self._start,
                    self._edit,
                    feldera.clear,
                    self._delete,
                    self._rename,
                    self._swap,
                    feldera.dismiss_error,
                    self._label,
                    feldera.inject.restart_compiler,
                ),
                (50, 8, 14, 8, 5, 5, 5, 5, 3),
            ),
            "Running": (
                (feldera.pause, self._crash, self._lose, self._restart, self._stop, self._err, self._label),
                (20, 14, 14, 10, 30, 10, 2),
            ),
            "Paused": ((feldera.resume, self._stop, self._crash), (60, 35, 5)),
            "AwaitingApproval": ((feldera.approve, self._stop), (80, 20)),
            "Unavailable": ((feldera.inject.find, self._stop), (50, 50)),
            "Stopping": ((self._end_trouble,), (1,)),
        }
        self._otherwise = ((self._stop, self._end_trouble, self._label), (20, 60, 20))
        for _ in range(size):
            self._create(self._new_name())
        feldera.later(self._pause_between(), self._act)

    def end(self) -> None:
        """Stop the random actions; what has begun goes on."""
        self._going_on = False

    def _pause_between(self) -> float:
        return self._random.expovariate(self._rate)

    def _act(self) -> None:
        """Do one action that fits a pipeline's present status, and schedule the next one."""
        if not self._going_on:
            return
        self._feldera.later(self._pause_between(), self._act)
        if not self._pipelines:
            return
        pipeline = self._random.choice(self._pipelines)
        if not pipeline.alive:
            self._mourn(pipeline)
            return
        # What a user may not do now is refused, as it would be by Feldera.
        doings, weights = self._habits.get(pipeline.row.status, self._otherwise)
        self._random.choices(doings, weights)[0](pipeline.row.name)

    def _new_name(self) -> str:
        self._born += 1
        return f"{self._prefix}-{self._born}"

    def _create(self, name: str) -> None:
        tags = tuple(tag for tag in _TAGS if self._random.random() < 0.2)
        plan = draw_plan(self._random, self._trouble)
        # Refused if another pipeline has taken the name meanwhile.
        self._pipelines.append(self._feldera.create(name, tags, plan=plan))

    def _mourn(self, pipeline: SimulatedPipeline) -> None:
        """Forget a deleted pipeline; its name, or a new one, comes back some time later."""
        self._pipelines.remove(pipeline)
        again = pipeline.row.name if self._random.random() < 0.6 else self._new_name()
        self._feldera.later(self._random.random() * 20, self._create, again)

    def _start(self, name: str) -> None:
        initial = "Paused" if self._random.random() < 0.1 else "Running"
        self._feldera.start(name, initial, dismiss_error=self._random.random() < 0.9)

    def _edit(self, name: str) -> None:
        self._feldera.edit(name, plan=draw_plan(self._random, self._trouble))

    def _delete(self, name: str) -> None:
        pipeline = self._feldera.get(name)
        self._feldera.delete(name)
        if not pipeline.alive:
            self._mourn(pipeline)

    def _rename(self, name: str) -> None:
        self._feldera.rename(name, self._new_name())

    def _swap(self, name: str) -> None:
        """Let two pipelines exchange their names."""
        other = self._random.choice(self._pipelines).row.name
        if other != name and self._is_movable(name) and self._is_movable(other):
            between = self._new_name()
            self._feldera.rename(name, between)
            self._feldera.rename(other, name)
            self._feldera.rename(between, other)

    def _is_movable(self, name: str) -> bool:
        row = self._feldera.get(name).row
        return row.status == row.desired == "Stopped" and row.storage_status == "Cleared"

    def _label(self, name: str) -> None:
        self._feldera.patch_metadata(name, tags=self._random.sample(_TAGS, 2))

    def _stop(self, name: str) -> None:
        force = self._random.random() < 0.5 or not self._feldera.is_enterprise
        self._feldera.stop(name, force=force)

    def _crash(self, name: str) -> None:
        self._feldera.inject.crash(name, self._random.choice(CODES))

    def _lose(self, name: str) -> None:
        self._feldera.inject.lose(name, self._random.random() * 40)

    def _restart(self, name: str) -> None:
        self._feldera.inject.lose(name, self._random.random() * 30, restarts=True)

    def _err(self, name: str) -> None:
        rate = self._random.choice((0.0, 0.0, 0.01, 2.0))
        self._feldera.inject.connector_errors(name, self._random.randrange(1, 5), rate)

    def _end_trouble(self, name: str) -> None:
        """End the steps that never end, as if the cause was repaired."""
        plan = self._feldera.get(name).plan
        endless = ("compiling_rust", "provisioning", "initializing", "stopping", "clearing")
        ends = {field: 2.0 for field in endless if getattr(plan, field) is None}
        if ends:
            self._feldera.replan(name, **ends)
