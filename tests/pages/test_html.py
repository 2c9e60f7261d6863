"""The HTML of the pages, in which no text of Feldera becomes markup."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from feldera_exporter.feldera.platform import Platform
from feldera_exporter.pages.formatting import visible
from feldera_exporter.pages.html_rendering import ASSETS
from feldera_exporter.pages.instance_view import PageState
from feldera_exporter.pages.latest_events import LatestEvents
from pages.test_timeline import START
from support.page_examples import HOSTILE, NOW, failed, hostile, page_state, pipeline, stuck
from support.served_pages import FixedPageSource, get

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
    """The worst pipeline comes first, and all links lead somewhere."""
    answer = get(FixedPageSource(page_state(pipeline("a"), stuck())), "/")
    reader = page(answer)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "1 pipeline needs action" in reader.text
    links = reader.links()
    assert links.index("/pipelines/demo/stuck") < links.index("/pipelines/demo/a")
    assert {"/metrics", "/-/ready", "http://feldera.example:8080/"} <= set(links)
    assert "/runbooks/FelderaPipelineStuckProvisioning?name=stuck&instance=demo" in links


def test_a_pipeline() -> None:
    """The page of a pipeline has its timeline, its transitions and its alert."""
    source = FixedPageSource(page_state(stuck()), {"id-stuck": LatestEvents(START[::-1])})
    reader = page(get(source, "/pipelines/demo/stuck"))
    for text in (
        "Provisioning",
        "12m",
        "of 10m",
        "over by 2m",
        "A pipeline does not get its resources.",
        "The last transitions",
    ):
        assert text in reader.text
    assert source.asked == ["id-stuck"]
    assert "http://feldera.example:8080/pipelines/stuck/" in reader.links()
    assert [each for tag, each in reader.tags if tag == "rect" and each.get("class") == "good"]


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (page_state(failed("b", id="id-a")), "It broke."),
        (page_state(), "a: Running"),
    ],
    ids=["failed and renamed", "deleted"],
)
def test_a_pipeline_that_changes_while_feldera_is_asked(after: PageState, text: str) -> None:
    """The page shows the newest state that is known, of a deleted pipeline the last one."""

    class ChangingSource(FixedPageSource):
        async def recent(self, instance: str, id_: str, name: str) -> LatestEvents:
            self.known = after
            return await super().recent(instance, id_, name)

    answer = get(ChangingSource(page_state(pipeline("a"))), "/pipelines/demo/a")
    assert answer.status_code == 200
    assert text in page(answer).text


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
    """The page says why there is no timeline, and has all the rest."""
    reader = page(get(FixedPageSource(page_state(failed()), {"id-failed": recent}), "/pipelines/demo/failed"))
    assert text in re.sub(r"\s+", " ", reader.text)
    assert "It broke." in reader.text


@pytest.mark.parametrize("path", ["/pipelines/demo/none", "/pipelines/none/a"])
def test_what_does_not_exist(path: str) -> None:
    """The page is a 404 with a link back, and Feldera is not asked."""
    source = FixedPageSource(page_state(pipeline("a")))
    answer = get(source, path)
    assert answer.status_code == 404
    assert "/" in page(answer).links()
    assert source.asked == []


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/pipelines", "/pipelines/a/b/c", "/static/style.css", "//"),
        *("/runbooks/Nothing", "/runbooks/..%2f..%2fREADME"),
    ],
)
def test_other_paths_are_no_pages(path: str) -> None:
    """Other paths are answered by one plain line."""
    answer = get(FixedPageSource(page_state()), f"http://exporter{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")


@pytest.mark.parametrize("path", ["/", *(f"/pipelines/demo/id-{n}" for n in range(len(HOSTILE)))])
def test_hostile_texts_are_only_texts(path: str) -> None:
    """No name, tag, status, code or message becomes markup, and none is lost."""
    known = hostile()
    answer = get(FixedPageSource(known), path)
    reader = page(answer)
    assert answer.status_code == 200
    for link in reader.links():
        assert re.match(r"(/|\?|#|http://feldera\.example:8080/)", link), link
    texts = HOSTILE if path == "/" else HOSTILE[int(path[-1]) : int(path[-1]) + 1]
    for text in texts:
        assert visible(text) in reader.text


def test_hostile_questions_are_only_texts() -> None:
    """A hostile text in the address is shown in the form, as a value."""
    for text in HOSTILE:
        answer = get(
            FixedPageSource(page_state(pipeline("a"))),
            str(httpx.URL("/", params={"name": text, "status": text, "span": text, "filter": "open"})),
        )
        fields = [each for tag, each in page(answer).tags if tag == "input" and each.get("name") == "name"]
        assert fields[0]["value"] == visible(text)
        chosen = get(
            FixedPageSource(page_state(pipeline("a"))),
            str(httpx.URL("/", params={"name": text, "team": text})),
        )
        assert page(chosen).text.count(visible(text)) == 2


def test_a_megabyte_of_error_is_cut() -> None:
    """A long error is cut, with a note of its length."""
    answer = get(FixedPageSource(page_state(failed(message="<b>" * 350_000))), "/pipelines/demo/failed")
    assert len(answer.content) < 400_000
    assert "Cut: the whole has 1,050,000 characters. Feldera has all of it." in page(answer).text


def test_who_cannot_be_read_is_named() -> None:
    """Some of many unreadable pipelines are named, and a stale monitor of Feldera is marked."""
    single = page(get(FixedPageSource(page_state(pipeline("a"), unreadable=("b",))), "/")).text
    assert "Cannot be read: b. What is shown of it is old." in single
    names = tuple(f"p{number}" for number in range(1000))
    many = page(
        get(FixedPageSource(page_state(pipeline("a"), unreadable=names, platform=Platform(stale=True))), "/")
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
    """The page says why there are no pipelines: no answer yet, none at all, or an empty filter."""
    assert text in page(get(FixedPageSource(page_state(**fields)), "/")).text


def test_old_data_is_marked() -> None:
    """On both pages, a note about old data comes before the statuses."""
    known = page_state(stuck(), up=False, now=NOW + 120_000_000)
    for path in ("/", "/pipelines/demo/stuck"):
        _, _, text = page(get(FixedPageSource(known), path)).text.partition("Skip to the content")
        assert text.index("No current data. Last answer 2m ago.") < text.index("Provisioning")


def test_a_filter_without_a_match() -> None:
    """A page without a match has a link to all pipelines."""
    reader = page(get(FixedPageSource(page_state(pipeline("a"))), "/?name=zzz&refresh=off"))
    assert "No pipeline matches." in reader.text
    assert "?refresh=off" in reader.links()


@pytest.mark.parametrize(("path", "seconds"), [("/", "30"), ("/pipelines/demo/a", "60")])
def test_a_page_refreshes_itself_unless_paused(path: str, seconds: str) -> None:
    """A refresh keeps address and filter; a pipeline's page refreshes later than the fleet."""
    source = FixedPageSource(page_state(pipeline("a")))
    going, halted = get(source, f"{path}?name=a"), get(source, f"{path}?name=a&refresh=off")
    assert going.headers["refresh"] == seconds
    assert "?name=a&refresh=off" in page(going).links()
    assert "refresh" not in halted.headers
    assert "?name=a" in page(halted).links()


