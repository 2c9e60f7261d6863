"""Every alert that a page can name has its runbook, as HTML."""

import pytest

from feldera_exporter.pages import runbooks
from feldera_exporter.rules.alert_names import PIPELINES, SECTIONS

NAMES = SECTIONS[PIPELINES]


@pytest.mark.parametrize("name", NAMES)
def test_it_exists(name: str) -> None:
    """And begins with the alert's name."""
    assert runbooks.exists(name)
    assert f"<h1>{name}</h1>" in (runbooks.runbook(name) or "")


def test_what_all_need_is_one_too() -> None:
    """The page of the variables, at the address that the others link to."""
    assert "<h1>Runbooks</h1>" in (runbooks.runbook(runbooks.COMMON) or "")
    assert '<a href="README">' in (runbooks.runbook(NAMES[0]) or "")


def test_nothing_else_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """No path leads out of the folder, and a damaged installation has none."""
    assert not runbooks.exists("../../README")

    def missing(name: str) -> None:
        raise FileNotFoundError(name)

    monkeypatch.setattr(runbooks, "shipped", missing)
    runbooks.runbook.cache_clear()
    assert not runbooks.exists(NAMES[0])
    runbooks.runbook.cache_clear()
