"""The exposition: from values to the bytes that a scraper reads."""
