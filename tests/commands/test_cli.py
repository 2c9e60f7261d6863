"""What holds of every command."""

import subprocess
import sys
from pathlib import Path

import pytest

from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from hostile.running import feldera


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
