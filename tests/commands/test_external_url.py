"""The flag that says where browsers find the pages."""

import pytest

from feldera_exporter import cli
from feldera_exporter.commands.flags import external_url
from feldera_exporter.errors import ConfigError


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "http://example.com:8080/feldera",
        "https://[::1]/a/b/",
    ],
)
def test_an_address_with_a_path(url: str) -> None:
    """The address may have a path."""
    assert external_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/feldera",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://example.com:99999",
        "https://[::1",
        "https://example.com/?a",
        "https://example.com/#a",
        "https://user:secret@example.com",
        'https://example.com/"onload=',
        "https://example.com/%2e",
        "javascript:alert(1)",
    ],
)
def test_anything_else_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Another value is refused in one line that names the flag and repeats no password."""
    with pytest.raises(ConfigError, match=r"--web\.external-url"):
        external_url(url)
    assert cli.main([f"--web.external-url={url}"]) == cli.BAD_USAGE
    message = capsys.readouterr().err
    assert message.startswith("error: --web.external-url: found ")
    assert "secret" not in message


@pytest.mark.parametrize(
    ("url", "metrics"),
    [
        ("https://example.com/pipelines", "/metrics"),
        ("https://example.com/runbooks/feldera", "/metrics"),
        ("https://example.com/static/", "/metrics"),
        ("https://example.com/-", "/metrics"),
        ("https://example.com//feldera", "/metrics"),
        ("https://example.com/metrics", "/metrics"),
        ("https://example.com/feldera", "/feldera/metrics"),
    ],
)
def test_a_path_that_would_be_taken_off_twice(url: str, metrics: str) -> None:
    """A prefix that the exporter's own paths begin with is refused; one that only looks similar is accepted."""
    with pytest.raises(
        ConfigError, match=r"--web\.external-url: found the path '/.*', expected one that begins"
    ):
        external_url(url, metrics)
    assert external_url(url.replace("com/", "com/x"), metrics)
