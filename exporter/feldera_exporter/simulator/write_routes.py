"""The routes that change pipelines."""

from typing import Any, Final

import msgspec

from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import (
    HttpAnswer,
    HttpRequest,
    QueryError,
    choice,
    empty,
    flag,
    json,
)
from feldera_exporter.simulator.read_routes import ReadRoutes
from feldera_exporter.simulator.versions import Fact

_INITIALS: Final = {"running": "Running", "paused": "Paused", "standby": "Standby"}
_METADATA: Final = ("description", "tags")
_CORE: Final = ("program_code", "udf_rust", "udf_toml", "program_config", "runtime_config")


class WriteRoutes:
    """Answers to the requests that change one instance's pipelines."""

    def __init__(self, feldera: Feldera, reader: ReadRoutes) -> None:
        self._feldera = feldera
        self._reader = reader

    def create(self, request: HttpRequest) -> HttpAnswer:
        """POST /v0/pipelines."""
        return self._create(_body(request))

    def _create(self, body: dict[str, Any]) -> HttpAnswer:
        name = body.pop("name", None)
        if not isinstance(name, str):
            raise QueryError("Json deserialize error: missing field `name`")
        known = {key: body[key] for key in (*_METADATA, *_CORE) if body.get(key) is not None}
        return HttpAnswer(201, self._reader.encoded(self._feldera.create(name, **known)))

    def put(self, request: HttpRequest, name: str) -> HttpAnswer:
        """PUT /v0/pipelines/{name}: create or edit."""
        body = _body(request)
        if name not in self._feldera.database:
            if body.get("name", name) != name:
                raise refusal("CannotRenameNonExistingPipeline")
            return self._create({**body, "name": name})
        return self._edit(name, body)

    def patch(self, request: HttpRequest, name: str) -> HttpAnswer:
        """PATCH /v0/pipelines/{name}."""
        return self._edit(name, _body(request))

    def _edit(self, name: str, body: dict[str, Any]) -> HttpAnswer:
        pipeline = self._feldera.get(name)
        wanted = body.get("deployment_config")
        if wanted is not None and self._feldera.has(Fact.DEPLOYMENT_CONFIG):
            if body.keys() != {"deployment_config"}:
                reason = "`deployment_config` cannot be combined with other fields"
                raise refusal("InvalidDeploymentPatch", reason=reason)
            self._feldera.resize(name, wanted.get("resources") or {})
            return HttpAnswer(200, self._reader.encoded(pipeline))
        core = {key: body[key] for key in ("name", *_CORE) if body.get(key) is not None}
        if core:
            self._feldera.edit(name, **core)
        metadata = {key: body[key] for key in _METADATA if body.get(key) is not None}
        if metadata:
            self._feldera.patch_metadata(pipeline.row.name, **metadata)
        return HttpAnswer(200, self._reader.encoded(pipeline))

    def delete(self, _: HttpRequest, name: str) -> HttpAnswer:
        """DELETE /v0/pipelines/{name}."""
        self._feldera.delete(name)
        return empty(200)

    def start(self, request: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/start."""
        wanted = request.query.get("initial", "running")
        if wanted not in _INITIALS:
            raise refusal(
                "UnsupportedPipelineAction",
                action=f"/start?initial={wanted}",
                reason="unknown initial status",
            )
        policies = ("allow", "reject", "await_approval")
        self._feldera.start(
            name,
            _INITIALS[wanted],
            dismiss_error=flag(request, "dismiss_error", default=True),
            bootstrap_policy=choice(request, "bootstrap_policy", policies, "await_approval"),
            silent_bootstrap=flag(request, "silent_bootstrap", default=False),
            concurrent_bootstrap=flag(request, "concurrent_bootstrap", default=False),
        )
        return json("Pipeline is starting", 202)

    def stop(self, request: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/stop."""
        self._feldera.stop(name, force=flag(request, "force", default=False))
        return json("Pipeline is stopping", 202)

    def pause(self, _: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/pause."""
        self._feldera.pause(name)
        return json("Pipeline is pausing", 202)

    def resume(self, _: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/resume."""
        self._feldera.resume(name)
        return json("Pipeline is resuming", 202)

    def activate(self, request: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/activate."""
        wanted = choice(request, "initial", ("running", "paused"), "running")
        self._feldera.activate(name, _INITIALS[wanted])
        return json("Pipeline activation initiated", 202)

    def approve(self, _: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/approve."""
        self._feldera.approve(name)
        return json("Pipeline approved")

    def clear(self, _: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/clear."""
        self._feldera.clear(name)
        return json("Pipeline storage is being cleared", 202)

    def dismiss_error(self, _: HttpRequest, name: str) -> HttpAnswer:
        """POST /v0/pipelines/{name}/dismiss_error."""
        self._feldera.dismiss_error(name)
        return json("Deployment error is dismissed")


def _body(request: HttpRequest) -> dict[str, Any]:
    """Return a request's JSON object.

    Raises:
        QueryError: it is none.
    """
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise QueryError(f"Json deserialize error: {error}") from error
