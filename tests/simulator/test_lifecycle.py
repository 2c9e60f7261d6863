"""A pipeline goes through its statuses by Feldera's state machines and timeouts."""

import httpx
import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.plan import Failure, Phase, Plan
from feldera_exporter.simulator.server import FelderaServer
from support.simulated_api import SimulatedInstance

CLEARED = ("Success", "Cleared")
USED = ("Success", "InUse")


def test_the_events_of_a_run_that_fails_are_felderas_own() -> None:
    """Compile, start, panic, dismiss: the sequence of Feldera's platform test."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.crash("a", "RuntimeError.WorkerPanic")
    instance.go(20)
    assert instance.error == "RuntimeError.WorkerPanic"
    instance.feldera.dismiss_error("a")
    assert instance.scenario == [
        ("Stopped", "Stopped", None, None, False, "Pending", "Cleared"),
        ("Stopped", "Stopped", None, None, False, "CompilingSql", "Cleared"),
        ("Stopped", "Stopped", None, None, False, "SqlCompiled", "Cleared"),
        ("Stopped", "Stopped", None, None, False, "CompilingRust", "Cleared"),
        ("Stopped", "Stopped", None, None, False, *CLEARED),
        ("Stopped", "Provisioned", None, None, False, *CLEARED),
        ("Stopped", "Provisioned", None, None, False, *USED),
        ("Provisioning", "Provisioned", None, None, False, *USED),
        ("Provisioned", "Provisioned", "Initializing", "Running", False, *USED),
        ("Provisioned", "Provisioned", "Running", "Running", False, *USED),
        ("Provisioned", "Stopped", "Running", "Running", False, *USED),
        ("Stopping", "Stopped", None, None, True, *USED),
        ("Stopped", "Stopped", None, None, True, *USED),
        ("Stopped", "Stopped", None, None, False, *USED),
    ]


def test_each_stage_of_compiling_takes_its_time() -> None:
    """The durations are exact."""
    instance = SimulatedInstance(Plan(pending=1, compiling_sql=4, sql_compiled=2, compiling_rust=20))
    times = [(event.recorded_at - instance.feldera.started_at) / 1e6 for event in instance.events]
    assert times == [0, 1, 5, 7, 27]


@pytest.mark.parametrize(
    ("ends_as", "status"),
    [("SqlError", "SqlError"), ("SystemError", "SystemError"), ("RustError", "RustError")],
)
def test_compiling_may_fail(ends_as: str, status: str) -> None:
    """The program keeps the error status until it is edited."""
    instance = SimulatedInstance(Plan(compiled_as=ends_as))
    instance.go(600)
    assert instance.feldera.get("a").row.program_status == status
    instance.feldera.edit("a", plan=Plan())
    instance.go(60)
    assert instance.feldera.get("a").row.program_status == "Success"
    assert instance.feldera.get("a").row.program_version == 2


@pytest.mark.parametrize("stage", ["Pending", "CompilingSql", "CompilingRust"])
def test_a_system_error_may_come_in_any_stage(stage: str) -> None:
    """A system error may follow any status of the compiler."""
    failing = SimulatedInstance(Plan(compiled_as="SystemError", system_error_in=stage))
    counts = failing.feldera.truth[failing.feldera.get("a").id].counts("program_status")
    assert counts[stage, "SystemError"] == 1


def test_a_killed_compiler_tries_for_ever() -> None:
    """The program goes between SqlCompiled and CompilingRust."""
    instance = SimulatedInstance(Plan(compiled_as="Killed"))
    instance.go(600)
    counts = instance.feldera.truth[instance.feldera.get("a").id].counts("program_status")
    assert counts["CompilingRust", "SqlCompiled"] > 20
    assert ("CompilingRust", "Success") not in counts


def test_a_restarted_compiler_begins_again() -> None:
    """A program being compiled goes back one status; the others stay."""
    instance = SimulatedInstance(Plan(compiling_rust=None))
    instance.feldera.inject.restart_compiler()
    assert instance.feldera.get("a").row.program_status == "SqlCompiled"
    instance.go(60)
    assert instance.feldera.get("a").row.program_status == "CompilingRust"
    instance.feldera.replan("a", compiling_rust=1.0)
    instance.go(2)
    instance.feldera.inject.restart_compiler()
    assert instance.feldera.get("a").row.program_status == "Success"


def test_provisioning_times_out() -> None:
    """After 20 seconds and at most one poll it is Stopping with the error, then Stopped."""
    instance = SimulatedInstance(Plan(provisioning=None))
    instance.run()
    assert (instance.status, instance.error) == ("Stopped", "AutomatonProvisioningTimeout")
    error = instance.feldera.get("a").row.error
    assert error is not None
    assert error.details == {"timeout": {"secs": 20, "nanos": 0}}
    assert 20 < instance.seconds()["Provisioning"] < 21.1


def test_a_pipeline_may_have_its_own_provisioning_timeout() -> None:
    """`provisioning_timeout_secs` takes the place of the runner's default."""
    instance = SimulatedInstance(Plan(provisioning=None))
    instance.feldera.edit("a", runtime_config={"provisioning_timeout_secs": 300})
    instance.run(290)
    assert instance.status == "Provisioning"
    instance.go(20)
    error = instance.feldera.get("a").row.error
    assert error is not None
    assert error.details == {"timeout": {"secs": 300, "nanos": 0}}


