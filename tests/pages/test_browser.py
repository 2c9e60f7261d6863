"""The pages in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from feldera_exporter.feldera.program_details import ProgramDetails
from feldera_exporter.feldera.wire import Event, FullEvent
from feldera_exporter.pages.formatting import visible
from feldera_exporter.pages.latest_events import LatestEvents
from feldera_exporter.state.fleet import PollFailure
from feldera_exporter.state.pipeline import Pipeline
from pages.browser import Tab, browser
from pages.demo_program import demo
from pages.test_timeline import START, event
from support.page_examples import HOSTILE, NOW, failed, hostile, page_state, pipeline, stuck
from support.served_pages import FixedPageSource, served

MINUTE = 60_000_000
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SOON = {"fleet.html": 1, "pipeline.html": 1}
NAMES = "table.fleet tbody th a"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """Start one browser for all tests."""
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the real program on the demo's fleet."""
    with demo(tmp_path_factory.mktemp("program")) as url:
        yield url


@pytest.fixture(autouse=True)
def quiet(tab: Tab) -> Iterator[None]:
    """Fail each test with a message in the browser's console."""
    tab.complaints.clear()
    tab.looks(1280, 900, dark=False)
    yield
    assert tab.complaints == []


def audited(tab: Tab, url: str) -> None:
    """Check the accessibility of a page on a dark phone and on a light desktop."""
    # The colours depend on the scheme alone, the places on the size alone.
    for (width, height), dark in zip(SIZES.values(), (True, False), strict=True):
        tab.looks(width, height, dark=dark)
        tab.open(url)
        assert tab.audit() == []
        assert tab.run("document.documentElement.scrollWidth") <= width, "wider than the screen"


def test_what_is_stuck_stands_first(tab: Tab, live: str) -> None:
    """A stuck pipeline is the first of the demo's fleet, and the title mentions it."""
    tab.open(f"{live}/")
    assert tab.texts(NAMES)[:2] == ["big-join", "sessions"]
    row = tab.texts("table.fleet tbody tr")[0]
    for text in ("Provisioning", "of 10m", "over by", "StuckProvisioning", "critical"):
        assert text in row
    assert "need action" in tab.run("document.title")


def test_the_filter_works(tab: Tab, live: str) -> None:
    """The fleet is filtered by name, status and team with a form, and links keep the filter."""
    tab.open(f"{live}/")
    all_names = tab.texts(NAMES)
    tab.click(".find a")
    tab.submit(name="BIG-")
    assert tab.texts(NAMES) == ["big-join"]
    tab.click(".find a.button")
    tab.submit(name="", status="Provisioning")
    assert set(tab.texts("table.fleet .b")) == {"Provisioning"}
    tab.click(".find a.button")
    tab.submit(status="", team="data")
    data = tab.texts(NAMES)
    assert set(data) < set(all_names)
    assert "big-join" in data
    tab.click(".find a.button")
    assert tab.run("document.querySelector('[name=team]').value") == "data"
    tab.click(".send a")
    assert tab.texts(NAMES)[0] == "big-join"
    tab.click(".chosen a")
    assert set(data) < set(tab.texts(NAMES))


def test_pausing_keeps_the_filter(tab: Tab, live: str) -> None:
    """A paused page stays paused when it is filtered, until it is resumed."""
    tab.open(f"{live}/?team=data")
    tab.click(".clock a")
    assert tab.run("location.search") == "?team=data&refresh=off"
    tab.click(".find a.button")
    tab.submit(name="big")
    assert "refresh=off" in tab.run("location.search")
    assert "paused" in tab.texts(".clock")[0]


