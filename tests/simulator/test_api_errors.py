"""The stand-in refuses what Feldera refuses, with its status and error code, and changes nothing."""

from collections.abc import Callable

import pytest

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Phase, Plan
from support.simulated_api import SimulatedInstance

Act = Callable[[Feldera], object]

ALWAYS: list[tuple[Act, int, str]] = [
    (lambda f: f.get("unknown"), 404, "UnknownPipelineName"),
    (lambda f: f.create("a"), 409, "DuplicateName"),
    (lambda f: f.create("-a"), 400, "NameDoesNotMatchPattern"),
    (lambda f: f.create("a" * 64), 400, "TooLongName"),
]
STOPPED: list[tuple[Act, int, str]] = [
    (lambda f: f.pause("a"), 503, "PipelineInteractionNotDeployed"),
    (lambda f: f.approve("a"), 503, "PipelineInteractionNotDeployed"),
    (lambda f: f.start("a", "Standby"), 400, "InitialStandbyNotAllowed"),
]
RUNNING: list[tuple[Act, int, str]] = [
    (lambda f: f.start("a", "Paused"), 400, "InitialImmutableUnlessStopped"),
    (lambda f: f.edit("a"), 400, "UpdateRestrictedToStopped"),
    (lambda f: f.rename("a", "b"), 400, "UpdateRestrictedToStopped"),
    (lambda f: f.delete("a"), 400, "DeleteRestrictedToFullyStopped"),
    (lambda f: f.clear("a"), 400, "StorageStatusImmutableUnlessStopped"),
    (lambda f: f.approve("a"), 400, "UnexpectedBootstrap"),
]


def refuses(instance: SimulatedInstance, act: Act, status: int, code: str) -> None:
    """Expect a refusal that changes nothing."""
    before = [pipeline.row for pipeline in instance.feldera.pipelines()]
    events = len(instance.events)
    with pytest.raises(ApiError, match=code) as refused:
        act(instance.feldera)
    assert (refused.value.status, refused.value.error_code) == (status, code)
    assert [pipeline.row for pipeline in instance.feldera.pipelines()] == before
    assert len(instance.events) == events


@pytest.mark.parametrize(("act", "status", "code"), ALWAYS + STOPPED)
def test_of_a_stopped_pipeline(act: Act, status: int, code: str) -> None:
    """Calls that need a running pipeline, and calls that are always wrong, are refused."""
    refuses(SimulatedInstance(), act, status, code)


@pytest.mark.parametrize(("act", "status", "code"), ALWAYS + RUNNING)
def test_of_a_running_pipeline(act: Act, status: int, code: str) -> None:
    """Calls that need a stopped pipeline, and calls that are always wrong, are refused."""
    instance = SimulatedInstance()
    instance.run()
    refuses(instance, act, status, code)


def test_of_a_pipeline_that_is_stopping() -> None:
    """A pipeline that is stopping cannot be started, nor its error dismissed."""
    instance = SimulatedInstance(Plan(stopping=None))
    instance.run()
    instance.feldera.inject.crash("a")
    instance.go(10)
    assert instance.status == "Stopping"
    refuses(instance, lambda f: f.start("a"), 400, "IllegalPipelineAction")
    refuses(instance, lambda f: f.dismiss_error("a"), 400, "DismissErrorRestrictedToFullyStopped")


def test_of_a_pipeline_with_an_error_and_storage() -> None:
    """It can be started with a dismissal only, and not renamed, deleted or resized."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.crash("a")
    instance.go(10)
    refuses(instance, lambda f: f.start("a", dismiss_error=False), 400, "CannotStartWithUndismissedError")
    refuses(instance, lambda f: f.rename("a", "b"), 400, "EditRestrictedToClearedStorage")
    refuses(
        instance, lambda f: f.edit("a", runtime_config={"workers": 1}), 400, "EditRestrictedToClearedStorage"
    )
    refuses(instance, lambda f: f.delete("a"), 400, "DeleteRestrictedToClearedStorage")


def test_of_a_pipeline_that_is_clearing() -> None:
    """A pipeline whose storage is being cleared cannot be started."""
    instance = SimulatedInstance(Plan(clearing=None))
    instance.run()
    instance.feldera.stop("a", force=True)
    instance.go(10)
    instance.feldera.clear("a")
    refuses(instance, lambda f: f.start("a"), 400, "CannotStartWhileClearingStorage")


def test_of_a_pipeline_that_does_not_compile() -> None:
    """It cannot be started, and no error is set."""
    instance = SimulatedInstance(Plan(compiled_as="RustError"))
    refuses(instance, lambda f: f.start("a"), 400, "CannotStartWithCompilationError")


def test_of_a_pipeline_that_is_not_ready() -> None:
    """The pipeline itself answers, so there is no Retry-After."""
    instance = SimulatedInstance(Plan(path=(Phase("AwaitingApproval", None),)))
    instance.run(4)
    with pytest.raises(ApiError, match="Initializing") as refused:
        instance.feldera.pause("a")
    assert not refused.value.retry_after
    instance.go(20)
    refuses(instance, lambda f: f.pause("a"), 503, "AwaitingApproval")


def test_of_a_pipeline_that_is_lost() -> None:
    """It is unreachable at first, and Unavailable once the runner has seen it."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.lose("a")
    refuses(instance, lambda f: f.pause("a"), 503, "PipelineInteractionUnreachable")
    instance.go(10)
    refuses(instance, lambda f: f.pause("a"), 503, "PipelineUnavailable")


def test_of_a_pipeline_that_is_suspending() -> None:
    """A graceful stop cannot be taken back."""
    instance = SimulatedInstance(Plan(checkpointing=60))
    instance.run()
    instance.feldera.stop("a")
    refuses(instance, lambda f: f.resume("a"), 400, "InvalidTransition")


def test_the_open_source_edition_stops_only_by_force() -> None:
    """Only the Enterprise edition stops gracefully."""
    instance = SimulatedInstance(edition="Open source")
    instance.run()
    refuses(instance, lambda f: f.stop("a"), 501, "EnterpriseFeature")
    instance.feldera.stop("a", force=True)
    instance.go(5)
    assert instance.status == "Stopped"
