"""The reader of event logs over real HTTP, against the stand-in."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.feldera.client import Client
from feldera_exporter.feldera.errors import FelderaError, InvalidResponseError, ServerError
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.feldera.wire import Event
from feldera_exporter.history.answer_evaluation import Evaluation
from feldera_exporter.ledger import Ledger
from feldera_exporter.polling.client_factory import client_for
from feldera_exporter.polling.log_reader import EventLogReader
from feldera_exporter.polling.watcher import READING_SHARE, Watcher
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.http_messages import HttpAnswer
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.store.poll_changes import NOTHING
from feldera_exporter.store.store import Store
from feldera_exporter.telemetry import Telemetry
from support.clocks import ManualClock
from support.disturbed_server import EMPTY_404, SERVER_ERROR, DisturbedServer, Slow
from support.ground_truth import RecordedFeldera
from support.plans import INSTANT
from support.tools import example_count
from support.true_counts import compare_counts


@dataclass(slots=True)
class SimulatedWatcher:
    """A watcher and what it watches."""

    feldera: RecordedFeldera
    clock: ManualClock
    server: DisturbedServer
    watcher: Watcher
    client: Client
    telemetry: Telemetry

    async def poll(self, seconds: float = 5) -> int:
        """Let time pass, poll, and return how many event requests that took."""
        self.clock.advance(seconds)
        before = self.server.requests["events"]
        assert (await self.watcher.poll())[0]
        return self.server.requests["events"] - before

    async def settle(self) -> None:
        """Poll until nothing is left to read."""
        for _ in range(20):
            await self.poll(0)
            if not self.watcher.ledger.pending:
                return
        raise AssertionError(self.watcher.ledger.pending)

    @property
    def errors(self) -> dict[str, int]:
        """The errors counted, by code."""
        return {code: count for code, count in self.watcher.ledger.totals.errors.items() if count}

    def entries(self, name: str, status: str) -> int:
        """How often a pipeline was seen entering a runtime status."""
        key = self.feldera.get(name).id
        return self.watcher.ledger._histories[key].counts.runtime.get(status, 0)

    def shows(self, family: str) -> dict[str, float]:
        """Return the exporter's own samples of a family by their last label."""
        return {
            list(sample.labels.values())[-1]: sample.value
            for metric in self.telemetry._registry.collect()
            for sample in metric.samples
            if sample.name == f"feldera_exporter_{family}"
        }


@contextmanager
def a_watcher(
    size: int = 3,
    version: str = "0.337.0",
    store: Store | None = None,
    feldera: RecordedFeldera | None = None,
    timeout: float = 2.0,
) -> Iterator[SimulatedWatcher]:
    """Watch an instance of running pipelines `p0`, `p1`, … from when they run."""
    if feldera is None:
        feldera = RecordedFeldera(ManualClock(), plan=INSTANT, version=version)
        for number in range(size):
            feldera.create(f"p{number}")
        clock = feldera.clock
        assert isinstance(clock, ManualClock)
        clock.advance(60)
        for number in range(size):
            feldera.start(f"p{number}")
        clock.advance(60)
    assert isinstance(feldera.clock, ManualClock)
    server = DisturbedServer(feldera)
    with serve(server) as url:
        instance = Instance(name="default", url=url, poll_interval=timeout, timeout=timeout)
        configuration = Configuration(instances=(instance,))
        telemetry = Telemetry("0", "3")
        telemetry.initialise("default")
        log = structlog.get_logger("feldera_exporter")
        client = client_for(instance, partial(telemetry.observe, "default"), log)
        watcher = Watcher(
            instance,
            InstanceSettings(configuration, instance),
            client,
            Ledger("default", store.load("default") if store else NOTHING),
            store,
            lambda _observed, _fresh_until: None,
            telemetry,
            log,
        )
        yield SimulatedWatcher(feldera, feldera.clock, server, watcher, client, telemetry)


