"""The list as it arrives: divided into batches, cut where it is long, and read at any length."""

import json
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.test_pipeline_list import encoded, row
from feldera_exporter.feldera import element_scan, list_batches
from feldera_exporter.feldera.errors import InvalidResponseError, TooLargeError
from feldera_exporter.feldera.list_batches import AMPLE, COUNTED, SCANT, SHORT, Batch, Batches
from feldera_exporter.feldera.pipeline_list import Listing, read
from feldera_exporter.feldera.truncation import shortened
from feldera_exporter.feldera.wire import REFUSED, Cuts, FullError, Row

MB = 2**20
LIMIT = 64 * MB
TRACE = 'thread 3 panicked at "x" ┃ \\ 🦀\n'


def taken(
    body: bytes, previous: tuple[Batch, ...] = (), limit: int = LIMIT, part: int = 65_536
) -> tuple[Batch, ...]:
    """Return a list that came in parts."""
    intake = Batches(limit, previous)
    for start in range(0, len(body), part):
        intake.take(body[start : start + part])
    return intake.end()


def failed(number: int, message: str, details: Any = None, **changes: Any) -> dict[str, Any]:
    """Return a pipeline that failed."""
    error = {"message": message, "error_code": "RuntimeError.WorkerPanic", "details": details}
    return row(number, deployment_error=error, **changes)


def error(read_: Row) -> FullError:
    """Return the error of a row, which has one."""
    assert read_.deployment_error is not None
    return read_.deployment_error


def rows(found: tuple[Batch, ...]) -> list[Row]:
    """Return what a list says, all of which can be read."""
    listing = read(found, Listing())
    assert listing.unreadable == ()
    return [entry.row for entry in listing.entries.values()]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches and kept parts as small as the lists of the tests."""
    for name, size in (("STEP", 3000), ("LONGEST_ELEMENT", 100_000), ("AMPLE", 2000), ("SHORT", 1500)):
        monkeypatch.setattr(list_batches, name, size)
    monkeypatch.setattr(list_batches, "SCANT", 100)
    monkeypatch.setattr(list_batches, "ROOM", 20_000)


_LONG = st.text('ab\n"\\é漢🦀', max_size=60).flatmap(
    lambda text: st.integers(0, 60).map(lambda times: text * times)
)
_ELEMENTS = st.lists(
    st.one_of(
        st.builds(row, st.integers(0, 99), tags=st.lists(st.sampled_from(["a", "},{", '},{"id":'])), x=_LONG),
        st.builds(failed, st.integers(0, 99), _LONG, st.one_of(_LONG, st.lists(_LONG, max_size=9))),
        st.just({"id": "x", "nested": [{"id": 1}, {"id": 2}] * 200}),
        st.just({}),
    ),
    max_size=12,
)


@pytest.mark.usefixtures("small")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(_ELEMENTS, _ELEMENTS, st.integers(1, 5000), st.sampled_from([None, 1]))
def test_parts_and_batches_change_nothing(
    before: list[Any], now: list[Any], part: int, indent: int | None
) -> None:
    """However a list is divided and whatever came before, each element is read as it is alone."""
    body = json.dumps(now, indent=indent, separators=(",", ":"), ensure_ascii=part % 2 == 0).encode()
    found = taken(body, taken(encoded(*before)), part=part)
    again = taken(body, found, part=part)
    assert all(a is b for a, b in zip(again, found, strict=True))
    raws = [raw for batch in found for raw in batch.raws]
    assert len(raws) == len(now)
    for raw, element in zip(raws, now, strict=True):
        said = json.loads(bytes(raw))
        assert said.get("id") == element.get("id")
        for field in ("deployment_status", "created_at", "tags"):
            assert said.get(field) == element.get(field)
        if (fault := element.get("deployment_error")) is not None:
            assert said["deployment_error"]["error_code"] == fault["error_code"]
            assert fault["message"].startswith(said["deployment_error"]["message"])


_REFUSED = st.sampled_from([rb'"\udfff"', b'"\x01"', b"nan", rb'"},{\"id\":\q"'])


@pytest.mark.usefixtures("small")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.builds(row, st.integers(0, 99), x=_LONG), max_size=12).flatmap(
        lambda elements: st.tuples(
            st.just(elements), st.lists(st.tuples(st.integers(0, len(elements)), _REFUSED), max_size=3)
        )
    ),
    st.integers(1, 5000),
)
def test_refused_elements_spoil_themselves(
    listed: tuple[list[dict[str, Any]], list[tuple[int, bytes]]], part: int
) -> None:
    """A refused element affects no other, wherever it stands and however the list is divided."""
    elements, refused = listed
    texts = [(json.dumps(each, separators=(",", ":")).encode(), True) for each in elements]
    for place, value in refused:
        texts.insert(place, (b'{"id":"bad","name":"worse","x":%b}' % value, False))
    body = b"[%b]" % b",".join(text for text, _ in texts)
    found = taken(body, part=part)
    raws = [json.loads(bytes(raw)) for batch in found for raw in batch.raws]
    assert [each["id"] != "bad" for each in raws] == [readable for _, readable in texts]
    assert [each["id"] for each in raws if each["id"] != "bad"] == [each["id"] for each in elements]
    assert all(each["name"] == "worse" and each[REFUSED] for each in raws if each["id"] == "bad")
    again = taken(body, found, part=part)
    assert [bytes(a.text) for a in again] == [bytes(b.text) for b in found]


def test_what_is_searched_for_a_refused_element_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for the end of a refused element is bounded: beyond it the whole list is refused."""
    body = encoded(row(1), row(2, x="?")).replace(b'"?"', b"nan")
    assert len(taken(body)[0].raws) == 2
    with pytest.raises(InvalidResponseError, match="unexpected body"):
        taken(b"[" + b"0," * 5000 + b"nan]")
    monkeypatch.setattr(element_scan, "SCANNED", len(body) - 1)
    with pytest.raises(InvalidResponseError, match="unexpected body"):
        taken(body)


