"""Every alert that a page can name has its runbook, as HTML."""

import html
import re
import shlex

import httpx
import pytest

from feldera_exporter.pages import runbooks
from feldera_exporter.rules.alert_names import SECTIONS
from support.page_examples import URL, failed, page_state
from support.served_pages import FixedPageSource, get

NAMES = SECTIONS["Pipelines"]


@pytest.mark.parametrize("name", NAMES)
def test_it_exists(name: str) -> None:
    """Each alert has a runbook that begins with the alert's name."""
    assert runbooks.exists(name)
    assert f"<h1>{name}</h1>" in runbooks.runbook(name)


def test_what_all_need_is_one_too() -> None:
    """The page of the variables is at the address that the runbooks link to."""
    assert "<h1>Runbooks</h1>" in runbooks.runbook(runbooks.COMMON)
    assert '<a href="README">' in runbooks.runbook(NAMES[0])


def test_nothing_else_is_one() -> None:
    """No path leads out of the folder."""
    assert not runbooks.exists("../../README")


def asked(source: FixedPageSource, **query: str) -> httpx.Response:
    """Return the runbook of the deployment error with a query."""
    return get(source, str(httpx.URL("/runbooks/FelderaPipelineDeploymentError", params=query)))


def test_a_runbook_has_the_values_of_its_pipeline() -> None:
    """Only values that the exporter knows are filled in, quoted for a shell."""
    hostile = "x'; rm -rf /"
    source = FixedPageSource(page_state(failed("a b"), failed(hostile)))
    text = html.unescape(get(source, "/runbooks/FelderaPipelineDeploymentError?name=a+b&instance=demo").text)
    assert f"export FELDERA_HOST={URL}\nexport PIPELINE='a b'\nexport PIPELINE_ID='id-a b'" in text
    quoted = asked(source, name=hostile, instance="demo").text
    assert shlex.split(re.findall(r"export PIPELINE=(.*)", html.unescape(quoted))[0]) == [hostile]
    for query in ({"name": "$(reboot)", "instance": "demo"}, {"name": "a b", "instance": "$(reboot)"}, {}):
        assert "(reboot)" not in asked(source, **query).text


@pytest.mark.parametrize(
    ("code", "query", "rows"),
    [
        ("RunnerStopError", {}, 1),
        ("ConfigError.LayoutError", {}, 1),
        ("Unheard", {}, 30),
        ("RunnerStopError", {"codes": "all"}, 30),
    ],
)
def test_the_error_codes_are_those_of_the_pipeline(code: str, query: dict[str, str], rows: int) -> None:
    """An unknown code, or an address that asks for all, gives the whole table."""
    source = FixedPageSource(page_state(failed(code=code)))
    answer = asked(source, name="failed", instance="demo", **query)
    assert (answer.text.count("<tr>\n<td>") >= rows) if rows > 1 else answer.text.count("<tr>\n<td>") == 1
    assert ("All error codes" in answer.text) == (rows == 1)


def test_every_runbook_is_in_the_index() -> None:
    """The index has every runbook under the scope of its alert."""
    text = get(FixedPageSource(page_state()), "/runbooks").text
    assert [name for name in NAMES if f'href="/runbooks/{name}"' not in text] == []


def test_the_installation_is_chosen_once() -> None:
    """A link chooses the installation, and the browser then sends the choice until it is changed."""
    source, path = FixedPageSource(page_state()), "/runbooks/FelderaPipelineUnavailable"
    before = get(source, path)
    assert "kubectl" in before.text
    assert "docker" in before.text
    assert "?installation=docker" in before.text
    chosen = get(source, f"{path}?installation=docker", prefix="/behind")
    assert "kubectl" not in chosen.text
    cookie, *attributes = chosen.headers["set-cookie"].split("; ")
    assert {"Path=/behind/runbooks", "SameSite=Lax"} <= set(attributes)
    later = get(source, path, cookie=f"theme=dark; {cookie}")
    assert "kubectl" not in later.text
    assert "set-cookie" not in later.headers
    assert "kubectl" in get(source, f"{path}?installation=either", cookie=cookie).text
    for nonsense in ("feldera_installation=x", "feldera_installation=<b>", "="):
        assert get(source, path, cookie=nonsense).text == before.text
