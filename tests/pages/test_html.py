"""The pages as they are answered: HTML that lets nothing foreign in, whatever Feldera says."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from feldera_exporter.feldera.platform import Platform
from feldera_exporter.pages.formatting import visible
from feldera_exporter.pages.html_rendering import ASSETS
from feldera_exporter.pages.latest_events import LatestEvents
from pages.test_timeline import START
from support.page_examples import HOSTILE, NOW, failed, hostile, page_state, pipeline, stuck
from support.served_pages import Shown, get

TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "body",
        "svg",
        "symbol",
        "pattern",
        "circle",
        "path",
        "use",
        "a",
        "header",
        "img",
        "nav",
        "main",
        "div",
        "h1",
        "p",
        "time",
        "ul",
        "li",
        "b",
        "form",
        "label",
        "input",
        "select",
        "option",
        "button",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "span",
        "bdi",
        "footer",
        "rect",
        "section",
        "h2",
        "h3",
        "pre",
        "br",
        "dl",
        "dt",
        "dd",
        "line",
        "text",
    ]
)
"""Every element that the templates of the fleet's and a pipeline's page have: none that runs or loads anything else."""


class Reader(HTMLParser):
    """Reads a page as a browser does: what is markup in it, and what is text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data

    def links(self) -> list[str]:
        """Return where the page leads."""
        return [
            value for _, each in self.tags for key in ("href", "src", "action") if (value := each.get(key))
        ]


