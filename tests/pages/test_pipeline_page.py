"""A pipeline's page has all that is known of it."""

from typing import Any

import msgspec
import pytest

from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.feldera.wire import Cut, Cuts, FullEvent
from feldera_exporter.history.recent_activity import RecentActivity
from feldera_exporter.pages.formatting import Moment
from feldera_exporter.pages.instance_view import PageState
from feldera_exporter.pages.latest_events import Excerpt, LatestEvents, laid_out
from feldera_exporter.pages.page_query import PageQuery
from feldera_exporter.pages.pipeline_page import PipelinePage, find, pipeline_page
from feldera_exporter.problems.pipeline_summaries import Urgency
from pages.test_timeline import START, event
from support.page_examples import LINKS, NOW, failed, page_state, pipeline, stuck
from support.served_pages import FixedPageSource, get

UNASKED = LatestEvents()
UNKNOWN = ProgramDetails()


def full(**fields: Any) -> FullEvent:
    """Return a newest event in full."""
    return msgspec.json.decode(msgspec.json.encode({"event_id": "e", **fields}), type=FullEvent)


def raw(value: object) -> msgspec.Raw:
    """Return a value as it comes from Feldera."""
    return msgspec.Raw(msgspec.json.encode(value))


def shown(
    known: PageState, name: str, recent: LatestEvents = UNASKED, program: ProgramDetails = UNKNOWN
) -> PipelinePage:
    """Return the page's view."""
    found = find(known, "demo", name)
    assert found is not None
    return pipeline_page(*found, recent, program, known, PageQuery(), LINKS)


def text(moment: Moment | None) -> str:
    """Return a moment for people."""
    assert moment is not None
    return moment.text


def test_a_pipeline_is_found_by_name_or_id() -> None:
    """A pipeline is found in its own instance only."""
    known = page_state(pipeline("a"), pipeline("..", id="id-dots"))
    for name_or_id, name in (("a", "a"), ("id-a", "a"), ("id-dots", "..")):
        found = find(known, "demo", name_or_id)
        assert found is not None
        assert found[1].facts.row.name == name
    assert find(known, "demo", "b") is None
    assert find(known, "other", "a") is None


def test_a_stuck_pipeline() -> None:
    """The page has the status with its limit, and the alert with its meaning and what to do."""
    view = shown(page_state(stuck()), "stuck")
    assert (view.summary.status, view.summary.desired) == ("Provisioning", "Running")
    assert (view.summary.level, view.summary.wait.share) == (Urgency.CRITICAL, 1.2)
    html = get(FixedPageSource(page_state(stuck())), "/pipelines/demo/stuck").text
    for text in ("should be Running", "needs action", "over by 2m", '<section class="now bad"'):
        assert text in html
    (alert,) = view.alerts
    assert alert.summary == "A pipeline does not get its resources."
    assert alert.runbook == "/runbooks/FelderaPipelineStuckProvisioning?name=stuck&instance=demo"
    assert view.failure is None
    assert view.console == "http://feldera.example:8080/pipelines/stuck/"


def test_every_status_has_its_time() -> None:
    """The runtime status is shown only while there is one; the storage's beginning is from the history."""
    view = shown(page_state(pipeline("a", 5)), "a")
    assert [(each.name, each.mark.text) for each in view.statuses] == [
        ("Deployment", "Running"),
        ("Desired", "Running"),
        ("Resources", "Provisioned"),
        ("Program", "Success"),
        ("Storage", "InUse"),
    ]
    assert text(view.statuses[0].since) == "11:55:00"
    running = shown(page_state(pipeline("a", deployment_runtime_status="Running")), "a").statuses[3]
    assert (running.name, running.since, running.age) == ("Runtime", None, None)


