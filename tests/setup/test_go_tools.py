"""`.ci/go-tools` builds the programs, or says that it cannot."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from support.tools import NEWEST, ROOT, editions, newest, tool

PROJECTS: Final = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "alertmanager",
    "alertmanager": "alertmanager",
    "vmalert": "victoriametrics",
}
"""By program; `vmalert-tool` does not say its version."""


@pytest.mark.parametrize("program", [name for name in PROJECTS if NEWEST in editions(name)])
def test_each_has_its_version(program: str) -> None:
    """Each program has the version of the script."""
    done = subprocess.run([tool(program, NEWEST), "--version"], capture_output=True, text=True, check=True)
    assert newest()[PROJECTS[program]] in done.stdout.splitlines()[0]


def test_without_go_it_says_what_it_skips(tmp_path: Path) -> None:
    """Without Go nothing is built."""
    script = tmp_path / ".ci/go-tools"
    script.parent.mkdir()
    shutil.copy(ROOT / ".ci/go-tools", script)
    (tmp_path / "dirname").symlink_to(str(shutil.which("dirname")))
    done = subprocess.run([script], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("== Skipped, as there is no go: ")
    assert set(newest()) == {"prometheus", "alertmanager", "victoriametrics", "helm"}
    for version in newest().values():
        assert version in done.stdout
    assert not (tmp_path / ".cache").exists()
