"""The query of a page is read from its address and written back into it."""

from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.pages.page_query import FIELDS, VALUES, PageQuery, address, parse

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200).map(str.strip)
QUERIES = st.builds(
    PageQuery, **{name: st.sampled_from(["", *VALUES[name]]) if name in VALUES else TEXTS for name in FIELDS}
)


@given(QUERIES)
def test_an_address_says_what_was_asked(query: PageQuery) -> None:
    """Any characters in a query are read back from the address."""
    assert parse(address(query).removeprefix("?")) == query


def test_what_cannot_be_meant_is_ignored() -> None:
    """Unknown fields, unknown words and texts that are too long are ignored."""
    assert parse("other=1&name=a") == PageQuery(name="a")
    assert parse("name=" + "x" * 999) == PageQuery(name="x" * 200)
    assert parse("need=critical&span=2h&refresh=no&filter=1") == PageQuery()
    assert parse("level=action&span=6h") == PageQuery(level="action", span="6h")


def test_a_page_is_paused_by_a_person_or_while_a_filter_is_edited() -> None:
    """Pausing and editing are no parts of the filter."""
    query = PageQuery(name="a", team="b")
    for change in ({"refresh": "off"}, {"filter": "open"}):
        changed = parse(address(query, **change).removeprefix("?"))
        assert (changed.paused, changed.opened) == (True, "filter" in change)
        assert changed.chosen == query.chosen == {"name": "a", "team": "b"}
    assert not query.paused
