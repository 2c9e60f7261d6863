"""Every query of every board in a real Prometheus that scrapes two replicas of the real program."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import pytest

from boards.values import VALUES, WITHOUT, Panel, SeriesByLegend, TableRows, Value
from boards.watched_fleet import REPLICAS, WatchedFleet, watched
from dashboards import links
from dashboards.colours import SEVERITIES
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS
from support.dashboards import BOARDS, Json, PanelQuery, filled, panels, targets, variables
from support.exporter_process import until

SHOWN: Final = ("big-join", "huge-program", "old-archive", "clickstream", "orders", "payments")
"""Pipelines that between them have something on every panel of the board of one pipeline."""
_ENDED: Final = 5
"""How many seconds ago the last value of a line is that is shown no more."""
ELSEWHERE: Final = ("default", "edge")
"""Instances that between them have something on every panel of the other boards."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedFleet]:
    """Run the fleet once for all tests."""
    with watched(tmp_path_factory.mktemp("fleet")) as running:
        yield running


def _ids(live: WatchedFleet) -> dict[str, str]:
    return {each.row.name: f"pipeline-{each.id}" for each in live.feldera.pipelines()}


def _panel(board: str, title: str) -> Json:
    return next(panel for panel in panels(board) if panel["title"] == title)


def _values(live: WatchedFleet, board: str, title: str, **values: str) -> dict[str, float]:
    """Return the numbers of a panel by the legends of its queries with what their labels say."""
    panel = _panel(board, title)
    found: dict[str, float] = {}
    for query in panel["targets"]:
        for series in live.answer(PanelQuery(board, panel, query), **values):
            legend = str(query["legendFormat"])
            for label, value in series["metric"].items():
                legend = legend.replace(
                    f"{{{{{label}}}}}", live.named(value) if label in {"instance", "alertmanager"} else value
                )
            last = series["value"] if "value" in series else series["values"][-1]
            if last[0] < time.time() - _ENDED:
                continue
            assert legend not in found, legend
            found[legend] = float(last[1])
    return found


def _unanswered(live: WatchedFleet) -> list[str]:
    """Return the queries and the marks that have no result for any choice of the variables."""
    ids = _ids(live)
    unanswered: list[str] = []
    for target in targets():
        choices = [{"feldera_instance": name} for name in ELSEWHERE]
        if target.board == "pipeline":
            choices = [{"pipeline": ids[name]} for name in SHOWN]
        if not any(live.answer(target, **values) for values in choices):
            unanswered.append(target.place)
    return unanswered + [
        f"{board} / {marks['name']}"
        for board, document in BOARDS.items()
        for marks in document["annotations"]["list"]
        if not live.ask_over_time(filled(marks["expr"], live.values(board)))
    ]


def test_every_query_has_an_answer(live: WatchedFleet) -> None:
    """Each query has a result for at least one choice of the variables."""
    unanswered: list[str] = []

    def none() -> bool:
        unanswered[:] = _unanswered(live)
        return not unanswered

    with suppress(AssertionError):
        until(none)
    assert unanswered == []


def test_variables_offer_what_there_is(live: WatchedFleet) -> None:
    """Variables offer pipelines by name with ids as values, instances, teams, tiers and targets."""
    for board in BOARDS:
        values = live.values(board)
        for name, variable in variables(board).items():
            if variable["type"] != "query":
                continue
            query = variable["query"]["query"]
            if kept := re.fullmatch(r"label_values\((.+), (\w+)\)", query):
                found = {each["metric"].get(kept[2], "") for each in live.ask(filled(kept[1], values))} - {""}
                assert found, (board, name)
                continue
            inside = query.removeprefix("query_result(").removesuffix(")")
            pattern = variable["regex"].strip("/").replace("(?<", "(?P<")
            found = set()
            for each in live.ask(filled(inside, values)):
                # As Grafana writes it down: labels in Prometheus's order, then value and time.
                text = "{" + ",".join(f'{k}="{v}"' for k, v in each["metric"].items()) + "} 1 1700000000000"
                matched = re.search(pattern, text)
                assert matched is not None, text
                found.add((matched["text"], matched["value"]))
            assert found >= set(_ids(live).items()) - {("ci-smoke", _ids(live).get("ci-smoke"))}


def test_counts_by_status_are_the_fleets(live: WatchedFleet) -> None:
    """Each pipeline is counted once, although two replicas watch it."""

    def agree() -> bool:
        rows = [each.row for each in live.feldera.pipelines()]
        truth = Counter(row.status for row in rows)
        programs = Counter(row.program_status for row in rows)
        now = _values(live, "fleet", "Running")
        return (
            _values(live, "fleet", "Pipelines by status") == truth
            and _values(live, "fleet", "Programs by status") == programs
            and now["running"] == truth["Running"]
            and now["should run"] == sum(row.desired == "Running" for row in rows)
        )

    assert until(agree)


