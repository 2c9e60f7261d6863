"""What a person asked of a page is read from its address and written back into it."""

from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.pages.page_query import (
    FIELDS,
    VALUES,
    PageQuery,
    address,
    closed,
    everything,
    opened,
    parse,
    paused,
    resumed,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(str.strip)
QUERIES = st.builds(
    PageQuery, **{name: st.sampled_from(["", *VALUES[name]]) if name in VALUES else TEXTS for name in FIELDS}
)


@given(QUERIES)
def test_an_address_says_what_was_asked(query: PageQuery) -> None:
    """Whatever the characters."""
    assert parse(address(query).removeprefix("?")) == query


def test_what_cannot_be_meant_is_ignored() -> None:
    """Other fields, too many fields, too long a text, a word that means nothing."""
    assert parse("other=1&name=a") == PageQuery(name="a")
    assert parse("&".join(f"a{n}=1" for n in range(99))) == PageQuery()
    assert parse("name=" + "x" * 999) == PageQuery(name="x" * 200)
    assert parse("need=critical&span=2h&refresh=no&filter=1") == PageQuery()
    assert parse("level=action&span=6h") == PageQuery(level="action", span="6h")


def test_pausing_keeps_the_filter() -> None:
    """And so does going on."""
    query = PageQuery(name="a", team="b")
    halted = parse(paused(query).removeprefix("?"))
    assert halted.paused
    assert halted.chosen == {"name": "a", "team": "b"}
    assert parse(resumed(halted).removeprefix("?")) == query
    assert not PageQuery(refresh="off").chosen


def test_a_page_is_paused_while_a_filter_is_written() -> None:
    """And goes on as before with what was written, or without it."""
    query = PageQuery(name="a", instance="b")
    writing = parse(opened(query).removeprefix("?"))
    assert (writing.opened, writing.paused, writing.name) == (True, True, "a")
    assert parse(closed(writing).removeprefix("?")) == query
    assert parse(everything(writing).removeprefix("?")) == PageQuery()
    assert parse(closed(PageQuery(refresh="off", filter="open")).removeprefix("?")).paused
