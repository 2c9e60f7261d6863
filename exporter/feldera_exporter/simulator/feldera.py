"""One simulated Feldera instance: what its users do, and what goes wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import replace as with_changes
from functools import cached_property, partial
from typing import Any, Final

from msgspec.structs import replace

from feldera_exporter.simulator import row_changes
from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.database import Work
from feldera_exporter.simulator.instance import FelderaInstance
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.pipeline_faults import PipelineFaults
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.simulator.row import PipelineRow
from feldera_exporter.simulator.row_changes import check_deletable, check_name, edited
from feldera_exporter.simulator.runtime_config import canonical, resources
from feldera_exporter.simulator.uuid7 import uuid_text
from feldera_exporter.simulator.versions import Fact

_PROGRAM_CONFIG: Final[Mapping[str, Any]] = {
    "profile": None,
    "cache": True,
    "runtime_version": None,
    "use_platform_compiler": False,
}
"""What the fields of a program's configuration are that is given without them."""


class Feldera(FelderaInstance):
    """An instance with the operations of its API; see `Instance` for the arguments.

    Each operation takes a pipeline's name and raises `ApiError` as Feldera would answer.
    """

    @cached_property
    def inject(self) -> PipelineFaults:
        """What lets pipelines, processes and services fail."""
        return PipelineFaults(self)

    def create(
        self,
        name: str,
        tags: Iterable[str] = (),
        *,
        description: str = "",
        plan: Plan | None = None,
        program_code: str = "CREATE TABLE t (x INT); CREATE VIEW v AS SELECT x FROM t;",
        program_config: Mapping[str, Any] | None = None,
        runtime_config: Mapping[str, Any] | None = None,
        udf_rust: str = "",
        udf_toml: str = "",
    ) -> SimulatedPipeline:
        """Create a pipeline, which is then compiled."""
        with self.lock:
            now = self.settle()
            check_name(name)
            if name in self.database:
                raise refusal("DuplicateName")
            row = PipelineRow(
                name=name,
                created_at=now,
                description=description,
                tags=tuple(tags),
                platform_version=self.version,
                program_config={**_PROGRAM_CONFIG, **(program_config or {})},
                program_code=program_code,
                udf_rust=udf_rust,
                udf_toml=udf_toml,
                runtime_config=canonical(runtime_config or {}),
                program_status_since=now,
                resources_since=now,
                resources_desired_since=now,
            )
            identity = uuid_text(self.database.ids["api"](now))
            pipeline = SimulatedPipeline(identity, row, plan or self.plan)
            self.database.insert(pipeline)
            return pipeline

    def start(
        self,
        name: str,
        initial: str = "Running",
        *,
        dismiss_error: bool = True,
        bootstrap_policy: str = "await_approval",
        silent_bootstrap: bool = False,
        concurrent_bootstrap: bool = False,
    ) -> None:
        """Want a pipeline to be provisioned, and then Running, Paused or Standby."""
        wish = row_changes.Start(
            initial, dismiss_error, bootstrap_policy, silent_bootstrap, concurrent_bootstrap
        )
        self._write(name, lambda row, at: (row_changes.want_provisioned(row, at, wish),))

    def stop(self, name: str, *, force: bool = False) -> None:
        """Stop a pipeline: at once with `force`, else (Enterprise) after a last checkpoint."""
        with self.lock:
            if not force and not self.is_enterprise:
                raise refusal("EnterpriseFeature", feature="stop?force=false")
            if force or self.get(name).row.resources != "Provisioned":
                self._write(name, lambda row, at: (row_changes.want_stopped(row, at),))
            else:
                self._ask(name, "Suspended")

    def pause(self, name: str) -> None:
        """Ask a pipeline to pause."""
        self._ask(name, "Paused")

    def resume(self, name: str) -> None:
        """Ask a pipeline to run."""
        self._ask(name, "Running")

    def activate(self, name: str, initial: str = "Running") -> None:
        """Ask a pipeline that stands by to run or pause."""
        if not self.is_enterprise:
            raise refusal("EnterpriseFeature", feature="start from object store (S3)")
        self._ask(name, initial)

    def approve(self, name: str) -> None:
        """Approve that a changed program is bootstrapped."""
        with self.lock:
            pipeline = self.get(name)
            self.processes.approve(pipeline)
            self.runner.notify(pipeline)

    def dismiss_error(self, name: str) -> None:
        """Dismiss a pipeline's error; without one too, and that is recorded as well."""
        self._write(name, lambda row, _: (row_changes.dismiss(row),))

    def clear(self, name: str) -> None:
        """Have a stopped pipeline's storage cleared; nothing happens if it is."""
        self._write(name, lambda row, _: () if row.storage_status == "Cleared" else (row_changes.clear(row),))

    def patch_metadata(
        self, name: str, *, tags: Iterable[str] | None = None, description: str | None = None
    ) -> None:
        """Change the client's own metadata; no event, no version, no refresh_version knows of it."""
        with self.lock:
            pipeline = self.get(name)
            row = pipeline.row
            self.database.touch(
                pipeline,
                replace(
                    row,
                    tags=row.tags if tags is None else tuple(tags),
                    description=row.description if description is None else description,
                ),
            )

    def edit(self, name: str, /, *, plan: Plan | None = None, **fields: Any) -> None:
        """Change a stopped pipeline's name, runtime_config, program or UDFs; a changed program is compiled again.

        Without any field the program's text is changed, so that it is compiled.
        """
        with self.lock:
            pipeline = self.get(name)
            if "program_config" in fields:
                fields["program_config"] = {**_PROGRAM_CONFIG, **fields["program_config"]}
            if "runtime_config" in fields:
                fields["runtime_config"] = canonical(fields["runtime_config"])
            edit = fields or {"program_code": f"{pipeline.row.program_code}\n-- edited"}
            if "name" in edit and edit["name"] != name:
                check_name(edit["name"])
                if edit["name"] in self.database:
                    raise refusal("DuplicateName")
            work = partial(edited, edit=edit)
            work(pipeline.row, self.event_queue.now)  # a refused edit changes no plan either
            pipeline.plan = plan or pipeline.plan
            self._write(name, work)

    def resize(self, name: str, wanted: Mapping[str, Any]) -> None:
        """Change the CPUs and the memory that a running pipeline may use, which is possible on Kubernetes only.

        `wanted` may have `cpu_cores_min`, `cpu_cores_max`, `memory_min` and `memory_max`.
        """
        with self.lock:
            pipeline = self.get(name)
            if not self.is_enterprise:
                reason = "the runner of this installation cannot resize a running pipeline"
                raise refusal("UnsupportedPipelineAction", action="resize", reason=reason)
            shown = resources(wanted)
            self._write(name, lambda row, _: (row_changes.resized(row, shown),))
            if pipeline.process is not None and self.has(Fact.MEMORY_MAX):
                pipeline.process.memory_max = shown["memory_max"]
                self.runner.notify(pipeline)

    def rename(self, name: str, new_name: str) -> None:
        """Rename a stopped pipeline without storage; its id and its events stay."""
        self.edit(name, name=new_name)

    def delete(self, name: str) -> None:
        """Delete a fully stopped pipeline without storage, and its events with it."""
        with self.lock:
            self.database.remove(self.get(name), check_deletable)

    def replan(self, name: str, **fields: Any) -> None:
        """Change a pipeline's plan from now on, including the step that it is in."""
        with self.lock:
            pipeline = self.get(name)
            pipeline.plan = with_changes(pipeline.plan, **fields)
            self.processes.replan(pipeline)
            self.compiler.take(pipeline)
            self.runner.notify(pipeline)

    def _write(self, name: str, work: Work) -> None:
        with self.lock:
            pipeline = self.get(name)
            work(pipeline.row, self.event_queue.now)  # illegal now: refused now, whatever the lock will say
            self.database.write(pipeline, "api", work)

    def _ask(self, name: str, desired: str) -> None:
        with self.lock:
            pipeline = self.get(name)
            self.processes.ask(pipeline, desired)
            self.runner.notify(pipeline)
