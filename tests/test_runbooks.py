"""The commands of the runbooks work as they are."""

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.pages.page_query import INSTALLATIONS
from feldera_exporter.pages.runbooks import has_variants, runbook
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.page_examples import page_state, pipeline
from support.served_pages import FixedPageSource, get
from support.tools import ROOT
from support.two_instances import feldera

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

_SETTINGS: Final[dict[str, tuple[object, object, object]]] = {
    "no setting": (None, {}, None),
    "since v0.366": (
        {"provisioning_timeout": "20m", "resources": {"memory_max": "16Gi"}},
        {"memory_max": "16Gi"},
        "20m",
    ),
    "before": (
        {"provisioning_timeout_secs": 600, "resources": {"memory_mb_max": 16000}},
        {"memory_mb_max": 16000},
        600,
    ),
    "before, unset": ({"provisioning_timeout_secs": None, "resources": {}}, {}, None),
}
"""What Feldera answers as `runtime_config`, and the resources and the timeout that a reader should see of it."""

needs_programs = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("jq") is None, reason="curl or jq is missing"
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


def asked(page: str, word: str) -> str:
    """Return the one filter for jq on a page that has a word."""
    text = (ROOT / f"alerts/runbooks/{page}.md").read_text("utf-8")
    [line] = [line for line in text.splitlines() if "| jq" in line and word in line]
    return f"jq{line.partition('| jq')[2]}"


def filtered(command: str, given: object) -> object:
    """Return what a filter for jq makes of a value."""
    done = typed(f"{command} <<'END'\n{json.dumps(given)}\nEND\n", "")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


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


_PROGRAM: Final = {"kubernetes": "kubectl", "docker": "docker"}
_COMMAND: Final = re.compile(r"<code>((?:kubectl|docker|curl) [^<]*)</code>")
_PROGRAMS: Final = {
    "kubectl": """case "$*" in *port-forward*) exec /bin/sleep 60 ;; *apply*) cat ;; *"-o json"*) echo '{"items": []}' ;; *) cat <<END ;; esac
feldera pipeline-${PIPELINE_ID:-}-0
pod/feldera-compiler-server-0 runner api-server license events State:
END
""",
    "amtool": "true",
    "chronyc": "true",
    "docker": 'echo "pipeline-${PIPELINE_ID:-} license events"',
    "curl": 'case "$*" in *127.0.0.1:10058*) echo Ready ;; *) exec REAL "$@" ;; esac',
    "sleep": "exec REAL 0.01",
}
"""Programs in place of those that need a cluster or the exporter, by name; `REAL` is the path of the real one."""


def commands(page: str) -> list[str]:
    """Return the commands of a page as it is served: those of each block together, then those within sentences."""
    blocks = re.findall(r'<pre><code class="language-sh">(.*?)</code></pre>', page, re.DOTALL)
    return [html.unescape(each) for each in (*blocks, *_COMMAND.findall(page))]


@needs_programs
def test_every_command_runs_as_it_stands_on_its_page(tmp_path: Path) -> None:
    """With its page's values, each command runs in a shell without an error."""
    for name, script in _PROGRAMS.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script.replace('REAL', shutil.which(name) or '')}\n")
        program.chmod(0o700)
    instance = feldera("orders")
    typing: dict[str, str] = {}
    with serve(FelderaServer(instance)) as url:
        known = page_state(pipeline("orders", id=str(instance.get("orders").id)))
        known = replace(known, instances=[replace(each, url=url) for each in known.instances])
        for page, installation in product(PAGES, INSTALLATIONS):
            query = f"installation={installation}&instance=demo&name=orders"
            answer = get(FixedPageSource(known), f"/runbooks/{page.stem}?{query}").text
            [values] = re.findall(r"<pre>(export .*?)</pre>", answer, re.DOTALL)
            typing |= {f"{html.unescape(values)}\n{command}": page.stem for command in commands(answer)}
        before = f"cd {tmp_path}\nPATH={tmp_path}:$PATH\nexport STORAGE_PATH=/tmp\nset -o pipefail\n"
        lines = [
            f'(set -e\n{text}\n) > out\n[ $? = 0 ] || echo "{page}: $(cat out)"'
            for text, page in typing.items()
        ]
        done = typed(before + "\n".join(lines), "")
    assert len(typing) > 50
    assert done.stdout == ""
    assert set(done.stderr.split()) <= {"Running", "Stopping", "Stopped"}


