"""Fixtures and options that all tests share."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Final

import pytest
import structlog

import feldera_exporter
from feldera_exporter.polling import gc_tuning

# As the program does: a tenth of the time that collecting the tests takes.
gc_tuning.collect_rarely()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that writes the golden files."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


_NOT_MEASURED: Final = (
    "alerting",
    "api/test_list_batches.py::test_a_list_is_no_longer",
    "api/test_list_batches.py::test_parts_and_batches",
    "api/test_list_batches.py::test_refused_elements",
    "boards/test_live",
    "demo/test_simulated_fleet",
    "exposition/test_table.py::test_any_changes",
    "history/test_fold.py::TestMadeUpStatuses",
    "history/test_machine",
    "hostile",
    "ledger/test_oracle",
    "ledger/test_unreadable_events",
    "metrics/test_reading_back",
    "pages/test_browser",
    "pages/test_html.py::test_a_thousand",
    "polling/test_held",
    "polling/test_log_reader",
    "problems/test_mutation",
    "problems/test_oracle",
    "problems/test_week",
    "problems/test_whole",
    "recorded",
    "rules/test_every_alert",
    "rules/test_options",
    "server/test_page_readers",
    "simulator/test_ground_truth",
    "simulator/test_openapi",
    "simulator/test_scale",
    "simulator/test_scenarios",
    "store/test_store.py::test_thousands",
    "system",
)
"""The tests, by the beginnings of their ids, for which coverage is not measured: it doubles what these cost, and others run
the same code."""


@contextmanager
def not_measured() -> Iterator[None]:
    """Measure no coverage in the context.

    pytest-cov's own marker has no effect in the processes of pytest-xdist: there, another measurement goes on.
    """
    tracers = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracers[0])
        threading.settrace(tracers[1])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Measure no coverage while tests are collected, which would take twice as long; but of the package's imports."""
    if sys.gettrace() is not None:
        for module in walk_packages(feldera_exporter.__path__, "feldera_exporter."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    with not_measured():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure no coverage where that costs much and adds nothing."""
    if not item.nodeid.removeprefix("tests/").startswith(_NOT_MEASURED):
        return (yield)
    with not_measured():
        return (yield)


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
