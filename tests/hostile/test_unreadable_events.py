"""An event that cannot be read spoils itself: the others are counted, and one gap is counted for it, whatever happens then."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pytest
from structlog.testing import capture_logs

from feldera_exporter.simulator.uuid7 import uuid_text
from support.plans import INSTANT
from support.stepped_poller import SteppedPoller

if TYPE_CHECKING:
    from feldera_exporter.simulator.events import EventRow

ENTRIES: Final = "feldera_pipeline_deployment_runtime_status_transitions_total"
GAPS: Final = "feldera_exporter_event_gaps_total"
NAMES: Final = ("first", "bad", "last")

_STATUS: Final = re.compile(r'to="(\w+)"')

FIELDS: Final[Mapping[str, tuple[bytes, bytes]]] = MappingProxyType(
    {
        "wrong type": (rb'"program_status":"\w+"', b'"program_status":12'),
        "nested 1,000 deep": (rb'"program_status":"\w+"', b'"program_status":' + b"[" * 1000 + b"]" * 1000),
        "half of a surrogate pair": (rb'"storage_status":"\w+"', rb'"storage_status":"\udfff"'),
        "control character": (rb'"storage_status":"\w+"', b'"storage_status":"\x01"'),
        "no time": (rb'"recorded_at":"[^"]+"', b'"recorded_at":[]'),
        "no id": (rb'"event_id":"[^"]+"', b'"event_id":null'),
    }
)
"""What becomes of one field of an event: its pattern, and what stands in its place."""


class Spoiling:
    """Watches three running pipelines, and spoils events of the second.

    Attributes:
        watching: the exporter and its Feldera.
        spoiled: the spoiled events.
        passed: those of them from whose statuses counting went on, as the list showed them.
        over: whether they can be read again.
    """

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, kind: str) -> None:
        self.watching = SteppedPoller(patch, folder)
        self.spoiled: set[int] = set()
        self.passed: set[int] = set()
        self.over = False
        self._pattern, self._replacement = FIELDS[kind]
        for name in NAMES:
            self.watching.feldera.create(name, plan=INSTANT)
            self.watching.feldera.start(name)
        self.watching.clock.advance(60)
        self.watching.client.spoil = self._spoil
        self._before = dict.fromkeys(NAMES, 0)

    def begin(self) -> None:
        """Watch until counters are shown at once; what happens from now on is counted."""
        self.watching.poll(180)
        self._before = {name: len(self.log(name)) for name in NAMES}

    def _spoil(self, body: bytes) -> bytes:
        for event_id in () if self.over else self.spoiled:
            before, found, after = body.partition(b'{"event_id":"' + uuid_text(event_id).encode())
            body = before + re.sub(self._pattern, lambda _: self._replacement, found + after, count=1)
        return body

    def do(self, *operations: str) -> None:
        """Do operations with all pipelines, ten seconds apart, without a poll."""
        for operation in operations:
            for name in NAMES:
                getattr(self.watching.feldera, operation)(name)
            self.watching.clock.advance(10)
            self.watching.feldera.settle()

    def log(self, name: str = "bad") -> "list[EventRow]":
        """Return the events of a pipeline, in their order."""
        return list(self.watching.feldera.get(name).log)

    def spoil(self, index: int, *, passed: bool = False) -> None:
        """Spoil an event of the second pipeline."""
        self.spoiled.add(self.log()[index].event_id)
        if passed:
            self.passed.add(self.log()[index].event_id)

    def check(self, gaps: int) -> None:
        """Assert that what the readable events say is shown, over polls and a restart."""
        for _ in range(2):
            self.watching.poll(30)
            assert self.watching.shown(GAPS)[""] == gaps
            assert self.watching.shown("feldera_exporter_event_backlog")[""] == 0
            for name in NAMES:
                shown = {
                    _STATUS.findall(labels)[0]: value
                    for labels, value in self.watching.shown(ENTRIES).items()
                    if value and f'pipeline_name="{name}"' in labels
                }
                assert shown == self._entries(name)
            self.watching.restart()

    def _entries(self, name: str) -> Mapping[str | None, int]:
        entries = Counter[str | None]()
        status: str | None = "Running"
        for event in self.log(name)[self._before[name] :]:
            if event.event_id in self.spoiled:
                if event.event_id in self.passed:
                    status = event.statuses.runtime
            elif event.statuses.runtime != status:
                status = event.statuses.runtime
                entries[status] += 1
        return entries


@pytest.fixture(params=FIELDS)
def spoiling(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Spoiling]:
    """Begin to watch three running pipelines."""
    made = Spoiling(monkeypatch, tmp_path, request.param)
    yield made
    made.watching.close()


@pytest.mark.parametrize("index", [-3, -4])
def test_in_the_middle(spoiling: Spoiling, index: int) -> None:
    """All that follows is counted, and one line names the pipeline."""
    spoiling.begin()
    spoiling.do("pause", "resume", "pause")
    spoiling.spoil(index)
    with capture_logs() as lines:
        spoiling.check(1)
    [line] = [line for line in lines if line["log_level"] == "warning"]
    assert line["pipeline_name"] == "bad"
    spoiling.do("resume", "pause")
    spoiling.check(1)


def test_as_the_newest(spoiling: Spoiling) -> None:
    """The list shows what it says: counting goes on from there."""
    spoiling.begin()
    spoiling.do("pause", "resume")
    spoiling.spoil(-1, passed=True)
    spoiling.check(1)
    spoiling.do("pause", "resume")
    spoiling.check(1)
    spoiling.do("pause")
    spoiling.spoil(-1, passed=True)
    spoiling.check(2)


def test_before_the_list_shows_it(spoiling: Spoiling, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written between the requests for the list and for the log: one gap is counted, not one for each."""
    spoiling.begin()
    spoiling.do("pause")
    client = spoiling.watching.client
    get = client.get

    async def resumed(*arguments: Any, **more: Any) -> Any:
        if not spoiling.spoiled:
            spoiling.watching.feldera.resume("bad")
            spoiling.watching.clock.advance(1)
            spoiling.watching.feldera.settle()
            spoiling.spoil(-1, passed=True)
        return await get(*arguments, **more)

    monkeypatch.setattr(client, "get", resumed)
    spoiling.check(1)
    monkeypatch.setattr(client, "get", get)
    spoiling.do("pause")
    spoiling.check(1)


