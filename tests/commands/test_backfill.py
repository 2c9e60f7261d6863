"""The output of `backfill`, and its errors."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from feldera_exporter import cli
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.clocks import SkewedClock
from support.plans import INSTANT
from support.raw_server import RequestHandler, answer, sends, serving_raw
from support.two_instances import feldera, now

Backfill = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def backfill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Backfill:
    """Return what runs `backfill` on instances: its exit code, its errors, and what it wrote."""

    def run(**urls: str) -> tuple[int, list[str], str]:
        path, output = tmp_path / "exporter.yml", tmp_path / "past.om"
        instances = "".join(f"  - {{name: {name}, url: '{url}'}}\n" for name, url in urls.items())
        path.write_text(f"instances:\n{instances}")
        code = cli.main(
            ["backfill", f"--config.file={path}", f"--output={output}", "--log.level=error"],
        )
        return code, capsys.readouterr().err.splitlines(), output.read_text() if output.exists() else ""

    return run


UNUSED_ADDRESS = "http://127.0.0.1:9"
NO_EVENT_LOG = "this Feldera has no event log (before v0.292)"


def pipelines(text: str) -> set[str]:
    """Return the pipelines of what was written."""
    return set(re.findall(r'pipeline_name="([^"]*)"', text))


@pytest.mark.parametrize(
    "flag",
    [
        "9=x",
        "pipeline_name=x",
        "status=x",
        "feldera_instance=",
        "__name__=x",
        "job",
    ],
)
def test_labels_that_would_be_doubled(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A label that is none, or that every sample has already, is refused before any request."""
    assert cli.main(["backfill", f"--label={flag}"]) == cli.BAD_USAGE
    errors = capsys.readouterr().err
    expected = "NAME=VALUE, with another name than feldera_instance, pipeline"
    assert errors.startswith(f"error: --label: found '{flag}', expected {expected}")
    assert errors.count("\n") == 1


def test_one_of_two_instances_is_down(backfill: Backfill) -> None:
    """An instance that does not answer is named, and the history of the other one is written."""
    with serve(FelderaServer(feldera("a"))) as url:
        code, errors, text = backfill(down=UNUSED_ADDRESS, up=url)
    assert code == 1
    assert errors == [f"error: down: nothing listens at {UNUSED_ADDRESS.removeprefix('http://')}"]
    assert pipelines(text) == {"a"}
    assert text.endswith("# EOF\n")


def test_nothing_takes_the_place_of_something(backfill: Backfill, tmp_path: Path) -> None:
    """Where nothing could be read, the file that was written before stays."""
    (tmp_path / "past.om").write_text("before")
    assert backfill(down=UNUSED_ADDRESS)[2] == "before"


def test_an_old_server(backfill: Backfill) -> None:
    """A server without an event log is named once."""
    old = Feldera(SkewedClock(now(), 0), version="0.200.0", plan=INSTANT)
    for name in "ab":
        old.create(name)
    with serve(FelderaServer(old)) as url:
        assert backfill(old=url) == (1, [f"error: old: {NO_EVENT_LOG}"], "")


@pytest.mark.parametrize(
    ("act", "errors", "written"),
    [
        (sends(answer(b"", "500 No")), ["error: prod: a: 500 No"], {"b"}),
        (sends(answer(b'{"no": "list"}')), ["error: prod: a: unexpected body: Expected `array`, got `object`"], {"b"}),
        (sends(answer(b'{"message":"gone","error_code":"UnknownPipelineName"}', "404 No")), [], {"b"}),
        (sends(answer(b"", "403 No")), ["error: prod: 403 No"], set()),
    ],
)  # fmt: skip
def test_a_pipeline_whose_log_cannot_be_read(
    backfill: Backfill, act: RequestHandler, errors: list[str], written: set[str]
) -> None:
    """A pipeline whose log cannot be read is named and the next one is read; a deleted one is left out."""
    with serve(FelderaServer(feldera("a", "b"))) as url, serving_raw(url, act, "/v0/pipelines/a/") as server:
        code, said, text = backfill(prod=server.url)
    assert [line for line in said if line.startswith("error: ")] == errors
    assert (code, pipelines(text)) == (int(bool(errors)), written)


def test_an_event_that_cannot_be_read(backfill: Backfill) -> None:
    """Its pipeline is named, and nothing of it is written."""
    event = (
        b'{"event_id":"%d","recorded_at":"2026-11-01T00:00:00Z","deployment_resources_status":"Stopped",'
        b'"deployment_resources_desired_status":"Stopped","deployment_has_error":false,"program_status":%b,'
        b'"storage_status":"Cleared"}'
    )
    act = sends(answer(b"[%b,%b]" % (event % (1, b"7"), event % (2, b'"Success"'))))
    with serve(FelderaServer(feldera("a"))) as url, serving_raw(url, act, "/v0/pipelines/a/") as server:
        code, errors, text = backfill(prod=server.url)
    assert (code, pipelines(text)) == (1, set())
    assert errors[0].startswith("error: prod: a: unexpected body: Expected `str`, got `int`")


def test_a_pipeline_that_the_list_garbles(backfill: Backfill) -> None:
    """A pipeline that cannot be read in the list is named."""
    with serving_raw(act=sends(answer(b'[{"id":"1","name":"p"}]'))) as server:
        code, errors, _ = backfill(prod=server.url)
    assert code == 1
    assert len(errors) == 1
    assert "the first is p: " in errors[0]


def test_history_ends_by_the_clock_of_its_feldera(backfill: Backfill) -> None:
    """The history of each instance ends by that instance's clock."""
    slow = Feldera(SkewedClock(now(), -7200), plan=INSTANT)
    slow.create("slow")
    with serve(FelderaServer(slow)) as slow_url, serve(FelderaServer(feldera("right"))) as right_url:
        _, _, text = backfill(slow=slow_url, right=right_url)
    last = {
        name: max(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if f'"{name}"' in line)
        for name in ("slow", "right")
    }
    assert last["slow"] < time.time() - 7000
    assert last["right"] > time.time() - 600
