"""The stand-in of Feldera runs alone, for an exporter elsewhere."""

import os
import signal
import threading

import httpx
import pytest

from feldera_exporter.cli import main
from feldera_exporter.demo.programs import free_port
from feldera_exporter.simulator.stories import STORIES
from system.program import until


def test_it_answers_as_feldera_until_it_is_ended() -> None:
    """With every story's pipeline; SIGTERM ends it with 0."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    found: list[str] = []

    def answers() -> bool:
        try:
            listed = httpx.get(f"{address}/v0/pipelines", params={"selector": "status"}, trust_env=False)
        except httpx.HTTPError:
            return False
        found.extend(row["name"] for row in listed.raise_for_status().json())
        return True

    def visit() -> None:
        try:
            until(answers)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    visitor = threading.Thread(target=visit)
    # Ends the test in every case: before the stand-in has its own handler, the signal is Python's.
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        visitor.start()
        assert main(["simulate", f"--web.listen-address=127.0.0.1:{port}", "--pipelines=2"]) == 0
    finally:
        visitor.join()
        signal.signal(signal.SIGTERM, handler)
    assert set(found) >= {story.name for story in STORIES} - {"ci-smoke"}
    assert len([name for name in found if name.startswith("job")]) == 2


def test_a_wrong_address_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As by the exporter itself."""
    assert main(["simulate", "--web.listen-address=nowhere"]) == 2
    assert capsys.readouterr().err.startswith("error: --web.listen-address: found 'nowhere'")