@pytest.mark.parametrize("spoiling", sorted(FIELDS.keys() - {"no id"}), indirect=True)
@pytest.mark.parametrize("index", [-1, -3])
def test_that_can_be_read_later(spoiling: Spoiling, index: int) -> None:
    """It stays left out: the gap stands for it."""
    spoiling.begin()
    spoiling.do("pause", "resume")
    spoiling.spoil(index, passed=index == -1)
    spoiling.check(1)
    spoiling.over = True
    spoiling.do("pause", "resume")
    spoiling.check(1)


@pytest.mark.parametrize("spoiling", sorted(FIELDS.keys() - {"no time"}), indirect=True)
@pytest.mark.parametrize("index", [0, -1])
def test_from_before_the_watch(spoiling: Spoiling, index: int) -> None:
    """Nothing was missed, and no gap is counted."""
    spoiling.spoil(index)
    spoiling.begin()
    spoiling.do("pause", "resume")
    spoiling.check(0)


@pytest.mark.parametrize("spoiling", ["no time"], indirect=True)
def test_from_no_time(spoiling: Spoiling) -> None:
    """It may be from after the watch began: a gap is counted."""
    spoiling.spoil(0)
    spoiling.begin()
    spoiling.do("pause", "resume")
    spoiling.check(1)


def test_a_log_without_a_readable_event(spoiling: Spoiling) -> None:
    """It is another program's, or of a new kind: it waits until it can be read, and then all is counted."""
    spoiling.begin()
    spoiling.do("pause", "resume")
    for index in range(len(spoiling.log())):
        spoiling.spoil(index)
    with capture_logs() as lines:
        spoiling.watching.poll(60)
    assert spoiling.watching.shown("feldera_exporter_event_backlog")[""] == 1
    [line] = [line for line in lines if line["log_level"] == "warning"]
    assert (line["kind"], line["pipeline_name"]) == ("invalid_response", "bad")
    spoiling.over = True
    spoiling.spoiled.clear()
    spoiling.check(0)


def test_the_code_of_an_error_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is counted without it, and the rest of the log as ever."""
    watching = SteppedPoller(monkeypatch)
    watching.feldera.create("bad", plan=INSTANT)
    watching.feldera.start("bad")
    watching.clock.advance(60)
    watching.poll(180)
    watching.feldera.inject.crash("bad", "RuntimeError.WorkerPanic")
    watching.clock.advance(30)
    watching.feldera.dismiss_error("bad")
    watching.client.spoil = lambda body: body.replace(b'"error_code":"', b'"error_code":7,"no":"')
    watching.poll(180)
    assert watching.shown("feldera_exporter_event_backlog")[""] == 0
    errors = watching.shown("feldera_deployment_errors_total")
    assert {labels: count for labels, count in errors.items() if count} == {'error_code="unknown"': 1}
