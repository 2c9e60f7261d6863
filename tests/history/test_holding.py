"""When a counter may first move."""

from feldera_exporter.history.holding import EMPTY, publish, read, release


def test_it_waits_for_every_scraper() -> None:
    """A thing moves once each has read the whole of a snapshot that held its first value."""
    holding = read(read(EMPTY, "a", 1, 0.0), "b", 1, 0.0)
    holding = publish(holding, ["x"], 2, 1.0)
    holding = read(holding, "a", 2, 5.0)
    assert release(holding, 5.0) == (holding, frozenset())
    assert holding.holds() == {"x"}
    holding, freed = release(read(holding, "b", 3, 6.0), 6.0)
    assert freed == {"x"}
    assert holding.holds() == frozenset()


def test_it_waits_for_the_first_scraper() -> None:
    """Nobody has scraped yet: the first who does counts."""
    holding = publish(EMPTY, ["x"], 1, 0.0)
    assert release(holding, 119.0)[1] == frozenset()
    assert release(read(holding, "a", 1, 30.0), 30.0)[1] == {"x"}


def test_it_waits_two_minutes_at_most() -> None:
    """A scraper that went away holds nothing up for long."""
    holding = publish(read(EMPTY, "a", 1, 0.0), ["x"], 2, 10.0)
    assert release(holding, 129.9)[1] == frozenset()
    assert release(holding, 130.0)[1] == {"x"}


def test_a_scraper_not_seen_for_five_minutes_does_not_count() -> None:
    """It is forgotten, and what others have read moves."""
    holding = read(EMPTY, "a", 1, 0.0)
    holding = publish(holding, ["x"], 9, 299.0)
    holding = read(holding, "b", 9, 301.0)
    assert release(holding, 301.0)[1] == {"x"}
    assert set(holding.readers) == {"b"}


def test_an_older_snapshot_read_late_takes_nothing_back() -> None:
    """Two scrapes of one scraper may end in any order."""
    holding = read(read(publish(EMPTY, ["x"], 5, 0.0), "a", 5, 1.0), "a", 4, 2.0)
    assert release(holding, 2.0)[1] == {"x"}


def test_later_things_wait_by_themselves() -> None:
    """What a scraper has read moves; what came after waits for its next scrape."""
    holding = publish(publish(publish(EMPTY, ["x"], 1, 0.0), ["y"], 2, 5.0), [], 3, 6.0)
    holding, freed = release(read(holding, "a", 1, 7.0), 7.0)
    assert freed == {"x"}
    assert holding.holds() == {"y"}
