"""The stand-in of Feldera runs as a separate program."""

import os
import signal
import threading

import httpx
import pytest

from feldera_exporter.cli import main
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.simulator.scenarios import SCENARIOS
from support import loopback
from support.exporter_process import until


def test_it_answers_as_feldera_until_it_is_ended() -> None:
    """The stand-in has each scenario's pipeline and answers as the given version; SIGTERM ends it with 0."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    found: list[str] = []
    versions: set[str] = set()

    def answers() -> bool:
        try:
            listed = loopback.get(f"{address}/v0/pipelines", params={"selector": "status"})
        except httpx.HTTPError:
            return False
        found.extend(row["name"] for row in listed.raise_for_status().json())
        versions.add(loopback.get(f"{address}/v0/config").json()["version"])
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
        assert (
            main(
                [
                    "simulate",
                    f"--web.listen-address=127.0.0.1:{port}",
                    "--pipelines=2",
                    "--feldera-version=0.337.0",
                ]
            )
            == 0
        )
    finally:
        visitor.join()
        signal.signal(signal.SIGTERM, handler)
    assert set(found) >= {scenario.name for scenario in SCENARIOS} - {"ci-smoke"}
    assert len([name for name in found if name.startswith("job")]) == 2
    assert versions == {"0.337.0"}


def test_a_wrong_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong address is refused with the exporter's own message."""
    assert main(["simulate", "--web.listen-address=nowhere"]) == 2
    assert capsys.readouterr().err.startswith("error: --web.listen-address: found 'nowhere'")


def test_a_wrong_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong version is refused, with the possible ones."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "--feldera-version=0.999.0"])
    assert ended.value.code == 2
    assert "found '0.999.0', expected a version of Feldera from 0.148.0 to 0.375.0" in capsys.readouterr().err
