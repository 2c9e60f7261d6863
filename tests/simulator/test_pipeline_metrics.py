"""The stand-in's answers with Feldera's own metrics."""

import re

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.simulated_api import ServedInstance, SimulatedInstance


def statuses(text: str) -> dict[str, int]:
    """Return the values of Feldera's own status metric, by status."""
    pattern = r'^pipeline_status\{pipeline="[^"]*",pipeline_name="[^"]*",status="([^"]*)"\} ([01])$'
    return {status: int(value) for status, value in re.findall(pattern, text, re.MULTILINE)}


def test_native_metrics(served: ServedInstance) -> None:
    """All begin with the status of every pipeline; running ones have more families."""
    identity = served.feldera.get("a").id
    own = served.get("/v0/pipelines/a/metrics")
    assert own.headers["content-type"] == "text/plain"
    assert own.text.startswith(
        "# HELP pipeline_status Whether the pipeline is in the status named by the status label: "
        "1 if it is, 0 if it is not.\n# TYPE pipeline_status gauge\n"
        f'pipeline_status{{pipeline="pipeline-{identity}",pipeline_name="a",status="Stopped"}} 0\n'
    )
    found = statuses(own.text)
    assert (len(found), found["Running"], sum(found.values())) == (15, 1, 1)
    assert f'pipeline_complete{{pipeline="pipeline-{identity}",pipeline_name="a"}} 0' in own.text
    assert served.get("/v0/metrics").text == own.text + "\n"
    first, *_, complete, _ = served.get("/v0/pipelines/a/metrics?format=json").json()
    labels = {"pipeline": f"pipeline-{identity}", "pipeline_name": "a"}
    assert (first["key"], first["type"], len(first["values"])) == ("pipeline_status", "gauge", 15)
    assert first["values"][0] == {"labels": {**labels, "status": "Stopped"}, "value": 0}
    assert (complete["key"], complete["type"]) == ("pipeline_complete", "gauge")
    assert complete["values"] == [{"labels": labels, "value": 0}]


def test_native_metrics_of_what_does_not_run(served: ServedInstance) -> None:
    """They are the status alone, for a pipeline that is not deployed, has no circuit or does not answer."""
    served.feldera.create("b")
    stopped = served.get("/v0/pipelines/b/metrics")
    assert (stopped.status_code, statuses(stopped.text)["Stopped"]) == (200, 1)
    together = served.get("/v0/metrics").text
    assert together.count("pipeline_status{") == 30
    assert together.count("# TYPE pipeline_complete") == 1
    served.feldera.inject.report("a", "Initializing")
    assert "pipeline_complete" not in served.get("/v0/pipelines/a/metrics").text
    served.feldera.inject.lose("a")
    assert "pipeline_complete" not in served.get("/v0/metrics").text
    assert served.get("/v0/pipelines/unknown/metrics").status_code == 404


def test_native_metrics_before_they_had_the_status() -> None:
    """Such a pipeline answers 503, and the metrics of all leave it out."""
    instance = SimulatedInstance(version="0.355.0")
    instance.run(4)
    assert instance.status == "Initializing"
    with serve(FelderaServer(instance.feldera)) as url:
        answer = loopback.get(f"{url}/v0/pipelines/a/metrics")
        assert (answer.status_code, answer.json()["error_code"]) == (503, "Initializing")
        assert "retry-after" not in answer.headers  # the pipeline itself says so
        assert loopback.get(f"{url}/v0/metrics").text == ""
        instance.go(60)
        assert (
            loopback.get(f"{url}/v0/metrics").text
            == loopback.get(f"{url}/v0/pipelines/a/metrics").text + "\n"
        )
        instance.feldera.create("b")
        refused = loopback.get(f"{url}/v0/pipelines/b/metrics")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