@pytest.mark.usefixtures("small")
def test_what_comes_again_is_the_same() -> None:
    """Elements that come again are the same objects, batch by batch; what changed is new."""
    listed = [failed(n, TRACE * (300 if n % 20 == 0 else 3)) for n in range(60)]
    first = taken(encoded(*listed))
    assert len(first) > 5
    assert {batch.verbatim for batch in first} == {True, False}
    assert all(a is b for a, b in zip(taken(encoded(*listed), first), first, strict=True))
    listed[20] = failed(20, TRACE * 299 + TRACE.replace("3", "4"))
    second = taken(encoded(*listed), first)
    assert [a is b for a, b in zip(second, first, strict=True)].count(False) == 1
    assert error(rows(second)[20]).cuts != error(rows(first)[20]).cuts


def test_a_list_goes_on_behind_its_end() -> None:
    """What follows the end of a list is no element, whatever came there before."""
    body = encoded(row(1))
    with pytest.raises(InvalidResponseError, match="unexpected body"):
        taken(body + b"," + body[1:], taken(body))
    assert rows(taken(b" \n" + body + b"\n ", taken(body))) == rows(taken(body))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("end", ["", ",]", "]]", ",", "]x", ',{"id":]'])
def test_a_bad_end_is_found(end: str) -> None:
    """A wrong end of a list is found behind any number of batches."""
    body = encoded(*(row(n) for n in range(20)))
    for before in ((), taken(body)):
        with pytest.raises(InvalidResponseError, match="unexpected body"):
            taken(body[:-1] + end.encode(), before)


