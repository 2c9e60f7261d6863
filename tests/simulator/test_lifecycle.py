"""A pipeline goes through its statuses as Feldera's state machines and timeouts have it."""

import httpx
import pytest

from feldera_exporter.simulator.plan import Failure, Phase, Plan
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from support.simulated_api import Stage

CLEARED = ("Success", "Cleared")
USED = ("Success", "InUse")


def test_the_events_of_a_run_that_fails_are_felderas_own() -> None:
    """Compile, start, panic, dismiss: the sequence that Feldera's platform test asserts."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.crash("a", "RuntimeError.WorkerPanic")
    stage.go(20)
    assert stage.error == "RuntimeError.WorkerPanic"
    stage.feldera.dismiss_error("a")
    assert stage.scenario == [
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
    stage = Stage(Plan(pending=1, compiling_sql=4, sql_compiled=2, compiling_rust=20))
    times = [(event.recorded_at - stage.feldera.started_at) / 1e6 for event in stage.events]
    assert times == [0, 1, 5, 7, 27]


@pytest.mark.parametrize(
    ("ends_as", "status"),
    [("SqlError", "SqlError"), ("SystemError", "SystemError"), ("RustError", "RustError")],
)
def test_compiling_may_fail(ends_as: str, status: str) -> None:
    """The program stays there until it is edited."""
    stage = Stage(Plan(compiled_as=ends_as))
    stage.go(600)
    assert stage.feldera.get("a").row.program_status == status
    stage.feldera.edit("a", plan=Plan())
    stage.go(60)
    assert stage.feldera.get("a").row.program_status == "Success"
    assert stage.feldera.get("a").row.program_version == 2


@pytest.mark.parametrize("stage", ["Pending", "CompilingSql", "CompilingRust"])
def test_a_system_error_may_come_in_any_stage(stage: str) -> None:
    """From whatever status the compiler was in."""
    told = Stage(Plan(compiled_as="SystemError", system_error_in=stage))
    counts = told.feldera.truth[told.feldera.get("a").id].counts("program_status")
    assert counts[stage, "SystemError"] == 1


def test_lost_artifacts_are_compiled_anew_when_started() -> None:
    """Success goes back to Pending without an error; the start goes on when that is done."""
    stage = Stage()
    stage.feldera.inject.lose_artifacts("a")
    stage.go(60)
    assert stage.feldera.get("a").row.program_status == "Success"
    stage.run(5)
    row = stage.feldera.get("a").row
    assert (row.program_status, row.status, row.desired) == ("CompilingSql", "Stopped", "Running")
    stage.go(60)
    assert (stage.status, stage.error) == ("Running", None)


def test_a_killed_compiler_tries_for_ever() -> None:
    """The program goes between SqlCompiled and CompilingRust."""
    stage = Stage(Plan(compiled_as="Killed"))
    stage.go(600)
    counts = stage.feldera.truth[stage.feldera.get("a").id].counts("program_status")
    assert counts["CompilingRust", "SqlCompiled"] > 20
    assert ("CompilingRust", "Success") not in counts


def test_a_restarted_compiler_begins_again() -> None:
    """What was being compiled goes back one status; the rest stays."""
    stage = Stage(Plan(compiling_rust=None))
    stage.feldera.inject.restart_compiler()
    assert stage.feldera.get("a").row.program_status == "SqlCompiled"
    stage.go(60)
    assert stage.feldera.get("a").row.program_status == "CompilingRust"
    stage.feldera.replan("a", compiling_rust=1.0)
    stage.go(2)
    stage.feldera.inject.restart_compiler()
    assert stage.feldera.get("a").row.program_status == "Success"


def test_provisioning_times_out() -> None:
    """After 20 seconds and at most a poll more: Stopping with the error, then Stopped."""
    stage = Stage(Plan(provisioning=None))
    stage.run()
    assert (stage.status, stage.error) == ("Stopped", "AutomatonProvisioningTimeout")
    error = stage.feldera.get("a").row.error
    assert error is not None
    assert error.details == {"timeout": {"secs": 20, "nanos": 0}}
    assert 20 < stage.seconds()["Provisioning"] < 21.1


def test_a_pipeline_may_have_its_own_provisioning_timeout() -> None:
    """`provisioning_timeout_secs` takes the place of the runner's default."""
    stage = Stage(Plan(provisioning=None))
    stage.feldera.edit("a", runtime_config={"provisioning_timeout_secs": 300})
    stage.run(290)
    assert stage.status == "Provisioning"
    stage.go(20)
    error = stage.feldera.get("a").row.error
    assert error is not None
    assert error.details == {"timeout": {"secs": 300, "nanos": 0}}


