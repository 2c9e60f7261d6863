"""The programs that run the tests in `alerts/tests`: promtool of Prometheus 2 and 3, and vmalert's."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from support.tools import ROOT, THOROUGH, tool

_EPOCH: Final = 946_684_800
"""Where the tests of vmalert begin; those of promtool begin at 0."""

RULES: Final = ROOT / "alerts/feldera.rules.yml"
TESTS: Final = ROOT / "alerts/tests"

_ELSEWHERE: Final = ROOT / ".cache/go-tools"
"""Where a newer Prometheus and vmalert may be; promtool of Prometheus 2 must be there, the others need not."""


@dataclass(frozen=True)
class RuleTester:
    """A program that tests rules.

    Attributes:
        name: for people.
        program: its path.
        vmalert: whether it is vmalert's, whose test files are named otherwise in two places.
    """

    name: str
    program: str
    vmalert: bool = False

    def test(self, file: Path, folder: Path) -> "RuleTestResult":
        """Run a test file with the groups of rules that it names; what has to be written goes to an empty folder.

        Every step of a test evaluates every rule that is there, and most files are about few of them.
        """
        document = loaded(file)
        groups = [each for each in _groups() if each["name"] in document["group_eval_order"]]
        (folder / "rules.yml").write_text(json.dumps({"groups": groups}), "utf-8")
        document["rule_files"] = [str(folder / "rules.yml")]
        rewritten = folder / file.name
        rewritten.write_text(json.dumps(for_vmalert(document) if self.vmalert else document), "utf-8")
        if self.vmalert:
            return run(self.program, "unittest", f"--files={rewritten}")
        return run(self.program, "test", "rules", rewritten)


@dataclass(frozen=True)
class RuleTestResult:
    """The result of a test of rules.

    Attributes:
        passed: whether the program found no error.
        output: what it printed.
    """

    passed: bool
    output: str


def engines() -> tuple[RuleTester, ...]:
    """Return what there is to test rules with: promtool of Prometheus 2 always, others where there is time."""
    return (RuleTester("promtool", tool("promtool")), *_newer())


def newer(name: str) -> str | None:
    """Return the path of a program of the newer ones, None where it is not there or there is no time for it."""
    if not (THOROUGH or os.environ.get("CI")):
        return None
    return shutil.which(name, path=str(_ELSEWHERE))


def loaded(file: Path) -> dict[str, Any]:
    """Return what a file of YAML says."""
    document: dict[str, Any] = yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)
    return document


def _newer() -> Iterator[RuleTester]:
    if promtool := newer("promtool"):
        yield RuleTester("promtool 3", promtool)
    if vmalert := newer("vmalert-tool"):
        yield RuleTester("vmalert-tool", vmalert, vmalert=True)


def run(*words: object) -> RuleTestResult:
    """Run a program to its end."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    return RuleTestResult(done.returncode == 0, done.stdout + done.stderr)


def for_vmalert(document: dict[str, Any]) -> dict[str, Any]:
    """Return a test file as vmalert reads it: it names the group of an alert, and has another word for expressions."""
    groups = {rule.get("alert"): group["name"] for group in _groups() for rule in group["rules"]}

    def test(each: Mapping[str, Any]) -> dict[str, Any]:
        changed = {key: value for key, value in each.items() if key != "promql_expr_test"}
        changed["input_series"] = [_later(series) for series in each["input_series"]]
        changed["metricsql_expr_test"] = each.get("promql_expr_test", [])
        changed["alert_rule_test"] = [
            asked | {"groupname": groups[asked["alertname"]]} for asked in each.get("alert_rule_test", ())
        ]
        return changed

    return document | {"tests": [test(each) for each in document["tests"]]}


def _later(series: Mapping[str, str]) -> Mapping[str, str]:
    """Return a series whose values the rules compare with `time()` as it is when a test begins in the year 2000."""
    if not series["series"].startswith("feldera_exporter_alertmanager_last_success_timestamp_seconds"):
        return series
    return {
        **series,
        "values": re.sub(r"(?<!\S)\d+", lambda found: str(int(found[0]) + _EPOCH), series["values"]),
    }


def _groups() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = loaded(RULES)["groups"]
    return groups
