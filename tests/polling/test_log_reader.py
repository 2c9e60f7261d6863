"""The reader of event logs over real HTTP, against the stand-in."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.feldera.client import Client
from feldera_exporter.feldera.errors import InvalidResponseError, ServerError
from feldera_exporter.feldera.event_log import EventLog
from feldera_exporter.feldera.platform import Platform
from feldera_exporter.history.evaluation import Evaluation
from feldera_exporter.ledger import Ledger
from feldera_exporter.polling.client_factory import client_for
from feldera_exporter.polling.watcher import Watcher
from feldera_exporter.simulator.clock import ManualClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_faults import EMPTY_404, SERVER_ERROR, Slow, Status
from feldera_exporter.simulator.plan import INSTANT
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.store.poll_changes import NOTHING
from feldera_exporter.store.store import Store
from feldera_exporter.telemetry import Telemetry


@dataclass(slots=True)
class Room:
    """A watcher and what it watches."""

    feldera: Feldera
    clock: ManualClock
    server: FelderaServer
    watcher: Watcher
    client: Client
    telemetry: Telemetry

    async def poll(self, seconds: float = 5) -> int:
        """Let time pass, poll, and return how many event requests that took."""
        self.clock.advance(seconds)
        before = self.server.requests["events"]
        assert (await self.watcher.poll()).success
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
def a_room(
    size: int = 3,
    version: str = "0.337.0",
    store: Store | None = None,
    feldera: Feldera | None = None,
    timeout: float = 2.0,
) -> Iterator[Room]:
    """Watch an instance of running pipelines `p0`, `p1`, … from when they run."""
    if feldera is None:
        feldera = Feldera(ManualClock(), plan=INSTANT, version=version)
        for number in range(size):
            feldera.create(f"p{number}")
        clock = feldera.clock
        assert isinstance(clock, ManualClock)
        clock.advance(60)
        for number in range(size):
            feldera.start(f"p{number}")
        clock.advance(60)
    assert isinstance(feldera.clock, ManualClock)
    server = FelderaServer(feldera)
    with serve(server) as url:
        instance = Instance(name="default", url=url, poll_interval=timeout, timeout=timeout)
        configuration = Configuration(instances=(instance,))
        telemetry = Telemetry("0", "3")
        telemetry.initialise("default")
        log = structlog.get_logger("feldera_exporter")
        client = client_for(instance, telemetry.observer("default"), log)
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
        yield Room(feldera, feldera.clock, server, watcher, client, telemetry)


def within(room: Room, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario and close the client."""

    async def run() -> None:
        try:
            await scenario()
        finally:
            await room.client.close()

    asyncio.run(run())


def crash(room: Room, *names: str) -> None:
    """Let pipelines fail, end up stopped, and their errors be dismissed."""
    for name in names:
        room.feldera.inject.crash(name, "RuntimeError.WorkerPanic")
    room.clock.advance(30)
    for name in names:
        room.feldera.dismiss_error(name)
    room.clock.advance(1)


def test_never_more_than_four_requests_at_once() -> None:
    """However much has happened; the budget is all that a poll reads, and the rest is carried on and said."""
    with a_room(40) as room:

        async def scenario() -> None:
            room.watcher.ledger._budget = 15
            await room.poll()
            for number in range(40):
                room.feldera.pause(f"p{number}")
            room.server.faults.set("events", Slow(0.05))
            assert await room.poll() == 15
            assert room.shows("event_backlog") == {"default": 40}
            await room.settle()
            assert room.server.most_in_flight == 4
            assert room.shows("event_backlog") == {"default": 0}
            assert all(room.entries(f"p{number}", "Paused") == 1 for number in range(40))

        within(room, scenario)


def test_nothing_is_asked_for_while_nothing_happens() -> None:
    """Heartbeats, details and metadata cost no event request through a day."""
    with a_room() as room:

        async def scenario() -> None:
            await room.settle()
            room.feldera.inject.connector_errors("p1", 1, 0.5)
            room.server.requests.clear()
            versions = set()
            for turn in range(100):
                room.feldera.patch_metadata("p2", tags=[f"t{turn}"])
                await room.poll(864)
                versions.add(room.feldera.get("p1").row.refresh_version)
            assert len(versions) == 100
            assert room.server.requests["events"] == 0

        within(room, scenario)