def test_the_runner_default_timeout_can_be_set() -> None:
    """The default can be set as on Kubernetes; the error's details have a Rust Duration."""
    instance = SimulatedInstance(Plan(provisioning=None), provisioning_timeout=600.5)
    instance.run(599)
    assert instance.status == "Provisioning"
    instance.go(10)
    error = instance.feldera.get("a").row.error
    assert error is not None
    assert error.details == {"timeout": {"secs": 600, "nanos": 500_000_000}}


def test_provisioning_may_fail() -> None:
    """The error is that of `provision` or `is_provisioned`."""
    instance = SimulatedInstance(Plan(provision_failure=Failure("RunnerProvisionError", "no port", None)))
    instance.run()
    assert (instance.status, instance.error) == ("Stopped", "RunnerProvisionError")


def test_a_stop_ends_provisioning_without_an_error() -> None:
    """A stop by a user is no failure."""
    instance = SimulatedInstance(Plan(provisioning=None))
    instance.run(5)
    instance.feldera.stop("a")
    instance.go(10)
    assert (instance.status, instance.error) == ("Stopped", None)


def test_an_early_start_waits_for_the_compiler() -> None:
    """It is Stopped and desired Running while compiling, and then goes on by itself."""
    instance = SimulatedInstance(Plan(compiling_rust=3600))
    instance.run()
    row = instance.feldera.get("a").row
    assert (row.status, row.desired) == ("Stopped", "Running")
    instance.go(3600)
    assert instance.status == "Running"


def test_an_early_start_fails_with_the_compilation() -> None:
    """It stays Stopped with an error and is no longer desired otherwise, in two events of one instant."""
    instance = SimulatedInstance(Plan(compiling_sql=120, compiled_as="SqlError"))
    instance.run(120)
    row = instance.feldera.get("a").row
    assert (row.status, row.desired, instance.error) == (
        "Stopped",
        "Stopped",
        "StartFailedDueToFailedCompilation",
    )
    before, after = instance.events[-2:]
    assert before.recorded_at == after.recorded_at
    assert (before.statuses.has_error, after.statuses.has_error) == (False, True)


def test_the_runner_checks_before_it_provisions() -> None:
    """A start that fails the checks stays Stopped, with their error."""
    instance = SimulatedInstance(Plan(refused=Failure("AutomatonInvalidRuntimeConfig", "no", {"value": {}})))
    instance.run(5)
    assert (instance.status, instance.error) == ("Stopped", "AutomatonInvalidRuntimeConfig")
    assert "Provisioning" not in instance.seconds()


def test_a_start_can_be_taken_back_before_the_runner_notices() -> None:
    """A start and a stop within its latency provision nothing."""
    instance = SimulatedInstance()
    instance.feldera.start("a")
    instance.feldera.stop("a", force=True)
    instance.go(30)
    row = instance.feldera.get("a").row
    assert (row.status, row.initial, row.deployment_id) == ("Stopped", None, None)
    assert "Provisioning" not in instance.seconds()


