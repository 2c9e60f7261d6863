"""During an outage each page shows the last known state, how old that is, and what is wrong."""

from typing import Any

import pytest

from feldera_exporter.feldera.errors import OUTCOMES
from feldera_exporter.pages.fleet_page import fleet_page
from feldera_exporter.pages.instance_view import PageState, instance_view
from feldera_exporter.pages.page_query import PageQuery
from feldera_exporter.state.fleet import PollFailure
from feldera_exporter.store.poll_changes import PipelineName
from pages.test_html import page
from support.page_examples import LINKS, NOW, URL, page_state, pipeline, stuck
from support.served_pages import FixedPageSource, get

MINUTE = 60_000_000
REFUSED = PollFailure("unreachable", "nothing listens at feldera.example:8080", NOW)


def away(**fields: Any) -> PageState:
    """Return an instance that has not answered for longer than its state is shown in the metrics."""
    big = stuck("big-join")
    known = {big.facts.row.id: big}
    values = {
        "up": False,
        "size": None,
        "stale_pipelines": known,
        "failure": REFUSED,
        "now": NOW + 9 * MINUTE,
    }
    return page_state(**{**values, **fields})


@pytest.mark.parametrize("path", ["/", "/pipelines/demo/big-join", "/pipelines/demo/id-big-join"])
def test_what_was_known_last_is_shown(path: str) -> None:
    """The last state has its age, the cause, the address and since when, and the page refreshes."""
    answer = get(FixedPageSource(away()), path)
    assert (answer.status_code, "refresh" in answer.headers) == (200, True)
    reader = page(answer)
    _, _, text = reader.text.partition("Skip to the content")
    places = [
        text.index(each)
        for each in (
            "No current data. Last answer 9m ago.",
            "Nothing listens at feldera.example:8080",
            URL,
            "since 12:00:00 UTC (9m)",
            "Provisioning",
        )
    ]
    assert places == sorted(places)
    assert "12m" in text[places[-1] :], "the age is that at the last answer"
    assert "/runbooks/FelderaApiUnreachable?instance=demo" in reader.links()


@pytest.mark.parametrize("outcome", OUTCOMES[1:])
def test_every_outcome_has_words(outcome: str) -> None:
    """Every outcome has a text and a runbook; a refused key has a separate one."""
    (watched,) = away(failure=PollFailure(outcome, "what was said", NOW)).instances
    shown = instance_view(watched, {}, LINKS).outage
    assert shown is not None
    assert shown.cause.endswith("hat was said")
    assert "Auth" in shown.runbook if outcome == "unauthorized" else "Unreachable" in shown.runbook


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("big_join", ("Not found", "none is known that had it", "Perhaps you mean", "big-join")),
        ("zzz", ("Not found",)),
        ("gone", ("gone was deleted", "since 11:59:00 UTC (10m ago)")),
        ("id-gone", ("id-gone was deleted",)),
        ("early", ("early was deleted", "since 11:59:00 UTC (10m ago)", "Its last name was gone.")),
        ("old", ("old was renamed", "It is called big-join since 12:00:00 UTC (9m ago)", "big-join")),
        ("older", ("older was renamed", "It is called hidden")),
        ("hidden", ("hidden is not shown", "the configuration excludes it")),
    ],
)
def test_a_name_that_is_not_there(name: str, texts: tuple[str, ...]) -> None:
    """The 404 says whether it was renamed, deleted, excluded or never seen, and which names are similar."""
    names = {
        PipelineName("id-gone", "early"): NOW - 2 * MINUTE,
        PipelineName("id-gone", "gone"): NOW - MINUTE,
        PipelineName("id-before", "old"): NOW - 3 * MINUTE,
        PipelineName("id-big-join", "old"): NOW,
        PipelineName("id-big-join", "big-join"): None,
        PipelineName("id-hidden", "older"): NOW,
        PipelineName("id-hidden", "hidden"): None,
    }
    answer = get(FixedPageSource(away(names=names)), f"/pipelines/demo/{name}")
    assert answer.status_code == 404
    for text in texts:
        assert text in page(answer).text
    assert ("/pipelines/demo/big-join" in page(answer).links()) == ("big-join" in texts)


def test_before_the_first_answer_nothing_is_denied() -> None:
    """Before the first answer the page is a 503 with the cause, and refreshes."""
    answer = get(
        FixedPageSource(page_state(up=False, size=None, read_at=0, failure=REFUSED)),
        "/pipelines/demo/big-join",
    )
    assert (answer.status_code, answer.headers["refresh"]) == (503, "30")
    assert "Nothing listens at" in page(answer).text


def test_some_of_several_instances() -> None:
    """The headline names one failed instance, or counts several."""
    [down], [up] = away().instances, page_state(pipeline("a")).instances
    for count, headline in ((1, "No current data from demo"), (2, "No current data from 2 of 3 instances")):
        known = PageState([*[down] * count, up], {}, NOW)
        assert fleet_page(known, PageQuery(), LINKS).headline == headline
