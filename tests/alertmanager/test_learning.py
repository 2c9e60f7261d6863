"""Details are read from the event log, a few pipelines at a time, and delay no alert for long."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from alertmanager.bridges import SECOND, Polls, bridge, running, stuck, until
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.wire import FullEvent
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.problems.evaluate import InstanceWithProblems, Occurrence, Problems
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.telemetry import Telemetry
from pages.test_timeline import event
from support.alertmanagers import AlertmanagerRecorder, instant
from support.fleets import pipeline


class SlowLatestEvents:
    """Answers with the latest events of pipelines, after a delay.

    Attributes:
        asked: names, in order.
        delay: seconds before each answer.
        failing: whether it does not answer.
        present: how many are being answered.
        most: how many were at once.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self.asked: list[str] = []
        self.delay = delay
        self.failing = False
        self.present = self.most = 0

    async def __call__(self, _instance: str, _id: str, name: str) -> LatestEvents:
        """Answer about one pipeline."""
        self.asked.append(name)
        self.present += 1
        self.most = max(self.most, self.present)
        await asyncio.sleep(self.delay)
        self.present -= 1
        if self.failing:
            return LatestEvents(problem="Feldera did not answer in time", failed=True)
        at = event(1, "Provisioning", None)
        body = {"event_id": at.event_id, "deployment_resources_status_details": f"{name} waits"}
        return LatestEvents([at], msgspec.json.decode(msgspec.json.encode(body), type=FullEvent))


def with_bridge(
    feldera: SlowLatestEvents, test: Callable[[Polls, AlertmanagerRecorder, Telemetry], Any]
) -> None:
    """Run a test on a bridge that asks a stand-in of Feldera."""
    recorder, telemetry = AlertmanagerRecorder(), Telemetry("1", "3")

    async def run() -> None:
        with serve(recorder) as url:
            async with running(bridge(url, recent=feldera, telemetry=telemetry)) as made:
                await until(lambda: recorder.posts)
                recorder.posts.clear()
                polls = Polls(made)
                polls.show()
                ((sender, _),) = made._senders.values()
                await until(lambda: "prod" in sender._sent and sender._sent["prod"].state.reachable)
                await test(polls, recorder, telemetry)

    asyncio.run(run())


def of(polls: Polls, *names: str) -> list[Occurrence]:
    """Create pipelines, and return a problem of each."""
    polls.pipelines |= {f"id-{name}": pipeline(name, deployment_status="Provisioning") for name in names}
    return [stuck(name) for name in names]


def test_an_alert_comes_with_its_details() -> None:
    """Where Feldera answers at once, the alert is sent once, with all details."""
    feldera = SlowLatestEvents()

    async def test(polls: Polls, recorder: AlertmanagerRecorder, telemetry: Telemetry) -> None:
        polls.find(*of(polls, "a"))
        await until(lambda: recorder.alerts)
        assert recorder.alerts[0]["annotations"]["waiting_for"] == "a waits"
        await asyncio.sleep(0.5)
        assert len(recorder.alerts) == 1
        text = telemetry.expose(Format.TEXT).decode()
        assert "feldera_exporter_notification_delay_seconds_count 1.0" in text
        assert 'feldera_exporter_alerts{state="firing"} 1.0' in text

    with_bridge(feldera, test)
    assert feldera.asked == ["a"]


def test_an_alert_does_not_wait_for_long() -> None:
    """Where Feldera is slow, the alert is sent without details, and again with them."""
    feldera = SlowLatestEvents(1.2)

    async def test(polls: Polls, recorder: AlertmanagerRecorder, _: Telemetry) -> None:
        polls.find(*of(polls, "a"))
        await until(lambda: recorder.alerts)
        assert feldera.present == 1
        await until(lambda: len(recorder.alerts) == 2)
        first, second = recorder.alerts
        assert "waiting_for" not in first["annotations"]
        assert second["annotations"]["waiting_for"] == "a waits"
        assert first["startsAt"] == second["startsAt"]

    with_bridge(feldera, test)