def test_a_page_waits_while_a_filter_is_written() -> None:
    """While the filter is open the page does not refresh, its fields have their values, and it is not paused."""
    source = FixedPageSource(page_state(pipeline("a", tags=["team:x"]), stuck()))
    plain = page(get(source, "/?name=a&team=x&level=healthy"))
    assert "form" not in {tag for tag, _ in plain.tags}
    assert "?name=a&team=x&level=healthy&filter=open" in plain.links()
    assert {"?team=x&level=healthy", "?name=a&level=healthy", "?name=a&team=x"} <= set(plain.links())
    writing = get(source, "/?name=a&team=x&level=healthy&filter=open")
    assert "refresh" not in writing.headers
    tags = page(writing).tags
    values = [each["value"] for tag, each in tags if tag == "input"]
    chosen = [each.get("value") for tag, each in tags if tag == "option" and "selected" in each]
    assert (values, chosen) == (["a"], [None, "healthy"])
    assert "?name=a&team=x&level=healthy" in page(writing).links()


def test_a_level_that_is_none_asks_for_nothing() -> None:
    """An unknown level in the address counts as any."""
    reader = page(get(FixedPageSource(page_state(pipeline("a"))), "/?level=critical&filter=open"))
    assert "/pipelines/demo/a" in reader.links()
    assert not [each for tag, each in reader.tags if tag == "option" and "selected" in each]


