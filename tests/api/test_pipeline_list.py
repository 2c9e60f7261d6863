"""The list of pipelines, element by element."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from feldera_exporter.feldera import pipeline_list
from feldera_exporter.feldera.errors import InvalidResponseError
from feldera_exporter.feldera.pipeline_list import Entry, Listing, Unreadable
from feldera_exporter.feldera.wire import Progress
from support.exporter_driver import as_batches

NUMBERS = count(1)


def row(number: int, **changes: Any) -> dict[str, Any]:
    """Return a pipeline as Feldera lists it."""
    instant = "2026-08-21T12:00:00.123456Z"
    statuses = ("", "_desired", "_resources", "_resources_desired")
    return {
        "id": f"0199d2f0-0000-7000-8000-{number:012}",
        "name": f"p{number}",
        "created_at": instant,
        "program_status": "Success",
        "program_status_since": instant,
        "storage_status": "InUse",
        **{f"deployment{part}_status": "Stopped" for part in statuses},
        **{f"deployment{part}_status_since": instant for part in statuses},
        "refresh_version": 1,
        **changes,
    }


def encoded(*rows: Any) -> bytes:
    """Return a list as Feldera sends it."""
    return msgspec.json.encode(rows)


def read(body: bytes, previous: Listing) -> Listing:
    """Return what a list says, read after another one."""
    return pipeline_list.read(as_batches(body, previous.batches), previous)


def ids(listing: Listing) -> list[str]:
    """Return the ids of the readable elements in their order."""
    return list(listing.entries)


def test_what_did_not_change_is_the_same_object() -> None:
    """Equal bytes give the identical entries, which saves decoding and rendering them."""
    body = encoded(row(1), row(2))
    first = read(body, Listing())
    second = read(bytes(bytearray(body)), first)
    assert second is first
    assert all(a is b for a, b in zip(first.elements, second.elements, strict=True))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(',"refresh_version":9,', ',"refresh_version":10,', id="more digits"),
        pytest.param(',"refresh_version":7,', ',"refresh_version":null,', id="null"),
        pytest.param(',"refresh_version":7,"tags":[],', ',"refresh_version":8,"tags":["a"],', id="and more"),
        pytest.param(",", ',"refresh_version":1,', id="was not there"),
        pytest.param(',"refresh_version":1,', ",", id="is not there"),
    ],
)
def test_what_was_read_before_changes_nothing(before: str, after: str) -> None:
    """Reading a list with the list before gives the same as reading it alone."""
    template = encoded({key: value for key, value in row(1).items() if key != "refresh_version"}).decode()
    old, new = (template.replace(",", text, 1).encode() for text in (before, after))
    assert read(new, read(old, Listing())).elements == read(new, Listing()).elements


def test_only_what_changed_is_new() -> None:
    """A moved refresh version leaves the row as it was, a moved status leaves the progress."""
    first = read(encoded(row(1), row(2)), Listing())
    second = read(encoded(row(1, refresh_version=2), row(2, program_status="Pending")), first)
    (a, b), (c, d) = first.entries.values(), second.entries.values()
    assert (c.row is a.row, c.progress is a.progress, c.progress.refresh_version) == (True, False, 2)
    assert (d.row is b.row, d.progress is b.progress, d.row.program_status) == (False, True, "Pending")


def test_indices_shift() -> None:
    """After a deletion in front, the other pipelines are found again by their ids."""
    first = read(encoded(row(1), row(2), row(3)), Listing())
    second = read(encoded(row(2), row(3)), first)
    assert [element for element in second.elements if element not in first.elements] == []
    assert all(second.entries[key] is first.entries[key] for key in second.entries)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": 7}, "Expected `str`, got `int` - at `$.name`"),
        ({"name": "x" * 201}, "Expected `str` of length <= 200 - at `$.name`"),
        ({"created_at": "2026-08-21T12:00:00"}, "Expected `datetime` with a timezone component"),
        ({"created_at": "yesterday"}, "Invalid RFC3339 encoded datetime"),
        ({"created_at": None}, "Expected `datetime`, got `null`"),
        ({"deployment_status": None}, "Expected `str`, got `null` - at `$.deployment_status`"),
        ({"created_at": None, "tags": None}, "Expected `datetime`, got `null`"),
        ({"deployment_error": "bad"}, "Expected `object | null`, got `str`"),
        ({"name": "x" * 2**20}, "Expected `str`, got `bool` - at `$.name`"),
        ({"deployment_error": ["x" * 2**20]}, "Expected `object | null`, got `bool`"),
    ],
)
def test_a_bad_row_affects_no_other(changes: dict[str, Any], reason: str) -> None:
    """A bad row is known by its id, if that can be read; the others are read."""
    listing = read(encoded(row(1), row(2, **changes), row(3)), Listing())
    assert [entry.row.name for entry in listing.entries.values()] == ["p1", "p3"]
    [bad] = listing.unreadable
    assert reason in bad.reason
    assert (bad.id, bad.name) == (row(2)["id"], None if "name" in changes else "p2")


@pytest.mark.parametrize(
    ("field", "listed"),
    [
        ("tags", None),
        ("tags", ["a", 7]),
        ("tags", ["x" * 201]),
        ("tags", ["a"] * 201),
        ("platform_version", None),
        ("platform_version", 7),
        ("platform_version", "0" * 201),
        ("program_config", "dev"),
        ("program_config", {"profile": 7}),
    ],
)
def test_a_bad_label_affects_no_row(field: str, listed: Any) -> None:
    """A row with a field that only feeds labels and cannot be read is without labels; everything else is read."""
    error = {"deployment_error": {"message": "m", "error_code": "WorkerPanic"}}
    [plain] = read(encoded(row(1, **error)), Listing()).entries.values()
    labels = {
        "tags": ["team:a"],
        "platform_version": "0.337.0",
        "program_config": {"profile": "optimized"},
        field: listed,
    }
    listing = read(encoded(row(1, **error, **labels)), Listing())
    [entry] = listing.entries.values()
    assert listing.unreadable == ()
    without = {"tags": (), "platform_version": "", "program_config": None}
    assert asdict(entry.row) == asdict(plain.row) | without


def test_the_profile_of_a_program() -> None:
    """Only the profile is read; without one the other labels stay."""
    for config in (None, {}, {"profile": None}):
        body = encoded(row(1, program_config=config, platform_version="0.337.0"))
        [entry] = read(body, Listing()).entries.values()
        assert (entry.row.profile, entry.row.platform_version) == ("", "0.337.0")
    [entry] = read(encoded(row(1, program_config={"profile": "dev", "cache": 7})), Listing()).entries.values()
    assert entry.row.profile == "dev"


@pytest.mark.parametrize("field", ["tags", "platform_version", "program_config"])
def test_a_label_may_be_missing(field: str) -> None:
    """A field that only feeds labels may be missing, as with an older server."""
    [entry] = read(encoded(row(1)), Listing()).entries.values()
    assert getattr(entry.row, field) in {(), "", None}


@pytest.mark.parametrize(
    ("listed", "read_as"),
    [
        (-1, Progress(-1, 5)),
        (2**63 - 1, Progress(2**63 - 1, 5)),
        (None, Progress(None, 5)),
        (10**30, Progress()),
        (1.5, Progress()),
        ("7", Progress()),
    ],
)
def test_a_refresh_version_may_be_any_number(listed: Any, read_as: Progress) -> None:
    """A refresh version may be negative; with one that is no such number, the progress is unknown."""
    details = {"connector_stats": {"num_errors": 5}}
    body = encoded(row(1, refresh_version=listed, deployment_runtime_status_details=details))
    [entry] = read(body, Listing()).entries.values()
    assert entry.progress == read_as


def test_a_list_of_which_nothing_can_be_read_is_refused() -> None:
    """A list without a readable pipeline is refused; an empty list is a success."""
    with pytest.raises(
        InvalidResponseError, match="none of 2 elements can be read, the first is p1: Expected"
    ):
        read(encoded(row(1, created_at=None), row(2, name=7)), Listing())
    assert read(encoded(), Listing()).entries == {}


def test_who_cannot_be_read_is_known_from_before() -> None:
    """A missing name is the one that the id had in the list before, and the other way round."""
    first = read(encoded(row(1), row(2), row(3)), Listing())
    bad: list[Any] = [row(1), row(2, name=7), row(3, id=7), row(4, id=7), row(5, name=7), 7]
    second = read(encoded(*bad), first)
    known = [
        (row(2)["id"], "p2", False),
        (row(3)["id"], "p3", False),
        (None, "p4", False),
        (row(5)["id"], None, False),
        (None, None, False),
    ]
    assert [(each.id, each.name, each.identified) for each in second.unreadable] == known
    third = read(encoded(*(each if each == 7 else {**each, "refresh_version": 9} for each in bad)), second)
    assert [(each.id, each.name, each.identified) for each in third.unreadable] == known
    assert [each.title for each in third.unreadable] == [
        "p2",
        "p3",
        "p4",
        row(5)["id"],
        "a pipeline without a name",
    ]
    [spoilt] = read(encoded(row(1), row(2, created_at=None)), first).unreadable
    assert (spoilt.id, spoilt.name, spoilt.identified) == (row(2)["id"], "p2", True)


def test_the_list_before_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many elements lack their ids or names, the list before is gone through once for each of the two."""
    searched: list[Listing] = []
    real = pipeline_list._identities

    def counting(listing: Listing) -> Iterator[tuple[str | None, str | None]]:
        searched.append(listing)
        return real(listing)

    monkeypatch.setattr(pipeline_list, "_identities", counting)
    first = read(encoded(*map(row, range(100))), Listing())
    read(encoded(*map(row, range(99)), row(99, created_at=None)), first)
    assert searched == []
    listing = read(encoded(*(row(n, **{"id" if n % 2 else "name": 7}) for n in range(99)), row(99)), first)
    assert [(each.id, each.name) for each in listing.unreadable] == [
        (row(n)["id"], f"p{n}") for n in range(99)
    ]
    assert len(searched) == 2


