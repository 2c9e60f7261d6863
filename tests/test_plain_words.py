"""What users read is in plain words: README, documentation, runbooks, HELP texts, `--help`, pages, rules, dashboards, settings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.cli import COMMANDS, parser
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.telemetry import Telemetry
from support.tools import ROOT

FORBIDDEN: Final = re.compile(
    r"\b(anew|mend(s|ed|ing)?|(some|no)body|(un)?told|befalls?|befell|of (its|their) own)\b", re.IGNORECASE
)
"""Words for which there are usual ones."""

_PATTERNS: Final = (
    "*.md",
    "compose.yaml",
    "Dockerfile",
    "Makefile",
    "docs/*.md",
    "alerts/*.yml",
    "alerts/*.yaml",
    "alerts/**/*.md",
    "config/**/*.*",
    "exporter/feldera_exporter/pages/templates/*",
)
_TEXT_FILES: Final = frozenset(
    {".md", ".yml", ".yaml", ".json", ".txt", ".tmpl", ".tpl", ".service", ".html", ".py", ""}
)


def files() -> Iterator[Path]:
    """Yield the files whose text users read."""
    for pattern in _PATTERNS:
        yield from (path for path in ROOT.glob(pattern) if path.is_file() and path.suffix in _TEXT_FILES)


def found(text: str) -> list[str]:
    """Return the lines with a forbidden word."""
    return [line.strip() for line in text.splitlines() if FORBIDDEN.search(line)]


@pytest.mark.parametrize("path", sorted(set(files())), ids=lambda path: str(path.relative_to(ROOT)))
def test_files(path: Path) -> None:
    """No file has one of the words."""
    assert found(path.read_text(encoding="utf-8")) == []


def test_help_of_metrics() -> None:
    """No HELP text has one of the words."""
    shown = catalogue()
    texts = [column.family.help for column in (*shown.instances, *shown.pipelines)]
    texts += [description.help for description in Telemetry("", "").descriptions]
    assert len(texts) > 50
    assert found("\n".join(texts)) == []


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_of_commands(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No `--help` has one of the words."""
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args([*command, "--help"])
    said = capsys.readouterr().out
    assert "usage: feldera-exporter" in said
    assert found(said) == []


@pytest.mark.parametrize(
    "text", ["Somebody starts it.", "as told", "it is mended", "made anew", "a store of its own"]
)
def test_a_word_is_found(text: str) -> None:
    """So that the tests above mean something."""
    assert found(text) == [text]


def test_other_words_are_not() -> None:
    """Words that only contain one of them."""
    assert found("recommended, amend, its own, any pod") == []
