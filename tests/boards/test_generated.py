"""The committed dashboards are what the generator makes, in the schema that Grafana 12 and 13 load."""

from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from dashboards import links
from dashboards.colours import COLOURS
from feldera_exporter.feldera.statuses import DEPLOYMENT, DIMENSIONS, PROGRAM, RESOURCES, STORAGE, Kind
from feldera_exporter.rules.rendering import rules
from support.dashboards import BOARDS, panels


def test_the_boards_are_those_that_alerts_link_to() -> None:
    """The boards that alerts link to exist, with the variables that the links set."""
    by_uid = {document["uid"]: document for document in BOARDS.values()}
    groups = yaml.safe_load(rules())["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    linked = set()
    for alert in alerts:
        url = urlsplit(alert["annotations"]["dashboard_url"])
        linked.add(url.path.removeprefix("/d/"))
        known = by_uid[url.path.removeprefix("/d/")]["templating"]["list"]
        assert parse_qs(url.query).keys() <= {f"var-{variable['name']}" for variable in known}
    assert linked == by_uid.keys()


@pytest.mark.parametrize("board", BOARDS)
def test_counts_in_tables_have_no_decimals(board: str) -> None:
    """A column without a unit has no decimals: Prometheus extrapolates increases to fractions."""
    for panel in panels(board):
        raised = {query["refId"] for query in panel["targets"] if "increase(" in query["expr"]}
        for override in panel["fieldConfig"]["overrides"] if panel["type"] == "table" else ():
            names = panel["transformations"][2]["options"]["renameByName"]
            drawn = {each["id"]: each["value"] for each in override["properties"]}
            letter = next(key for key, name in names.items() if name == override["matcher"]["options"])[-1:]
            if letter in raised and drawn.get("unit") == "none":
                assert drawn["decimals"] == 0, override


@pytest.mark.parametrize("board", BOARDS)
def test_links_lead_to_what_is_there(board: str) -> None:
    """Links to boards have existing uids and variables, links of cells existing columns and variables."""
    uids = {document["uid"] for document in BOARDS.values()}
    own = {variable["name"] for variable in BOARDS[board]["templating"]["list"]}
    found = [link["url"] for link in BOARDS[board]["links"]]
    for panel in panels(board):
        columns = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                if each["id"] != "links":
                    continue
                for link in each["value"]:
                    found.append(link["url"])
                    for name in _between(link["url"], "${__data.fields.", ":"):
                        assert name in columns, (panel["title"], link)
                    for name in _between(link["url"], "${", "}"):
                        assert name in own or name.startswith("__"), (panel["title"], link)
    assert found
    for url in found:
        if url.startswith("/d/"):
            assert url.partition("?")[0].removeprefix("/d/") in uids
    assert links.FLEET_BOARD.endswith("feldera-fleet")


def _between(text: str, begin: str, end: str) -> list[str]:
    return [part.partition(end)[0] for part in text.split(begin)[1:]]


def test_every_status_has_its_code_and_its_kinds_colour() -> None:
    """Each timeline maps the statuses in order to codes and colours, with one more for an unknown status."""
    seen = set()
    for board in BOARDS:
        for panel in panels(board):
            mappings = panel["fieldConfig"]["defaults"]["mappings"]
            options = mappings[0]["options"] if mappings else {}
            for dimension in DIMENSIONS:
                if options.get("0", {}).get("text") == next(iter(dimension.statuses)) and len(options) > 2:
                    texts = {value: shown["text"] for value, shown in options.items()}
                    if len(texts) != len(dimension.statuses) + 1:
                        continue
                    *known, other = texts.items()
                    assert known == [(str(place), status) for place, status in enumerate(dimension.statuses)]
                    assert other == (str(len(known)), "unknown status")
                    for place, kind in enumerate(dimension.statuses.values()):
                        assert options[str(place)]["color"] == COLOURS[kind]
                    seen.add(dimension.name)
    assert seen >= {dimension.name for dimension in (DEPLOYMENT, RESOURCES, PROGRAM, STORAGE)}


def test_there_is_one_colour_for_each_kind() -> None:
    """All kinds have different colours, and no board has any other colour."""
    assert set(COLOURS) == set(Kind)
    assert len(set(COLOURS.values())) == len(Kind)
    found = set().union(*(_colours(document) for document in BOARDS.values()))
    assert found == set(COLOURS.values())


def _colours(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_colours(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(_colours(each) for each in value))
    return {value} if isinstance(value, str) and value.startswith("#") else set()


@pytest.mark.parametrize("board", BOARDS)
def test_panels_do_not_overlap(board: str) -> None:
    """Each panel has its own area in the 24 columns of the grid, and its own number."""
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[board]["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells), panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in BOARDS[board]["panels"]]
    assert len(set(numbers)) == len(numbers)