def test_the_problems_are_those_of_the_replica_that_sees(live: WatchedFleet) -> None:
    """Each problem has one row, only problems of the replica that polls Feldera count, and the numbers agree."""

    def agree() -> bool:
        said = Counter((each["problem"], each.get("pipeline_name")) for each in live.problems("default"))
        rows = _problems(live)
        numbers = _values(live, "fleet", "Problems")
        counted = Counter(SEVERITIES[int(row["Severity"])][0] for row in rows)
        return (
            Counter((row["Problem"], row.get("Pipeline")) for row in rows) == said
            and numbers == {"critical": 0, "warning": 0, "info": 0} | counted
        )

    assert until(agree)
    rows = _problems(live)
    assert len(rows) > 5
    for row in rows:
        assert row["Since"] / 1000 + row["For"] == pytest.approx(time.time(), abs=5)
    assert not {row.get("Pipeline") for row in rows} & {"orders", "inventory", "recommendations"}


def _problems(live: WatchedFleet) -> list[Json]:
    titles = ("Problems of pipelines", "Problems of Feldera itself")
    return [row for title in titles for row in live.table("fleet", _panel("fleet", title))]


def test_links_lead_to_the_exporters_pages(live: WatchedFleet) -> None:
    """Links lead to the runbook of each problem and alert, to the page of each pipeline and to the fleet page."""
    found = [(links.FLEET_PAGE, {}), (_of_variables(links.PIPELINE_PAGE), {"Pipeline": "big-join"})]
    pages = {
        ("fleet", "Problems of pipelines"): (links.RUNBOOK_OF_PIPELINE, links.PAGE),
        ("fleet", "Problems of Feldera itself"): (links.RUNBOOK_OF_INSTANCE,),
        ("exporter", "Alerts about the exporter"): (links.RUNBOOK,),
    }
    for (board, title), known in pages.items():
        rows = live.table(board, _panel(board, title), feldera_instance="(default|edge)")
        assert rows
        found += [(link, row) for row in rows for link in known]
    for link, row in found:
        url = link.replace("${exporter}", f"http://{live.exporters['a']}")
        for name, value in row.items():
            url = url.replace(f"${{__data.fields.{name}:percentencode}}", quote(str(value), safe=""))
        answer = live.client.get(url)
        assert answer.status_code == 200, url
        assert answer.headers["content-type"].startswith("text/html"), url


def _of_variables(link: str) -> str:
    """Return a link of a board as one of a cell."""
    chosen = {"${feldera_instance:percentencode}": "default", "${pipeline:text}": "big-join"}
    for variable, value in chosen.items():
        assert variable in link
        link = link.replace(variable, value)
    return link


def test_tags_narrow_everything(live: WatchedFleet) -> None:
    """With a team chosen, numbers, tables and timelines show only its pipelines."""
    narrow = {"team": "(data|ml)", "tier": ".*"}
    mine = {
        each.row.name for each in live.feldera.pipelines() if {"team:data", "team:ml"} & set(each.row.tags)
    }
    rows = live.table("fleet", _panel("fleet", "Problems of pipelines"), **narrow)
    assert {row["Pipeline"] for row in rows} <= mine
    assert {row["Pipeline"] for row in rows} >= {"big-join", "udf-model"}
    shown = _values(live, "fleet", "Deployment status", **narrow)
    assert {name.partition(" ")[0] for name in shown} == mine
    assert sum(_values(live, "fleet", "Pipelines by status", **narrow).values()) == len(mine)


def test_codes_say_the_status(live: WatchedFleet) -> None:
    """The mapped numbers of the timelines are the statuses of the pipelines' rows."""

    def agree() -> bool:
        rows = {each.row.name: each.row for each in live.feldera.pipelines()}
        for title, field in (("Deployment status", "status"), ("Program status", "program_status")):
            panel = _panel("fleet", title)
            texts = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
            shown = _values(live, "fleet", title)
            if len(shown) != 20:
                return False
            for legend, value in shown.items():
                if texts[f"{value:.0f}"]["text"] != getattr(rows[legend.partition(" ")[0]], field):
                    return False
        return True

    assert until(agree)


