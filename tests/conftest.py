"""Fixtures and options that all tests share."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import structlog


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that writes the golden files."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


_NOT_MEASURED: Final = (
    "alerting",
    "boards/test_live",
    "hostile",
    "ledger/test_oracle",
    "pages/test_browser",
    "problems/test_oracle",
    "problems/test_week",
    "recorded",
    "rules/test_options",
    "simulator/test_ground_truth",
    "simulator/test_openapi",
    "simulator/test_scale",
    "system",
)
"""Where coverage is not measured: it doubles what these cost, and others run the same code."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage where that costs much and adds nothing."""
    for item in items:
        path = item.path.relative_to(Path(__file__).parent).as_posix()
        if path.startswith(_NOT_MEASURED):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of that name in the folder `golden` beside the test."""
    folder = Path(request.path).parent / "golden"
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = folder / name
        if update:
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    """Restore the logging after each test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
