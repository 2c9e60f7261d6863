"""When alerts are sent: at once, again before the lease ends, for a while after the end; only renewals while polls fail."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from alertmanager.bridges import MINUTE, Polls, bridge, never, running, stuck, until
from feldera_exporter.alertmanager.bridge import Bridge
from feldera_exporter.simulator.asgi_thread import serve
from support.alertmanagers import GOOD, AlertmanagerRecorder, instant

LEASE = timedelta(minutes=4)


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    """Replace the clock by one that only the test moves; waits last as long as they do."""
    with freeze_time("2026-08-21T12:00:00Z", real_asyncio=True) as frozen:
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


@asynccontextmanager
async def sending() -> AsyncIterator[tuple[Bridge, AlertmanagerRecorder, Polls]]:
    """Run a bridge to a stand-in of Alertmanager that has been found."""
    recorder = AlertmanagerRecorder()
    with serve(recorder) as url:
        async with running(bridge(url)) as made:
            await until(lambda: recorder.posts)
            assert recorder.posts.pop() == []
            yield made, recorder, Polls(made)


def test_at_once_and_again_before_the_lease_ends(clock: FrozenDateTimeFactory) -> None:
    """A problem is sent after the poll that found it and again each minute, always with the same beginning."""

    async def run() -> None:
        async with sending() as (_, recorder, polls):
            polls.find(stuck("a"))
            await until(lambda: recorder.posts)
            clock.tick(59)
            polls.show()
            await never(lambda: len(recorder.posts) > 1)
            clock.tick(1)
            polls.show()
            await until(lambda: len(recorder.posts) > 1)
            first, second = recorder.alerts
            assert first["startsAt"] == second["startsAt"] == "2026-08-21T12:00:00.000000Z"
            assert instant(first["endsAt"]) - instant(first["startsAt"]) == LEASE
            assert instant(second["endsAt"]) - instant(first["endsAt"]) == timedelta(minutes=1)

    asyncio.run(run())


def test_again_right_after_a_poll(clock: FrozenDateTimeFactory) -> None:
    """A due alert waits for the next poll, which may see its end; without a poll it is sent before the lease ends."""

    async def run() -> None:
        async with sending() as (made, recorder, polls):
            polls.find(stuck("a"))
            await until(lambda: recorder.alerts)
            for passed, sent in ((61, 1), (28, 1), (1, 2)):
                clock.tick(passed)
                made._wake()
                await until(lambda sent: len(recorder.alerts) >= sent, sent)
                await never(lambda sent: len(recorder.alerts) > sent, sent)

    asyncio.run(run())


def test_an_end_is_repeated_for_a_quarter_of_an_hour(clock: FrozenDateTimeFactory) -> None:
    """The end of a problem is sent for a quarter of an hour, so that an Alertmanager that was down gets it."""

    async def run() -> None:
        async with sending() as (_, recorder, polls):
            polls.find(stuck("a"), stuck("b"))
            await until(lambda: recorder.posts)
            clock.tick(10)
            polls.find(stuck("b"))
            await until(lambda: len(recorder.posts) == 2)
            (over,) = recorder.posts[1]
            assert over["labels"]["pipeline_name"] == "a"
            assert (over["startsAt"], over["endsAt"]) == (
                "2026-08-21T12:00:00.000000Z",
                "2026-08-21T12:00:10.000000Z",
            )
            for minute in range(15):
                clock.tick(60)
                polls.show()
                await until(lambda minute: len(recorder.posts) == minute + 3, minute)
            sent = [[alert["labels"]["pipeline_name"] for alert in post] for post in recorder.posts[2:]]
            assert [sorted(each) for each in sent[:14]] == [["a", "b"]] * 14
            assert sent[14] == ["b"]
            ends = [alert for alert in recorder.alerts[2:] if alert["labels"]["pipeline_name"] == "a"]
            assert all(alert == over for alert in ends)

    asyncio.run(run())


def test_a_problem_that_comes_back(clock: FrozenDateTimeFactory) -> None:
    """The end of a problem that has begun again is no longer sent."""

    async def run() -> None:
        async with sending() as (_, recorder, polls):
            for number, found in enumerate([(stuck("a"),), (), (stuck("a"),)], 1):
                polls.find(*found)
                await until(lambda number: len(recorder.posts) == number, number)
                clock.tick(5)
            clock.tick(60)
            polls.show()
            await until(lambda: len(recorder.posts) == 4)
            (again,) = recorder.posts[3]
            assert again["startsAt"] == "2026-08-21T12:00:10.000000Z"
            assert again["endsAt"] > "2026-08-21T12:05"

    asyncio.run(run())


def test_while_polls_fail_only_active_alerts_are_renewed(clock: FrozenDateTimeFactory) -> None:
    """While polls fail, only alerts that Alertmanager still has are sent: no end is undone, nothing new ends."""

    async def run() -> None:
        async with sending() as (made, recorder, polls):
            polls.find(stuck("kept"), stuck("ended elsewhere"), stuck("over"))
            await until(lambda: recorder.posts)
            held = [
                {"labels": alert["labels"], "startsAt": "2026-08-21T11:58:20.000Z"}
                for alert in recorder.posts[0]
                if alert["labels"]["pipeline_name"] != "ended elsewhere"
            ]
            clock.tick(5)
            polls.find(stuck("kept"), stuck("ended elsewhere"))
            await until(lambda: len(recorder.posts) == 2)
            recorder.held = held
            made.missed("prod")
            for minute in range(180):
                clock.tick(60)
                made.missed("prod")
                if minute in (0, 179):
                    await until(lambda: recorder.alerts[-1]["endsAt"] > f"{clock():%Y-%m-%dT%H:%M:%S}")
                    renewed = recorder.alerts[-1]
                    assert renewed["labels"]["pipeline_name"] == "kept"
                    assert renewed["startsAt"] == "2026-08-21T11:58:20.000000Z"
                else:
                    await asyncio.sleep(0)
            assert {alert["labels"]["pipeline_name"] for post in recorder.posts[2:] for alert in post} == {
                "kept"
            }
            recorder.posts.clear()
            polls.show()
            both = {"kept", "ended elsewhere"}
            await until(
                lambda: (
                    {alert["labels"]["pipeline_name"] for post in recorder.posts for alert in post} == both
                )
            )

    asyncio.run(run())


def test_a_poll_counts_after_a_step_back_of_feldera_s_clock(clock: FrozenDateTimeFactory) -> None:
    """After an outage all alerts are sent again, also if Feldera's clock stepped back."""

    async def run() -> None:
        async with sending() as (made, recorder, polls):
            polls.find(stuck("a"))
            await until(lambda: recorder.posts)
            requests = len(recorder.paths)
            clock.tick(60)
            made.missed("prod")
            await until(lambda: len(recorder.paths) > requests)
            recorder.posts.clear()
            polls.show(polls.now - 60 * MINUTE)
            await until(lambda: any(recorder.posts))

    asyncio.run(run())


