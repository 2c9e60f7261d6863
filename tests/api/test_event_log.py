"""The decoding of event logs."""

import msgspec
import pytest

from feldera_exporter.feldera import event_log
from feldera_exporter.feldera.errors import InvalidResponseError
from support.history_examples import event, seen

GOOD = msgspec.json.encode(event(seen(1, "Stopped")))
DEEP = b"[" * 1000 + b"]" * 1000


def with_program(value: bytes) -> bytes:
    """Return an event with another program status."""
    before, _, after = GOOD.partition(b'"program_status":"Success"')
    assert after
    return before + b'"program_status":' + value + after


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"null",
        GOOD,
        b"[",
        b"[]]",
        b"[%b" % GOOD,
        b"[%b,]" % GOOD,
        b"[%b]x" % GOOD,
        b"[1,2]",
        *(
            b"[%b,%b]" % (GOOD, with_program(value))
            for value in (b"7", b"null", DEEP, rb'"\udfff"', b'"\xff"')
        ),
    ],
)
def test_what_is_no_log(body: bytes) -> None:
    """An answer that is cut, something else, or has an event that cannot be read."""
    with pytest.raises(InvalidResponseError):
        event_log.read(body)


def test_a_log() -> None:
    """The events in the order of the answer."""
    assert event_log.read(b"[]") == []
    assert event_log.read(bytearray(b" [%b, %b]\n" % (GOOD, GOOD))) == [event(seen(1, "Stopped"))] * 2


def test_the_code_of_an_error() -> None:
    """None without an error."""
    failed = GOOD[:-1] + b',"deployment_error":%b}'
    assert event_log.error_code(failed % b'{"error_code":"A","message":""}') == "A"
    assert event_log.error_code(GOOD) is None
    for body in (
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"message":"Oh"}',
        failed % b"{",
        failed % b"7",
        failed % DEEP,
    ):
        with pytest.raises(InvalidResponseError):
            event_log.error_code(body)
