"""A server that makes up new values at each poll makes a bounded number of series, at any time and over time."""

import gc
import re
import tracemalloc
from itertools import count
from typing import Any, Final

import msgspec
import pytest

from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.client import ENDPOINTS
from feldera_exporter.feldera.platform import with_config, with_session
from feldera_exporter.feldera.statuses import DIMENSIONS
from feldera_exporter.problems import evaluate
from support.plans import INSTANT
from support.stepped_poller import NAME, SteppedPoller

POLLS: Final = 161
SETTLED: Final = 120
"""Polls after which every limit is reached: that of error codes is 100."""
MEASURED: Final = 140
"""Polls after which the memory is measured for the first time; it takes some to forget the values before."""
SHOWN: Final = 4
"""Polls after which the metrics are read: all of them would take twice as long."""
MOST: Final = 2000
"""Series over time: about 600 without anything made up, and some 50 in each of 20 families."""

_SERIES: Final = re.compile(r"^(\S+) \S+$", re.MULTILINE)
_FAMILY: Final = re.compile(r"\w+")


class Inventive:
    """Makes up values in the answers of a Feldera."""

    def __init__(self) -> None:
        self._numbers = count()

    @property
    def word(self) -> str:
        """A new word, which can be a status, an error code, a version or a part of a tag."""
        return f"New{next(self._numbers)}"

    def spoil(self, body: bytes) -> bytes:
        """Return an answer with new values."""
        value = msgspec.json.decode(body)
        for each in value if isinstance(value, list) else [value]:
            self._spoil(each)
        return msgspec.json.encode(value)

    def _spoil(self, each: dict[str, Any]) -> None:
        for dimension in DIMENSIONS:
            if each.get(dimension.name) is not None:
                each[dimension.name] = self.word
        if "tags" in each:
            each["tags"] = [f"{label}:{self.word}" for label in ("team", "tier", "expect")]
            each["platform_version"] = self.word
            each["program_config"] = {"profile": self.word}
        if "deployment_error" in each or "id" in each:
            each["deployment_error"] = {"message": self.word, "error_code": self.word}
        if "deployment_has_error" in each:
            each["deployment_has_error"] = next(self._numbers) % 2 == 0


def test_the_series_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every family; after some polls there are no more, and no more memory is used."""
    watching, inventive = SteppedPoller(monkeypatch), Inventive()
    watching.feldera.create("p", plan=INSTANT)
    watching.feldera.start("p")
    watching.clock.advance(3600)
    watching.client.spoil = inventive.spoil
    series, settled, memory = set[str](), set[str](), list[int]()
    for number in range(POLLS):
        (watching.feldera.pause if number % 2 else watching.feldera.resume)("p")
        platform = with_config(
            watching.watcher.fleet.platform,
            msgspec.json.encode(dict.fromkeys(("version", "edition", "revision"), inventive.word)),
        )
        session = msgspec.json.encode({"tenant_name": inventive.word, "role": inventive.word})
        watching.watcher.set_platform(with_session(platform, session))
        for endpoint in ENDPOINTS:
            watching.telemetry.observe(NAME, endpoint, inventive.word, 0.1)
        watching.poll()
        if number % SHOWN:
            continue
        text = b"".join(map(bytes, watching.publisher.snapshot.body(Format.TEXT, packed=False))).decode()
        series |= {*_SERIES.findall(text)}
        if number == SETTLED:
            settled |= series
            tracemalloc.start()
        if number in {MEASURED, POLLS - 1}:
            gc.collect()
            memory.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    print(f"{len(series)} series, {memory} bytes")
    assert series == settled
    assert len(series) < MOST
    assert memory[1] - memory[0] < 2**18


def test_ended_problems_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a pipeline has another name at each poll; those that ended last are kept."""
    monkeypatch.setattr(evaluate, "MOST_ENDED", 10)
    watching = SteppedPoller(monkeypatch)
    watching.feldera.create("p", plan=INSTANT)
    watching.feldera.start("p")
    watching.clock.advance(60)
    watching.feldera.inject.crash("p", "RuntimeError.WorkerPanic")
    watching.clock.advance(60)
    names = count()
    watching.client.spoil = lambda body: body.replace(b'"name":"p"', b'"name":"p%d"' % next(names))
    watching.poll(100)
    shown = watching.shown("feldera_pipeline_problem_since_timestamp_seconds")
    assert sum(value == 0 for value in shown.values()) == 10
    assert sum(value > 0 for value in shown.values()) == 1
    assert {label for label in shown if any(f'"p{number}"' in label for number in range(9, 20))} == {*shown}