def test_a_graceful_stop_makes_a_last_checkpoint() -> None:
    """The pipeline is desired Suspended until it is done; Suspended itself is never seen."""
    instance = SimulatedInstance(Plan(checkpointing=30, stopping=5))
    instance.run()
    instance.feldera.stop("a")
    instance.go(5)
    row = instance.feldera.get("a").row
    assert (row.status, row.desired) == ("Running", "Suspended")
    instance.go(40)
    assert (instance.status, instance.error) == ("Stopped", None)
    assert "Suspended" not in instance.seconds()
    assert instance.seconds()["Stopping"] == pytest.approx(5, abs=0.1)


def test_a_forced_stop_is_immediate() -> None:
    """Stopping within milliseconds."""
    instance = SimulatedInstance(Plan(stopping=5))
    instance.run()
    instance.feldera.stop("a", force=True)
    instance.go(0.1)
    assert instance.status == "Stopping"
    row = instance.feldera.get("a").row
    assert row.deployment_id is not None
    assert row.initial is None
    instance.go(10)
    assert instance.feldera.get("a").row.deployment_id is None


def test_a_stop_that_fails_is_retried_for_ever() -> None:
    """Its reason is written at once and in heartbeats, and it ends when possible."""
    instance = SimulatedInstance(Plan(stopping=None))
    instance.run()
    instance.feldera.stop("a", force=True)
    instance.go(1900)
    assert instance.status == "Stopping"
    details = [event for event in instance.events if event.statuses.resources == "Stopping"]
    assert len(details) == 5  # the transition, its reason, three heartbeats
    assert "Unable to stop" in str(details[-1].details.resources)
    instance.feldera.replan("a", stopping=1.0)
    instance.go(10)
    assert instance.status == "Stopped"


def test_pause_and_resume_are_seen_when_the_runner_polls() -> None:
    """The request is seen at once, the status within one poll."""
    instance = SimulatedInstance()
    instance.run()
    for ask, wanted in ((instance.feldera.pause, "Paused"), (instance.feldera.resume, "Running")):
        ask("a")
        instance.go(0.05)
        row = instance.feldera.get("a").row
        assert row.desired == wanted != row.status
        instance.go(3)
        assert instance.status == wanted


def test_a_pipeline_may_start_paused() -> None:
    """`initial` is its first status."""
    instance = SimulatedInstance()
    instance.feldera.start("a", "Paused")
    instance.go(60)
    assert instance.status == "Paused"


def test_a_standby_pipeline_is_activated() -> None:
    """It needs storage to synchronize with, stands by, and runs when activated."""
    instance = SimulatedInstance()
    storage = {"storage": {"backend": {"name": "file", "config": {"sync": {"bucket": "b"}}}}}
    instance.feldera.edit("a", runtime_config=storage)
    instance.feldera.start("a", "Standby")
    instance.go(60)
    assert instance.status == "Standby"
    instance.feldera.activate("a")
    instance.go(5)
    assert instance.status == "Running"


def test_a_changed_program_awaits_approval() -> None:
    """It waits without a limit until it is approved; then it bootstraps and runs."""
    instance = SimulatedInstance(Plan(path=(Phase("AwaitingApproval", None), Phase("Bootstrapping", 60))))
    instance.run(3600)
    assert instance.status == "AwaitingApproval"
    assert "approval_diff" in (instance.feldera.get("a").row.runtime_details or {})
    instance.feldera.approve("a")
    instance.go(30)
    assert instance.status == "Bootstrapping"
    instance.go(60)
    assert instance.status == "Running"


def test_a_pause_during_bootstrapping_holds_afterwards() -> None:
    """The pause takes effect after the bootstrap."""
    instance = SimulatedInstance(Plan(path=(Phase("Replaying", 60),)))
    instance.run(30)
    instance.feldera.pause("a")
    instance.go(5)
    assert instance.status == "Replaying"
    instance.go(60)
    assert instance.status == "Paused"


def test_a_lost_pipeline_is_unavailable() -> None:
    """Its desired status is Unavailable too; when it answers again it is as before, in the same deployment."""
    instance = SimulatedInstance()
    instance.run()
    deployment = instance.feldera.get("a").row.deployment_id
    instance.feldera.inject.lose("a", 30)
    instance.go(10)
    row = instance.feldera.get("a").row
    assert (row.status, row.desired, row.error) == ("Unavailable", "Unavailable", None)
    instance.go(30)
    row = instance.feldera.get("a").row
    assert (row.status, row.desired, row.deployment_id) == ("Running", "Running", deployment)


