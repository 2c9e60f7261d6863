"""What the runbooks tell a person to type does what they say, as it stands there."""

import json
import os
import re
import shutil
import subprocess
from typing import Final

import pytest

from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from hostile.running import feldera
from tools import ROOT

PAGES: Final = sorted((ROOT / "alerts/runbooks").glob("Feldera*.md"))
BLOCKS: Final = [
    block
    for page in PAGES
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]
RESTARTS: Final = {
    block[block.index("curl -sS --fail-with-body") :] for block in BLOCKS if '/stop?force=true" &&\n' in block
}

_LIST: Final = re.compile(r"/events[?\"]|/v0/pipelines\?")
_REFUSAL: Final = {"message": "No.", "error_code": "Refused", "details": None}
_PENDING: Final = {"items": [{"metadata": {"name": "pipeline-1-0"}, "status": {"phase": "Pending"}}]}

needs_programs = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("jq") is None, reason="curl and jq are not at hand"
)


def filters() -> dict[str, tuple[object, ...]]:
    """Return every filter for jq, with the emptiest of what it may be given."""
    found: dict[str, tuple[object, ...]] = {}
    for line in "".join(BLOCKS).splitlines():
        source, jq, rest = line.partition("| jq")
        if jq:
            given = (
                (_PENDING,) if "kubectl" in source else ([], [{}]) if _LIST.search(source) else ({}, _REFUSAL)
            )
            found[f"jq{rest.partition(' | tee')[0]}"] = given
    return found


def typed(text: str, url: str) -> subprocess.CompletedProcess[str]:
    """Paste a text into a shell."""
    return subprocess.run(
        ["bash", "-c", text],
        env={
            **os.environ,
            "PIPELINE_ID": "1",
            "FELDERA_HOST": url,
            "FELDERA_API_KEY": "apikey:test",
            "PIPELINE": "orders",
            "no_proxy": "*",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_no_page_starts_before_it_waited() -> None:
    """Those that stop a pipeline and start it again do it all in the same way."""
    assert len(RESTARTS) == 1
    assert [
        block for block in BLOCKS if "/stop" in block and "/start" in block and "until" not in block
    ] == []


@needs_programs
def test_stopping_and_starting() -> None:
    """The start comes when it is accepted; what Feldera refuses ends it and is shown."""
    [text] = RESTARTS
    instance = feldera("orders")
    with serve(FelderaServer(instance)) as url:
        done = typed(text, url)
        assert (done.returncode, done.stderr.split()[-1]) == (0, "Stopped")
        assert done.stdout.endswith('"Pipeline is starting"')
        refused = typed(text.replace("$PIPELINE", "none"), url)
    assert refused.returncode != 0
    assert "UnknownPipelineName" in refused.stdout
    assert "start" not in refused.stdout


@needs_programs
def test_filters_stand_what_is_not_there() -> None:
    """A pod that is pending has no containers, a pipeline that is stopped no details, and a refusal nothing at all."""
    assert len(filters()) > 20
    for command, given in filters().items():
        for each in given:
            done = typed(f"{command} <<'END'\n{json.dumps(each)}\nEND\n", "")
            assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{each}"