def within(simulated: SimulatedWatcher, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario and close the client."""

    async def run() -> None:
        try:
            await scenario()
        finally:
            await simulated.client.close()

    asyncio.run(run())


def crash(simulated: SimulatedWatcher, *names: str) -> None:
    """Let pipelines fail, end up stopped, and their errors be dismissed."""
    for name in names:
        simulated.feldera.inject.crash(name, "RuntimeError.WorkerPanic")
    simulated.clock.advance(30)
    for name in names:
        simulated.feldera.dismiss_error(name)
    simulated.clock.advance(1)


def crash_again(simulated: SimulatedWatcher, times: int) -> None:
    """Let `p0` fail several times, and start it after each."""
    for _ in range(times):
        crash(simulated, "p0")
        simulated.feldera.start("p0")
        simulated.clock.advance(60)


def test_never_more_than_four_requests_at_once() -> None:
    """At most the budget is read per poll, and the rest is kept for later and logged."""
    with a_watcher(40) as simulated:

        async def scenario() -> None:
            simulated.watcher.ledger._budget = 15
            await simulated.poll()
            for number in range(40):
                simulated.feldera.pause(f"p{number}")
            simulated.server.faults.set("events", Slow(0.05))
            assert await simulated.poll() == 15
            assert simulated.shows("event_backlog") == {"default": 40}
            await simulated.settle()
            assert 1 < simulated.server.most_in_flight <= 4
            assert simulated.shows("event_backlog") == {"default": 0}
            assert all(simulated.entries(f"p{number}", "Paused") == 1 for number in range(40))

        within(simulated, scenario)


def test_nothing_is_asked_for_while_nothing_happens() -> None:
    """Heartbeats, details and metadata cost no event request in a day."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            simulated.feldera.inject.connector_errors("p1", 1, 0.02)
            simulated.server.requests.clear()
            versions = set()
            for turn in range(100):
                simulated.feldera.patch_metadata("p2", tags=[f"t{turn}"])
                await simulated.poll(864)
                versions.add(simulated.feldera.get("p1").row.refresh_version)
            assert len(versions) == 100
            assert simulated.server.requests["events"] == 0

        within(simulated, scenario)


def test_the_deadline_ends_a_poll_and_loses_nothing() -> None:
    """A slow server gets a few requests per poll, and in the end all logs are read."""
    with a_watcher(12) as simulated:

        async def scenario() -> None:
            await simulated.poll()
            for number in range(12):
                simulated.feldera.pause(f"p{number}")
            simulated.clock.advance(5)
            simulated.server.faults.set("events", Slow(0.9))
            await simulated.poll()
            assert len(simulated.watcher.ledger.pending) > 0
            simulated.server.faults.clear()
            await simulated.settle()
            assert all(simulated.entries(f"p{number}", "Paused") == 1 for number in range(12))

        within(simulated, scenario)


def test_reading_ends_before_the_next_poll_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is left to store and publish what was read: a poll that ends too late would delay the next one by an interval."""
    deadlines: list[float] = []

    async def read(_: EventLogReader, _ids: Iterable[str], deadline: float) -> bool:
        deadlines.append(deadline)
        return False

    monkeypatch.setattr(EventLogReader, "read", read)
    with a_watcher() as simulated:

        async def scenario() -> None:
            began = time.monotonic()
            await simulated.poll()
            most = READING_SHARE * simulated.watcher.instance.poll_interval
            assert began + most <= deadlines[0] <= time.monotonic() + most
            assert READING_SHARE < 1

        within(simulated, scenario)


def test_a_list_that_took_the_whole_time_leaves_a_little_for_events() -> None:
    """Otherwise the logs of a slow server would never be read."""
    with a_watcher(6) as simulated:

        async def scenario() -> None:
            await simulated.settle()
            for number in range(6):
                simulated.feldera.pause(f"p{number}")
            simulated.server.faults.set("events", SERVER_ERROR)
            await simulated.poll()
            simulated.server.faults.clear()
            simulated.server.requests.clear()
            await simulated.watcher._reader.read(
                list(simulated.watcher.ledger.pending), deadline=time.monotonic() - 1
            )
            assert simulated.server.requests["events"] == 4
            await simulated.settle()
            assert all(simulated.entries(f"p{number}", "Paused") == 1 for number in range(6))

        within(simulated, scenario)


def test_answers_that_fail_are_asked_for_again() -> None:
    """After a server error, a timeout or a wrong body the pipeline stays pending."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.poll()
            simulated.feldera.pause("p0")
            for fault in (SERVER_ERROR, HttpAnswer(200, b"{}"), Slow(3)):
                simulated.server.faults.set("events", fault)
                await simulated.poll()
                assert simulated.watcher.ledger.pending
            simulated.feldera.resume("p0")
            simulated.clock.advance(5)
            simulated.server.faults.clear()
            await simulated.settle()
            assert (simulated.entries("p0", "Paused"), simulated.entries("p0", "Running")) == (1, 1)

        within(simulated, scenario)


def test_one_failing_log_is_not_well_because_another_is() -> None:
    """A failure is logged once, and its end when it ends or the pipeline is gone."""
    with a_watcher() as simulated, capture_logs() as logs:

        async def scenario() -> None:
            await simulated.settle()
            true_evaluate = Ledger.evaluate
            broken = {simulated.feldera.get("p0").id}

            def evaluate(ledger: Ledger, pipeline_id: str, log: Sequence[Event]) -> Evaluation:
                if pipeline_id in broken:
                    raise InvalidResponseError("it is broken")
                return true_evaluate(ledger, pipeline_id, log)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(Ledger, "evaluate", evaluate)
                for end in (broken.clear, lambda: delete(simulated, "p0")):
                    broken.add(simulated.feldera.get("p0").id)
                    for _ in range(5):
                        simulated.feldera.pause("p0")
                        simulated.feldera.pause("p1")
                        await simulated.poll()
                        simulated.feldera.resume("p0")
                        simulated.feldera.resume("p1")
                        await simulated.poll()
                        simulated.watcher._reader._failures._logged_at.clear()
                    assert said(logs)[-1] == "events cannot be read"
                    end()
                    await simulated.settle()
                    await simulated.poll()
                    assert said(logs)[-1] == "events can be read again"
            assert said(logs) == ["events cannot be read", "events can be read again"] * 2

        within(simulated, scenario)


def delete(simulated: SimulatedWatcher, name: str) -> None:
    """Stop a pipeline and delete it with its storage."""
    simulated.feldera.stop(name, force=True)
    simulated.clock.advance(60)
    simulated.feldera.clear(name)
    simulated.clock.advance(60)
    simulated.feldera.delete(name)


def said(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what was said of logs that cannot be read; a slow machine may add a second kind of failure."""
    lines = (line["event"] for line in logs if line["event"].startswith("events "))
    return [event for event, _ in groupby(lines)]


def test_errors_that_the_list_no_longer_shows_are_named_by_their_events() -> None:
    """Each needs one request; a failed request is repeated, a known code is not requested."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            crash(simulated, "p0", "p1")
            simulated.server.faults.set("event", SERVER_ERROR, times=1)
            await simulated.poll()
            await simulated.settle()
            assert simulated.errors == {"RuntimeError.WorkerPanic": 2}
            assert simulated.server.requests["event"] == 3

        within(simulated, scenario)


def test_an_event_that_is_gone_leaves_the_code_unknown() -> None:
    """The error is counted without its code."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            crash(simulated, "p0")
            gone = b'{"message":"x","error_code":"UnknownPipelineMonitorEvent","details":null}'
            simulated.server.faults.set("event", HttpAnswer(404, gone))
            await simulated.settle()
            assert simulated.errors == {"unknown": 1}

        within(simulated, scenario)


def test_an_event_that_cannot_be_read_leaves_the_code_unknown() -> None:
    """The error is counted without its code."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            simulated.server.faults.set("event", HttpAnswer(200, b"{"))
            crash(simulated, "p0")
            await simulated.settle()
            assert not simulated.watcher.ledger.pending
            assert simulated.errors == {"unknown": 1}

        within(simulated, scenario)


@pytest.mark.parametrize("fault", [SERVER_ERROR, HttpAnswer(403, b"")])
def test_a_request_for_a_code_that_always_fails_holds_no_log(fault: HttpAnswer) -> None:
    """After three failures in a row the error is counted without its code; a success in between begins again."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            crash_again(simulated, 2)
            await simulated.poll()
            simulated.server.faults.set("event", fault, times=2)
            await simulated.poll()
            await simulated.poll()
            assert simulated.errors == {}
            await simulated.settle()
            assert simulated.errors == {"RuntimeError.WorkerPanic": 2}
            simulated.server.faults.set("event", fault)
            crash(simulated, "p0")
            for _ in range(2):
                await simulated.poll()
                assert simulated.watcher.ledger.pending
            await simulated.poll()
            assert not simulated.watcher.ledger.pending
            assert simulated.errors == {"RuntimeError.WorkerPanic": 2, "unknown": 1}
            assert simulated.entries("p0", "Initializing") == 2

        within(simulated, scenario)


def test_confirmed_answers_wait_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may need the code of an error: a few get it after each list, the others need not be read again."""
    with a_watcher(12) as simulated:

        async def scenario() -> None:
            await simulated.poll()
            crash(simulated, *(f"p{number}" for number in range(12)))
            assert await simulated.poll() == 12
            simulated.server.faults.set("event", Slow(0.05))
            monkeypatch.setattr("feldera_exporter.polling.watcher.READING_SHARE", -1.0)
            for asked in (4, 8, 12):
                assert await simulated.poll() == 0
                assert simulated.server.requests["event"] == asked
                assert len(simulated.watcher.ledger.pending) == 12 - asked
            assert simulated.errors == {"RuntimeError.WorkerPanic": 12}
            assert 1 < simulated.server.most_in_flight <= 4

        within(simulated, scenario)


def test_a_pipeline_renamed_before_its_error_was_named_is_asked_for_again() -> None:
    """The event is requested under the new name."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            crash(simulated, "p0")
            gone = b'{"message":"x","error_code":"UnknownPipelineName","details":null}'
            simulated.server.faults.set("event", HttpAnswer(404, gone), times=1)
            await simulated.poll()
            assert simulated.errors == {}
            await simulated.settle()
            assert simulated.errors == {"RuntimeError.WorkerPanic": 1}

        within(simulated, scenario)


def test_many_errors_are_named_over_several_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is up the rest waits: one code is asked for after each list, and known codes and the log are kept."""
    with a_watcher(1) as simulated:

        async def scenario() -> None:
            await simulated.settle()
            crash_again(simulated, 4)
            monkeypatch.setattr("feldera_exporter.polling.watcher.READING_SHARE", -1.0)
            while not simulated.server.requests["event"]:
                await simulated.poll()
            for asked in (2, 3, 4):
                assert simulated.errors == {}
                assert await simulated.poll() == 0
                assert simulated.server.requests["event"] == asked
            assert simulated.errors == {"RuntimeError.WorkerPanic": 4}
            assert not simulated.watcher.ledger.pending
            assert not simulated.watcher._reader._codes

        within(simulated, scenario)


def test_a_name_that_changes_hands_between_list_and_events_is_not_believed() -> None:
    """If two pipelines exchange names after the list, the log of the other one is not used."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            for name in ("p0", "p1"):
                simulated.feldera.stop(name, force=True)
            simulated.clock.advance(30)
            for name in ("p0", "p1"):
                simulated.feldera.clear(name)
            simulated.clock.advance(30)
            await simulated.settle()
            simulated.feldera.start("p0")
            simulated.clock.advance(5)
            first, second = simulated.feldera.get("p0").id, simulated.feldera.get("p1").id
            await simulated.poll(0)
            simulated.feldera.stop("p0", force=True)
            simulated.clock.advance(30)
            simulated.feldera.clear("p0")
            simulated.clock.advance(30)
            # The list of this poll still maps the name to the first; the answer is the second's.
            real = simulated.watcher.ledger.observe_list

            def swapped(*args: Any, **named: Any) -> Any:
                plan = real(*args, **named)
                for old, new in (("p0", "x"), ("p1", "p0"), ("x", "p1")):
                    simulated.feldera.rename(old, new)
                return plan

            simulated.watcher.ledger.observe_list = swapped  # type: ignore[method-assign]
            await simulated.poll(0)
            simulated.watcher.ledger.observe_list = real  # type: ignore[method-assign]
            await simulated.settle()
            histories = simulated.watcher.ledger._histories
            for pipeline_id in (first, second):
                real_life = simulated.feldera.truth[pipeline_id].of("deployment_resources_status")
                counted = sum(histories[pipeline_id].counts.resources.values())
                assert counted == sum(
                    t.committed > simulated.feldera.started_at + 120_000_000 for t in real_life
                )

        within(simulated, scenario)


def test_a_pipeline_deleted_after_the_list_is_no_failure() -> None:
    """The deletion is in the next list."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            simulated.feldera.stop("p0", force=True)
            gone = b'{"message":"x","error_code":"UnknownPipelineName","details":null}'
            simulated.server.faults.set("events", HttpAnswer(404, gone), times=1)
            await simulated.poll()
            assert simulated.watcher.ledger.pending
            await simulated.settle()

        within(simulated, scenario)


def test_an_old_server_is_watched_by_its_lists_until_it_is_upgraded() -> None:
    """Version 0.291 has no event log, and the metric names the source."""
    with a_watcher(version="0.291.0") as simulated:

        async def scenario() -> None:
            simulated.watcher.set_platform(Platform(version="0.291.0"))
            await simulated.poll()
            assert simulated.shows("transition_source") == {"events": 1, "polls": 0}
            simulated.feldera.pause("p0")
            await simulated.poll()
            assert simulated.shows("transition_source") == {"events": 0, "polls": 1}
            await simulated.poll()
            simulated.feldera.resume("p0")
            await simulated.poll()
            assert simulated.entries("p0", "Paused") == simulated.entries("p0", "Running") == 1
            assert simulated.server.requests["events"] == 1
            # The same instance goes on as another version.
            simulated.feldera.version = "0.337.0"
            simulated.server._routes = FelderaServer(simulated.feldera)._routes
            simulated.watcher.set_platform(Platform(version="0.337.0"))
            simulated.feldera.pause("p0")
            simulated.clock.advance(1)
            simulated.feldera.resume("p0")
            await simulated.poll()
            await simulated.settle()
            assert simulated.shows("transition_source") == {"events": 1, "polls": 0}
            assert simulated.entries("p0", "Paused") == simulated.entries("p0", "Running") == 2

        within(simulated, scenario)


def test_a_stray_404_does_not_turn_the_log_off() -> None:
    """A 404 of a proxy does not count for a version that has the log, and no event is lost."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            simulated.watcher.set_platform(Platform(version="0.337.0"))
            await simulated.settle()
            simulated.server.faults.set("events", EMPTY_404, times=1)
            simulated.feldera.pause("p0")
            await simulated.poll()
            assert simulated.shows("transition_source") == {"events": 1, "polls": 0}
            simulated.feldera.resume("p0")
            simulated.clock.advance(5)
            await simulated.settle()
            assert (simulated.entries("p0", "Paused"), simulated.entries("p0", "Running")) == (1, 1)

        within(simulated, scenario)


def test_a_stray_404_of_an_unknown_version_counts_nothing_twice() -> None:
    """Once events were read, there is a log: a 404 is a failed request while the version is unknown."""
    with a_watcher() as simulated:

        async def scenario() -> None:
            await simulated.settle()
            simulated.feldera.pause("p0")
            simulated.clock.advance(5)
            await simulated.settle()
            simulated.server.faults.set("events", EMPTY_404, times=1)
            simulated.feldera.stop("p0", force=True)
            simulated.clock.advance(60)
            simulated.feldera.start("p0")
            simulated.clock.advance(1)
            await simulated.poll()
            assert simulated.shows("transition_source") == {"events": 1, "polls": 0}
            simulated.feldera.pause("p0")
            simulated.clock.advance(5)
            await simulated.settle()
            [life] = [each for each in simulated.feldera.truth.lives.values() if each.names[0][1] == "p0"]
            history = simulated.watcher.ledger._histories[life.id]
            compare_counts(life, history, simulated.feldera.started_at + 120_000_000)

        within(simulated, scenario)


@pytest.mark.parametrize("size", [example_count(10_000)])
def test_a_restart_of_thousands_reads_what_changed(tmp_path: Path, size: int) -> None:
    """With 1 % changed meanwhile, only those logs are read, and all is counted."""
    feldera = RecordedFeldera(ManualClock(), plan=INSTANT)
    for number in range(size):
        feldera.create(f"p{number}")
    clock = feldera.clock
    assert isinstance(clock, ManualClock)
    clock.advance(60)
    changing = [f"p{number}" for number in range(0, size, 100)]
    for name in changing:
        feldera.start(name)
    clock.advance(60)
    with a_watcher(store=(store := Store.open(tmp_path)), feldera=feldera, timeout=60) as simulated:

        async def scenario() -> None:
            await simulated.poll()
            for name in changing[::2]:
                simulated.feldera.pause(name)
            await simulated.settle()

        within(simulated, scenario)
    store.close()
    for name in changing:
        feldera.stop(name, force=True)
    with a_watcher(store=(store := Store.open(tmp_path)), feldera=feldera, timeout=60) as simulated:

        async def again() -> None:
            simulated.clock.advance(60)
            while not simulated.server.requests["pipelines"] or simulated.watcher.ledger.pending:
                await simulated.poll(0)
            assert simulated.server.requests["events"] <= 2 * len(changing)
            histories = simulated.watcher.ledger._histories
            stopped = [
                histories[simulated.feldera.get(name).id].counts.resources["Stopping", "Stopped"]
                for name in changing
            ]
            assert stopped == [1] * len(changing)

        within(simulated, again)
    store.close()


def test_a_refusal_says_when_to_come_again() -> None:
    """A poll returns the Retry-After of a refusal."""
    with a_watcher(1) as simulated:

        async def scenario() -> None:
            await simulated.settle()
            assert await simulated.watcher.poll() == (True, 0.0)
            simulated.watcher._client = Refusing()  # type: ignore[assignment]
            assert await simulated.watcher.poll() == (False, 30.0)

        class Refusing:
            """Answers as a server that is asked too often."""

            async def list(self, *_: object, **__: object) -> None:
                raise ServerError("429 Too Many Requests", 30.0)

            def redacted(self, error: FelderaError) -> FelderaError:
                return error

        within(simulated, scenario)