def test_a_lost_pipeline_stays_lost_until_found() -> None:
    """A lost pipeline has no timeout."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.lose("a")
    instance.go(86_400)
    assert instance.status == "Unavailable"
    instance.feldera.inject.find("a")
    instance.go(5)
    assert instance.status == "Running"


def test_a_new_pipeline_has_20_seconds_of_grace() -> None:
    """Without an answer it is Initializing for so long, then Unavailable."""
    instance = SimulatedInstance(Plan(initializing=None))
    instance.run(4)
    assert instance.status == "Initializing"
    instance.feldera.inject.lose("a")
    instance.go(15)
    assert instance.status == "Initializing"
    instance.go(10)
    assert instance.status == "Unavailable"


def test_a_blip_between_two_polls_never_was() -> None:
    """The runner samples each 2.5 seconds."""
    instance = SimulatedInstance()
    instance.run()
    known = len(instance.events)
    instance.go(0.2)
    instance.feldera.inject.lose("a", 0.01)
    instance.go(30)
    assert len(instance.events) == known
    assert "Unavailable" not in instance.seconds()


def test_a_crash_loop_on_kubernetes_sets_no_error() -> None:
    """Unavailable and Initializing take turns, in one deployment."""
    instance = SimulatedInstance(Plan(initializing=10))
    instance.run()
    deployment = instance.feldera.get("a").row.deployment_id
    instance.feldera.inject.crash_loop("a", up=20, down=10, times=10)
    instance.go(300)
    life = instance.feldera.truth[instance.feldera.get("a").id]
    assert life.counts("deployment_runtime_status")["Unavailable", "Initializing"] == 10
    assert not life.errors
    instance.go(60)
    assert (instance.status, instance.feldera.get("a").row.deployment_id) == ("Running", deployment)


def test_any_status_can_be_reported() -> None:
    """Also an unknown status can be reported, since the manager validates none."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.report("a", "Hibernating", 60)
    instance.go(5)
    assert instance.status == "Hibernating"
    instance.go(60)
    assert instance.status == "Running"


def test_storage_is_cleared_when_stopped() -> None:
    """Clearing takes its time, and nothing else can be done meanwhile."""
    instance = SimulatedInstance(Plan(clearing=30))
    instance.run()
    instance.feldera.stop("a", force=True)
    instance.go(10)
    instance.feldera.clear("a")
    instance.feldera.clear("a")
    instance.go(20)
    assert instance.feldera.get("a").row.storage_status == "Clearing"
    instance.go(11)
    assert instance.feldera.get("a").row.storage_status == "Cleared"
    known = len(instance.events)
    instance.feldera.clear("a")
    assert len(instance.events) == known


def test_storage_may_never_be_cleared() -> None:
    """There is no timeout and no event; it ends when the claim is bound."""
    instance = SimulatedInstance(Plan(clearing=None))
    instance.run()
    instance.feldera.stop("a", force=True)
    instance.go(10)
    instance.feldera.clear("a")
    known = len(instance.events)
    instance.go(7200)
    assert instance.feldera.get("a").row.storage_status == "Clearing"
    assert len(instance.events) == known
    instance.feldera.replan("a", clearing=0.0)
    instance.go(3)
    assert instance.feldera.get("a").row.storage_status == "Cleared"


@pytest.mark.parametrize("name", ["a", None])
def test_a_frozen_runner_sees_nothing(name: str | None) -> None:
    """Requests are recorded, nothing else is, and refresh_version does not change."""
    instance = SimulatedInstance()
    instance.run()
    refreshed = instance.feldera.get("a").row.refresh_version
    instance.feldera.inject.freeze(name)
    instance.feldera.stop("a", force=True)
    instance.go(3600)
    row = instance.feldera.get("a").row
    assert (row.status, row.desired, row.refresh_version) == ("Running", "Stopped", refreshed)
    instance.feldera.inject.thaw(name)
    instance.go(5)
    assert instance.status == "Stopped"


