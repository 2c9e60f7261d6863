"""What holds of every command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from feldera_exporter import cli
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from hostile.running import feldera, running


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """It says where the flags of the default command are."""
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    assert "The flags of the default command: feldera-exporter run --help." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--sd", "run: found '--sd', expected a flag of this command: feldera-exporter run --help lists them"),
        ("check --sd", "check: found '--sd', expected a flag of this command: feldera-exporter check --help lists them"),
        ("rules x", "rules: found 'x', expected a flag of this command: feldera-exporter rules --help lists them"),
        (
            "--log.level=info check --offline",
            "found 'check' after a flag, expected the command first: feldera-exporter check …",
        ),
    ],
)  # fmt: skip
def test_a_word_that_nobody_reads(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line it is said which, and what is expected."""
    assert cli.main(words.split()) == cli.BAD_USAGE
    assert capsys.readouterr().err == f"error: {told}\n"


@pytest.mark.parametrize("path", ["/", "//", "/-/x", "/-", "/pipelines/a/b", "/runbooks", "/static/x"])
def test_metrics_that_would_hide_a_page(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They are refused."""
    assert cli.main([f"--web.telemetry-path={path}"]) == cli.BAD_USAGE
    assert capsys.readouterr().err.startswith(f"error: --web.telemetry-path: found '{path}', expected a path")


def test_an_address_of_ipv6_is_written_as_browsers_want_it(tmp_path: Path) -> None:
    """In the log, with brackets."""
    text = "instances: [{name: prod, url: 'http://127.0.0.1:9'}]\n"
    with running(tmp_path, text, "--web.listen-address=[::1]:0") as program:
        [started] = [line for line in program.lines() if line["msg"] == "started"]
    assert re.fullmatch(r"127\.0\.0\.1:\d+, \[::1\]:\d+", started["addresses"])


@pytest.mark.parametrize("command", ["rules", "check --offline", "backfill"])
def test_a_reader_who_has_seen_enough(command: str, tmp_path: Path) -> None:
    """`… | head -1` ends without a complaint."""
    with serve(FelderaServer(feldera("a"))) as url:
        # Nobody reads at all: the first that is written finds the pipe broken.
        done = subprocess.run(
            f"set -o pipefail; {sys.executable} -m feldera_exporter {command} | true",
            shell=True,
            executable="/bin/bash",
            env={"FELDERA_HOST": url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode == 0