def test_the_age_of_the_storage_is_from_the_log() -> None:
    """The list does not have it, and the page must agree with its own transitions."""
    known = pipeline("a", 5, clearing=1)
    storage = shown(page_state(known), "a", LatestEvents(START[::-1])).statuses[-1]
    assert (storage.name, text(storage.since)) == ("Storage", "11:52:00")
    assert storage.age is not None
    assert storage.age.age == 480
    assert text(shown(page_state(known), "a").statuses[-1].since) == "11:59:00"


def test_a_crash_loop_is_shown() -> None:
    """The worst alert comes first, with its meaning."""
    thrice = RecentActivity(errors=(NOW - 3_000_000, NOW - 2_000_000, NOW - 1_000_000))
    view = shown(page_state(failed(recent=thrice)), "failed")
    assert [each.name for each in view.alerts] == ["CrashLooping", "DeploymentError"]
    assert view.alerts[0].summary == "A pipeline fails again and again."
    assert view.summary.level == Urgency.CRITICAL


def test_an_error_is_shown_in_full() -> None:
    """An error has its details, whether Feldera can be asked or not."""
    view = shown(page_state(failed(details={"worker": 3})), "failed")
    assert view.failure is not None
    assert (view.failure.code, view.failure.message) == ("WorkerPanic", Excerpt("It broke.", ""))
    assert view.failure.details == Excerpt('{\n  "worker": 3\n}', "")
    bare = shown(page_state(failed()), "failed").failure
    assert bare is not None
    assert bare.details is None


def test_of_a_long_error_the_log_has_more() -> None:
    """If it is the same error; otherwise the page has the beginning and the length."""
    cuts = Cuts(message=Cut(3_000_000, 1), details=Cut(2_000_000, 2))
    known = failed(message="It broke", details='{"worker', cuts=cuts)
    view = shown(page_state(known), "failed").failure
    assert view is not None
    assert view.message == Excerpt("It broke", "3,000,000 bytes")
    assert view.details == Excerpt('{"worker', "2,000,000 bytes")
    error = {"message": "It broke" * 1000, "error_code": "WorkerPanic", "details": {"worker": 3}}
    asked = shown(page_state(known), "failed", LatestEvents((), full(deployment_error=error))).failure
    assert asked is not None
    assert asked.message == Excerpt("It broke" * 1000, "")
    assert asked.details == Excerpt('{\n  "worker": 3\n}', "")
    other = full(deployment_error={**error, "message": "Another one."})
    assert shown(page_state(known), "failed", LatestEvents((), other)).failure == view


def test_a_huge_message_is_cut() -> None:
    """A huge message is cut, with its length."""
    view = shown(page_state(failed(message="x" * 2**20)), "failed")
    assert view.failure is not None
    assert len(view.failure.message.text) == 64 * 1024
    assert view.failure.message.whole == "1,048,576 characters"


@pytest.mark.parametrize(
    ("details", "text"),
    [
        (None, None),
        ({}, None),
        ("", None),
        ("two\nlines", "two\nlines"),
        ({"a": [1]}, '{\n  "a": [\n    1\n  ]\n}'),
    ],
)
def test_details_are_laid_out(details: object, text: str | None) -> None:
    """Details are formatted: JSON over several lines, a text as a text, nothing where they are empty."""
    found = laid_out(raw(details))
    assert (found.text if found else None) == text


def test_details_that_are_no_text_are_shown_as_they_came() -> None:
    """Half of a surrogate pair is valid JSON and no text, so it is shown unchanged."""
    found = laid_out(msgspec.Raw(rb'"a\ud800"'))
    assert found is not None
    assert found.text == r'"a\ud800"'


def test_huge_details_are_shown_as_they_came() -> None:
    """Huge details are not formatted, as that would cost too much."""
    found = laid_out(raw({"a": ["x" * 1000] * 1000}))
    assert found is not None
    assert found.text.startswith('{"a":["x')
    assert found.whole == "1,003,007 characters"