def test_a_page_refreshes_itself(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page refreshes itself without a script, at the same address."""
    monkeypatch.setattr("feldera_exporter.server.html_pages.EVERY", SOON)
    with served(FixedPageSource(page_state(stuck()))) as url:
        tab.open(f"{url}/?name=stuck")
        tab.loaded(tab.loaded())
        assert tab.run("location.search") == "?name=stuck"
        assert tab.texts(NAMES) == ["stuck"]
        tab.open(f"{url}/?refresh=off")


def test_nothing_is_lost_while_a_filter_is_written(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening the filter sets the cursor into it and stops the refresh; sending it resumes."""
    monkeypatch.setattr("feldera_exporter.server.html_pages.EVERY", SOON)
    with served(FixedPageSource(page_state(stuck(), pipeline("other")))) as url:
        tab.open(f"{url}/")
        tab.click(".find a")
        # The cursor is there with the first picture of the page.
        tab.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)))")
        tab.write("stu")
        loaded = tab.loaded()
        tab.run("new Promise(done => setTimeout(done, 2500))")
        assert tab.loaded() == loaded
        tab.write("ck")
        assert tab.run("document.activeElement.name + document.activeElement.value") == "namestuck"
        tab.click("form button")
        assert tab.run("location.search") == "?name=stuck&status=&team=&level="
        assert tab.texts(NAMES) == ["stuck"]
        tab.loaded(tab.loaded())
        tab.open(f"{url}/?refresh=off")


