"""What Feldera refuses is refused, with its status and error code, and changes nothing."""

from collections.abc import Callable

import pytest

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Phase, Plan
from support.simulated_api import Stage

Act = Callable[[Feldera], object]

ALWAYS: list[tuple[Act, int, str]] = [
    (lambda f: f.get("nobody"), 404, "UnknownPipelineName"),
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


def refuses(stage: Stage, act: Act, status: int, code: str) -> None:
    """Expect a refusal that leaves no trace."""
    before = [pipeline.row for pipeline in stage.feldera.pipelines()]
    events = len(stage.events)
    with pytest.raises(ApiError, match=code) as refused:
        act(stage.feldera)
    assert (refused.value.status, refused.value.error_code) == (status, code)
    assert [pipeline.row for pipeline in stage.feldera.pipelines()] == before
    assert len(stage.events) == events


@pytest.mark.parametrize(("act", "status", "code"), ALWAYS + STOPPED)
def test_of_a_stopped_pipeline(act: Act, status: int, code: str) -> None:
    """What needs a running one, and what is always wrong."""
    refuses(Stage(), act, status, code)


@pytest.mark.parametrize(("act", "status", "code"), ALWAYS + RUNNING)
def test_of_a_running_pipeline(act: Act, status: int, code: str) -> None:
    """What needs a stopped one, and what is always wrong."""
    stage = Stage()
    stage.run()
    refuses(stage, act, status, code)


def test_of_a_pipeline_that_is_stopping() -> None:
    """It cannot be started, nor its error dismissed."""
    stage = Stage(Plan(stopping=None))
    stage.run()
    stage.feldera.inject.crash("a")
    stage.go(10)
    assert stage.status == "Stopping"
    refuses(stage, lambda f: f.start("a"), 400, "IllegalPipelineAction")
    refuses(stage, lambda f: f.dismiss_error("a"), 400, "DismissErrorRestrictedToFullyStopped")


def test_of_a_pipeline_with_an_error_and_storage() -> None:
    """Only a start that dismisses; no rename, no deletion, no other workers while there is storage."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.crash("a")
    stage.go(10)
    refuses(stage, lambda f: f.start("a", dismiss_error=False), 400, "CannotStartWithUndismissedError")
    refuses(stage, lambda f: f.rename("a", "b"), 400, "EditRestrictedToClearedStorage")
    refuses(
        stage, lambda f: f.edit("a", runtime_config={"workers": 1}), 400, "EditRestrictedToClearedStorage"
    )
    refuses(stage, lambda f: f.delete("a"), 400, "DeleteRestrictedToClearedStorage")


def test_of_a_pipeline_that_is_clearing() -> None:
    """It cannot be started."""
    stage = Stage(Plan(clearing=None))
    stage.run()
    stage.feldera.stop("a", force=True)
    stage.go(10)
    stage.feldera.clear("a")
    refuses(stage, lambda f: f.start("a"), 400, "CannotStartWhileClearingStorage")


def test_of_a_pipeline_that_does_not_compile() -> None:
    """It cannot be started, and no error is set."""
    stage = Stage(Plan(compiled_as="RustError"))
    refuses(stage, lambda f: f.start("a"), 400, "CannotStartWithCompilationError")


def test_of_a_pipeline_that_is_not_ready() -> None:
    """It answers itself, so there is no Retry-After."""
    stage = Stage(Plan(path=(Phase("AwaitingApproval", None),)))
    stage.run(4)
    with pytest.raises(ApiError, match="Initializing") as refused:
        stage.feldera.pause("a")
    assert not refused.value.retry_after
    stage.go(20)
    refuses(stage, lambda f: f.pause("a"), 503, "AwaitingApproval")


def test_of_a_pipeline_that_is_lost() -> None:
    """Unreachable at first, Unavailable once the runner has seen it."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.lose("a")
    refuses(stage, lambda f: f.pause("a"), 503, "PipelineInteractionUnreachable")
    stage.go(10)
    refuses(stage, lambda f: f.pause("a"), 503, "PipelineUnavailable")


def test_of_a_pipeline_that_is_suspending() -> None:
    """There is no way back from a graceful stop."""
    stage = Stage(Plan(checkpointing=60))
    stage.run()
    stage.feldera.stop("a")
    refuses(stage, lambda f: f.resume("a"), 400, "InvalidTransition")


def test_the_open_source_edition_stops_only_by_force() -> None:
    """A graceful stop is the Enterprise edition's."""
    stage = Stage(edition="Open source")
    stage.run()
    refuses(stage, lambda f: f.stop("a"), 501, "EnterpriseFeature")
    stage.feldera.stop("a", force=True)
    stage.go(5)
    assert stage.status == "Stopped"
