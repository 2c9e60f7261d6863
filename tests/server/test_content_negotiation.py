import pytest

from feldera_exporter.exposition.text import Format
from feldera_exporter.server.content_negotiation import accepts_gzip, format_for

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        ("text/plain", Format.TEXT),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ('application/openmetrics-text; version="1.0.0"', Format.OPENMETRICS),
        ("Application/OpenMetrics-Text;Version=1.0.0", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.9", Format.TEXT),
        (PROMETHEUS_2, Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        (",;,", Format.TEXT),
    ],
)
def test_the_format_follows_accept(accept: str, format_: Format) -> None:
    """A client that prefers OpenMetrics gets it; all others get text."""
    assert format_for(accept) is format_


@pytest.mark.parametrize(
    ("accept_encoding", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.001, br", True),
        ("br, gzip;q=0.0", False),
        ("gzip;q=.0", False),
        ("gzip;q=.5", True),
        ("gzip;q=0.", False),
        ("identity", False),
        ("br", False),
    ],
)
def test_gzip_follows_accept_encoding(accept_encoding: str, accepted: bool) -> None:  # noqa: FBT001
    """A quality of 0 refuses."""
    assert accepts_gzip(accept_encoding) is accepted
