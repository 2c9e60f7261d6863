"""How far the clocks of Feldera's processes are apart."""

import pytest

from feldera_exporter.history.clock_difference import apart
from feldera_exporter.history.observation import Observation
from feldera_exporter.history.transactions import by_time
from history.making import seen

COMPILED = ("Pending", "CompilingSql", "SqlCompiled", "CompilingRust", "Success")


def log(compiler: float, runner: float) -> list[Observation]:
    """Return a life whose processes' clocks are so many seconds ahead of the database's."""
    compiling = [
        seen(at, f"Stopped//{status}", made=at + compiler) for at, status in enumerate(COMPILED, start=10)
    ]
    running = [
        seen(at, status, made=at + runner)
        for at, status in enumerate(
            ("Provisioning", "Provisioned/Initializing", "Provisioned/Running"), start=20
        )
    ]
    return [*compiling, *running]


@pytest.mark.parametrize(("compiler", "runner"), [(0.0, 0.0), (-0.003, 0.004), (0.2, -0.1), (0.5, 0.5)])
def test_processes_are_told_apart_by_what_they_write(compiler: float, runner: float) -> None:
    """The compiler writes the program's status, the runner the others."""
    assert apart(by_time(log(compiler, runner))) == round(abs(compiler - runner) * 1000)


def test_a_wait_for_the_lock_is_no_clock() -> None:
    """One transaction of several waited for ten seconds."""
    waited = seen(21.5, "Provisioned/Paused", made=31)
    assert apart(by_time([*log(0, 0), waited])) == 0


@pytest.mark.parametrize("length", [0, 1, 5])
def test_too_few_tell_nothing(length: int) -> None:
    """A single process, and one whose only transaction may have waited, cannot be compared."""
    assert apart(by_time(log(0, 0.5)[:length])) is None
