"""What users read is in plain words, from the README to HELP texts and pages; and so is the code, names included."""

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

FORBIDDEN_IN_CODE: Final = re.compile(
    r"(?<![a-z])(anew|mend(s|ed|ing)?|(some|no)body|(un)?told|befalls?|befell|whoever|of[ _](its|their)[ _]own)(?![a-z])",
    re.IGNORECASE,
)
"""The same words also as parts of names, and one more."""

_CODE: Final = ("exporter", "tests", "config/grafana/source", "docs/source", ".ci")
"""The folders of the code."""

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


def code() -> Iterator[Path]:
    """Yield the Python files except this one, which has the words themselves, and the scripts of `.ci`."""
    for folder in _CODE:
        yield from (ROOT / folder).rglob("*.py" if folder != ".ci" else "*")


def found(text: str, forbidden: re.Pattern[str] = FORBIDDEN) -> list[str]:
    """Return the lines with a forbidden word."""
    return [line.strip() for line in text.splitlines() if forbidden.search(line)]


@pytest.mark.parametrize("path", sorted(set(files())), ids=lambda path: str(path.relative_to(ROOT)))
def test_files(path: Path) -> None:
    """No file has one of the words."""
    assert found(path.read_text(encoding="utf-8")) == []


def test_code() -> None:
    """No docstring, comment, string or name in the code has one of the words."""
    paths = sorted(path for path in code() if path.is_file() and path != Path(__file__).resolve())
    assert len(paths) > 400
    texts = ((path, path.read_text(encoding="utf-8")) for path in paths)
    lines = [(str(path.relative_to(ROOT)), found(text, FORBIDDEN_IN_CODE)) for path, text in texts]
    assert [each for each in lines if each[1]] == []


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
    """Each word is found, so the tests above can fail."""
    assert found(text) == found(text, FORBIDDEN_IN_CODE) == [text]


@pytest.mark.parametrize("text", ["def test_nobody_listens()", "TOLD_TO = 1", "_untold", "whoever asks"])
def test_a_name_is_found(text: str) -> None:
    """In code the words are found in names too."""
    assert found(text) == []
    assert found(text, FORBIDDEN_IN_CODE) == [text]


def test_other_words_are_not() -> None:
    """Words that only contain one of them are allowed."""
    text = "recommended, amend, its own, any pod"
    assert found(text) == found(text, FORBIDDEN_IN_CODE) == []