@pytest.mark.parametrize("installation", INSTALLATIONS)
def test_a_variant_has_no_command_of_another(installation: str) -> None:
    """Each line is for one installation, and what is left is complete."""
    program, [other] = _PROGRAM[installation], {*_PROGRAM.values()} - {_PROGRAM[installation]}
    for page in PAGES:
        text = runbook(page.stem, "", installation)
        assert other not in text, page.stem
        # Only the Helm chart needs a license.
        assert (program in text) == has_variants(page.stem) or "License" in page.stem, page.stem


def test_no_page_starts_before_it_waited() -> None:
    """All pages that stop and start a pipeline do it in the same way."""
    assert len(RESTARTS) == 1
    assert [
        block for block in BLOCKS if "/stop" in block and "/start" in block and "until" not in block
    ] == []


@needs_programs
def test_stopping_and_starting() -> None:
    """The pipeline is started when that is possible; a refusal of Feldera ends it and is shown."""
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
    """Filters accept a pod without containers, a pipeline without details, and a refusal."""
    assert len(filters()) > 20
    for command, given in filters().items():
        done = typed("\n".join([f"{command} <<'END'", *map(json.dumps, given), "END\n"]), "")
        assert (done.returncode, done.stderr) == (0, ""), command


@needs_programs
@pytest.mark.parametrize(("settings", "resources", "timeout"), _SETTINGS.values(), ids=_SETTINGS)
def test_settings_are_shown_by_either_name(settings: object, resources: object, timeout: object) -> None:
    """Settings are shown by the old name and the new one (v0.366, v0.367), or as unset."""
    shown = filtered(
        asked("FelderaPipelineStuckProvisioning", "provisioning_timeout"), {"runtime_config": settings}
    )
    assert isinstance(shown, dict)
    assert shown["provisioning_timeout"] == timeout
    assert (shown["resources"] or {}) == resources


@needs_programs
@pytest.mark.parametrize("details", [None, {}, {"panics": ["x" * 10**4]}])
def test_a_long_error_is_cut(details: object) -> None:
    """Of a long error the code and the beginning are shown."""
    error = {"message": "m" * 10**4, "error_code": "RuntimeError.WorkerPanic", "details": details}
    shown = filtered(asked("FelderaPipelineDeploymentError", "deployment_error"), {"deployment_error": error})
    assert isinstance(shown, dict)
    assert (shown["error_code"], shown["message"]) == ("RuntimeError.WorkerPanic", "m" * 4000)
    assert shown["details"] == json.dumps(details, separators=(",", ":"))[:4000]


@needs_programs
@pytest.mark.parametrize("verdict", [{}, {"stale": False, "stale_after_seconds": 1800}])
def test_health_is_read_with_and_without_a_verdict_on_its_age(verdict: dict[str, object]) -> None:
    """Health is read with `stale`, which Feldera has since v0.352, and without."""
    service = {"healthy": True, "message": "", "checked_at": "2026-12-01T00:00:00Z"}
    given = {"all_healthy": True, "runner": service, **verdict}
    shown = filtered(asked("FelderaClusterHealthStale", "stale_after_seconds"), given)
    assert shown == {"all_healthy": True, "stale": None, "stale_after_seconds": None, **verdict}
    done = typed(
        f"{asked('FelderaClusterHealthStale', 'to_entries')} <<'END'\n{json.dumps(given)}\nEND\n", ""
    )
    assert done.stdout == "runner\t2026-12-01T00:00:00Z\n"
