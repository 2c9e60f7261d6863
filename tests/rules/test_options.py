"""Each option of the rules changes what it should in the printed rules, and nothing else."""

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from feldera_exporter import cli
from feldera_exporter.config import AlertChoice
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS, TRUSTED
from feldera_exporter.rules.rendering import FORMATS, RuleOptions, rules
from reference import alerts_page
from support.rule_engines import run
from support.tools import tool

ERROR: Final = "FelderaPipelineDeploymentError"
SHIPPED: Final = rules()


@cache
def loaded(text: str) -> Mapping[str, dict[str, Any]]:
    """Return the alerts of a rule file by name."""
    rules_ = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules_ if "alert" in rule}


def printed(options: RuleOptions) -> Mapping[str, dict[str, Any]]:
    """Return the alerts that options give, by name."""
    return loaded(rules("prometheus", options))


def test_an_alert_is_switched_off() -> None:
    """All other alerts stay the same."""
    found = printed(RuleOptions({ERROR: AlertChoice(enabled=False)}))
    assert found == {name: rule for name, rule in loaded(SHIPPED).items() if name != ERROR}
    assert set(found) == NAMES - {ERROR}


def test_a_group_without_rules_is_left_out() -> None:
    """Prometheus takes empty groups, some other systems do not."""
    off = AlertChoice(enabled=False)
    text = rules("prometheus", RuleOptions({f"Feldera{name}": off for name in INSTANCE_PROBLEMS}))
    assert [group["name"] for group in yaml.safe_load(text)["groups"]] == [
        "feldera-exporter",
        "feldera-pipelines",
        "feldera-pipeline-faults",
    ]


def test_severity_and_labels() -> None:
    """A chosen severity replaces the table's, further labels are added; an expression stays as it is."""
    choice = AlertChoice(severity="warning", labels={"route": "data"})
    found = printed(RuleOptions({ERROR: choice}))[ERROR]
    assert found["labels"] == {"severity": "warning", "route": "data"}
    assert found["expr"] == loaded(SHIPPED)[ERROR]["expr"]


def test_labels_and_words_for_every_alert() -> None:
    """Alerts about pipelines, instances and the exporter have them; a single alert's choice counts more."""
    options = RuleOptions(
        {ERROR: AlertChoice(severity="warning", labels={"env": "night"})},
        alert_labels={"env": "prod", "namespace": "feldera"},
        severities={"critical": "page", "warning": "ticket"},
    )
    found = printed(options)
    assert found.keys() == NAMES
    words = {"critical": "page", "warning": "ticket"}
    for name, rule in loaded(SHIPPED).items():
        severity = rule["labels"]["severity"]
        expected = {"severity": words.get(severity, severity), "env": "prod", "namespace": "feldera"}
        if name == ERROR:
            expected |= {"severity": "ticket", "env": "night"}
        assert found[name] == {**rule, "labels": expected}


@pytest.mark.parametrize(
    ("tag_labels", "labels"),
    [
        (("team", "tier", "expect"), "team, tier"),
        (("team", "tier", "expect", "owner"), "team, tier, owner"),
    ],
)
def test_tag_labels(tag_labels: tuple[str, ...], labels: str, tmp_path: Path) -> None:
    """Each alert about a pipeline has the tag labels except `expect`, and Prometheus accepts the result."""
    text = rules("prometheus", RuleOptions(tag_labels=tag_labels))
    found = loaded(text)
    for name in PIPELINE_PROBLEMS:
        expression = found[f"FelderaPipeline{name}"]["expr"]
        assert f"max by (feldera_instance, pipeline, pipeline_name, status, {labels}) (" in expression
    for name in (*(f"Feldera{each}" for each in INSTANCE_PROBLEMS), *EXPORTER_ALERTS):
        assert found[name] == loaded(SHIPPED)[name]
    file = tmp_path / "rules.yml"
    file.write_text(text, encoding="utf-8")
    verdict = run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", file)
    assert verdict.passed, verdict.output