@pytest.mark.parametrize("size", [3, 30])
def test_an_error_of_any_length_is_read(size: int) -> None:
    """Status and code of each pipeline are read; of message and details the beginning and the length are kept."""
    message, details = TRACE * (size * MB // len(TRACE)), {"workers": [TRACE * 1000] * (size * 30)}
    listed = [row(1), failed(2, message, details, deployment_status="Stopping"), row(3)]
    first, second, third = rows(taken(encoded(*listed)))
    assert (first.deployment_error, third.deployment_error) == (None, None)
    assert (second.deployment_status, error(second).error_code) == ("Stopping", "RuntimeError.WorkerPanic")
    kept, cuts = error(second), error(second).cuts
    assert message.startswith(kept.message)
    assert AMPLE / 2 < len(kept.message) <= AMPLE
    assert cuts.message is not None
    assert cuts.message.size == len(msgspec.json.encode(message))
    assert cuts.details is not None
    whole = msgspec.json.encode(details).decode()
    assert cuts.details.size == len(whole.encode())
    beginning = msgspec.json.decode(kept.details, type=str)
    assert whole.startswith(beginning)
    assert AMPLE - 4 < len(beginning.encode()) <= AMPLE


def test_the_end_of_a_message_counts() -> None:
    """Two errors that differ only behind the part that is kept are different."""
    a, b = (rows(taken(encoded(failed(1, TRACE * 10_000 + end, "x" * MB)), limit=LIMIT))[0] for end in "ab")
    assert error(a).message == error(b).message
    assert error(a).details == error(b).details
    assert a != b


def test_what_is_not_read_may_be_any_length() -> None:
    """Fields that the exporter does not read may have any length; connector errors are read all the same."""
    long = [{"uuid": "x" * 36, "size": n} for n in range(30_000)]
    listed = row(
        1,
        description="x" * MB,
        storage_status_details={"checkpoints": long},
        deployment_runtime_status_details={"approval_diff": long, "connector_stats": {"num_errors": 5}},
        tags=["team:a"],
        new={"some": long},
    )
    listing = read(taken(encoded(listed, row(2))), Listing())
    [first, second] = listing.entries.values()
    assert (first.row.tags, first.progress.connector_errors) == (("team:a",), 5)
    assert second.row.name == "p2"
    listed["deployment_runtime_status_details"] = long
    listed["tags"] = ["x"] * 10_000
    [first] = read(taken(encoded(listed)), Listing()).entries.values()
    assert (first.row.tags, first.progress.connector_errors) == ((), None)
    listed["deployment_runtime_status_details"] = {"connector_stats": long, "approval_diff": long}
    [first] = read(taken(encoded(listed)), Listing()).entries.values()
    assert first.progress.connector_errors is None


def test_a_code_has_an_end() -> None:
    """Of a code that is too long the beginning is kept, since the presence of an error matters."""
    listed = row(1, deployment_error={"error_code": "X" * MB, "message": "m", "details": None})
    [first] = rows(taken(encoded(listed)))
    assert set(error(first).error_code) == {"X"}
    assert len(error(first).error_code) < 300
    assert error(first).message == "m"


def test_a_list_is_no_longer_for_its_errors() -> None:
    """The kept bytes of many long errors are bounded; all statuses and codes and the first texts are kept."""
    many = 800
    body = encoded(*(failed(n, TRACE * 1000, TRACE * 1000) for n in range(many)))
    assert len(body) > 60 * MB
    # A healthy list of as many pipelines has room, and not much more.
    limit = many * COUNTED
    found = taken(body, limit=limit)
    assert sum(len(batch.text) for batch in found) < list_batches.ROOM + MB + many * SHORT
    listed = rows(found)
    assert len(listed) == many
    assert {error(each).error_code for each in listed} == {"RuntimeError.WorkerPanic"}
    kept = [len(error(each).message) for each in listed]
    assert min(kept) >= SCANT / 2
    assert kept[0] > 20 * kept[-1]
    assert sorted(kept, reverse=True) == kept
    with pytest.raises(TooLargeError, match=f"longer than {limit - 1} bytes"):
        taken(body, limit=limit - 1)


def test_a_healthy_list_has_the_same_limit() -> None:
    """A pipeline without an error counts as much as one with an error, so a list has one limit in both cases."""
    for listed in ([row(n, x="x" * COUNTED) for n in range(50)], [failed(n, "x" * MB) for n in range(50)]):
        assert len(rows(taken(encoded(*listed), limit=50 * COUNTED))) == 50
        with pytest.raises(TooLargeError):
            taken(encoded(*listed), limit=50 * COUNTED - 1)
    short = encoded(row(1), row(2))
    assert len(rows(taken(short, limit=len(short)))) == 2
    with pytest.raises(TooLargeError):
        taken(short, limit=len(short) - 1)


@pytest.mark.usefixtures("small")
def test_an_element_has_an_end() -> None:
    """An element longer than any pipeline's is refused at once, and so is a list longer than any."""
    assert len(rows(taken(encoded(row(1), failed(2, "x" * 90_000), row(3))))) == 3
    with pytest.raises(TooLargeError, match="an element of the list is longer than 100000 bytes"):
        taken(encoded(row(1), failed(2, "x" * 300_000), row(3)))


def test_a_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The length of a list is bounded, however little of it is kept."""
    monkeypatch.setattr(list_batches, "LONGEST_LIST", 10 * MB)
    body = encoded(*(failed(n, "x" * MB) for n in range(9)))
    assert len(rows(taken(body))) == 9
    with pytest.raises(TooLargeError, match="the list is longer than 10485760 bytes"):
        taken(body[:-1] + b"," + body[1:])


@pytest.mark.parametrize("beginning", [b"{", b"[1,", b"x", b'["', b"[[", b"[{},"])
def test_a_long_body_that_is_no_list_is_not_waited_for(beginning: bytes) -> None:
    """A long body that is no list is refused as soon as that is clear."""
    parts = count()
    intake = Batches(LIMIT)

    def flood() -> None:
        intake.take(beginning)
        while next(parts) < 100:
            intake.take(b"1," * 50_000)

    with pytest.raises(InvalidResponseError, match="no list of pipelines"):
        flood()
    assert next(parts) < 15


def test_many_elements_behind_one_are_no_pipelines() -> None:
    """Very many tiny elements are refused however the list begins, as they would fill the memory."""
    body = b'[{"id":1},' + b"1," * 4 * MB + b"1]"
    with pytest.raises(InvalidResponseError, match=r"no pipelines|Expected `object`"):
        taken(body)
    with pytest.raises(InvalidResponseError, match="no pipelines"):
        taken(b'[{"id":1}' + b',{"id":1}' * MB + b"]")


def test_a_row_keeps_no_list_alive() -> None:
    """Details of a row are a copy: they may live longer than many lists."""
    [read_] = rows(taken(encoded(failed(1, "m", {"a": ["x" * 500]}))))
    assert bytes(error(read_).details) == b'{"a":["' + b"x" * 500 + b'"]}'
    assert error(read_).cuts == Cuts()
    with memoryview(error(read_).details) as view:
        assert isinstance(view.obj, msgspec.Raw)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(1, 200), st.booleans(), st.booleans())
def test_a_text_is_cut_between_characters(text: str, most: int, ascii_: bool, details: bool) -> None:  # noqa: FBT001
    """Whatever a text contains and wherever it is cut, what is kept is its beginning."""
    whole = text * (most // len(text) + 1)
    value = {"error_code": "X", "message": "m", "details": whole} if details else {"message": whole}
    element = json.dumps(row(1, deployment_error=value), ensure_ascii=ascii_).encode()
    kept = json.loads(shortened(msgspec.Raw(element), most))["deployment_error"]
    field = "details" if details else "message"
    assert whole.startswith(kept[field])
    if kept[field] != whole:
        assert kept["feldera_exporter_cut"][field]["size"] == len(
            json.dumps(whole, ensure_ascii=ascii_).encode()
        )
        assert most - len(json.dumps(kept[field], ensure_ascii=ascii_).encode()) < 13


@pytest.mark.parametrize("element", [b"7", b'"x"', b"[1]", b"null", b'{"id":"\xff"}'])
def test_what_is_no_element_stays_none(element: bytes) -> None:
    """What is cut from something that is no element cannot be read either."""
    listing = read(taken(b"[" + encoded(row(1))[1:-1] + b"," + element + b"]"), Listing())
    assert len(listing.entries) == len(listing.unreadable) == 1
    assert b"id" not in shortened(msgspec.Raw(element), 9) or b"\xff" in shortened(msgspec.Raw(element), 9)
