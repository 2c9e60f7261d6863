"""Addresses of links, whatever texts they contain."""

import pytest

from feldera_exporter.pages.links import Links, console


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "/pipelines/one/a"),
        ("a/b?c#d", "/pipelines/one/a%2Fb%3Fc%23d"),
        ("javascript:x", "/pipelines/one/javascript%3Ax"),
    ],
)
def test_a_pipeline_has_an_address(name: str, path: str) -> None:
    """The address of a pipeline has its name."""
    assert Links().pipeline("one", name) == path
    assert Links("/behind").pipeline("one", name) == f"/behind{path}"


def test_a_runbook_has_an_address_if_it_exists() -> None:
    """There is no link to a runbook that does not exist."""
    assert Links(runbook=lambda _: True).runbook_of("A") == "/runbooks/A"
    assert Links().runbook_of("A") == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://f:8080", "http://f:8080/pipelines/a%22/"),
        ("https://f/base/", "https://f/base/pipelines/a%22/"),
        ("javascript:alert(1)//f", ""),
        ("http://user:secret@f", ""),
        ("f:8080", ""),
    ],
)
def test_the_console_is_linked_where_that_is_safe(url: str, expected: str) -> None:
    """The console is linked over http and https only, never with a password."""
    assert console(url, 'a"') == expected
    assert bool(console(url)) == bool(expected)
