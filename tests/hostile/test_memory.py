"""No answer takes more memory than the size limits explain, however many pipelines fail."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from api.test_pipeline_list import row
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.hostile_answers import FLOOD, MB, HostileAnswer, flood, packed
from support.raw_server import RawServer, Request, RequestHandler, answer, sends, serving_raw
from support.tools import example_count
from support.two_instances import RunningExporter, feldera, running, until

LISTS = "/v0/pipelines?"
BOUND = 200 * MB
LIMIT = 64 * MB
TINY = packed(b"{}," * 2**16, LIMIT // (3 * 2**16) - 2, b"[")
DEEP = packed(b'{"a":[' * 2**16, 100)


def _plain(request: Request) -> None:
    """Send as much as is allowed, of nothing that is a list."""
    request.send(answer(b"", length=LIMIT))
    for _ in range(LIMIT // MB):
        request.send(b" " * MB)


def _one_row(request: Request) -> None:
    """Send one pipeline with as many tags as there is room for."""
    body = b'[{"id":"x","name":"y","tags":["a"' + b',"a"' * 2**20 * 15 + b"]}]"
    request.send(answer(body))


FLOODS = (
    HostileAnswer("300 MB", "invalid_response", flood),
    HostileAnswer("300 MB from a bomb", "too_large", sends(answer(packed(b" " * MB, 300), content_encoding="gzip"))),
    HostileAnswer("a list of nothing", "invalid_response", sends(answer(TINY, content_encoding="gzip"))),
    HostileAnswer("spaces", "invalid_response", _plain),
    HostileAnswer("a row of tags", "invalid_response", _one_row),
    HostileAnswer("depth", "invalid_response", sends(answer(DEEP, content_encoding="gzip"))),
)  # fmt: skip


def _wait_for_a_list(raw_server: RawServer) -> None:
    """Wait until a list is asked for: that costs less than to read metrics until then."""
    before = raw_server.asked(LISTS)
    until(lambda: raw_server.asked(LISTS) > before)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningExporter, RawServer]]:
    """Run the program with the default limit of 64 MiB."""
    with serve(FelderaServer(feldera("victim"))) as url, serving_raw(url) as raw_server:
        configuration = f"instances: [{{name: hostile, url: '{raw_server.url}'}}]\n"
        with running(tmp_path_factory.mktemp("memory"), configuration) as program:
            until(lambda: program.value("feldera_up", feldera_instance="hostile") == 1)
            yield program, raw_server


@pytest.mark.parametrize("hostile", FLOODS, ids=lambda hostile: hostile.name)
def test_the_most_memory(program: tuple[RunningExporter, RawServer], hostile: HostileAnswer) -> None:
    """The whole process stays below 200 MiB, and recovers."""
    assert FLOOD == 300 * MB
    exporter, raw_server = program
    before = exporter.polls("hostile", hostile.outcome)
    raw_server.act, raw_server.prefix = hostile.act, LISTS
    _wait_for_a_list(raw_server)
    until(lambda: exporter.polls("hostile", hostile.outcome) > before, 120)
    succeeded = exporter.polls("hostile", "success")
    raw_server.act = None
    most = exporter.rss()
    print(f"{hostile.name}: at most {most / MB:.0f} MiB so far")
    assert most < BOUND
    # Only a success ends the row of failures, each of which doubles the pause before the next poll.
    _wait_for_a_list(raw_server)
    until(lambda: exporter.polls("hostile", "success") > succeeded)


MOST = 10_000
MANY = example_count(MOST)
TRACE = 'worker 3 panicked at "crates/dbsp/src/circuit.rs":\n  17: start_thread\n'
LONG = 50_000


def _all_failed(message: str, sent: list[bool]) -> RequestHandler:
    """Send a list of very many pipelines, of which each has 100 KB of error; it is never whole in memory."""
    error = {"error_code": "RuntimeError.WorkerPanic", "message": message, "details": {"trace": message}}
    failed = {**row(7), "deployment_error": error}
    before, _, after = msgspec.json.encode(failed).partition(b"000000000007")

    def act(request: Request) -> bool:
        if not request.path.startswith(LISTS):
            # No event log says more.
            request.send(answer(b"[]"))
            return True
        request.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        for number in range(MANY):
            request.send(b"," if number else b"", before, b"%012d" % number, after)
        request.send(b"]")
        sent.append(True)
        return False

    return act


def _failures(url: str) -> tuple[int, bool]:
    """Return how many pipelines are shown to have an error, and whether Feldera is shown to answer."""
    failures, up = 0, False
    with httpx.stream("GET", f"{url}/metrics", trust_env=False, timeout=60) as page:
        for line in page.iter_lines():
            failures += line.startswith("feldera_pipeline_deployment_has_error{") and line.endswith(" 1")
            up = up or line == 'feldera_up{feldera_instance="hostile"} 1'
    return failures, up


def test_when_everything_fails_at_once(tmp_path: Path) -> None:
    """A gigabyte of errors is shown and takes far less memory, at first and when all of it changes."""
    seconds = 30 if MANY == MOST else 12
    with serving_raw() as raw_server:
        sent = list[bool]()
        raw_server.act = _all_failed(TRACE * (LONG // len(TRACE)), sent)
        keys = f"poll_interval: {seconds}s, timeout: {seconds}s"
        configuration = f"instances: [{{name: hostile, url: '{raw_server.url}', {keys}}}]\n"
        with running(tmp_path, configuration) as program:
            until(lambda: program.value("feldera_up", feldera_instance="hostile") == 1, 4 * seconds)
            assert _failures(program.url) == (MANY, True)
            first = program.rss()
            succeeded = program.polls("hostile", "success")
            sent.clear()
            raw_server.act = _all_failed(TRACE * (LONG // len(TRACE)) + "x", sent)
            until(lambda: sent, 3 * seconds)
            until(lambda: program.polls("hostile", "success") > succeeded, 3 * seconds)
            assert _failures(program.url) == (MANY, True)
            assert loopback.get(program.url, timeout=60).status_code == 200
            print(f"{MANY} failures: at most {first / MB:.0f} MiB, then {program.rss() / MB:.0f} MiB")
            assert program.rss() < (1024 if MANY == MOST else 450) * MB


def test_one_error_of_a_hundred_megabytes(tmp_path: Path) -> None:
    """A huge error is held once or twice until its end, and then only its beginning."""
    failed = {
        **row(7),
        "deployment_error": {"error_code": "RuntimeError.WorkerPanic", "message": "x" * 100 * MB},
    }
    body = answer(msgspec.json.encode([failed, row(8)]))
    with serving_raw(act=sends(body), prefix=LISTS) as raw_server:
        configuration = (
            f"instances: [{{name: hostile, url: '{raw_server.url}', poll_interval: 20s, timeout: 20s}}]\n"
        )
        with running(tmp_path, configuration) as program:
            until(lambda: program.value("feldera_up", feldera_instance="hostile") == 1, 60)
            assert _failures(program.url) == (1, True)
            assert program.value("feldera_pipelines", feldera_instance="hostile") == 2
            page = loopback.get(f"{program.url}/pipelines/hostile/p7", timeout=60).text
            assert "Cut: the whole has 104,857,602 bytes. Feldera has all of it." in page
            print(f"one error of 100 MiB: at most {program.rss() / MB:.0f} MiB")
            assert program.rss() < 512 * MB
