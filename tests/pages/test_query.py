"""What a person asked of a page is read from its address and written back into it."""

from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.pages.query import FIELDS, Query, address, parse, paused, resumed

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(str.strip)


@given(st.builds(Query, **dict.fromkeys(FIELDS, TEXTS)))
def test_an_address_says_what_was_asked(query: Query) -> None:
    """Whatever the characters."""
    assert parse(address(query).removeprefix("?")) == query


def test_what_cannot_be_meant_is_ignored() -> None:
    """Other fields, too many fields, too long a text."""
    assert parse("other=1&name=a") == Query(name="a")
    assert parse("&".join(f"a{n}=1" for n in range(99))) == Query()
    assert parse("name=" + "x" * 999) == Query(name="x" * 200)


def test_pausing_keeps_the_filter() -> None:
    """And so does going on."""
    query = Query(name="a", team="b")
    halted = parse(paused(query).removeprefix("?"))
    assert halted.paused
    assert halted.filters
    assert parse(resumed(halted).removeprefix("?")) == query
    assert not Query(refresh="off").filters