def test_who_reads_keeps_the_place(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the page scrolls, and keeps its place in a refresh; a link here pauses it."""
    monkeypatch.setattr("feldera_exporter.server.html_pages.EVERY", SOON)
    known = page_state(failed(message="panicked at a frame\n" * 200))
    with served(FixedPageSource(known, {"id-failed": LatestEvents(START[::-1])})) as url:
        tab.open(f"{url}/pipelines/demo/failed")
        assert tab.run(
            "[...document.querySelectorAll('pre')].every(p => p.scrollHeight <= p.clientHeight + 1)"
        )
        assert tab.run("document.querySelectorAll('details').length") == 0
        tab.run("scrollTo(0, 900)")
        tab.loaded(tab.loaded())
        assert tab.run("new Promise(done => setTimeout(() => done(scrollY), 200))") == 900
        tab.click("section .head a")
        assert tab.run("location.search + location.hash") == "?refresh=off#error"
        assert 0 <= tab.run("document.querySelector('#error').getBoundingClientRect().top") < 40
        assert "paused" in tab.texts(".clock")[0]


def test_the_worst_is_seen_at_once_on_a_phone(tab: Tab, live: str) -> None:
    """A phone's first screen has the instance's problems at its top and the worst pipeline."""
    tab.looks(*SIZES["phone"], dark=True)
    tab.open(f"{live}/")
    assert tab.run("document.querySelector('.alerts').getBoundingClientRect().top") < 844 / 3
    assert tab.run("document.querySelector('table.fleet tbody tr').getBoundingClientRect().bottom") < 844


WAITING = event(1, "Provisioning", None)
STOPPING = event(1, "Stopping", None)


def says(newest: Event, **fields: object) -> LatestEvents:
    """Return a log whose newest event says why its status lasts."""
    log = msgspec.json.encode({"event_id": newest.event_id, **fields})
    return LatestEvents((newest,), msgspec.json.decode(log, type=FullEvent))


def compiled(**error: object) -> ProgramDetails:
    """Return what the compilers say."""
    return msgspec.convert({"description": "Joins orders.", "program_error": error}, ProgramDetails)


SQL = {"exit_code": 1, "messages": [{"message": "Object 't' not found", "error_type": "Error"}]}
RUST = {"exit_code": 101, "stdout": "", "stderr": "error[E0425]: cannot find value"}
LONG = "thread panicked at 'overflow'\n" + "frame of a worker\n" * 200
TROUBLES: dict[str, tuple[Pipeline, LatestEvents, ProgramDetails, str]] = {
    "provisioning": (
        stuck("a"),
        says(WAITING, deployment_resources_status_details="0/3 nodes have enough memory"),
        ProgramDetails(),
        "0/3 nodes have enough memory",
    ),
    "stopping": (
        pipeline("a", 60, deployment_status="Stopping", deployment_desired_status="Stopped"),
        says(STOPPING, deployment_resources_status_details="Unable to stop (will retry)"),
        ProgramDetails(),
        "Unable to stop (will retry)",
    ),
    "panic": (failed("a", LONG), LatestEvents(), ProgramDetails(), "thread panicked at 'overflow'"),
    "no memory": (failed("a", "", details="OOMKilled"), LatestEvents(), ProgramDetails(), "OOMKilled"),
    "SQL": (
        pipeline("a", program_status="SqlError"),
        LatestEvents(),
        compiled(sql_compilation=SQL),
        "not found",
    ),
    "Rust": (
        pipeline("a", program_status="RustError"),
        LatestEvents(),
        compiled(rust_compilation=RUST),
        "E0425",
    ),
    "system": (
        pipeline("a", program_status="SystemError"),
        LatestEvents(),
        compiled(system_error="no disk"),
        "no disk",
    ),
    "unavailable": (
        pipeline("a", 30, deployment_status="Unavailable"),
        says(
            event(1, runtime="Unavailable"),
            deployment_runtime_status_details={"reason": "connection refused"},
        ),
        ProgramDetails(),
        "connection refused",
    ),
    "approval": (
        pipeline("a", 60, deployment_status="AwaitingApproval"),
        says(
            event(1, runtime="AwaitingApproval"),
            deployment_runtime_status_details={"approval_diff": "table t"},
        ),
        ProgramDetails(),
        "table t",
    ),
    "clearing": (
        pipeline("a", clearing=60, storage_status="Clearing"),
        LatestEvents(),
        ProgramDetails(),
        "StorageClearingStuck",
    ),
}
"""Ten troubles of a pipeline, each with what Feldera says of it and with the words that are the cause."""


@pytest.mark.parametrize("size", SIZES)
def test_the_cause_is_on_the_first_screen(tab: Tab, size: str) -> None:
    """The cause of each problem is on the first screen of its page, and of an outage on both pages."""
    width, height = SIZES[size]
    source = FixedPageSource(page_state())
    with served(source) as url:
        for name, (known, recent, program, text) in TROUBLES.items():
            source.known = page_state(known)
            source.answers, source.programs = {known.facts.row.id: recent}, {known.facts.row.id: program}
            tab.looks(width, height, dark=False)
            # Each page has another address, since a page is kept for a second.
            tab.open(f"{url}/pipelines/demo/a?refresh=off&{name.replace(' ', '-')}")
            assert 0 < bottom(tab, text) < height, name
        refused = PollFailure("unauthorized", "401 Unauthorized", NOW)
        source.known = page_state(stuck("a"), up=False, now=NOW + 2 * MINUTE, failure=refused)
        for path in ("/", "/pipelines/demo/a"):
            tab.open(f"{url}{path}?refresh=off")
            assert 0 < bottom(tab, "refuses the API key: 401") < height / 2, path


@pytest.mark.parametrize(("size", "most"), [("desktop", 36), ("phone", 48)])
def test_a_healthy_pipeline_takes_one_line(tab: Tab, size: str, most: int) -> None:
    """On a phone a healthy pipeline takes one line, high enough for a thumb."""
    known = page_state(
        *(pipeline(f"orders-to-the-warehouse-{n}", tags=["team:web", "tier:1"]) for n in range(9)), stuck()
    )
    with served(FixedPageSource(known)) as url:
        tab.looks(*SIZES[size], dark=False)
        tab.open(f"{url}/?refresh=off")
        heights = tab.run(
            "[...document.querySelectorAll('tr.good')].map(row => row.getBoundingClientRect().height)"
        )
    assert len(heights) == 9
    assert max(heights) <= most


def bottom(tab: Tab, text: str) -> float:
    """Return how far down a text of the page ends, in pixels; -1 where it is not there or not seen."""
    found: float = tab.run(
        "(() => { const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);"
        f" for (let node; (node = walker.nextNode());) {{ const at = node.data.indexOf({json.dumps(text)});"
        " if (at < 0) continue; const range = document.createRange(); range.setStart(node, at);"
        f" range.setEnd(node, at + {len(text)}); return range.getBoundingClientRect().bottom; }} return -1; }})()"
    )
    return found


@pytest.mark.parametrize(
    "path", ["/", "/?team=data&level=action", "/?filter=open", "/pipelines/default/fraud-scores"]
)
def test_a_thumb_hits_every_link(tab: Tab, live: str, path: str) -> None:
    """On a phone each separate link is at least 44 pixels high; links within a sentence are text."""
    tab.looks(*SIZES["phone"], dark=False)
    tab.open(f"{live}{path}")
    small = tab.run(
        "[...document.querySelectorAll('a:not(.skip), button, input:not([type=hidden]), select')]"
        ".filter(each => each.getBoundingClientRect().height < 44).map(each => each.outerHTML)"
    )
    assert small == []


@pytest.mark.parametrize("size", SIZES)
def test_a_timeline_is_labelled(tab: Tab, size: str) -> None:
    """On every screen the labels that fit are shown, and none overlaps the next segment."""
    log = (*START[:3], event(300, runtime="Unavailable"), event(270))
    with served(FixedPageSource(page_state(pipeline("a")), {"id-a": LatestEvents(log[::-1])})) as url:
        tab.looks(*SIZES[size], dark=False)
        tab.open(f"{url}/pipelines/demo/a?refresh=off")
        labels = tab.run(
            "[...document.querySelectorAll('svg.line rect + text')]"
            ".filter(each => getComputedStyle(each).display != 'none')"
            ".map(each => [each.textContent, each.previousElementSibling.getBoundingClientRect().right"
            " - each.getBoundingClientRect().right])"
        )
    texts = [text for text, _ in labels]
    assert {"Running", "Success", "InUse"} <= set(texts)
    assert ("Provisioning" in texts) == (size == "desktop")
    assert [text for text, room in labels if room < 0] == []


def test_a_timeline_needs_no_colour(tab: Tab) -> None:
    """Each kind of status is drawn differently, also in shades of grey."""
    log = [
        event(50 * n, runtime=status) for n, status in enumerate(("Running", "Initializing", "Unavailable"))
    ]
    log += [
        event(200, runtime="AwaitingApproval"),
        event(250, runtime="Unheard"),
        event(300, "Stopped", None),
    ]
    with served(FixedPageSource(page_state(pipeline("a")), {"id-a": LatestEvents(log)})) as url:
        tab.open(f"{url}/pipelines/demo/a?refresh=off")
        ways = tab.run(
            "Object.fromEntries([...document.querySelectorAll('svg.swatch rect')].map(each => [each.className.baseVal,"
            " [getComputedStyle(each).fill.replace(/rgb.*/, 'plain'), each.getAttribute('height')].join()]))"
        )
        full = "getComputedStyle(document.querySelector('svg.swatch rect.%s')).fill"
        assert tab.run(full % "bad") != tab.run(full % "good")
    assert {look: way.split(",")[0] for look, way in ways.items() if "url" in way} == {
        "transient": 'url("#transient-texture")',
        "person": 'url("#person-texture")',
        "unknown": 'url("#unknown-texture")',
    }
    assert ways.keys() == {"good", "transient", "bad", "person", "idle", "unknown"}
    assert ways["idle"].split(",")[1] != ways["good"].split(",")[1]


def test_one_pipeline(tab: Tab, live: str) -> None:
    """Links lead from the fleet to a pipeline with its state, error and timeline, and to its runbook."""
    tab.open(f"{live}/?name=fraud-scores")
    tab.click(NAMES)
    assert tab.texts("h1") == ["fraud-scores"]
    assert '"worker": 3' in " ".join(tab.texts("pre"))
    assert "Stopped" in tab.texts("table.changes tbody tr")[0]
    assert tab.run("document.querySelectorAll('svg.line rect').length") > 3
    tab.click(".alerts a")
    assert tab.texts("h1") == ["FelderaPipelineDeploymentError"]


@pytest.mark.parametrize("index", [-1, *range(len(HOSTILE))])
def test_hostile_texts_run_nothing(tab: Tab, index: int) -> None:
    """A hostile text loads, runs and moves nothing, and is shown."""
    events = (event(9, runtime=HOSTILE[index]), event(99))
    source = FixedPageSource(hostile(), {f"id-{index}": LatestEvents(events, problem=HOSTILE[index])})
    path = "/" if index < 0 else f"/pipelines/demo/id-{index}"
    with served(source) as url:
        tab.open(f"{url}{path}?refresh=off")
        assert tab.run("document.scripts.length + document.images.length") == 1
        assert tab.run("location.pathname") == path
        assert "owned" not in tab.run("document.title") or path != "/"
        log = tab.run("document.querySelector('main').textContent")
        wanted = HOSTILE if index < 0 else [HOSTILE[index]]
        for text in wanted:
            assert visible(text) in log
        assert tab.audit() == []


def test_the_policy_stops_what_escaping_would_miss(tab: Tab) -> None:
    """The content security policy stops a script in the page."""
    with served(FixedPageSource(page_state())) as url:
        tab.open(f"{url}/?refresh=off")
        script = (
            "new Promise(done => { const one = document.createElement('script');"
            " one.textContent = 'window.owned = 1'; document.body.append(one);"
            " setTimeout(() => done(window.owned || 0), 50); })"
        )
        assert tab.run(script) == 0
        assert len(tab.complaints) == 1
        assert "Content Security Policy" in tab.complaints.pop()


@pytest.mark.parametrize(
    "path",
    [
        "/?refresh=off",
        "/?filter=open&name=a",
        "/?name=e&team=data",
        "/pipelines/default/fraud-scores?refresh=off",
        "/runbooks",
        "/runbooks/README",
        "/runbooks/FelderaPipelineStuckProvisioning?name=big-join&instance=default&installation=docker",
        "/pipelines/default/fraud",
    ],
)
def test_everyone_can_read_the_demo(tab: Tab, live: str, path: str) -> None:
    """axe-core finds nothing and no page is too wide, on a dark phone and a light desktop."""
    audited(tab, f"{live}{path}")
    # The console names what is answered with 404: the last one, which says which names are like it.
    tab.complaints[:] = [
        each for each in tab.complaints if "404" not in each or path != "/pipelines/default/fraud"
    ]


def test_everyone_can_read_the_states(tab: Tab) -> None:
    """axe-core finds nothing before the first poll, in an outage, without pipelines and on a 404."""
    troubled = (
        stuck("a" * 200, id="id"),
        failed(message="word " * 500),
        pipeline("b", storage_status="Clearing"),
    )
    states = {
        "waiting": page_state(up=None, size=None, read_at=0),
        "down": page_state(*troubled, up=False, now=NOW + 3 * MINUTE),
        "empty": page_state(),
        "up": page_state(*troubled),
    }
    for known in states.values():
        with served(FixedPageSource(known, {"id-failed": LatestEvents(START[::-1])})) as url:
            for path in ("/", "/pipelines/demo/failed"):
                tab.looks(390, 844, dark=True)
                tab.call("Network.setCacheDisabled", cacheDisabled=True)
                tab.open(f"{url}{path}?refresh=off")
                # The console names what is answered with 404 or, before the first answer, 503.
                tab.complaints[:] = [
                    each for each in tab.complaints if "404" not in each and "503" not in each
                ]
                assert tab.audit() == []
                assert tab.run("document.documentElement.scrollWidth") <= 390


def test_the_audit_finds_what_is_wrong(tab: Tab, tmp_path: Path) -> None:
    """axe-core finds a field without a name and grey on white, so the other audits can fail."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><title>x</title><main><h1>x</h1><input><p style='color:#ccc'>pale</p></main>"
    )
    tab.open(bad.as_uri())
    assert {"label", "color-contrast", "html-has-lang"} <= {each["id"] for each in tab.audit()}