def test_the_deadline_ends_a_poll_and_loses_nothing() -> None:
    """A slow server is asked a few times per poll, whatever is left of it, and caught up with in the end."""
    with a_room(12) as room:

        async def scenario() -> None:
            await room.poll()
            for number in range(12):
                room.feldera.pause(f"p{number}")
            room.clock.advance(5)
            room.server.faults.set("events", Slow(0.9))
            await room.poll()
            assert len(room.watcher.ledger.pending) > 0
            room.server.faults.clear()
            await room.settle()
            assert all(room.entries(f"p{number}", "Paused") == 1 for number in range(12))

        within(room, scenario)


def test_a_list_that_took_the_whole_time_leaves_a_little_for_events() -> None:
    """Otherwise a server that is always slow would never be caught up with."""
    with a_room(6) as room:

        async def scenario() -> None:
            await room.settle()
            for number in range(6):
                room.feldera.pause(f"p{number}")
            room.server.faults.set("events", SERVER_ERROR)
            await room.poll()
            room.server.faults.clear()
            room.server.requests.clear()
            await room.watcher._reader.read(list(room.watcher.ledger.pending), deadline=time.monotonic() - 1)
            assert room.server.requests["events"] == 4
            await room.settle()
            assert all(room.entries(f"p{number}", "Paused") == 1 for number in range(6))

        within(room, scenario)


def test_answers_that_fail_are_asked_for_again() -> None:
    """A server error, a hanging log, a body that is none: the pipeline stays pending and nothing is lost."""
    with a_room() as room:

        async def scenario() -> None:
            await room.poll()
            room.feldera.pause("p0")
            for fault in (SERVER_ERROR, Status(200, b"{}", "application/json"), Slow(3)):
                room.server.faults.set("events", fault)
                await room.poll()
                assert room.watcher.ledger.pending
            room.feldera.resume("p0")
            room.clock.advance(5)
            room.server.faults.clear()
            await room.settle()
            assert (room.entries("p0", "Paused"), room.entries("p0", "Running")) == (1, 1)

        within(room, scenario)


def test_one_failing_log_is_not_well_because_another_is() -> None:
    """Its failure is said once, and its end only when it has come, or the pipeline is gone."""
    with a_room() as room, capture_logs() as logs:

        async def scenario() -> None:
            await room.settle()
            true_evaluate = Ledger.evaluate
            broken = {room.feldera.get("p0").id}

            def evaluate(ledger: Ledger, one: str, log: EventLog) -> Evaluation:
                if one in broken:
                    raise InvalidResponseError("it is broken")
                return true_evaluate(ledger, one, log)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(Ledger, "evaluate", evaluate)
                for end in (broken.clear, lambda: delete(room, "p0")):
                    broken.add(room.feldera.get("p0").id)
                    for _ in range(5):
                        room.feldera.pause("p0")
                        room.feldera.pause("p1")
                        await room.poll()
                        room.feldera.resume("p0")
                        room.feldera.resume("p1")
                        await room.poll()
                        room.watcher._reader._failures._logged_at.clear()
                    assert said(logs)[-1] == "events cannot be read"
                    end()
                    await room.settle()
                    await room.poll()
                    assert said(logs)[-1] == "events can be read again"
            assert said(logs) == ["events cannot be read", "events can be read again"] * 2

        within(room, scenario)


def delete(room: Room, name: str) -> None:
    """Stop a pipeline and delete it with its storage."""
    room.feldera.stop(name, force=True)
    room.clock.advance(60)
    room.feldera.clear(name)
    room.clock.advance(60)
    room.feldera.delete(name)


