"""The usual programs and libraries read the whole metrics, plain and compressed."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import requests

from support import loopback
from support.constant_feldera import constant_feldera
from support.exporter_process import prometheus
from support.pipeline_lists import PipelineListGenerator
from support.tools import ROOT, tool
from support.two_instances import RunningExporter, running, until

PIPELINES: Final = 300
"""So many that the compressed metrics have several pieces, and each family several chunks."""

GOLDEN: Final = ROOT / "tests/metrics/golden/running.text.txt"
"""The metrics of an instance with one running pipeline."""

Read = Callable[[str], bytes]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExporter]:
    """Run the program, which polls once and then lets the page be."""
    folder = tmp_path_factory.mktemp("readers")
    with constant_feldera(PipelineListGenerator(PIPELINES).body()) as url:
        configuration = (
            f"instances: [{{name: prod, url: '{url}', poll_interval: 1h, timeout: 5s, staleness: 2h}}]\n"
        )
        with running(folder, configuration) as program:
            until(lambda: program.value("feldera_up", feldera_instance="prod") == 1)
            yield program


def by_curl(url: str) -> bytes:
    """Read compressed, as `curl --compressed` does."""
    return subprocess.run(
        [tool("curl"), "--silent", "--show-error", "--fail", "--compressed", "--noproxy", "*", url],
        check=True,
        capture_output=True,
        timeout=30,
    ).stdout


def by_httpx(url: str) -> bytes:
    """Read with httpx, which asks for gzip by itself."""
    answer = loopback.get(url, timeout=30)
    assert answer.headers["content-encoding"] == "gzip"
    return answer.content


def by_requests(url: str) -> bytes:
    """Read with requests, which asks for gzip by itself."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=30)
        assert answer.headers["content-encoding"] == "gzip"
        return answer.content


def plain(url: str) -> bytes:
    """Read without compression."""
    answer = loopback.get(url, headers={"Accept-Encoding": "identity"}, timeout=30)
    assert "content-encoding" not in answer.headers
    return answer.content


def of_pipelines(text: bytes) -> list[bytes]:
    """Return the lines that stay the same while nothing happens: not those of the exporter itself and its process."""
    return [line for line in text.splitlines() if line.startswith(b"feldera_pipeline_")]


@pytest.mark.parametrize("read", [by_curl, by_httpx, by_requests])
def test_all_of_it_is_read(program: RunningExporter, read: Read) -> None:
    """All chunks and all members of a compressed body are read."""
    url = f"{program.url}/metrics"
    lines = of_pipelines(plain(url))
    assert len(lines) == len(of_pipelines(GOLDEN.read_bytes())) * PIPELINES
    assert of_pipelines(read(url)) == lines


def test_prometheus_reads_all_of_it(program: RunningExporter, tmp_path: Path) -> None:
    """Prometheus has as many samples as the page has lines."""
    page = plain(f"{program.url}/metrics")
    samples = sum(not line.startswith(b"#") for line in page.splitlines())
    configuration = tmp_path / "prometheus.yml"
    target = program.url.removeprefix("http://")
    configuration.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: feldera-exporter, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    with prometheus(configuration, tmp_path / "data") as url:

        def ask(query: str) -> float:
            answer = loopback.get(f"{url}/api/v1/query", params={"query": query}, timeout=10)
            result = json.loads(answer.content)["data"]["result"]
            return float(result[0]["value"][1]) if result else 0.0

        until(lambda: ask("up") == 1, 30)
        # The registry gains a few series with each kind of request.
        assert abs(ask("scrape_samples_scraped") - samples) < 50
        assert ask("count(feldera_pipeline_info)") == PIPELINES
        assert ask("count({__name__=~'feldera_pipeline_.*'})") == len(of_pipelines(page))
