"""Two minutes of a real Feldera, watched as they were recorded, against what its database says happened.

The ledger has the counters; each log is answered as it was answered then, right after the list.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import pytest

from feldera_exporter.feldera.errors import NotFoundError, ServerError
from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, RUNTIME, STORAGE, combine
from feldera_exporter.history.history import History
from feldera_exporter.store.store import Store
from recorded.corpus import replay, wanted
from support.exporter_driver import ExporterDriver
from support.ground_truth import COMBINED, ErrorEdge, Life, Transition
from support.true_counts import compare_counts, compare_time, totals_of, within
from support.watched_feldera import Scraper

pytestmark = wanted

DIMENSIONS: Final = (RESOURCES.name, RUNTIME.name, PROGRAM.name, STORAGE.name)

Statuses = dict[str, str | None]


def api(status: str | None) -> str | None:
    """Return a status of the database as the API spells it."""
    return None if status is None else "".join(map(str.capitalize, status.split("_")))


def micros(text: str) -> int:
    """Return an instant in microseconds, exactly."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


class Event:
    """One row that the manager wrote.

    Attributes:
        at: its instant.
        order: the place in which it was committed.
        id: of the event.
        statuses: what it says, by the field's name in the API.
        error: what `deployment_error` was, None where it was null.
    """

    def __init__(self, line: Mapping[str, Any]) -> None:
        row = line["row"]
        self.at = micros(row["recorded_at"])
        self.order: int = line["order"]
        self.id: str = row["event_id"]
        self.statuses: Statuses = {name: api(row[name]) for name in DIMENSIONS}
        resources = self.statuses[RESOURCES.name]
        assert resources is not None
        self.statuses[COMBINED] = combine(resources, self.statuses[RUNTIME.name])
        error = row["deployment_error"]
        self.error: dict[str, Any] | None = json.loads(error) if isinstance(error, str) else error


def logs() -> Mapping[str, list[Event]]:
    """Return what the manager wrote of each pipeline, by id, in the order of the commits."""
    found = defaultdict(list)
    for line in replay():
        if line["kind"] == "truth":
            found[line["row"]["pipeline_id"]].append(Event(line))
    for log in found.values():
        assert [event.order for event in log] == sorted(event.order for event in log)
    return found


def life(id_: str, log: list[Event]) -> Life:
    """Return a pipeline's life as its log says; the first event is its creation."""
    first, *others = log
    lived = Life(id_, first.at, dict(first.statuses), [(first.at, "")])
    before = first
    for event in others:
        for dimension, status in event.statuses.items():
            old = before.statuses[dimension]
            if old != status:
                lived.transitions.append(Transition(dimension, event.at, old, status, event.order))
        if (before.error is None) != (event.error is None):
            code = event.error["error_code"] if event.error else None
            lived.errors.append(ErrorEdge(event.at, code, event.order))
        before = event
    return lived


class ReplayedExporter:
    """The exporter without network, which has polled the two recorded minutes.

    Args:
        store: of the counters.
        kills: after how many lists the exporter is killed, again and again; 0 for never.

    Attributes:
        driver: it.
        first: what the first list said of each pipeline, by id.
    """

    def __init__(self, store: Store, kills: int) -> None:
        self.driver = ExporterDriver(store=store)
        self.first: dict[str, Any] = {}
        self._events = {event.id: event for log in logs().values() for event in log}
        self._answers: dict[str, tuple[int, str]] = {}
        scraper = Scraper()
        at, body = 0, b""
        for number, (line, answers) in enumerate(self._rounds()):
            at, body, self._answers = round(line["asked_at"] * 1_000_000), line["body"].encode(), answers
            self.first = self.first or {each["id"]: each for each in json.loads(body)}
            if kills and number % kills == kills - 1:
                self.driver.restart()
            self.driver.poll(body, at, self._log)
            scraper.read(self.driver.scrape(), at)
        # Counters of a new pipeline stand at 0 for two minutes.
        for _ in range(3):
            at += 60_000_000
            self.driver.poll(body, at, self._log)
            scraper.read(self.driver.scrape(), at)

    def _rounds(self) -> Iterator[tuple[Mapping[str, Any], dict[str, tuple[int, str]]]]:
        """Yield each list with the answers that followed it, by the pipeline's name."""
        lines = [line for line in replay() if line["kind"] != "truth"]
        lists = [place for place, line in enumerate(lines) if line["kind"] == "list"]
        for start, end in zip(lists, [*lists[1:], len(lines)], strict=True):
            yield (
                lines[start],
                {each["name"]: (each["status"], each["body"]) for each in lines[start + 1 : end]},
            )

    def _log(self, name: str, event_id: str | None = None) -> bytes:
        if event_id is not None:
            event = self._events[event_id]
            return msgspec.json.encode(
                {
                    "event_id": event.id,
                    "recorded_at": datetime.fromtimestamp(0).astimezone(),
                    "deployment_resources_desired_status": "",
                    "deployment_has_error": event.error is not None,
                    **event.statuses,
                    "deployment_error": event.error,
                }
            )
        if name not in self._answers:
            # It was not asked for then; it is asked for again.
            raise ServerError("503")
        status, body = self._answers[name]
        if status != 200:
            raise NotFoundError(f"{status}: {json.loads(body)['error_code']}")
        return body.encode()


@pytest.fixture(scope="module", params=[0, 3, 7], ids=lambda kills: f"killed every {kills}")
def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReplayedExporter]:
    """Return the exporter after these two minutes, with kills in between and without."""
    store = Store.open(tmp_path_factory.mktemp("replay"))
    try:
        yield ReplayedExporter(store, request.param)
    finally:
        store.close()


def after(watched: ReplayedExporter, id_: str, log: list[Event]) -> int:
    """Return the place of the event up to which nothing is counted: that of the row which the watch began with."""
    row = watched.first.get(id_)
    if row is None:
        return log[0].order
    newest = max(micros(value) for field, value in row.items() if field.endswith("status_since") and value)
    line = [
        event
        for event in log
        if event.at == newest and all(row[name] == event.statuses[name] for name in DIMENSIONS)
    ]
    return line[-1].order


def test_what_is_counted_is_the_truth(watched: ReplayedExporter) -> None:
    """Transitions, errors with codes and intervals of the remaining pipelines are exact."""
    truth, histories = logs(), watched.driver.ledger.published().histories
    assert not watched.driver.ledger.pending
    assert len(histories) == 11
    counted = 0
    for id_, history in histories.items():
        lived = life(id_, truth[id_])
        compare_counts(lived, history, after(watched, id_, truth[id_]))
        compare_time(lived, history)
        counted += transitions(history)
    assert counted == 846
    assert watched.driver.ledger.totals.gaps == 0


def transitions(history: History) -> int:
    """Return how many transitions were counted."""
    counts = history.counts
    by_pair = (counts.resources, counts.program, counts.storage, counts.runtime)
    return sum(sum(each.values()) for each in by_pair)


def test_what_the_pipelines_did_together_is_the_truth(watched: ReplayedExporter) -> None:
    """Errors and durations are exact for remaining pipelines, and not too many for deleted ones."""
    truth, alive = logs(), watched.driver.ledger.published().histories
    lives = {id_: (life(id_, log), after(watched, id_, log)) for id_, log in truth.items()}
    within(
        totals_of(lives[id_] for id_ in alive),
        watched.driver.ledger.totals,
        totals_of(lives.values()),
    )
    assert sum(watched.driver.ledger.totals.errors.values()) == 37
