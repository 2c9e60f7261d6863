"""No answer takes more memory than the size limit explains."""

from collections.abc import Iterator

import pytest

from hostile.answers import FLOOD, MB, Hostile, flood, packed
from hostile.meddler import Meddler, Request, answer, sends
from hostile.running import Running, two, until

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
    Hostile("300 MB", "too_large", flood),
    Hostile("300 MB from a bomb", "too_large", sends(answer(packed(b" " * MB, 300), content_encoding="gzip"))),
    Hostile("a list of nothing", "invalid_response", sends(answer(TINY, content_encoding="gzip"))),
    Hostile("spaces", "invalid_response", _plain),
    Hostile("a row of tags", "success", _one_row),
    Hostile("depth", "invalid_response", sends(answer(DEEP, content_encoding="gzip"))),
)  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Meddler]]:
    """Run the program with the default limit of 64 MiB."""
    with two(tmp_path_factory.mktemp("memory"), poll="2s") as (running, meddler, _):
        yield running, meddler


@pytest.mark.parametrize("hostile", FLOODS, ids=lambda hostile: hostile.name)
def test_the_most_memory(program: tuple[Running, Meddler], hostile: Hostile) -> None:
    """The whole process stays below 200 MiB, and recovers."""
    assert FLOOD == 300 * MB
    running, meddler = program
    before = running.polls("hostile", hostile.outcome)
    meddler.act, meddler.prefix = hostile.act, "/v0/pipelines?"
    until(lambda: running.polls("hostile", hostile.outcome) > before, 30)
    meddler.act = None
    most = running.rss()
    print(f"{hostile.name}: at most {most / MB:.0f} MiB so far")
    assert most < BOUND
    until(lambda: running.value("feldera_up", feldera_instance="hostile") == 1, 30)