def test_the_runner_default_timeout_can_be_set() -> None:
    """As on Kubernetes; the error's details are a Rust Duration."""
    stage = Stage(Plan(provisioning=None), provisioning_timeout=600.5)
    stage.run(599)
    assert stage.status == "Provisioning"
    stage.go(10)
    error = stage.feldera.get("a").row.error
    assert error is not None
    assert error.details == {"timeout": {"secs": 600, "nanos": 500_000_000}}


def test_provisioning_may_fail() -> None:
    """With the error of `provision` or `is_provisioned`."""
    stage = Stage(Plan(provision_failure=Failure("RunnerProvisionError", "no port", None)))
    stage.run()
    assert (stage.status, stage.error) == ("Stopped", "RunnerProvisionError")


def test_a_stop_ends_provisioning_without_an_error() -> None:
    """The user's wish is no failure."""
    stage = Stage(Plan(provisioning=None))
    stage.run(5)
    stage.feldera.stop("a")
    stage.go(10)
    assert (stage.status, stage.error) == ("Stopped", None)


def test_an_early_start_waits_for_the_compiler() -> None:
    """Stopped and desired Running, however long the compilation takes; then it goes on by itself."""
    stage = Stage(Plan(compiling_rust=3600))
    stage.run()
    row = stage.feldera.get("a").row
    assert (row.status, row.desired) == ("Stopped", "Running")
    stage.go(3600)
    assert stage.status == "Running"


def test_an_early_start_fails_with_the_compilation() -> None:
    """Stopped stays Stopped, with an error, and is no longer desired otherwise; both events share their instant."""
    stage = Stage(Plan(compiling_sql=120, compiled_as="SqlError"))
    stage.run(120)
    row = stage.feldera.get("a").row
    assert (row.status, row.desired, stage.error) == (
        "Stopped",
        "Stopped",
        "StartFailedDueToFailedCompilation",
    )
    before, after = stage.events[-2:]
    assert before.recorded_at == after.recorded_at
    assert (before.statuses.has_error, after.statuses.has_error) == (False, True)


def test_the_runner_checks_before_it_provisions() -> None:
    """A start that its checks refuse stays Stopped, with their error."""
    stage = Stage(Plan(refused=Failure("AutomatonInvalidRuntimeConfig", "no", {"value": {}})))
    stage.run(5)
    assert (stage.status, stage.error) == ("Stopped", "AutomatonInvalidRuntimeConfig")
    assert "Provisioning" not in stage.seconds()


def test_a_start_can_be_taken_back_before_the_runner_notices() -> None:
    """Two wishes within its latency: nothing is provisioned."""
    stage = Stage()
    stage.feldera.start("a")
    stage.feldera.stop("a", force=True)
    stage.go(30)
    row = stage.feldera.get("a").row
    assert (row.status, row.initial, row.deployment_id) == ("Stopped", None, None)
    assert "Provisioning" not in stage.seconds()


def test_a_graceful_stop_makes_a_last_checkpoint() -> None:
    """The pipeline is desired Suspended until it is done; Suspended itself is never seen."""
    stage = Stage(Plan(checkpointing=30, stopping=5))
    stage.run()
    stage.feldera.stop("a")
    stage.go(5)
    row = stage.feldera.get("a").row
    assert (row.status, row.desired) == ("Running", "Suspended")
    stage.go(40)
    assert (stage.status, stage.error) == ("Stopped", None)
    assert "Suspended" not in stage.seconds()
    assert stage.seconds()["Stopping"] == pytest.approx(5, abs=0.1)


