"""Tests of every command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from feldera_exporter import cli
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.two_instances import feldera


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The help shows every command, the flags of the default one, and examples."""
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    said = capsys.readouterr().out
    assert [command for command in cli.COMMANDS if f"\n    {command} " not in said] == []
    with pytest.raises(SystemExit, match="0"):
        cli.main(["run", "--help"])
    flags = re.findall(r"^  (--[\w.-]+)", capsys.readouterr().out, re.MULTILINE)
    assert {
        "--config.file",
        "--web.listen-address",
        "--web.telemetry-path",
        "--storage.path",
        "--log.format",
    } < {*flags}
    assert [flag for flag in flags if f"\n  {flag}" not in said] == []
    examples = re.findall(
        r"^  (?:\w+=\S+ )?feldera-exporter ?(.*?)(?: > \S+)?$", said.partition("examples:")[2], re.MULTILINE
    )
    assert len(examples) == 5
    for words in examples:
        parsed, unknown = cli.parser().parse_known_args(words.split() if words[:1].isalpha() else ["run"])
        assert parsed.command
        assert unknown == []


def test_run_imports_only_what_it_needs() -> None:
    """`run` imports neither the stand-in nor what only the demo or the first page needs, so that it starts faster."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules))\n"
        "from feldera_exporter import __main__\n"
        "__main__.start()\n"
    )
    # Everything is imported before a flag is looked at.
    words = [sys.executable, "-c", program, "run", "--web.telemetry-path=/"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == cli.BAD_USAGE
    modules = done.stdout.split()
    needless = re.compile(
        r"(jinja2|markdown_it|rich|shtab|feldera_exporter\.(simulator|demo|checking|backfill))(\..*)?"
    )
    assert "feldera_exporter.app" in modules
    assert [module for module in modules if needless.fullmatch(module)] == []


@pytest.mark.parametrize("shell", cli.SHELLS)
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The completion of a shell knows every command and the flags of each."""
    assert cli.main(["--print-completion", shell]) == 0
    script = capsys.readouterr().out
    for word in (*cli.COMMANDS, "--storage.path", "--feldera-version", "--offline"):
        assert word in script


@pytest.mark.parametrize(
    ("words", "message"),
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
def test_an_unknown_argument(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the unknown argument and what is expected."""
    assert cli.main(words.split()) == cli.BAD_USAGE
    assert capsys.readouterr().err == f"error: {message}\n"


@pytest.mark.parametrize("path", ["/", "//", "/-/x", "/-", "/pipelines/a/b", "/runbooks", "/static/x"])
def test_metrics_that_would_hide_a_page(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A path of the metrics that would hide a page is refused."""
    assert cli.main([f"--web.telemetry-path={path}"]) == cli.BAD_USAGE
    assert capsys.readouterr().err.startswith(f"error: --web.telemetry-path: found '{path}', expected a path")


@pytest.mark.parametrize("command", ["rules", "backfill"])
def test_a_reader_who_has_seen_enough(command: str, tmp_path: Path) -> None:
    """`… | head -1` ends without a complaint."""
    with serve(FelderaServer(feldera("a"))) as url:
        # The pipe has no reader: the first write finds it broken.
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