def test_one_instance_does_not_see(clock: FrozenDateTimeFactory) -> None:
    """While one instance cannot be polled, alerts of the other instance are sent as before."""

    async def run() -> None:
        async with sending() as (made, recorder, polls):
            other = Polls(made, name="other")
            polls.find(stuck("a"))
            other.find(stuck("b"))
            await until(lambda: len(recorder.alerts) == 2)
            made.missed("other")
            clock.tick(60)
            polls.show()
            made.missed("other")
            await until(lambda: len(recorder.alerts) == 3)
            await never(lambda: len(recorder.alerts) > 3)
            assert recorder.alerts[2]["labels"]["feldera_instance"] == "prod"
            assert recorder.paths[-1].startswith("/api/v2/alerts")

    asyncio.run(run())


def test_alerts_that_cannot_be_renewed_delay_no_others(clock: FrozenDateTimeFactory) -> None:
    """What accepts alerts but does not say which it has gets the alerts of instances that can be reached."""

    async def run() -> None:
        async with sending() as (made, recorder, polls):
            other = Polls(made, name="other")
            polls.find(stuck("a"))
            await until(lambda: recorder.alerts)
            recorder.answer = lambda _, body: GOOD if body else (405, {}, b"")
            clock.tick(61)
            made.missed("prod")
            other.find(stuck("b"))

            def is_sent() -> bool:
                clock.tick(1)
                made.missed("prod")
                return bool(recorder.alerts[-1]["labels"]["pipeline_name"] == "b")

            await until(is_sent)

    asyncio.run(run())


def test_a_reload_neither_ends_nor_forgets(clock: FrozenDateTimeFactory) -> None:
    """After a reload the first poll sends all alerts, also those that ended before; until then they are renewed."""

    async def run() -> None:
        with serve(recorder := AlertmanagerRecorder()) as url:
            async with running(bridge(url)) as made:
                polls = Polls(made)
                polls.find(stuck("a"), stuck("b"))
                await until(lambda: len(recorder.alerts) == 2)
                clock.tick(60)
                polls.find(stuck("a"))
                await until(lambda: len(recorder.alerts) == 4)
            recorder.posts.clear()
            recorder.held = [
                {"labels": alert["labels"], "startsAt": alert["startsAt"]} for alert in recorder.alerts
            ]
            async with running(bridge(url, before=made)) as after:
                polls.bridge = after
                await until(lambda: recorder.posts)
                clock.tick(60)
                polls.show()
                await until(lambda: len(recorder.alerts) >= 2)
                sent = {alert["labels"]["pipeline_name"]: alert for alert in recorder.posts[-1]}
                assert sent["a"]["startsAt"] == sent["b"]["startsAt"] == "2026-08-21T12:00:00.000000Z"
                assert sent["b"]["endsAt"] == "2026-08-21T12:01:00.000000Z"
                assert sent["a"]["endsAt"] == "2026-08-21T12:06:00.000000Z"

    asyncio.run(run())


@pytest.mark.parametrize("skew", [-600, -90, 90, 600])
def test_clocks_that_differ(clock: FrozenDateTimeFactory, skew: int) -> None:
    """Alertmanager's own clock decides when a lease ends; the exporter reads that clock before the first alert."""

    async def run() -> None:
        def answer(_path: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
            sent = clock() + timedelta(seconds=skew)
            return 200, {"date": f"{sent:%a, %d %b %Y %H:%M:%S} GMT"}, b""

        recorder = AlertmanagerRecorder(answer)
        with serve(recorder) as url:
            async with running(bridge(url)) as made:
                polls = Polls(made)
                polls.find(stuck("a"))
                await until(lambda: recorder.alerts)
                clock.tick(30)
                polls.find()
                await until(lambda: len(recorder.alerts) == 2)
                firing, over = recorder.alerts
                began = clock() - timedelta(seconds=30 - skew)
                assert abs(instant(firing["endsAt"]).replace(tzinfo=None) - began - LEASE) < timedelta(
                    seconds=2
                )
                assert over["endsAt"] <= f"{clock() + timedelta(seconds=skew + 1):%Y-%m-%dT%H:%M:%S}"
                assert all(alert["startsAt"] <= alert["endsAt"] for alert in recorder.alerts)

    asyncio.run(run())
