"""A defect of the exporter costs one poll, one pipeline's events or one page, and one line in the log."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from feldera_exporter import publisher
from feldera_exporter.config import Configuration, Instance, Metrics
from feldera_exporter.errors import ConfigError, StoreError
from feldera_exporter.exporter import Exporter
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.list_batches import Batch
from feldera_exporter.feldera.pipeline_list import Listing
from feldera_exporter.feldera.pipeline_list import read as true_read
from feldera_exporter.feldera.wire import Event
from feldera_exporter.history.answer_evaluation import Evaluation
from feldera_exporter.ledger import Ledger
from feldera_exporter.metrics.exposition_sections import ExpositionSections
from feldera_exporter.polling import watcher
from feldera_exporter.server.asgi import Asgi, application
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.state.fleet import Fleet, observed
from feldera_exporter.state.instance_settings import InstanceSettings
from support.asgi_requests import answered
from support.two_instances import feldera

NO_UP = Metrics(exclude=("feldera_up",))
SECRET = "apikey:MARKER-of-a-secret"


class MistakeError(Exception):
    """A bug."""


def page(exporter: Exporter) -> str:
    """Return what a scraper sees."""
    return b"".join(exporter.publisher.snapshot.body(Format.TEXT, packed=False)).decode()


def inside(act: Callable[[Exporter, Feldera], Awaitable[None]]) -> list[dict[str, Any]]:
    """Run the exporter in this process on two instances, `bad` with a pipeline `victim`; return what it logged."""
    with ExitStack() as stack:
        bad, good = feldera("victim"), feldera("other")
        instances = tuple(
            Instance(name, stack.enter_context(serve(FelderaServer(each))), poll_interval=1.0, timeout=1.0)
            for name, each in (("bad", bad), ("good", good))
        )

        async def run() -> None:
            exporter = Exporter(lambda: Configuration(instances), None)
            exporter.start()
            try:
                await soon(
                    lambda: all(
                        f'feldera_up{{feldera_instance="{name}"}} 1' in page(exporter)
                        for name in ("bad", "good")
                    )
                )
                await act(exporter, bad)
            finally:
                await exporter.stop()

        logs = stack.enter_context(capture_logs())
        asyncio.run(run())
    return [dict(line) for line in logs]


async def soon(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - it asks from outside
            await asyncio.sleep(0.2)


def polls(exporter: Exporter, instance: str, outcome: str) -> float:
    """Return how many polls ended so."""
    start = f'feldera_exporter_polls_total{{feldera_instance="{instance}",outcome="{outcome}"}} '
    [line] = [line for line in page(exporter).splitlines() if line.startswith(start)]
    return float(line.removeprefix(start))


def test_a_mistake_in_a_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in a poll is counted as an internal error, the other instance goes on, and so does the next poll."""

    async def act(exporter: Exporter, _: Feldera) -> None:
        def broken(batches: tuple[Batch, ...], previous: Listing) -> Listing:
            if any(b'"victim"' in batch.text for batch in batches):
                raise MistakeError(SECRET)
            return true_read(batches, previous)

        with monkeypatch.context() as patched:
            patched.setattr(watcher, "read", broken)
            await soon(lambda: polls(exporter, "bad", "internal_error") >= 2)
            # An instance counts as up until several polls failed.
            await soon(lambda: 'feldera_up{feldera_instance="bad"} 0' in page(exporter))
            assert 'pipeline_name="victim"' in page(exporter)
            before = polls(exporter, "good", "success")
            await soon(lambda: polls(exporter, "good", "success") > before)
            assert 'feldera_up{feldera_instance="good"} 1' in page(exporter)
            healed = polls(exporter, "bad", "success")
        await soon(lambda: polls(exporter, "bad", "success") > healed)
        assert 'feldera_up{feldera_instance="bad"} 1' in page(exporter)

    logs = inside(act)
    # Of mistakes alone: a busy machine may let a poll of the other one time out.
    [began] = [line for line in logs if line.get("kind") == "internal_error"]
    assert (began["event"], began["error"], began["feldera_instance"]) == (
        "poll failed",
        "MistakeError",
        "bad",
    )
    assert began["source"].startswith("test_mistakes.py:")
    assert began["source"].endswith(" broken")
    assert any(
        line["failures"] >= 2
        for line in logs
        if line["event"] == "poll succeeded again" and line["feldera_instance"] == "bad"
    )
    assert SECRET not in json.dumps(logs)


