"""Only changed items are rendered again; unchanged blocks stay the same objects."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.exposition.family import Family, Sample, extra
from feldera_exporter.exposition.segment import Column
from feldera_exporter.exposition.table import SEGMENT_ITEMS, Table, render


@dataclass(frozen=True, eq=False)
class Item:
    """A subject with two attributes that families read, and a name."""

    name: str
    left: tuple[int, ...]
    right: str


def _numbers(left: tuple[int, ...]) -> Iterator[Sample]:
    for index, value in enumerate(left):
        yield Sample(str(value), extra(("index", str(index))))


_FIXED = {text: [Sample("1", extra(("said", text)))] for text in "abc"}

COLUMNS = (
    Column(Family("numbers", "counter", "", ("index",), _numbers), "left"),
    Column(Family("said", "gauge", "", ("said",), lambda right: _FIXED[right[0]]), "right"),
    Column(
        Family("length", "histogram", "", (), lambda right: [Sample(str(len(right)), suffix="_count")]),
        "right",
    ),
)


def shared(key: str, item: Item) -> str:
    """Return the labels of an item."""
    return f'key="{key}",name="{item.name}"'


def text(table: Table[Item], columns: tuple[Column, ...] = COLUMNS) -> bytes:
    """Return the whole table as its columns' lines."""
    return b"".join(block.text for column in range(len(columns)) for block in table.blocks(column))


def samples(table: Table[Item]) -> int:
    """Return the number of samples in a table."""
    return sum(block.samples for segment in table.segments for block in segment.blocks)


def items(count: int) -> dict[str, Item]:
    """Return so many items."""
    return {f"key-{number}": Item("n", (number,), "abc"[number % 3]) for number in range(count)}


def test_lines() -> None:
    """Each item has its lines in each column, in the order of the items."""
    table = render(COLUMNS, {"x": Item("n", (1, 2), "ab"), "y": Item("m", (), "c")}, shared, Table())
    assert text(table).decode().splitlines() == [
        'numbers_total{key="x",name="n",index="0"} 1',
        'numbers_total{key="x",name="n",index="1"} 2',
        'said{key="x",name="n",said="a"} 1',
        'said{key="y",name="m",said="c"} 1',
        'length_count{key="x",name="n"} 2',
        'length_count{key="y",name="m"} 1',
    ]
    assert samples(table) == 6


def test_a_segment_begins_by_its_key_alone() -> None:
    """The average number of items in a segment is about `SEGMENT_ITEMS`."""
    table = render(COLUMNS, items(3200), shared, Table())
    assert 3200 / SEGMENT_ITEMS / 1.5 < len(table.segments) < 3200 / SEGMENT_ITEMS * 1.5
    assert samples(table) == 3 * 3200


def test_unchanged_items_keep_their_blocks() -> None:
    """The same items give the same segments; one that changed in one attribute gives new blocks in its columns."""
    before = items(200)
    table = render(COLUMNS, before, shared, Table())
    same = render(COLUMNS, dict(before), shared, table)
    assert all(map(_is, same.segments, table.segments))
    old = before["key-70"]
    after = {**before, "key-70": Item(old.name, (5,), old.right)}
    changed = render(COLUMNS, after, shared, table)
    touched = [number for number, segment in enumerate(table.segments) if "key-70" in segment.keys]
    assert len(touched) == 1
    for number, (was, now) in enumerate(zip(table.segments, changed.segments, strict=True)):
        kept = [a is b for a, b in zip(was.blocks, now.blocks, strict=True)]
        assert kept == ([False, True, True] if number in touched else [True, True, True])
    assert text(changed) == text(render(COLUMNS, after, shared, Table()))


def _is(first: object, second: object) -> bool:
    return first is second


def test_another_object_that_says_the_same_keeps_the_blocks() -> None:
    """An equal attribute that is another object is compared, and nothing is compressed again."""
    before = items(50)
    table = render(COLUMNS, before, shared, Table())
    after = {key: Item(item.name, (*item.left,), item.right) for key, item in before.items()}
    again = render(COLUMNS, after, shared, table)
    for was, now in zip(table.segments, again.segments, strict=True):
        assert all(map(_is, was.blocks, now.blocks))


@pytest.mark.parametrize("number", [0, 100, 199])
def test_one_subject_less_changes_at_most_two_segments(number: int) -> None:
    """A subject that leaves or comes back changes at most two segments."""
    before = items(200)
    table = render(COLUMNS, before, shared, Table())
    fewer = {key: item for key, item in before.items() if key != f"key-{number}"}
    less = render(COLUMNS, fewer, shared, table)
    assert text(less) == text(render(COLUMNS, fewer, shared, Table()))
    assert _new_blocks(table, less) <= 2 * len(COLUMNS)
    more = render(COLUMNS, before, shared, less)
    assert text(more) == text(table)
    assert _new_blocks(less, more) <= 2 * len(COLUMNS)


def _new_blocks(before: Table[Item], after: Table[Item]) -> int:
    known = {id(block) for segment in before.segments for block in segment.blocks}
    return sum(id(block) not in known for segment in after.segments for block in segment.blocks)


def test_a_renamed_subject_has_all_its_lines_rendered_again() -> None:
    """The shared labels are in the lines of every column."""
    before = items(3)
    table = render(COLUMNS, before, shared, Table())
    old = before["key-1"]
    after = {**before, "key-1": Item("new", old.left, old.right)}
    assert text(render(COLUMNS, after, shared, table)) == text(render(COLUMNS, after, shared, Table()))


def test_no_columns() -> None:
    """Without columns, subjects come and go without a line."""
    table = render((), items(40), shared, Table())
    fewer = render((), items(30), shared, table)
    assert (samples(table), samples(fewer), len(fewer.keys)) == (0, 0, 30)


_KEYS = st.integers(0, 60).map(lambda number: f"key-{number}")
_ITEMS = st.builds(
    Item,
    st.sampled_from("nm"),
    st.lists(st.integers(0, 9), max_size=2).map(tuple),
    st.text("abc", min_size=1, max_size=3),
)


@given(st.lists(st.dictionaries(_KEYS, st.one_of(_ITEMS, st.none())), max_size=6))
def test_any_changes(changes: list[dict[str, Item | None]]) -> None:
    """A table made from the one before equals the table made from nothing, whatever changed."""
    table: Table[Item] = Table()
    now: Mapping[str, Item] = {}
    for change in changes:
        merged = {**now, **change}
        now = {key: item for key, item in merged.items() if item is not None}
        table = render(COLUMNS, now, shared, table)
        fresh = render(COLUMNS, now, shared, Table())
        assert [segment.keys for segment in table.segments] == [segment.keys for segment in fresh.segments]
        assert text(table) == text(fresh)
        assert samples(table) == samples(fresh)