def test_a_forced_stop_is_immediate() -> None:
    """Stopping within milliseconds."""
    stage = Stage(Plan(stopping=5))
    stage.run()
    stage.feldera.stop("a", force=True)
    stage.go(0.1)
    assert stage.status == "Stopping"
    row = stage.feldera.get("a").row
    assert row.deployment_id is not None
    assert row.initial is None
    stage.go(10)
    assert stage.feldera.get("a").row.deployment_id is None


def test_a_stop_that_fails_is_retried_for_ever() -> None:
    """Its reason is written at once and again as a heartbeat, and it ends when it can."""
    stage = Stage(Plan(stopping=None))
    stage.run()
    stage.feldera.stop("a", force=True)
    stage.go(1900)
    assert stage.status == "Stopping"
    details = [event for event in stage.events if event.statuses.resources == "Stopping"]
    assert len(details) == 5  # the transition, its reason, three heartbeats
    assert "Unable to stop" in str(details[-1].details.resources)
    stage.feldera.replan("a", stopping=1.0)
    stage.go(10)
    assert stage.status == "Stopped"


def test_pause_and_resume_are_seen_when_the_runner_polls() -> None:
    """The wish at once, the status within one poll."""
    stage = Stage()
    stage.run()
    for ask, wanted in ((stage.feldera.pause, "Paused"), (stage.feldera.resume, "Running")):
        ask("a")
        stage.go(0.05)
        row = stage.feldera.get("a").row
        assert row.desired == wanted != row.status
        stage.go(3)
        assert stage.status == wanted


def test_a_pipeline_may_start_paused() -> None:
    """`initial` is what it comes up as."""
    stage = Stage()
    stage.feldera.start("a", "Paused")
    stage.go(60)
    assert stage.status == "Paused"


def test_a_standby_pipeline_is_activated() -> None:
    """It needs storage to synchronize with, stands by, and runs when told."""
    stage = Stage()
    storage = {"storage": {"backend": {"name": "file", "config": {"sync": {"bucket": "b"}}}}}
    stage.feldera.edit("a", runtime_config=storage)
    stage.feldera.start("a", "Standby")
    stage.go(60)
    assert stage.status == "Standby"
    stage.feldera.activate("a")
    stage.go(5)
    assert stage.status == "Running"


def test_a_changed_program_awaits_approval() -> None:
    """For ever, until a person approves; then it bootstraps and runs."""
    stage = Stage(Plan(path=(Phase("AwaitingApproval", None), Phase("Bootstrapping", 60))))
    stage.run(3600)
    assert stage.status == "AwaitingApproval"
    assert "approval_diff" in (stage.feldera.get("a").row.runtime_details or {})
    stage.feldera.approve("a")
    stage.go(30)
    assert stage.status == "Bootstrapping"
    stage.go(60)
    assert stage.status == "Running"


def test_a_pause_during_bootstrapping_holds_afterwards() -> None:
    """The wish is kept until the work is done."""
    stage = Stage(Plan(path=(Phase("Replaying", 60),)))
    stage.run(30)
    stage.feldera.pause("a")
    stage.go(5)
    assert stage.status == "Replaying"
    stage.go(60)
    assert stage.status == "Paused"


def test_a_lost_pipeline_is_unavailable() -> None:
    """Desired flips to Unavailable too; when it answers again it is as before, in the same deployment."""
    stage = Stage()
    stage.run()
    deployment = stage.feldera.get("a").row.deployment_id
    stage.feldera.inject.lose("a", 30)
    stage.go(10)
    row = stage.feldera.get("a").row
    assert (row.status, row.desired, row.error) == ("Unavailable", "Unavailable", None)
    stage.go(30)
    row = stage.feldera.get("a").row
    assert (row.status, row.desired, row.deployment_id) == ("Running", "Running", deployment)


