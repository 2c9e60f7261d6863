"""The decoding of event logs: an event that cannot be read spoils itself."""

import msgspec
import pytest

from feldera_exporter.feldera import event_log
from feldera_exporter.feldera.errors import InvalidResponseError
from support.history_examples import event, instant, seen

GOOD = msgspec.json.encode(event(seen(1, "Stopped")))
OTHER = msgspec.json.encode(event(seen(2, "Stopped", serial=1)))
DEEP = b"[" * 1000 + b"]" * 1000


def spoilt(text: bytes, value: bytes = b"7") -> bytes:
    """Return an event with another program status."""
    before, _, after = text.partition(b'"program_status":"Success"')
    assert after
    return before + b'"program_status":' + value + after


@pytest.mark.parametrize("value", [b"7", b"null", DEEP, rb'"\udfff"', b'"\x01"', b"nothing", b'"\xff"'])
@pytest.mark.parametrize("space", [b"", b" \n"])
def test_the_others_are_read(value: bytes, space: bytes) -> None:
    """And of the unreadable one what identifies it."""
    bad = spoilt(OTHER, value)
    log = event_log.read(
        bytearray(space + b"[" + space + (b"," + space).join((GOOD, bad, GOOD)) + b"]" + space)
    )
    assert [each.event_id for each in log.events] == [event(seen(1, "Stopped")).event_id] * 2
    [unreadable] = log.unreadable
    assert unreadable.event_id == event(seen(2, "Stopped", serial=1)).event_id
    assert unreadable.at == instant(2)
    assert unreadable.reason


def test_without_an_id_it_is_identified_by_its_bytes() -> None:
    """And without a time it has none."""
    one, other = (b'{"event_id":%d,"recorded_at":"soon"}' % number for number in (1, 2))
    log = event_log.read(b"[%b,%b,%b,%b]" % (one, GOOD, other, one))
    first, second = log.unreadable
    assert (first.at, second.at) == (None, None)
    assert first.event_id != second.event_id
    assert event_log.read(b"[%b,%b]" % (GOOD, one)).unreadable[0].event_id == first.event_id


def test_one_that_is_there_twice_is_readable() -> None:
    """If it can be read once."""
    assert not event_log.read(b"[%b,%b]" % (spoilt(GOOD), GOOD)).unreadable


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
        b"[%b," % GOOD,
        b"[%b,]" % GOOD,
        b"[%b,,%b]" % (GOOD, GOOD),
        b"[%b,%b" % (GOOD, spoilt(GOOD)),
        b"[%b]x" % GOOD,
        b"[%b]" % spoilt(GOOD),
        b"[1,2]",
        b"[%b,%b]" % (GOOD, b'"' + b"x" * 5 * 2**20 + b'"'),
    ],
)
def test_what_is_no_log(body: bytes) -> None:
    """A whole answer that is cut, something else, or without anything readable."""
    with pytest.raises(InvalidResponseError):
        event_log.read(body)


def test_an_empty_log() -> None:
    """It has nothing unreadable."""
    assert event_log.read(b"[]") == event_log.EventLog([])


def test_many_elements_of_nothing() -> None:
    """They end the reading before they fill the memory."""
    with pytest.raises(InvalidResponseError):
        event_log.read(b"[%b%b]" % (b"1," * 2**20, GOOD))


def test_the_code_of_an_error() -> None:
    """None where there is none, and where it cannot be read."""
    failed = GOOD[:-1] + b',"deployment_error":%b}'
    assert event_log.error_code(failed % b'{"error_code":"A","message":""}') == "A"
    assert event_log.error_code(GOOD) is None
    for error in (b"7", b'{"error_code":7}', rb'{"error_code":"\udfff"}', b'{"error_code":%b}' % DEEP):
        assert event_log.error_code(failed % error) is None
    for body in (b"", b"<html>", b"[]", b"{}", b'{"message":"Oh"}', failed % b"{", failed % b'""' + b"x"):
        with pytest.raises(InvalidResponseError):
            event_log.error_code(body)
