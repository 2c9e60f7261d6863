"""Every answer of every route is valid by Feldera's own OpenAPI document."""

import asyncio
import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from feldera_exporter.simulator.clock import ManualClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.lives import RandomLife
from feldera_exporter.simulator.manager import Processes
from feldera_exporter.simulator.server import FelderaServer

FLEETS = 200
NAMED = os.environ.get("FELDERA_OPENAPI")

pytestmark = pytest.mark.skipif(not NAMED, reason="FELDERA_OPENAPI names no OpenAPI document")

LISTS = ("status", "all", "status_with_connectors")
POSTS = ("start", "stop?force=true", "pause", "resume", "approve", "clear", "dismiss_error")
ONE = "/v0/pipelines/{pipeline_name}"
EVENT = f"{ONE}/events/{{event_id}}"

UNDECLARED = {(f"{ONE}/pause", 503), (f"{ONE}/resume", 503)}
"""What Feldera answers all the same, as an ErrorResponse: the request is forwarded to the pipeline."""

Call = tuple[str, str, str, Any]


def modern(value: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a choice."""
    if isinstance(value, list):
        return [modern(one) for one in value]
    if not isinstance(value, dict):
        return value
    schema = {key: modern(one) for key, one in value.items() if key not in {"nullable", "example", "default"}}
    if value.get("nullable") is True:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


@cache
def document() -> dict[str, Any]:
    """Return the document, as JSON Schema."""
    return dict(modern(json.loads(Path(str(NAMED)).read_text(encoding="utf-8"))))


@cache
def validator(path: str, method: str, status: int) -> Draft202012Validator | None:
    """Return what validates one kind of answer; None where the document says nothing of its body."""
    answers = document()["paths"][path][method]["responses"]
    if (path, status) in UNDECLARED:
        return Draft202012Validator({**document(), "$ref": "#/components/schemas/ErrorResponse"})
    assert str(status) in answers, f"{method} {path} never answers {status}"
    content = answers[str(status)].get("content", {})
    if "application/json" not in content:
        return None
    pointer = "/".join(
        part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
        for part in ("paths", path, method, "responses", str(status), "content", "application/json", "schema")
    )
    return Draft202012Validator(
        {**document(), "$ref": f"#/{pointer}"}, format_checker=FormatChecker(["date-time", "uuid"])
    )


def calls(feldera: Feldera, seed: int) -> list[Call]:
    """Return the requests to make of one fleet: (method, path in the document, path, body)."""
    made: list[Call] = [
        ("get", path, path, None)
        for path in (
            "/v0/config",
            "/v0/config/session",
            "/v0/cluster_healthz",
            "/v0/cluster/events",
        )
    ]
    made += [("get", "/v0/pipelines", f"/v0/pipelines?selector={selector}", None) for selector in LISTS]
    cluster = "/v0/cluster/events/{event_id}"
    made += [
        ("get", cluster, f"/v0/cluster/events/latest?selector={kind}", None) for kind in ("all", "status")
    ]
    made.append(("get", cluster, "/v0/cluster/events/00000000-0000-0000-0000-000000000000", None))
    for name in ["nobody", *(pipeline.row.name for pipeline in feldera.pipelines()[seed % 3 :][:1])]:
        path = f"/v0/pipelines/{name}"
        made += [("get", ONE, f"{path}?selector={selector}", None) for selector in LISTS]
        for selector in ("all", "status"):
            made.append(("get", f"{ONE}/events", f"{path}/events?selector={selector}", None))
            made.append(("get", EVENT, f"{path}/events/latest?selector={selector}", None))
        made.append(("get", EVENT, f"{path}/events/00000000-0000-0000-0000-000000000000", None))
        made.append(("get", EVENT, f"{path}/events/latestt", None))
        made.append(("get", f"{ONE}/metrics", f"{path}/metrics", None))
        post = POSTS[seed % len(POSTS)]
        made.append(("post", f"{ONE}/{post.split('?')[0]}", f"{path}/{post}", None))
        made.append(("patch", ONE, path, {"description": f"fleet {seed}"}))
        made.append(("patch", ONE, path, {"program_code": f"SELECT {seed};"}))
        made.append(("delete", ONE, path, None))
    new = {"name": f"new-{seed}", "program_code": ""}
    made += [("post", "/v0/pipelines", "/v0/pipelines", new), ("post", "/v0/pipelines", "/v0/pipelines", new)]
    made.append(("post", "/v0/pipelines", "/v0/pipelines", {"name": "-bad-", "program_code": ""}))
    made.append(("put", ONE, f"/v0/pipelines/put-{seed}", {"name": f"put-{seed}", "program_code": ""}))
    made.append(
        ("put", ONE, f"/v0/pipelines/put-{seed}", {"name": f"put-{seed}", "program_code": "SELECT 1"})
    )
    return made


async def check(seed: int, seen: Counter[tuple[str, str, int]]) -> None:
    """Let a random fleet live for a while, and validate what it answers."""
    clock = ManualClock()
    processes = Processes(separate=True, waits=0.05, holds=0.05) if seed % 2 else Processes()
    edition = "Open source" if seed % 3 == 0 else "Enterprise"
    feldera = Feldera(clock, seed, processes=processes, edition=edition)
    RandomLife(feldera, seed, size=4, rate=0.5, trouble=0.4)
    if seed % 5 == 0:
        feldera.world.service("runner", "Unreachable: no connection")
    clock.advance(60 + seed * 7 % 240)
    transport = httpx.ASGITransport(FelderaServer(feldera))
    async with httpx.AsyncClient(transport=transport, base_url="http://feldera") as client:
        for method, path, target, body in calls(feldera, seed):
            answer = await client.request(method, target, json=body)
            schema = validator(path, method, answer.status_code)
            if schema is not None:
                errors = [
                    f"{error.json_path}: {error.message}" for error in schema.iter_errors(answer.json())
                ]
                assert not errors, f"{method} {target} of fleet {seed}: {errors[:3]}"
            seen[path, method, answer.status_code] += 1


def test_every_answer_is_valid() -> None:
    """Hundreds of random fleets answer nothing that the document does not allow."""
    seen: Counter[tuple[str, str, int]] = Counter()

    async def check_all() -> None:
        for seed in range(FLEETS):
            await check(seed, seen)

    asyncio.run(check_all())
    assert seen["/v0/pipelines", "get", 200] == 3 * FLEETS
    assert seen["/v0/cluster_healthz", "get", 503] == FLEETS // 5
    assert {status for path, method, status in seen if path == f"{ONE}/start"} >= {202, 400, 404}
    assert seen[f"{ONE}/metrics", "get", 200]
    assert seen[f"{ONE}/metrics", "get", 503]


def test_a_wrong_answer_is_not_valid() -> None:
    """The check itself can fail: a status that the document does not know is refused."""
    schema = validator("/v0/cluster_healthz", "get", 200)
    assert schema is not None
    assert list(schema.iter_errors({"all_healthy": 1}))
    listed = validator("/v0/pipelines", "get", 200)
    assert listed is not None
    clock = ManualClock()
    feldera = Feldera(clock)
    feldera.create("a")

    async def fetch() -> Any:
        transport = httpx.ASGITransport(FelderaServer(feldera))
        async with httpx.AsyncClient(transport=transport, base_url="http://feldera") as client:
            return (await client.get("/v0/pipelines?selector=status")).json()

    rows = asyncio.run(fetch())
    assert not list(listed.iter_errors(rows))
    rows[0]["deployment_status"] = "Sleeping"
    assert list(listed.iter_errors(rows))