def test_a_name_means_the_pipeline_that_has_it() -> None:
    """A name finds the readable pipeline of the list before, not one that cannot be read and may have another name now."""
    first = read(encoded(row(1, name="a", created_at=None), row(2, name="a"), row(4)), Listing())
    [hidden] = read(encoded(row(9, id=7, name="a"), row(4)), first).unreadable
    assert hidden.id == row(2)["id"]


@pytest.mark.parametrize("element", [None, 1, "row", [], {}, {"id": 1}, {"id": "x" * 201}])
def test_what_is_no_row_has_no_id(element: Any) -> None:
    """An element that is no pipeline is counted, without an id."""
    listing = read(encoded(element, row(1)), Listing())
    assert [bad.id for bad in listing.unreadable] == [None]
    assert list(listing.entries) == [row(1)["id"]]


def test_bad_text_affects_its_row_only() -> None:
    """Bytes that are no UTF-8 make only their own row unreadable."""
    bad = encoded(row(1)).replace(b'"p1"', b'"\xff"')[1:-1]
    listing = read(b"[" + bad + b"," + encoded(row(3))[1:-1] + b"]", Listing())
    assert (ids(listing), listing.unreadable[0].id) == ([row(3)["id"]], row(1)["id"])


REFUSED = {
    "deep": (b"[" * 1000 + b"]" * 1000, "maximum recursion depth exceeded while deserializing an object"),
    "deep object": (b'{"a":' * 1000 + b"1" + b"}" * 1000, "maximum recursion depth exceeded"),
    "second half of a surrogate pair": (rb'"\udfff"', "JSON is malformed: invalid utf-16 surrogate pair"),
    "first half of a surrogate pair": (rb'"\ud800 "', "Input data was truncated"),
    "control character": (b'"\x01"', "JSON is malformed: invalid character"),
    "unknown escape": (rb'"\q"', "JSON is malformed: invalid escaped character"),
    "no value": (b"", "JSON is malformed: invalid character"),
    "no number": (b"NaN", "JSON is malformed: invalid character"),
    "two values": (b"1 2", "JSON is malformed"),
}
"""Values that the decoder refuses, and why."""


@pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("field", ["tags", "description"])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_refused_element_affects_no_other(value: bytes, reason: str, field: str, index: int) -> None:
    """A refused element is named with its id; the others are read, as the same objects when the list comes again."""
    rows = [row(1), row(2), row(3)]
    rows[index] = {**rows[index], field: "REFUSED"}
    body = encoded(*rows).replace(b'"REFUSED"', value)
    first = read(body, Listing())
    bad = rows.pop(index)
    assert ids(first) == [each["id"] for each in rows]
    [spoilt] = first.unreadable
    assert (spoilt.id, spoilt.name, spoilt.identified) == (bad["id"], bad["name"], True)
    assert spoilt.reason.startswith(reason)
    again = read(body, first)
    assert again.elements == first.elements
    assert all(a is b for a, b in zip(again.entries.values(), first.entries.values(), strict=True))
    assert list(read(encoded(bad, *rows).replace(b'"REFUSED"', b"7"), first).entries) == [
        each["id"] for each in (bad, *rows)
    ]


def test_a_refused_name() -> None:
    """The element is known by its id, and by the name that it had."""
    surrogate = encoded(row(1), row(2)).replace(b'"p2"', rb'"\udfff"')
    [spoilt] = read(surrogate, Listing()).unreadable
    assert (spoilt.id, spoilt.name, spoilt.identified) == (row(2)["id"], None, False)
    [spoilt] = read(surrogate, read(encoded(row(1), row(2)), Listing())).unreadable
    assert (spoilt.id, spoilt.name, spoilt.identified) == (row(2)["id"], "p2", False)
    with pytest.raises(InvalidResponseError, match=r"none of 1 elements can be read, .*surrogate"):
        read(rb'[{"id":"\udfff"}]', Listing())


