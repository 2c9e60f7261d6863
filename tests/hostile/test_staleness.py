"""Metrics of pipelines that are created, deleted, renamed, unreadable or out of reach."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.raw_server import RawServer, Request, answer, sends, serving_raw
from support.two_instances import RunningExporter, later, running, two_instances, until
from support.two_instances import feldera as make

STALENESS = 8.0
"""Seconds; several polls fail before `feldera_up` is 0, which takes a busy machine some seconds."""
Program = tuple[RunningExporter, RawServer, Feldera]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Run the program with a short staleness."""
    folder = tmp_path_factory.mktemp("staleness")
    with two_instances(folder, hostile=f"staleness: {STALENESS:g}s") as (running_, raw_server, feldera):
        yield running_, raw_server, feldera


def shown(page: str, name: str) -> list[str]:
    """Return the ids under which a pipeline of that name is shown."""
    return [
        line.partition('pipeline="')[2].partition('"')[0]
        for line in page.splitlines()
        if line.startswith("feldera_pipeline_info{") and f'pipeline_name="{name}"' in line
    ]


@pytest.mark.parametrize("status", ["401 Unauthorized", "503 Service Unavailable"])
def test_an_outage(program: Program, status: str) -> None:
    """The last state is shown for as long as `staleness`, then nothing; polling goes on."""
    running_, raw_server, _ = program
    raw_server.act, raw_server.prefix = sends(answer(b"", status)), "/"
    began = time.monotonic()
    until(lambda: running_.value("feldera_up", feldera_instance="hostile") == 0)
    page = running_.page()
    assert shown(page, "victim")
    assert 'feldera_pipelines{feldera_instance="hostile"} 2' in page
    until(lambda: not shown(running_.page(), "victim"))
    assert time.monotonic() - began > STALENESS - 0.5
    page = running_.page()
    assert 'pipeline_name="victim"' not in page
    assert 'feldera_pipelines{feldera_instance="hostile"}' not in page
    assert 'feldera_up{feldera_instance="hostile"} 0' in page
    assert shown(page, "good")
    raw_server.act = None
    until(lambda: shown(running_.page(), "victim"))
    assert running_.value("feldera_up", feldera_instance="hostile") == 1


def test_identity(program: Program) -> None:
    """A renamed pipeline is the same one, a deleted one is gone at once, another under its name is another one."""
    running_, _, feldera = program
    until(lambda: running_.value("feldera_up", feldera_instance="hostile") == 1)
    feldera.create("first")
    [first_id] = until(lambda: shown(running_.page(), "first"))
    feldera.rename("first", "second")
    assert until(lambda: shown(running_.page(), "second")) == [first_id]
    assert 'pipeline_name="first"' not in running_.page()
    feldera.delete("second")
    until(lambda: 'pipeline_name="second"' not in running_.page())
    feldera.create("second")
    [second_id] = until(lambda: shown(running_.page(), "second"))
    assert second_id != first_id
    feldera.delete("second")
    feldera.create("second")
    [third] = until(lambda: [each for each in shown(running_.page(), "second") if each != second_id])
    assert shown(running_.page(), "second") == [third]
    feldera.delete("second")


def nonsense(field: bytes) -> Callable[[bytes], bytes]:
    """Return what spoils a field of the pipeline `victim` in a list."""

    def rewrite(body: bytes) -> bytes:
        start = body.index(b'"name":"victim"')
        place = body.index(b'"' + field + b'":', start) + len(field) + 3
        return body[:place] + b"[]," + b'"x":' + body[place:]

    return rewrite


def test_a_pipeline_that_cannot_be_read(program: Program) -> None:
    """Its last state is shown for as long as `staleness`; the poll succeeds and the others go on."""
    running_, raw_server, _ = program
    until(lambda: running_.value("feldera_up", feldera_instance="hostile") == 1)
    [identity] = shown(running_.page(), "victim")
    raw_server.rewrite, raw_server.prefix = nonsense(b"program_status"), "/v0/pipelines?"
    began = time.monotonic()
    until(lambda: running_.value("feldera_exporter_unreadable_pipelines", feldera_instance="hostile") == 1)
    page = running_.page()
    assert (shown(page, "victim"), 'feldera_up{feldera_instance="hostile"} 1' in page) == ([identity], True)
    until(lambda: not shown(running_.page(), "victim"))
    assert time.monotonic() - began > STALENESS - 0.5
    assert shown(running_.page(), "other")
    raw_server.rewrite = None
    until(lambda: shown(running_.page(), "victim") == [identity])
    assert running_.value("feldera_exporter_unreadable_pipelines", feldera_instance="hostile") == 0
    said = [line for line in running_.lines() if "cannot be read" in line["msg"]]
    assert [line["error"].startswith("1, the first is victim: Expected `str`") for line in said] == [True]


def test_before_the_first_success(tmp_path: Path) -> None:
    """There are no pipeline series, `feldera_up` is 0 and the program is ready; after a success all are there."""
    refusing = sends(answer(b"", "401 Unauthorized"))
    with serve(FelderaServer(make("victim"))) as url, serving_raw(url, refusing) as raw_server:
        configuration = f"instances: [{{name: hostile, url: '{raw_server.url}', poll_interval: 300ms}}]\n"
        with running(tmp_path, configuration) as program:
            until(lambda: program.value("feldera_up", feldera_instance="hostile") == 0)
            page = program.page()
            assert "feldera_pipeline_" not in [line.partition("{")[0][:17] for line in page.splitlines()]
            assert "feldera_pipelines{" not in page
            assert "feldera_exporter_last_successful_poll_timestamp_seconds{" not in page
            raw_server.act = None
            until(lambda: shown(program.page(), "victim"))
            assert program.value("feldera_up", feldera_instance="hostile") == 1


def test_a_first_date_from_the_future(tmp_path: Path) -> None:
    """One first answer of the year 2100 credits no time, and the counters go on."""
    first = answer(b"[]", Date="Fri, 01 Jan 2100 00:00:00 GMT")
    feldera = make("victim")
    with serve(FelderaServer(feldera)) as url, serving_raw(url) as raw_server:

        def lie_once(request: Request) -> object:
            listed = sum(each.path.startswith("/v0/pipelines?") for each in raw_server.requests)
            if listed > 1:
                return raw_server._pass_on(request)
            request.send(first)
            return True

        raw_server.act, raw_server.prefix = lie_once, "/v0/pipelines?"
        configuration = f"instances: [{{name: hostile, url: '{raw_server.url}', poll_interval: 500ms}}]\n"
        with running(tmp_path, configuration, f"--storage.path={tmp_path}/store") as program:
            until(lambda: shown(program.page(), "victim"))
            later(feldera)
            family = "feldera_pipeline_deployment_status_seconds_total"
            until(lambda: (program.value(family, status="Running") or 0) >= 1)
            assert (program.value(family, status="Running") or 0) < 180
            skew = program.value("feldera_exporter_api_clock_skew_seconds")
            assert skew is not None
            assert abs(skew) < 180
