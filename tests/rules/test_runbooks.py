"""Every alert has a runbook, every runbook an alert, and each says what a person needs in the middle of the night."""

import re
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.rules.table import NAMES
from rules.generate import ROOT

FOLDER: Final = ROOT / "alerts/runbooks"
PAGES: Final = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SECTIONS: Final = ["Meaning", "Impact", "Diagnosis", "Mitigation"]

CODES: Final = [
    "AutomatonProvisioningTimeout",
    "AutomatonMissingProgramInfo",
    "AutomatonInvalidProgramInfo",
    "AutomatonInvalidRuntimeConfig",
    "AutomatonInvalidDeploymentConfig",
    "AutomatonFailedToSerializeDeploymentConfig",
    "AutomatonCannotConstructProgramBinaryUrl",
    "AutomatonCannotConstructProgramInfoUrl",
    "AutomatonMissingDeploymentId",
    "AutomatonMissingDeploymentConfig",
    "AutomatonMissingDeploymentLocation",
    "AutomatonMissingDeploymentInitial",
    "AutomatonImpossibleDesiredStatus",
    "RunnerProvisionError",
    "RunnerCheckError",
    "PipelineInteractionInvalidResponse",
    "StartFailedDueToFailedCompilation",
    "IoError",
    "PipelineTerminated",
    "InitializationError",
    "RuntimeError.WorkerPanic",
]
"""Codes of pipeline-manager `runner/error.rs` and of the pipeline's server that a deployment error really carries."""

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def test_one_page_for_each_alert() -> None:
    """No alert is without a page, no page without an alert."""
    assert {page.stem for page in PAGES} == NAMES


@by_page
def test_sections(page: Path) -> None:
    """A page is titled as its alert and has the four sections, none of them empty."""
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    bodies = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert [body for body in bodies if len(body.strip()) < 30] == []


@by_page
def test_commands(page: Path) -> None:
    """Diagnosis gives commands; every request that needs it carries the key from the environment, none holds one."""
    text = page.read_text("utf-8")
    diagnosis = text.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    assert "```sh" in diagnosis or "```promql" in diagnosis
    for line in re.findall(r"^.*\bcurl\b.*/v0/.*$", text, re.MULTILINE):
        assert 'Authorization: Bearer $FELDERA_API_KEY"' in line
        assert '"$FELDERA_HOST/v0/' in line
    assert re.search(r"apikey:[A-Za-z0-9]{8}", text) is None
    assert text.count("```") % 2 == 0


@by_page
def test_references(page: Path) -> None:
    """Every alert that a page refers to exists, and every link leads somewhere."""
    text = page.read_text("utf-8")
    assert set(re.findall(r"\bFeldera[A-Z]\w+", text)) <= NAMES
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (page.parent / target).exists()


@by_page
def test_shell_parses(page: Path) -> None:
    """Quotes in shell commands are closed."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for line in block.splitlines():
            assert line.count("'") % 2 == 0, line
            assert re.sub(r"'[^']*'", "", line).count('"') % 2 == 0, line


@pytest.mark.parametrize("code", CODES)
def test_error_codes(code: str) -> None:
    """The page of the deployment error says what to do about every code that occurs."""
    text = (FOLDER / "FelderaPipelineDeploymentError.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and f"`{code}`" in line]
    assert len(rows) == 1
    assert all(cell.strip() for cell in rows[0].strip("|").split("|"))