def page(answer: httpx.Response) -> Reader:
    """Return a page that was answered, after checks that hold for every one."""
    reader = Reader(answer.text)
    assert {tag for tag, _ in reader.tags} <= TAGS
    for _, attributes in reader.tags:
        assert not [key for key in attributes if key.startswith("on") or key == "style"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    return reader


def test_the_fleet() -> None:
    """The worst first, with links that exist to everywhere one wants to go next."""
    answer = get(Shown(page_state(pipeline("a"), stuck())), "/")
    reader = page(answer)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "1 pipeline needs action" in reader.text
    links = reader.links()
    assert links.index("/pipelines/demo/stuck") < links.index("/pipelines/demo/a")
    assert {"/metrics", "/-/ready", "http://feldera.example:8080/"} <= set(links)
    assert "/runbooks/FelderaPipelineStuckProvisioning?name=stuck&instance=demo" in links


def test_a_pipeline() -> None:
    """Its timeline, its transitions and its alert."""
    shown = Shown(page_state(stuck()), {"id-stuck": LatestEvents(START[::-1])})
    reader = page(get(shown, "/pipelines/demo/stuck"))
    for text in (
        "Provisioning",
        "12m",
        "of 10m",
        "over by 2m",
        "A pipeline does not get its resources.",
        "The last transitions",
    ):
        assert text in reader.text
    assert shown.asked == ["id-stuck"]
    assert "http://feldera.example:8080/pipelines/stuck/" in reader.links()
    assert [each for tag, each in reader.tags if tag == "rect" and each.get("class") == "good"]


@pytest.mark.parametrize(
    ("recent", "text"),
    [
        (
            LatestEvents(problem="Feldera did not answer in time"),
            "could not be read: Feldera did not answer in time",
        ),
        (LatestEvents(()), "The event log is empty."),
        (LatestEvents(START[-1:]), "No transition in the 2m that the log goes back."),
    ],
)
def test_a_pipeline_without_a_timeline(recent: LatestEvents, text: str) -> None:
    """The page says why, and has all the rest."""
    reader = page(get(Shown(page_state(failed()), {"id-failed": recent}), "/pipelines/demo/failed"))
    assert text in re.sub(r"\s+", " ", reader.text)
    assert "It broke." in reader.text


@pytest.mark.parametrize(
    "path", ["/pipelines/demo/none", "/pipelines/none/a", "/runbooks/Nothing", "/runbooks/..%2f..%2fREADME"]
)
def test_what_does_not_exist(path: str) -> None:
    """404 as a page that leads back, and Feldera is not asked."""
    shown = Shown(page_state(pipeline("a")))
    answer = get(shown, path)
    assert answer.status_code == 404
    assert "/" in page(answer).links()
    assert shown.asked == []


@pytest.mark.parametrize("path", ["/nothing", "/pipelines", "/pipelines/a/b/c", "/static/style.css", "//"])
def test_other_paths_are_no_pages(path: str) -> None:
    """They are answered in one plain line."""
    answer = get(Shown(page_state()), f"http://exporter{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")


@pytest.mark.parametrize("path", ["/", *(f"/pipelines/demo/id-{n}" for n in range(len(HOSTILE)))])
def test_hostile_texts_are_only_texts(path: str) -> None:
    """No name, tag, status, code or message becomes markup, and none is lost."""
    known = hostile()
    answer = get(Shown(known), path)
    reader = page(answer)
    assert answer.status_code == 200
    for link in reader.links():
        assert re.match(r"(/|\?|#|http://feldera\.example:8080/)", link), link
    texts = HOSTILE if path == "/" else HOSTILE[int(path[-1]) : int(path[-1]) + 1]
    for text in texts:
        assert visible(text) in reader.text


def test_hostile_questions_are_only_texts() -> None:
    """A text in the address is shown in the form, as a value."""
    for text in HOSTILE:
        answer = get(
            Shown(page_state(pipeline("a"))),
            str(httpx.URL("/", params={"name": text, "status": text, "span": text, "filter": "open"})),
        )
        fields = [each for tag, each in page(answer).tags if tag == "input" and each.get("name") == "name"]
        assert fields[0]["value"] == visible(text)
        chosen = get(
            Shown(page_state(pipeline("a"))), str(httpx.URL("/", params={"name": text, "team": text}))
        )
        assert page(chosen).text.count(visible(text)) == 2


def test_a_megabyte_of_error_is_cut() -> None:
    """With a note of how long it is."""
    answer = get(Shown(page_state(failed(message="<b>" * 350_000))), "/pipelines/demo/failed")
    assert len(answer.content) < 400_000
    assert "Cut: the whole has 1,050,000 characters. Feldera has all of it." in page(answer).text


def test_who_cannot_be_read_is_named() -> None:
    """A few of very many; and a monitor of Feldera's that no longer looks is loud as well."""
    one = page(get(Shown(page_state(pipeline("a"), unreadable=("b",))), "/")).text
    assert "Cannot be read: b. What is shown of it is old." in one
    names = tuple(f"p{number}" for number in range(1000))
    many = page(
        get(Shown(page_state(pipeline("a"), unreadable=names, platform=Platform(stale=True))), "/")
    ).text
    assert "p8, p9 and 990 more. What is shown of them is old." in many
    assert "p10" not in many
    assert "Feldera's own monitor is stale" in many


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"up": None, "size": None, "read_at": 0}, "The first list of pipelines has not been read yet."),
        ({"up": False, "size": None, "read_at": 0}, "No data. Feldera has not answered since"),
        ({"up": True, "size": 0}, "Feldera has no pipelines"),
        ({"up": None, "size": None, "read_at": 0}, "No list of pipelines has been read yet."),
    ],
)
def test_a_fleet_without_pipelines(fields: dict[str, Any], text: str) -> None:
    """Before the first answer, without any, and with an empty one."""
    assert text in page(get(Shown(page_state(**fields)), "/")).text


def test_old_data_is_said_aloud() -> None:
    """On both pages, before the statuses."""
    known = page_state(stuck(), up=False, now=NOW + 120_000_000)
    for path in ("/", "/pipelines/demo/stuck"):
        _, _, text = page(get(Shown(known), path)).text.partition("Skip to the content")
        assert text.index("No current data. Last answer 2m ago.") < text.index("Provisioning")


def test_a_filter_without_a_match() -> None:
    """The page leads back to all."""
    reader = page(get(Shown(page_state(pipeline("a"))), "/?name=zzz&refresh=off"))
    assert "No pipeline matches." in reader.text
    assert "?refresh=off" in reader.links()


@pytest.mark.parametrize(("path", "seconds"), [("/", "30"), ("/pipelines/demo/a", "60")])
def test_a_page_refreshes_itself_unless_paused(path: str, seconds: str) -> None:
    """The address stays, and so does the filter; what is read, later than what is glanced at."""
    shown = Shown(page_state(pipeline("a")))
    going, halted = get(shown, f"{path}?name=a"), get(shown, f"{path}?name=a&refresh=off")
    assert going.headers["refresh"] == seconds
    assert "?name=a&refresh=off" in page(going).links()
    assert "refresh" not in halted.headers
    assert "?name=a" in page(halted).links()