def test_a_lost_pipeline_stays_lost_until_found() -> None:
    """There is no timeout."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.lose("a")
    stage.go(86_400)
    assert stage.status == "Unavailable"
    stage.feldera.inject.find("a")
    stage.go(5)
    assert stage.status == "Running"


def test_a_new_pipeline_has_20_seconds_of_grace() -> None:
    """One that does not answer stays Initializing for so long, then it is Unavailable."""
    stage = Stage(Plan(initializing=None))
    stage.run(4)
    assert stage.status == "Initializing"
    stage.feldera.inject.lose("a")
    stage.go(15)
    assert stage.status == "Initializing"
    stage.go(10)
    assert stage.status == "Unavailable"


def test_a_blip_between_two_polls_never_was() -> None:
    """The runner samples each 2.5 seconds."""
    stage = Stage()
    stage.run()
    known = len(stage.events)
    stage.go(0.2)
    stage.feldera.inject.lose("a", 0.01)
    stage.go(30)
    assert len(stage.events) == known
    assert "Unavailable" not in stage.seconds()


def test_a_crash_loop_on_kubernetes_sets_no_error() -> None:
    """Unavailable and Initializing take turns, in one deployment."""
    stage = Stage(Plan(initializing=10))
    stage.run()
    deployment = stage.feldera.get("a").row.deployment_id
    stage.feldera.inject.crash_loop("a", up=20, down=10, times=10)
    stage.go(300)
    life = stage.feldera.truth[stage.feldera.get("a").id]
    assert life.counts("deployment_runtime_status")["Unavailable", "Initializing"] == 10
    assert not life.errors
    stage.go(60)
    assert (stage.status, stage.feldera.get("a").row.deployment_id) == ("Running", deployment)


def test_any_status_can_be_reported() -> None:
    """Also one that nobody knows yet, since the manager validates none."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.report("a", "Hibernating", 60)
    stage.go(5)
    assert stage.status == "Hibernating"
    stage.go(60)
    assert stage.status == "Running"


def test_storage_is_cleared_when_stopped() -> None:
    """Clearing blocks for its time."""
    stage = Stage(Plan(clearing=30))
    stage.run()
    stage.feldera.stop("a", force=True)
    stage.go(10)
    stage.feldera.clear("a")
    stage.feldera.clear("a")
    stage.go(20)
    assert stage.feldera.get("a").row.storage_status == "Clearing"
    stage.go(11)
    assert stage.feldera.get("a").row.storage_status == "Cleared"
    known = len(stage.events)
    stage.feldera.clear("a")
    assert len(stage.events) == known


def test_storage_may_never_be_cleared() -> None:
    """There is no timeout, and nothing is written; it ends when the claim is bound."""
    stage = Stage(Plan(clearing=None))
    stage.run()
    stage.feldera.stop("a", force=True)
    stage.go(10)
    stage.feldera.clear("a")
    known = len(stage.events)
    stage.go(7200)
    assert stage.feldera.get("a").row.storage_status == "Clearing"
    assert len(stage.events) == known
    stage.feldera.replan("a", clearing=0.0)
    stage.go(3)
    assert stage.feldera.get("a").row.storage_status == "Cleared"


@pytest.mark.parametrize("name", ["a", None])
def test_a_frozen_runner_sees_nothing(name: str | None) -> None:
    """Users' wishes are recorded, nothing else is, and refresh_version stands still."""
    stage = Stage()
    stage.run()
    refreshed = stage.feldera.get("a").row.refresh_version
    stage.feldera.inject.freeze(name)
    stage.feldera.stop("a", force=True)
    stage.go(3600)
    row = stage.feldera.get("a").row
    assert (row.status, row.desired, row.refresh_version) == ("Running", "Stopped", refreshed)
    stage.feldera.inject.thaw(name)
    stage.go(5)
    assert stage.status == "Stopped"


def test_a_runner_may_freeze_for_a_while() -> None:
    """And for longer when it is frozen again."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.freeze("a", 60)
    stage.feldera.inject.freeze("a", 120)
    stage.feldera.stop("a", force=True)
    stage.go(100)
    assert stage.status == "Running"
    stage.go(30)
    assert stage.status == "Stopped"


def test_a_plan_can_change_midway() -> None:
    """What never ended ends."""
    stage = Stage(Plan(initializing=None))
    stage.run(600)
    assert stage.status == "Initializing"
    stage.feldera.replan("a", initializing=5.0)
    stage.go(10)
    assert stage.status == "Running"


def test_influences_on_a_stopped_pipeline_do_nothing() -> None:
    """There is no process to lose, find or crash."""
    stage = Stage()
    inject = stage.feldera.inject
    inject.crash("a")
    inject.lose("a", 5, restarts=True)
    inject.find("a")
    inject.report("a", "Running")
    inject.crash_loop("a", 5, 5)
    stage.go(60)
    assert (stage.status, stage.error) == ("Stopped", None)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_restarted_manager(*, keeps: bool) -> None:
    """Its pipelines survive it on Kubernetes; where they are its children each is stopped with an error."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.restart_manager(keeps_processes=keeps)
    stage.go(10)
    assert (stage.status, stage.error) == (("Running", None) if keeps else ("Stopped", "RunnerCheckError"))
    if not keeps:
        error = stage.feldera.get("a").row.error
        assert error is not None
        assert error.message == (
            "The pipeline-manager and this pipeline were previously terminated. Start the pipeline again."
        )