def test_what_happened_is_counted_once(live: WatchedFleet) -> None:
    """The error during the run is counted once, and so is each status that ended."""
    errors = next(t for t in targets() if t.place == "fleet / New errors by code / {{error_code}}")
    expression = filled(errors.expression, live.values("fleet") | {"__rate_interval": "15m"})
    [series] = [s for s in live.ask(expression) if s["metric"]["error_code"] == "RuntimeError.WorkerPanic"]
    # Prometheus extrapolates an increase to the whole range: by less than double.
    assert 1 <= float(series["value"][1]) < 2 * REPLICAS
    durations = {
        row["Status"]: row for row in live.table("fleet", _panel("fleet", "How long transient statuses last"))
    }
    assert {"Provisioning", "Stopping"} <= durations.keys()
    # Each column is a query, a moment after the one before.
    both = [row for row in durations.values() if {"Median", "95 %"} <= row.keys()]
    assert both
    assert all(row["Median"] <= row["95 %"] for row in both)
    assert durations["Provisioning"]["Limit"] == DEFAULT_LIMITS["Provisioning"]


def test_one_pipeline_is_shown_as_it_is(live: WatchedFleet) -> None:
    """The board of a stuck pipeline shows its status, what is desired, its limit and its problem."""
    panel = _panel("pipeline", "Status")
    texts = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    stuck = {"pipeline": _ids(live)["big-join"]}

    def shown(title: str) -> str:
        [value] = _values(live, "pipeline", title, **stuck).values()
        return str(texts[f"{value:.0f}"]["text"])

    assert (shown("Status"), shown("Desired")) == ("Provisioning", "Running")
    [relative] = _values(live, "pipeline", "Share of the limit", **stuck).values()
    assert 1 < relative < 2.5
    rows = live.table("pipeline", _panel("pipeline", "Problems of pipelines"), **stuck)
    assert {(row["Problem"], row["Pipeline"]) for row in rows} == {("StuckProvisioning", "big-join")}
    assert _values(live, "pipeline", "Error", pipeline=_ids(live)["payments"]) == {
        "RuntimeError.WorkerPanic": 1
    }


def test_every_panel_has_a_value() -> None:
    """Each panel has a value in the table, or the reason why it has none."""
    known = {(board, panel["title"]) for board in BOARDS for panel in panels(board)}
    assert VALUES.keys() | WITHOUT.keys() == known
    assert VALUES.keys() & WITHOUT.keys() == set()
    assert all(VALUES.values())


@pytest.mark.parametrize("shown", VALUES, ids=" / ".join)
def test_a_panel_shows_its_value(live: WatchedFleet, shown: Panel) -> None:
    """Each panel shows its value in each scenario of the table."""
    for case in VALUES[shown]:
        wrong = ["not asked"]

        def right(case: SeriesByLegend | TableRows = case, wrong: list[str] = wrong) -> bool:
            wrong[:] = _wrong(live, shown, case)
            return not wrong

        try:
            until(right, 15)
        except AssertionError:
            pytest.fail(f"{case.choice}: {'; '.join(wrong)}")


def _wrong(live: WatchedFleet, shown: Panel, case: SeriesByLegend | TableRows) -> list[str]:
    """Return what is not as it is said."""
    choice = dict(case.choice)
    if "pipeline" in choice:
        choice["pipeline"] = _ids(live).get(choice["pipeline"]) or _elsewhere(live, choice["pipeline"])
    if isinstance(case, SeriesByLegend):
        expected = case.of(live) if callable(case.of) else case.of
        return _differences(expected, _values(live, *shown, **choice), only=case.only)
    rows = {str(row.get(case.column)): row for row in live.table(shown[0], _panel(*shown), **choice)}
    rows = {live.named(name): row for name, row in rows.items()}
    found = [f"no row {name}" for name in case.of.keys() - rows.keys()]
    found += [f"a row {name}" for name in rows.keys() - case.of.keys() if case.only]
    for name in case.of.keys() & rows.keys():
        found += [f"{name}: {each}" for each in _differences(case.of[name], rows[name], only=False)]
    return found


def _differences(expected: Mapping[str, Value], found: Mapping[str, object], *, only: bool) -> list[str]:
    wrong = [f"{name} is not among {sorted(found)}" for name in expected.keys() - found.keys()]
    if only:
        wrong += [f"{name} is there too" for name in found.keys() - expected.keys()]
    for name in expected.keys() & found.keys():
        value, is_ = expected[name], found[name]
        least, greatest = value if isinstance(value, tuple) else (value, value)
        if not least <= is_ <= greatest:  # type: ignore[operator]
            wrong.append(f"{name} is {is_}, not {value}")
    return wrong


def _elsewhere(live: WatchedFleet, name: str) -> str:
    [found] = live.ask(f'feldera_pipeline_info{{pipeline_name="{name}", instance="{live.exporters["a"]}"}}')
    return str(found["metric"]["pipeline"])