def test_a_mistake_in_showing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect after the list was read ends no more than the poll."""

    async def act(exporter: Exporter, _: Feldera) -> None:
        def broken(fleet: Fleet, *arguments: Any) -> Fleet:
            if fleet.instance == "bad":
                raise MistakeError(SECRET)
            return observed(fleet, *arguments)

        with monkeypatch.context() as patched:
            patched.setattr(watcher, "observed", broken)
            await soon(lambda: polls(exporter, "bad", "internal_error") >= 1)
            await soon(lambda: 'feldera_up{feldera_instance="bad"} 0' in page(exporter))
        await soon(lambda: 'feldera_up{feldera_instance="bad"} 1' in page(exporter))

    assert SECRET not in json.dumps(inside(act))


def test_a_mistake_with_one_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in one pipeline's log fails no poll, and its events are read once the defect is gone."""
    true_evaluate = Ledger.evaluate

    async def act(exporter: Exporter, bad: Feldera) -> None:
        def broken(ledger: Ledger, pipeline_id: str, log: Sequence[Event]) -> Evaluation:
            # The other instance's pipeline may still be on its way to Running, and its events be read just now.
            if ledger.instance == "bad":
                raise MistakeError(SECRET)
            return true_evaluate(ledger, pipeline_id, log)

        await soon(lambda: 'feldera_exporter_event_backlog{feldera_instance="bad"} 0' in page(exporter))
        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "evaluate", broken)
            bad.edit(bad.create("fresh").row.name)
            # The other pipeline may still be on its way, and wait too.
            await soon(
                lambda: 'feldera_exporter_event_backlog{feldera_instance="bad"} 0' not in page(exporter)
            )
            assert polls(exporter, "bad", "internal_error") == 0
        await soon(lambda: 'feldera_exporter_event_backlog{feldera_instance="bad"} 0' in page(exporter))

    logs = inside(act)
    [began] = [line for line in logs if line.get("kind") == "internal_error"]
    assert (began["event"], began["error"]) == ("events cannot be read", "MistakeError")
    assert began["feldera_instance"] == "bad"
    assert SECRET not in json.dumps(logs)


def test_a_mistake_in_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in one request about the platform ends neither the others nor the polls."""
    true_ask, raised = watcher.Watcher.set_platform, list[bool]()

    def broken(self: watcher.Watcher, platform: Any) -> None:
        if platform.tenant:
            raised.append(True)
            raise MistakeError(SECRET)
        true_ask(self, platform)

    async def act(exporter: Exporter, _: Feldera) -> None:
        await soon(lambda: raised)
        before = polls(exporter, "bad", "success")
        await soon(lambda: polls(exporter, "bad", "success") > before + 2)

    monkeypatch.setattr(watcher.Watcher, "set_platform", broken)
    logs = inside(act)
    kinds = {line["kind"] for line in logs if line["event"].startswith("no answer from")}
    assert "internal_error" in kinds


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MistakeError(SECRET), "MistakeError at test_mistakes.py:"),
        (StoreError("the disk is full"), "the disk is full"),
        (ConfigError("new: tls.ca_file: found x"), "new: tls.ca_file: found x"),
    ],
)
def test_a_mistake_in_a_reload(error: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running configuration stays as a whole, and a metric shows the failure."""

    async def act(exporter: Exporter, _: Feldera) -> None:
        before, families = exporter.instances, exporter.publisher._catalogue
        [bad, good] = (watched.watcher.instance for watched in before.values())
        new = Configuration((replace(bad, poll_interval=9.0), Instance("new", good.url)), metrics=NO_UP)
        monkeypatch.setattr(exporter, "_load", lambda: new)

        def broken(configuration: Configuration, instance: Instance) -> InstanceSettings:
            if instance.name == "new":
                raise error
            return InstanceSettings(configuration, instance)

        with monkeypatch.context() as patched:
            patched.setattr("feldera_exporter.exporter.InstanceSettings", broken)
            [mistake] = await exporter.reload()
            assert mistake.startswith(said)
            assert (exporter.instances, exporter.publisher._catalogue) == (before, families)
            await soon(lambda: "feldera_exporter_config_last_reload_successful 0.0" in page(exporter))
            start = 'feldera_exporter_poll_interval_seconds{feldera_instance="bad"} '
            assert f"{start}1.0" in page(exporter)
            for name in ("bad", "good"):
                polled = polls(exporter, name, "success")
                await soon(lambda name=name, polled=polled: polls(exporter, name, "success") > polled)  # type: ignore[misc]
        assert await exporter.reload() == ()
        await soon(lambda: "feldera_exporter_config_last_reload_successful 1.0" in page(exporter))
        assert f"{start}9.0" in page(exporter)
        assert list(exporter.instances) == ["bad", "new"]
        text = page(exporter)
        assert '"good"' not in text
        assert "feldera_up{" not in text

    logs = inside(act)
    assert [line["mistake"].startswith(said) for line in logs if "mistake" in line] == [True]
    assert SECRET not in json.dumps(logs)


def test_a_mistake_in_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape gets a 500 and the log one line; the next scrape is answered well."""

    async def act(exporter: Exporter, _: Feldera) -> None:
        def broken(*_: Any) -> ExpositionSections:
            raise MistakeError(SECRET)

        app = application(exporter.publisher, "/metrics", None)
        with monkeypatch.context() as patched:
            patched.setattr(publisher, "updated_sections", broken)
            before = exporter.publisher.snapshot
            await soon(lambda: exporter.publisher.snapshot is not before)
            statuses = [await status(app), await status(app)]
            assert [await status(app, "/-/healthy"), *statuses] == [200, 500, 500]
        assert await status(app) == 200

    logs = inside(act)
    [began] = [line for line in logs if line["event"] == "a page failed"]
    assert (began["error"], began["path"]) == ("MistakeError", "/metrics")
    assert SECRET not in json.dumps(logs)


async def status(app: Asgi, path: str = "/metrics") -> int:
    """Return the status of an answer to a GET."""
    return (await answered(app, path))[0]