def test_an_instance_that_is_gone_can_still_be_chosen() -> None:
    """A removed instance stays in the form, which explains the empty page."""
    reader = page(get(FixedPageSource(page_state(pipeline("a"))), "/?instance=gone&filter=open"))
    assert "No pipeline matches." in reader.text
    assert "demo" in reader.text
    assert [each for tag, each in reader.tags if tag == "option" and "selected" in each]


def test_a_head_has_no_body() -> None:
    """HEAD has the headers of the page and no body."""
    answer = get(FixedPageSource(page_state()), "/", method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000
    assert get(FixedPageSource(page_state()), "/", method="POST").status_code == 405


def test_a_page_is_plain_for_who_cannot_unpack() -> None:
    """A page is compressed only if the client accepts it."""
    source = FixedPageSource(page_state(stuck()))
    plain = get(source, "/", **{"accept-encoding": "identity"})
    packed = get(source, "/", **{"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.text == packed.text


def test_assets_are_kept_for_ever() -> None:
    """Assets may be cached for ever, as their names contain a hash of their content."""
    for path, (media_type, content) in ASSETS.items():
        answer = get(FixedPageSource(page_state()), path)
        assert (answer.headers["content-type"], answer.content) == (media_type, content)
        assert "immutable" in answer.headers["cache-control"]


def test_pages_lie_behind_a_proxy() -> None:
    """Every link has the prefix, and each path is answered with and without it."""
    source = FixedPageSource(page_state(stuck()))
    for path in ("/behind/", "/behind", "/", "/behind/pipelines/demo/stuck", "/pipelines/demo/stuck"):
        answer = get(source, path, prefix="/behind")
        assert answer.status_code == 200
        own = [link for link in page(answer).links() if link.startswith("/")]
        assert own
        assert all(link.startswith("/behind/") for link in own)
    assert get(source, "/behind/-/healthy", prefix="/behind").text == "Healthy.\n"
    assert get(source, "/behindhand", prefix="/behind").status_code == 404


def test_a_runbook_is_readable() -> None:
    """A runbook is HTML at the address that the alert links to."""
    answer = get(FixedPageSource(page_state()), "/runbooks/FelderaPipelineStuckProvisioning")
    assert "<h2>Check</h2>" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "refresh" not in answer.headers
    assert 'href="README"' in answer.text
    assert "FELDERA_HOST=" in get(FixedPageSource(page_state()), "/runbooks/README").text


def test_a_thousand_pipelines() -> None:
    """A page of a thousand pipelines has at most 100 KiB compressed."""
    known = page_state(
        *(
            pipeline(f"team-{n % 17}-pipeline-{n:04}", n / 7, tags=[f"team:team-{n % 17}"])
            for n in range(700)
        ),
        *(stuck(f"stuck-{n}", 11 + n / 9, tags=["team:x", "tier:1"]) for n in range(200)),
        *(failed(f"failed-{n}", code=f"Error{n}") for n in range(100)),
    )
    source = FixedPageSource(known)
    get(source, "/")
    answer = get(source, "/", **{"accept-encoding": "gzip"})
    assert "1,000 pipelines" in answer.text
    assert int(answer.headers["content-length"]) <= 100 * 1024
    print(f"{len(answer.content)} bytes, {answer.headers['content-length']} compressed")