def test_a_runner_may_freeze_for_a_while() -> None:
    """It is frozen for longer when it is frozen again."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.freeze("a", 60)
    instance.feldera.inject.freeze("a", 120)
    instance.feldera.stop("a", force=True)
    instance.go(100)
    assert instance.status == "Running"
    instance.go(30)
    assert instance.status == "Stopped"


def test_a_plan_can_change_midway() -> None:
    """A step without an end ends with the new plan."""
    instance = SimulatedInstance(Plan(initializing=None))
    instance.run(600)
    assert instance.status == "Initializing"
    instance.feldera.replan("a", initializing=5.0)
    instance.go(10)
    assert instance.status == "Running"


def test_influences_on_a_stopped_pipeline_do_nothing() -> None:
    """A stopped pipeline cannot be lost, found or crashed."""
    instance = SimulatedInstance()
    inject = instance.feldera.inject
    inject.crash("a")
    inject.lose("a", 5, restarts=True)
    inject.find("a")
    inject.report("a", "Running")
    inject.crash_loop("a", 5, 5)
    instance.go(60)
    assert (instance.status, instance.error) == ("Stopped", None)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_restarted_manager(*, keeps: bool) -> None:
    """On Kubernetes its pipelines go on; as its children they are stopped with an error."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.restart_manager(keeps_processes=keeps)
    instance.go(10)
    assert (instance.status, instance.error) == (
        ("Running", None) if keeps else ("Stopped", "RunnerCheckError")
    )
    if not keeps:
        error = instance.feldera.get("a").row.error
        assert error is not None
        assert error.message == (
            "The pipeline-manager and this pipeline were previously terminated. Start the pipeline again."
        )


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        (Plan(pending=None), "Pending"),
        (Plan(compiling_sql=None), "CompilingSql"),
        (Plan(sql_compiled=None), "SqlCompiled"),
        (Plan(compiling_rust=None), "CompilingRust"),
    ],
)
def test_an_upgrade_compiles_what_is_not_compiled_yet(plan: Plan, status: str) -> None:
    """It begins from Pending as a new version of the program; a compiled program stays as it is."""
    instance = SimulatedInstance(plan)
    instance.feldera.create("done")
    instance.go(60)
    before, done = instance.feldera.get("a").row, instance.feldera.get("done").row
    assert before.program_status == status
    instance.feldera.inject.upgrade("0.338.0")
    after = instance.feldera.get("a").row
    assert (after.program_status, after.platform_version) == ("Pending", "0.338.0")
    assert after.program_version == before.program_version + 1
    assert after.program_status_since > before.program_status_since
    assert instance.feldera.get("done").row == done
    instance.feldera.replan("a", pending=1.0, compiling_sql=1.0, sql_compiled=1.0, compiling_rust=1.0)
    instance.go(10)
    assert instance.feldera.get("a").row.program_status == "Success"


def test_an_upgraded_server_answers_as_the_new_version() -> None:
    """It has the new fields and routes at once, and pipelines run on."""
    instance = SimulatedInstance(version="0.250.0")
    instance.run()
    server = FelderaServer(instance.feldera)
    with serve(server) as url, httpx.Client(verify=False, base_url=url) as client:
        assert "tags" not in client.get("/v0/pipelines?selector=status").json()[0]
        assert client.get("/v0/pipelines/a/events").content == b""
        assert client.post("/v0/pipelines/a/dismiss_error").content == b""
        instance.feldera.inject.upgrade("0.337.0")
        assert "tags" in client.get("/v0/pipelines?selector=status").json()[0]
        assert client.get("/v0/pipelines/a/events").json()
        assert client.post("/v0/pipelines/a/dismiss_error").status_code == 200
        assert client.get("/v0/config").json()["version"] == "0.337.0"
    assert instance.status == "Running"


def test_a_manager_restarted_during_provisioning_provisions_again() -> None:
    """The timeout still counts from the beginning of Provisioning."""
    instance = SimulatedInstance(Plan(provisioning=15))
    instance.run(10)
    instance.feldera.inject.restart_manager()
    instance.go(9)
    assert instance.status == "Provisioning"
    instance.go(10)
    assert instance.error == "AutomatonProvisioningTimeout"


def test_a_reported_status_outlasts_a_new_plan() -> None:
    """A reported status without an end stays."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.inject.report("a", "Hibernating")
    instance.feldera.replan("a", initializing=1.0)
    instance.go(600)
    assert instance.status == "Hibernating"