def test_connector_errors_are_read_where_they_are_reported() -> None:
    """Details of another form, as older servers send them, have no connector errors and change nothing else."""
    for details, expected in (
        ({"connector_stats": {"num_errors": 5}}, 5),
        ({"connector_stats": {"num_errors": -5}}, None),
        ({"connector_stats": None}, None),
        ({}, None),
        (None, None),
        ("text", None),
        ([1, {"a": 2}], None),
        (True, None),
    ):
        listing = read(encoded(row(1, deployment_runtime_status_details=details)), Listing())
        [entry] = listing.entries.values()
        assert entry.progress.connector_errors == expected, details


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b"[", b"[1,]", b'{"pipelines":[]}', b"[" * 100_000, b"\xff", b"[] []", b"<html>"],
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    """An answer that is no list is one error."""
    with pytest.raises(InvalidResponseError, match="unexpected body"):
        read(body, Listing())


@pytest.mark.parametrize("element", [b"0", b"{}", b'""', b"[]"])
def test_very_many_elements_are_no_pipelines(element: bytes) -> None:
    """A body of millions of tiny elements is refused before they fill the memory."""
    for many in (10_000, 1_000_000):
        with pytest.raises(InvalidResponseError, match=r"no (list of )?pipelines"):
            read(b"[" + b",".join([element] * many) + b"]", Listing())


def test_a_large_list_is_read() -> None:
    """A list of thousands of pipelines is read."""
    assert len(read(encoded(*map(row, range(3000))), Listing()).entries) == 3000


rows = st.builds(
    row,
    st.integers(0, 5),
    name=st.sampled_from(["a", "b", 7]),
    refresh_version=st.integers(0, 2),
    program_status=st.sampled_from(["Success", "Pending"]),
)


def _without_memory(element: Unreadable) -> Unreadable:
    """Return it without what was known from the list before: its id, if that can be read, and no more."""
    return element if element.identified else replace(element, name=None)


lists = st.lists(st.one_of(rows, st.sampled_from([None, {}, {"id": "x"}])), max_size=6)


@given(lists, lists)
def test_reading_alone_equals_reading_with_the_list_before(before: list[Any], now: list[Any]) -> None:
    """Any list reads the same whatever was read before, except what cannot be read."""
    good = row(9)
    fresh = read(encoded(*now, good), Listing())
    reused = read(encoded(*now, good), read(encoded(*before, good), Listing()))
    reused = replace(
        reused,
        elements=tuple(
            each if isinstance(each, Entry) else _without_memory(each) for each in reused.elements
        ),
        unreadable=tuple(map(_without_memory, reused.unreadable)),
    )
    assert (list(reused.raws), reused.elements) == (list(fresh.raws), fresh.elements)
    assert (reused.entries, reused.unreadable) == (fresh.entries, fresh.unreadable)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(sorted(row(1))), JSON_VALUES)
def test_any_value_in_any_field_affects_one_row_at_most(field: str, value: Any) -> None:
    """Whatever a field contains, the list is read and the other pipeline is there."""
    listing = read(encoded(row(1, **{field: value}), row(99)), Listing())
    assert row(99)["id"] in listing.entries
    assert len(listing.entries) + len(listing.unreadable) == 2


@given(st.binary(max_size=60))
def test_any_bytes_are_a_list_or_one_error(noise: bytes) -> None:
    """Any bytes give a list or one error, and nothing else is raised."""
    for body in (noise, b"[" + noise + b"]", b'[{"id":' + noise + b"}]"):
        try:
            listing = read(body, Listing())
        except InvalidResponseError:
            continue
        assert listing.entries == {}
