"""Each fault changes the answers of its route until it is cleared."""

import time

import httpx
import pytest

from feldera_exporter.simulator.http_messages import HttpAnswer
from support import loopback
from support.disturbed_server import EMPTY_404, EVERY, SERVER_ERROR, UNAVAILABLE, Fault, Slow
from support.simulated_api import ServedInstance
from support.worker_panic import worker_panic

LIST = "/v0/pipelines?selector=status"


def spoiled(served: ServedInstance, fault: Fault) -> httpx.Response:
    """Return the answer with a fault."""
    served.server.faults.set("pipelines", fault)
    return served.get(LIST)


def test_a_fault_is_set_and_cleared_by_route(served: ServedInstance) -> None:
    """`EVERY` is for routes without their own fault; a fault may last for some requests only."""
    assert spoiled(served, SERVER_ERROR).status_code == 500
    assert served.get("/healthz").status_code == 200
    served.server.faults.set(EVERY, EMPTY_404)
    assert served.get("/healthz").status_code == 404
    assert served.get(LIST).status_code == 500
    served.server.faults.clear("pipelines")
    served.server.faults.clear("pipelines")
    assert served.get(LIST).status_code == 404
    served.server.faults.clear()
    assert served.get(LIST).status_code == 200
    served.server.faults.set("pipelines", UNAVAILABLE, times=2)
    assert [served.get(LIST).status_code for _ in range(3)] == [503, 503, 200]


@pytest.mark.parametrize(
    ("fault", "content_type", "body"),
    [
        (EMPTY_404, None, ""),
        (SERVER_ERROR, "application/json", "InternalError"),
        (UNAVAILABLE, "application/json", "LockTookTooLong"),
        (HttpAnswer(418, b"tea", "text/plain"), "text/plain", "tea"),
    ],
)
def test_another_answer(
    served: ServedInstance, fault: HttpAnswer, content_type: str | None, body: str
) -> None:
    """With its own status, body and type."""
    answer = spoiled(served, fault)
    assert (answer.status_code, answer.headers.get("content-type")) == (fault.status, content_type)
    assert body in answer.text


def test_slow(served: ServedInstance) -> None:
    """The answer is right, only late."""
    start = time.monotonic()
    assert spoiled(served, Slow(0.2)).status_code == 200
    assert time.monotonic() - start >= 0.2


def test_slow_for_a_client_that_goes_away(served: ServedInstance) -> None:
    """The request ends with the client."""
    served.server.faults.set("pipelines", Slow(60))
    with pytest.raises(httpx.ReadTimeout):
        loopback.get(served.url + LIST, timeout=0.2)
    deadline = time.monotonic() + 5
    while served.server.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.server.in_flight == 0


@pytest.mark.parametrize("kilobytes", [1, 100, 3000])
def test_a_panic_of_every_worker_is_long(served: ServedInstance, kilobytes: int) -> None:
    """The list has the whole message, while events by status stay short."""
    served.feldera.inject.crash("a", worker_panic(kilobytes))
    served.go(10)
    answer = served.get(LIST)
    error = answer.json()[0]["deployment_error"]
    assert error["error_code"] == "RuntimeError.WorkerPanic"
    assert len(error["details"]["panic_info"]) == max(1, kilobytes // 16)
    assert error["details"]["panic_info"][0][2]["backtrace"] in error["message"]
    assert kilobytes * 1024 <= len(answer.content) < kilobytes * 1100 + 4096
    assert len(served.get("/v0/pipelines/a/events").content) < 10_000