def test_a_page_waits_while_a_filter_is_written() -> None:
    """A new one would lose what was typed; what was asked before is in the fields, and the page was not paused for it."""
    shown = Shown(page_state(pipeline("a", tags=["team:x"]), stuck()))
    plain = page(get(shown, "/?name=a&team=x&level=healthy"))
    assert "form" not in {tag for tag, _ in plain.tags}
    assert "?name=a&team=x&level=healthy&filter=open" in plain.links()
    assert {"?team=x&level=healthy", "?name=a&level=healthy", "?name=a&team=x"} <= set(plain.links())
    writing = get(shown, "/?name=a&team=x&level=healthy&filter=open")
    assert "refresh" not in writing.headers
    tags = page(writing).tags
    values = [each["value"] for tag, each in tags if tag == "input"]
    chosen = [each.get("value") for tag, each in tags if tag == "option" and "selected" in each]
    assert (values, chosen) == (["a"], [None, "healthy"])
    assert "?name=a&team=x&level=healthy" in page(writing).links()


def test_a_level_that_is_none_asks_for_nothing() -> None:
    """What is shown is what the form says: any."""
    reader = page(get(Shown(page_state(pipeline("a"))), "/?level=critical&filter=open"))
    assert "/pipelines/demo/a" in reader.links()
    assert not [each for tag, each in reader.tags if tag == "option" and "selected" in each]


def test_an_instance_that_is_gone_can_still_be_chosen() -> None:
    """So that the form says why nothing is shown."""
    reader = page(get(Shown(page_state(pipeline("a"))), "/?instance=gone&filter=open"))
    assert "No pipeline matches." in reader.text
    assert "demo" in reader.text
    assert [each for tag, each in reader.tags if tag == "option" and "selected" in each]


def test_a_head_has_no_body() -> None:
    """And the headers of the page."""
    answer = get(Shown(page_state()), "/", method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000
    assert get(Shown(page_state()), "/", method="POST").status_code == 405


def test_a_page_is_plain_for_who_cannot_unpack() -> None:
    """And else compressed."""
    shown = Shown(page_state(stuck()))
    plain = get(shown, "/", **{"accept-encoding": "identity"})
    packed = get(shown, "/", **{"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.text == packed.text


def test_assets_are_kept_for_ever() -> None:
    """Their content is in their names."""
    for path, (media_type, content) in ASSETS.items():
        answer = get(Shown(page_state()), path)
        assert (answer.headers["content-type"], answer.content) == (media_type, content)
        assert "immutable" in answer.headers["cache-control"]


def test_pages_lie_behind_a_proxy() -> None:
    """Every link has the prefix, and a path is answered with and without it."""
    shown = Shown(page_state(stuck()))
    for path in ("/behind/", "/behind", "/", "/behind/pipelines/demo/stuck", "/pipelines/demo/stuck"):
        answer = get(shown, path, prefix="/behind")
        assert answer.status_code == 200
        own = [link for link in page(answer).links() if link.startswith("/")]
        assert own
        assert all(link.startswith("/behind/") for link in own)
    assert get(shown, "/behind/-/healthy", prefix="/behind").text == "Healthy.\n"
    assert get(shown, "/behindhand", prefix="/behind").status_code == 404


def test_a_runbook_is_readable() -> None:
    """As HTML, at the address that the alert links to."""
    answer = get(Shown(page_state()), "/runbooks/FelderaPipelineStuckProvisioning")
    assert "<h2>Check</h2>" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "refresh" not in answer.headers
    assert 'href="README"' in answer.text
    assert "FELDERA_HOST=" in get(Shown(page_state()), "/runbooks/README").text


def test_a_thousand_pipelines() -> None:
    """At most 100 KiB compressed."""
    known = page_state(
        *(
            pipeline(f"team-{n % 17}-pipeline-{n:04}", n / 7, tags=[f"team:team-{n % 17}"])
            for n in range(700)
        ),
        *(stuck(f"stuck-{n}", 11 + n / 9, tags=["team:x", "tier:1"]) for n in range(200)),
        *(failed(f"failed-{n}", code=f"Error{n}") for n in range(100)),
    )
    shown = Shown(known)
    get(shown, "/")
    answer = get(shown, "/", **{"accept-encoding": "gzip"})
    assert "1,000 pipelines" in answer.text
    assert int(answer.headers["content-length"]) <= 100 * 1024
    print(f"{len(answer.content)} bytes, {answer.headers['content-length']} compressed")
