"""What a user sets about the rules shows in what they are rendered to, and mistakes are named."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from feldera_exporter.cli import parser
from feldera_exporter.errors import ConfigError
from feldera_exporter.rules.__main__ import main
from feldera_exporter.rules.documents import documents, readme
from feldera_exporter.rules.rendering import FORMATS, rules
from feldera_exporter.rules.settings import Choice, Settings
from feldera_exporter.rules.table import ALERTS, NAMES
from rules.promtool import run

ERROR = "FelderaPipelineDeploymentError"


def loaded(settings: Settings | None = None, **urls: str) -> dict[str, dict[str, Any]]:
    """Return the rendered alerts by name."""
    groups = yaml.safe_load(rules("prometheus", settings, **urls))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_defaults() -> None:
    """Without settings every alert of the table is there, with its severity."""
    found = loaded()
    assert set(found) == NAMES
    plain = {alert.name: alert.severity for alert in ALERTS if not alert.critical_if}
    assert {name: found[name]["labels"]["severity"] for name in plain} == plain


@pytest.mark.parametrize("choice", [Choice(enabled=False), Choice(via="bridge")])
def test_left_out(choice: Choice) -> None:
    """An alert that is switched off, or goes by the bridge, is no rule."""
    assert set(loaded(Settings({ERROR: choice}))) == NAMES - {ERROR}


def test_severity_and_labels() -> None:
    """A chosen severity replaces the table's, routing labels are added."""
    settings = Settings({ERROR: Choice(severity="critical", labels={"route": "data"})})
    assert loaded(settings)[ERROR]["labels"] == {"severity": "critical", "route": "data"}


def test_tag_labels(tmp_path: Path) -> None:
    """A configured tag label is on every pipeline's alert, and what results is a rule file."""
    settings = Settings(tag_labels=("expect", "team", "owner"))
    assert settings.tags == ("team", "tier", "owner")
    found = loaded(settings)[ERROR]["expr"]
    assert "group_left (team, tier, owner) topk by" in found
    assert "pipeline_name, team, tier, owner)" in found
    path = tmp_path / "rules.yml"
    path.write_text(rules("prometheus", settings), encoding="utf-8")
    verdict = run("check", "rules", "--lint=all", "--lint-fatal", path)
    assert verdict.passed, verdict.words
    ages = path.read_text("utf-8").partition("record: feldera:pipeline_deployment_status:age_seconds")[2]
    assert "group_left (team, tier, owner) topk by" in ages.partition("record:")[0]


def test_addresses() -> None:
    """Boards lie where the user says, with or without a slash at the end."""
    for url in ("https://grafana", "https://grafana/"):
        assert loaded(dashboard_url=url)[ERROR]["annotations"]["dashboard_url"].startswith(
            "https://grafana/d/feldera-pipeline?var-feldera_instance={{"
        )


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("https://exporter/runbooks", f"https://exporter/runbooks/{ERROR}"),
        ("https://exporter/runbooks/", f"https://exporter/runbooks/{ERROR}"),
        ("https://files/{alert}.md", f"https://files/{ERROR}.md"),
        ("https://wiki/?page={alert}#{alert}", f"https://wiki/?page={ERROR}#{ERROR}"),
    ],
)
def test_runbooks(told: str, found: str) -> None:
    """An alert's name takes the place of `{alert}`, or comes at the end."""
    assert loaded(runbook_url=told)[ERROR]["annotations"]["runbook_url"] == found


def test_the_page_of_the_alerts_shows_flags_that_are_known() -> None:
    """In its command, and where it says how to link to files."""
    text = readme()
    [command] = re.findall(r"```sh\n(.*?)```", text.replace("\\\n", ""), re.DOTALL)
    words, _, _ = command.partition(" > ")
    assert parser().parse_args(shlex.split(words)[1:]).runbook_url.endswith("/runbooks")
    [flag] = re.findall(r"`(--runbook-url='[^`]*)`", text)
    address = parser().parse_args(["rules", *shlex.split(flag)]).runbook_url
    assert loaded(runbook_url=address)[ERROR]["annotations"]["runbook_url"].endswith(f"/{ERROR}.md")


def test_labels_of_the_dashboard_are_escaped() -> None:
    """What goes into an address passes through urlquery."""
    for rule in loaded().values():
        assert rule["annotations"]["dashboard_url"].count("{{") == rule["annotations"]["dashboard_url"].count(
            "urlquery"
        )


@pytest.mark.parametrize(
    ("alerts", "tags", "mistakes"),
    [
        (
            {"FelderaPipelineDeplymentError": Choice()},
            (),
            "alerts.FelderaPipelineDeplymentError: there is no such alert, expected one of those that `feldera-exporter rules` prints",
        ),
        (
            {ERROR: Choice(severity="page")},
            (),
            f"alerts.{ERROR}.severity: found 'page', expected one of critical, warning, info, none",
        ),
        (
            {ERROR: Choice(via="pigeon")},
            (),
            f"alerts.{ERROR}.via: found 'pigeon', expected one of rules, bridge",
        ),
        (
            {ERROR: Choice(labels={"team": "x"})},
            (),
            f"alerts.{ERROR}.labels.team: 'team' is a label that the rules set themselves, expected another name",
        ),
        (
            {},
            ("slow-start",),
            "tag_labels.slow-start: found 'slow-start', expected a label's name (letters, digits, _, not beginning with a digit or __)",
        ),
        (
            {},
            ("pipeline",),
            "tag_labels.pipeline: 'pipeline' is a label that the rules set themselves, expected another name",
        ),
    ],
)
def test_mistakes(alerts: dict[str, Choice], tags: tuple[str, ...], mistakes: str) -> None:
    """Each mistake is one line that names place, finding and expectation."""
    with pytest.raises(ConfigError) as raised:
        Settings(alerts, tags)
    assert raised.value.mistakes == (mistakes,)


def test_all_mistakes_at_once() -> None:
    """Several mistakes are told together."""
    with pytest.raises(ConfigError) as raised:
        Settings({"Nothing": Choice(severity="x", via="y")}, ("1",))
    assert len(raised.value.mistakes) == 4


def test_formats() -> None:
    """There are two formats, and an unknown one is no silent default."""
    assert set(FORMATS) == {"prometheus", "operator"}
    with pytest.raises(KeyError):
        rules("nagios")


def test_generation(tmp_path: Path) -> None:
    """The generator writes every document below the root that it is given."""
    (tmp_path / "alerts").mkdir()
    main(tmp_path)
    assert {path: (tmp_path / path).read_text("utf-8") for path in documents()} == documents()