def test_what_feldera_says_of_the_statuses() -> None:
    """Details of each status are shown under a headline, where there are any."""
    newest = full(deployment_resources_status_details="waiting for a node")
    view = shown(page_state(stuck()), "stuck", LatestEvents((), newest))
    assert view.notes == (("What Feldera says of its resources", Excerpt("waiting for a node", "")),)


def test_facts_leave_out_what_is_empty() -> None:
    """Tags and counters are among the facts; empty ones are left out."""
    known = pipeline("a", tags=["team:x", "y"], platform_version="0.337.0", program_config={"profile": "dev"})
    facts = dict(shown(page_state(known), "a").facts)
    assert facts["Team"] == "x"
    assert facts["Tags"] == "team:x, y"
    assert facts["Profile"] == "dev"
    assert "Tier" not in facts
    counted = msgspec.structs.replace(known.progress, connector_errors=1234)
    (busy,) = (type(known)(known.facts, counted, known.history, known.activity),)
    assert dict(shown(page_state(busy), "a").facts)["Connector errors since its start"] == "1,234"


def test_a_problem_is_passed_on() -> None:
    """The page has the reason why there is no event log, and all the rest."""
    view = shown(page_state(stuck()), "stuck", LatestEvents(problem="no answer"))
    assert (view.problem, view.timeline) == ("no answer", None)


def test_the_cause_stands_on_top() -> None:
    """The first lines of an error, of compiler messages and of a wait are on top, with links to all of it."""
    error = failed(message="\n".join(f"line {number}" for number in range(9)))
    (cause,) = shown(page_state(error), "failed").causes
    assert (cause.code, cause.anchor) == ("WorkerPanic", "error")
    assert cause.text == "line 0\nline 1\nline 2\nline 3\nline 4…"
    (cause,) = shown(page_state(failed(message="", details="why")), "failed").causes
    assert cause.text == "why"
    program = msgspec.convert(
        {"description": "Joins.", "program_error": {"system_error": "no disk"}}, ProgramDetails
    )
    view = shown(page_state(pipeline("a", program_status="SystemError")), "a", program=program)
    assert [(each.anchor, each.text) for each in view.causes] == [("compiler", "no disk")]
    assert (view.description, view.compiler_errors) == ("Joins.", Excerpt("no disk", ""))
    assert shown(page_state(pipeline("a")), "a", program=program).causes == ()


def test_what_feldera_waits_for_stands_on_top() -> None:
    """The wait is on top while the newest event has such a status and was read in full."""
    waiting = event(1, "Provisioning", None)
    newest = full(event_id=waiting.event_id, deployment_resources_status_details="waiting for a node")
    (cause,) = shown(page_state(stuck()), "stuck", LatestEvents((waiting,), newest)).causes
    assert (cause.anchor, cause.text) == ("notes", "waiting for a node")
    assert shown(page_state(stuck()), "stuck", LatestEvents((event(1),), newest)).causes == ()


def test_figures_are_nothing_to_wait_for() -> None:
    """Figures in a pipeline's details are left out, and so are details of a status that may last."""
    lost, runs = event(1, runtime="Unavailable"), event(1)
    for details, text in (
        ({"reason": "refused", "memory_max": 1}, '{\n  "reason": "refused"\n}'),
        ("refused", "refused"),
    ):
        newest = full(event_id=lost.event_id, deployment_runtime_status_details=details)
        (cause,) = shown(page_state(stuck()), "stuck", LatestEvents((lost,), newest)).causes
        assert cause.text == text
        assert shown(page_state(stuck()), "stuck", LatestEvents((runs,), newest)).causes == ()


def test_a_problem_says_its_limit_and_the_first_step() -> None:
    """A problem has its limit, the first step and how long ago it began."""
    (alert,) = shown(page_state(stuck()), "stuck").alerts
    assert (alert.since and alert.since.age, alert.limit) == ("2m", "10m")
    assert alert.first_step.startswith("The runner itself")