def said(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what was said of logs that cannot be read; a slow machine may add a second kind of failure."""
    lines = (line["event"] for line in logs if line["event"].startswith("events "))
    return [event for event, _ in groupby(lines)]


def test_errors_that_the_list_no_longer_shows_are_named_by_their_events() -> None:
    """One request each; what fails is asked again, and what is known is not."""
    with a_room() as room:

        async def scenario() -> None:
            await room.settle()
            crash(room, "p0", "p1")
            room.server.faults.set("event", SERVER_ERROR, times=1)
            await room.poll()
            await room.settle()
            assert room.errors == {"RuntimeError.WorkerPanic": 2}
            assert room.server.requests["event"] == 3

        within(room, scenario)


def test_an_event_that_is_gone_leaves_the_code_unknown() -> None:
    """The error counts all the same."""
    with a_room() as room:

        async def scenario() -> None:
            await room.settle()
            crash(room, "p0")
            gone = b'{"message":"x","error_code":"UnknownPipelineMonitorEvent","details":null}'
            room.server.faults.set("event", Status(404, gone, "application/json"))
            await room.settle()
            assert room.errors == {"unknown": 1}

        within(room, scenario)


def test_a_pipeline_renamed_before_its_error_was_named_is_asked_for_again() -> None:
    """Under its new name; that the old one is unknown says nothing of the event."""
    with a_room() as room:

        async def scenario() -> None:
            await room.settle()
            crash(room, "p0")
            gone = b'{"message":"x","error_code":"UnknownPipelineName","details":null}'
            room.server.faults.set("event", Status(404, gone, "application/json"), times=1)
            await room.poll()
            assert room.errors == {}
            await room.settle()
            assert room.errors == {"RuntimeError.WorkerPanic": 1}

        within(room, scenario)


def test_many_errors_are_named_over_several_polls() -> None:
    """When the time is up the rest waits, and those that are named stay so."""
    with a_room(1) as room:

        async def scenario() -> None:
            await room.settle()
            for _ in range(4):
                crash(room, "p0")
                room.feldera.start("p0")
                room.clock.advance(60)
            await room.poll(0)
            one = room.feldera.get("p0").id
            reader, past = room.watcher._reader, time.monotonic() - 1
            for asked in range(2, 9):
                room.watcher.ledger.pending.setdefault(one, 0)
                await reader.read([one], past)
                assert room.server.requests["event"] <= max(4, asked)
            await room.settle()
            assert room.errors == {"RuntimeError.WorkerPanic": 4}
            assert room.server.requests["event"] == 4

        within(room, scenario)


def test_a_name_that_changes_hands_between_list_and_events_is_not_believed() -> None:
    """Two pipelines exchange their names after the list was read: what is read then is the other one's."""
    with a_room() as room:

        async def scenario() -> None:
            await room.settle()
            for name in ("p0", "p1"):
                room.feldera.stop(name, force=True)
            room.clock.advance(30)
            for name in ("p0", "p1"):
                room.feldera.clear(name)
            room.clock.advance(30)
            await room.settle()
            room.feldera.start("p0")
            room.clock.advance(5)
            first, second = room.feldera.get("p0").id, room.feldera.get("p1").id
            await room.poll(0)
            room.feldera.stop("p0", force=True)
            room.clock.advance(30)
            room.feldera.clear("p0")
            room.clock.advance(30)
            # The list of this poll still maps the name to the first; the answer is the second's.
            real = room.watcher.ledger.observe_list

            def swapped(*args: Any, **named: Any) -> Any:
                plan = real(*args, **named)
                for old, new in (("p0", "x"), ("p1", "p0"), ("x", "p1")):
                    room.feldera.rename(old, new)
                return plan

            room.watcher.ledger.observe_list = swapped  # type: ignore[method-assign]
            await room.poll(0)
            room.watcher.ledger.observe_list = real  # type: ignore[method-assign]
            await room.settle()
            histories = room.watcher.ledger._histories
            for one in (first, second):
                real_life = room.feldera.truth[one].of("deployment_resources_status")
                counted = sum(histories[one].counts.resources.values())
                assert counted == sum(t.committed > room.feldera.started_at + 120_000_000 for t in real_life)

        within(room, scenario)


def test_a_pipeline_deleted_after_the_list_is_no_failure() -> None:
    """The next list tells."""
    with a_room() as room:

        async def scenario() -> None:
            await room.settle()
            room.feldera.stop("p0", force=True)
            gone = b'{"message":"x","error_code":"UnknownPipelineName","details":null}'
            room.server.faults.set("events", Status(404, gone, "application/json"), times=1)
            await room.poll()
            assert room.watcher.ledger.pending
            await room.settle()

        within(room, scenario)


def test_an_old_server_is_watched_by_its_lists_until_it_is_upgraded() -> None:
    """Version 0.291 has no event log; the metric says where transitions come from."""
    with a_room(version="0.291.0") as room:

        async def scenario() -> None:
            room.watcher.set_platform(Platform(version="0.291.0"))
            await room.poll()
            assert room.shows("transition_source") == {"events": 1, "polls": 0}
            room.feldera.pause("p0")
            await room.poll()
            assert room.shows("transition_source") == {"events": 0, "polls": 1}
            await room.poll()
            room.feldera.resume("p0")
            await room.poll()
            assert room.entries("p0", "Paused") == room.entries("p0", "Running") == 1
            assert room.server.requests["events"] == 1
            # The same instance goes on as another version.
            room.feldera.version = "0.337.0"
            room.server._routes = FelderaServer(room.feldera)._routes
            room.watcher.set_platform(Platform(version="0.337.0"))
            room.feldera.pause("p0")
            room.clock.advance(1)
            room.feldera.resume("p0")
            await room.poll()
            await room.settle()
            assert room.shows("transition_source") == {"events": 1, "polls": 0}
            assert room.entries("p0", "Paused") == room.entries("p0", "Running") == 2

        within(room, scenario)


def test_a_stray_404_does_not_turn_the_log_off() -> None:
    """A version that has the log is believed, whatever a proxy in between answers; nothing is lost meanwhile."""
    with a_room() as room:

        async def scenario() -> None:
            room.watcher.set_platform(Platform(version="0.337.0"))
            await room.settle()
            room.server.faults.set("events", EMPTY_404, times=1)
            room.feldera.pause("p0")
            await room.poll()
            assert room.shows("transition_source") == {"events": 1, "polls": 0}
            room.feldera.resume("p0")
            room.clock.advance(5)
            await room.settle()
            assert (room.entries("p0", "Paused"), room.entries("p0", "Running")) == (1, 1)

        within(room, scenario)


@pytest.mark.parametrize("size", [10_000])
def test_a_restart_of_ten_thousand_reads_what_changed(tmp_path: Path, size: int) -> None:
    """With 1 % changed meanwhile, only those are asked for, and all is counted."""
    feldera = Feldera(ManualClock(), plan=INSTANT, keep_truth=False)
    for number in range(size):
        feldera.create(f"p{number}")
    clock = feldera.clock
    assert isinstance(clock, ManualClock)
    clock.advance(60)
    changing = [f"p{number}" for number in range(0, size, 100)]
    for name in changing:
        feldera.start(name)
    clock.advance(60)
    with a_room(store=(store := Store.open(tmp_path)), feldera=feldera, timeout=60) as room:

        async def scenario() -> None:
            await room.poll()
            for name in changing[::2]:
                room.feldera.pause(name)
            await room.settle()

        within(room, scenario)
    store.close()
    for name in changing:
        feldera.stop(name, force=True)
    with a_room(store=(store := Store.open(tmp_path)), feldera=feldera, timeout=60) as room:

        async def again() -> None:
            room.clock.advance(60)
            while not room.server.requests["pipelines"] or room.watcher.ledger.pending:
                await room.poll(0)
            assert room.server.requests["events"] <= 2 * len(changing)
            histories = room.watcher.ledger._histories
            stopped = [
                histories[room.feldera.get(name).id].counts.resources["Stopping", "Stopped"]
                for name in changing
            ]
            assert stopped == [1] * len(changing)

        within(room, again)
    store.close()


def test_a_refusal_says_when_to_come_again() -> None:
    """A poll that the server refused hands on for how long it wants to be left alone."""
    with a_room(1) as room:

        async def scenario() -> None:
            await room.settle()
            assert await room.watcher.poll() == (True, 0.0)
            room.watcher._client = Refusing()  # type: ignore[assignment]
            assert await room.watcher.poll() == (False, 30.0)

        class Refusing:
            """Answers as a server that is asked too often."""

            async def list(self, *_: object, **__: object) -> None:
                raise ServerError("429 Too Many Requests", 30.0)

        within(room, scenario)