def test_what_ended_unseen_does_not_fire_again() -> None:
    """A stored problem that has ended before the first poll is not sent while details of another one are read."""
    recorder, old = AlertmanagerRecorder(), stuck("old")
    since = round((time.time() - 60) * SECOND)

    async def run() -> None:
        with serve(recorder) as url:
            made = bridge(url, recent=SlowLatestEvents(1.2))
            polls = Polls(made, problems=Problems({old: since}))
            made.observe(InstanceWithProblems(Fleet("prod"), polls.problems))
            async with running(made):
                await until(lambda: recorder.posts)
                polls.find(*of(polls, "new"))
                # The poll of another instance wakes the sender.
                Polls(made, name="other").show()
                await until(lambda: len(recorder.alerts) >= 2)
        assert len(recorder.alerts) == 2
        ends = {each["labels"]["pipeline_name"]: instant(each["endsAt"]) for each in recorder.alerts}
        assert ends["old"].timestamp() <= time.time() < ends["new"].timestamp()

    asyncio.run(run())


def test_a_request_that_fails() -> None:
    """The known details stay, and are requested again after each poll until they come."""
    feldera = SlowLatestEvents()

    async def test(polls: Polls, recorder: AlertmanagerRecorder, _: Telemetry) -> None:
        a, b = of(polls, "a", "b")
        polls.find(a)
        await until(lambda: recorder.alerts)
        feldera.failing = True
        # A changed row of `a`, and a new problem of `b`.
        of(polls, "a")
        polls.find(a, b)
        await until(lambda: len(feldera.asked) == 3)
        await until(lambda: {each["labels"]["pipeline_name"] for each in recorder.alerts} == {"a", "b"})
        feldera.failing = False
        polls.show()
        await until(lambda: recorder.alerts[-1]["annotations"].get("waiting_for") == "b waits")
        waiting = [
            each["annotations"].get("waiting_for")
            for each in recorder.alerts
            if each["labels"]["pipeline_name"] == "a"
        ]
        assert set(waiting) == {"a waits"}

    with_bridge(feldera, test)


def test_an_end_waits_for_nothing() -> None:
    """The end of a problem is sent at once, with the details that were known while it lasted."""

    async def test(polls: Polls, recorder: AlertmanagerRecorder, _: Telemetry) -> None:
        polls.find(*of(polls, "a"))
        await until(lambda: recorder.alerts)
        polls.find()
        await until(lambda: len(recorder.alerts) == 2)
        assert recorder.alerts[1]["annotations"]["waiting_for"] == "a waits"

    with_bridge(SlowLatestEvents(), test)


def test_many_at_once() -> None:
    """Feldera is asked about a few pipelines after each poll, one at a time; all alerts are sent at once."""
    feldera = SlowLatestEvents()

    async def test(polls: Polls, recorder: AlertmanagerRecorder, _: Telemetry) -> None:
        polls.find(*of(polls, *(f"p{number:03}" for number in range(100))))
        await until(lambda: len({each["labels"]["pipeline_name"] for each in recorder.alerts}) == 100)
        for polled in range(1, 6):
            await until(lambda polled: len(feldera.asked) == 20 * polled, polled)
            await asyncio.sleep(0.05)
            polls.show()
        received = {each["labels"]["pipeline_name"]: each for each in recorder.alerts}
        await until(lambda: len(recorder.alerts) >= 180)
        assert all("summary" in each["annotations"] for each in received.values())
        assert max(map(len, recorder.posts)) <= 64

    with_bridge(feldera, test)
    assert len(set(feldera.asked)) == len(feldera.asked) == 100
    assert feldera.most == 1


def test_a_changed_pipeline_is_requested_again() -> None:
    """Details are requested again after each change of the pipeline's row, and only then."""
    feldera = SlowLatestEvents()

    async def test(polls: Polls, recorder: AlertmanagerRecorder, _: Telemetry) -> None:
        polls.find(*of(polls, "a"))
        await until(lambda: recorder.alerts)
        polls.show()
        polls.show()
        of(polls, "a")
        polls.show()
        await until(lambda: len(feldera.asked) == 2)
        polls.pipelines.clear()
        polls.show()
        await asyncio.sleep(0.1)
        assert feldera.asked == ["a", "a"]

    with_bridge(feldera, test)


def test_no_details_for_an_instance() -> None:
    """For a problem of an instance no event log is requested."""
    feldera = SlowLatestEvents()

    async def test(polls: Polls, recorder: AlertmanagerRecorder, _: Telemetry) -> None:
        polls.find(Occurrence("FleetDegraded"))
        await until(lambda: recorder.alerts)
        assert recorder.alerts[0]["generatorURL"] == "http://localhost:10058/"

    with_bridge(feldera, test)
    assert not feldera.asked