def test_only_those_about_the_exporter() -> None:
    """The recording rule stays, since these alerts read it."""
    text = rules("prometheus", RuleOptions(exporter_only=True))
    assert set(loaded(text)) == set(EXPORTER_ALERTS)
    assert f"record: {TRUSTED}" in text


@pytest.mark.parametrize("end", ["", "/"])
def test_addresses(end: str) -> None:
    """Pages, boards and runbooks are where the user says, with or without a slash at the end."""
    options = RuleOptions(exporter_url=f"https://feldera.example{end}", dashboard_url=f"https://grafana{end}")
    annotations = printed(options)[ERROR]["annotations"]
    assert annotations["runbook_url"] == f"https://feldera.example/runbooks/{ERROR}"
    assert annotations["pipeline_url"].startswith(
        "https://feldera.example/pipelines/{{ $labels.feldera_instance"
    )
    assert annotations["dashboard_url"].startswith(
        "https://grafana/d/feldera-pipeline?var-feldera_instance={{"
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://wiki/runbooks", f"https://wiki/runbooks/{ERROR}"),
        ("https://wiki/runbooks/", f"https://wiki/runbooks/{ERROR}"),
        ("https://files/{alert}.md", f"https://files/{ERROR}.md"),
        ("https://wiki/?page={alert}#{alert}", f"https://wiki/?page={ERROR}#{ERROR}"),
    ],
)
def test_runbooks(url: str, expected: str) -> None:
    """An alert's name takes the place of `{alert}`, or comes at the end."""
    assert printed(RuleOptions(runbook_url=url))[ERROR]["annotations"]["runbook_url"] == expected


def test_the_command_without_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the shipped rules."""
    assert cli.main(["rules"]) == 0
    assert capsys.readouterr().out == SHIPPED
    assert cli.main(["rules", "--format=operator"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["spec"] == yaml.safe_load(SHIPPED)


def test_the_command_with_choices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what the configuration chooses, with the addresses of its flags."""
    file = tmp_path / "exporter.yml"
    document = {
        "instances": [{"name": "prod", "url": "https://feldera.example"}],
        "tag_labels": {"owner": "owner:(.+)"},
        "alerts": {
            ERROR: {"severity": "warning", "labels": {"route": "night"}},
            "FelderaFleetDegraded": {"enabled": False},
        },
    }
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert cli.main(["rules", f"--config.file={file}", "--web.external-url=https://exporter.example"]) == 0
    found = loaded(capsys.readouterr().out)
    assert set(found) == NAMES - {"FelderaFleetDegraded"}
    assert found[ERROR]["labels"] == {"severity": "warning", "route": "night"}
    assert "status, team, tier, owner)" in found[ERROR]["expr"]
    assert found[ERROR]["annotations"]["runbook_url"] == f"https://exporter.example/runbooks/{ERROR}"


@pytest.mark.parametrize("flag", ["--runbook-url", "--dashboard-url"])
@pytest.mark.parametrize("address", ["grafana.example.com", "ftp://files", "http://", "http://[::1"])
def test_an_address_must_be_one(flag: str, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong address is reported, and nothing is printed."""
    assert cli.main(["rules", f"{flag}={address}"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"error: {flag}: found {address!r}, expected an http or https address such as https://example.com\n"
    )


def test_the_page_of_the_alerts_shows_flags_that_are_known() -> None:
    """The flags in the page's commands and texts exist."""
    text = alerts_page.page()
    [command] = re.findall(r"```sh\n(.*?)```", text.replace("\\\n", ""), re.DOTALL)
    words, _, _ = command.partition(" > ")
    assert cli.parser().parse_args(shlex.split(words)[1:]).dashboard_url.startswith("https://grafana.")
    [flag] = re.findall(r"`(--runbook-url='[^`]*)`", text)
    address = cli.parser().parse_args(["rules", *shlex.split(flag)]).runbook_url
    assert printed(RuleOptions(runbook_url=address))[ERROR]["annotations"]["runbook_url"].endswith(
        f"/{ERROR}.md"
    )


def test_formats() -> None:
    """There are two formats, and an unknown one is refused."""
    assert set(FORMATS) == {"prometheus", "operator"}
    with pytest.raises(KeyError):
        rules("nagios")