@pytest.mark.parametrize("status", ["Provisioning", "Running"])
def test_a_deployment_without_storage_is_stopped(status: str) -> None:
    """The runner's fail-safe: what cannot be so ends, with an error of its own."""
    stage = Stage(Plan(provisioning=None if status == "Provisioning" else 1.0))
    stage.run(15)
    assert stage.status == status
    stage.feldera.inject.lose_storage("a")
    stage.go(6)
    assert (stage.status, stage.error) == ("Stopped", "AutomatonImpossibleDesiredStatus")
    assert stage.feldera.get("a").row.desired == "Stopped"


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        (Plan(pending=None), "Pending"),
        (Plan(compiling_sql=None), "CompilingSql"),
        (Plan(sql_compiled=None), "SqlCompiled"),
        (Plan(compiling_rust=None), "CompilingRust"),
    ],
)
def test_an_upgrade_has_what_is_not_compiled_yet_compiled_anew(plan: Plan, status: str) -> None:
    """By the new version, from Pending on, as a new version of the program; what is compiled stays as it is."""
    stage = Stage(plan)
    stage.feldera.create("done")
    stage.go(60)
    before, done = stage.feldera.get("a").row, stage.feldera.get("done").row
    assert before.program_status == status
    stage.feldera.inject.upgrade("0.338.0")
    after = stage.feldera.get("a").row
    assert (after.program_status, after.platform_version) == ("Pending", "0.338.0")
    assert after.program_version == before.program_version + 1
    assert after.program_status_since > before.program_status_since
    assert stage.feldera.get("done").row == done
    stage.feldera.replan("a", pending=1.0, compiling_sql=1.0, sql_compiled=1.0, compiling_rust=1.0)
    stage.go(10)
    assert stage.feldera.get("a").row.program_status == "Success"


def test_an_upgraded_server_answers_as_the_new_version() -> None:
    """With its fields and routes, at once; pipelines run on."""
    stage = Stage(version="0.250.0")
    stage.run()
    server = FelderaServer(stage.feldera)
    with serve(server) as url, httpx.Client(base_url=url) as client:
        assert "tags" not in client.get("/v0/pipelines?selector=status").json()[0]
        assert client.get("/v0/pipelines/a/events").content == b""
        assert client.post("/v0/pipelines/a/dismiss_error").content == b""
        stage.feldera.inject.upgrade("0.337.0")
        assert "tags" in client.get("/v0/pipelines?selector=status").json()[0]
        assert client.get("/v0/pipelines/a/events").json()
        assert client.post("/v0/pipelines/a/dismiss_error").status_code == 200
        assert client.get("/v0/config").json()["version"] == "0.337.0"
    assert stage.status == "Running"


def test_a_manager_restarted_during_provisioning_begins_that_anew() -> None:
    """The timeout still counts from when Provisioning began."""
    stage = Stage(Plan(provisioning=15))
    stage.run(10)
    stage.feldera.inject.restart_manager()
    stage.go(9)
    assert stage.status == "Provisioning"
    stage.go(10)
    assert stage.error == "AutomatonProvisioningTimeout"


def test_a_reported_status_outlasts_a_new_plan() -> None:
    """What was reported without an end has none."""
    stage = Stage()
    stage.run()
    stage.feldera.inject.report("a", "Hibernating")
    stage.feldera.replan("a", initializing=1.0)
    stage.go(600)
    assert stage.status == "Hibernating"
