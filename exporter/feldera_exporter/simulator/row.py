"""A pipeline's row in Feldera's database, as an immutable value."""

from typing import Any

import msgspec

from feldera_exporter.feldera.statuses import combine
from feldera_exporter.micros import Micros
from feldera_exporter.simulator.plan import Failure


class PipelineRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of the table `pipeline` (pipeline-manager `db/types/pipeline.rs`).

    The names are the columns' without `deployment_`.
    """

    name: str
    created_at: Micros
    description: str = ""
    tags: tuple[str, ...] = ()
    version: int = 1
    platform_version: str
    program_config: dict[str, Any]
    program_code: str = ""
    udf_rust: str = ""
    udf_toml: str = ""
    runtime_config: dict[str, Any]
    deployment_config: dict[str, Any] | None = None
    program_version: int = 1
    program_status: str = "Pending"
    program_status_since: Micros
    program_failure: Failure | None = None
    error: Failure | None = None
    refresh_version: int = 1
    storage_status: str = "Cleared"
    storage_details: dict[str, Any] | None = None
    deployment_id: str | None = None
    initial: str | None = None
    resources: str = "Stopped"
    resources_since: Micros
    resources_details: Any = None
    resources_desired: str = "Stopped"
    resources_desired_since: Micros
    runtime: str | None = None
    runtime_since: Micros | None = None
    runtime_details: dict[str, Any] | None = None
    runtime_desired: str | None = None
    runtime_desired_since: Micros | None = None
    bootstrap_policy: str | None = None
    silent_bootstrap: bool = False
    concurrent_bootstrap: bool = False

    @property
    def status(self) -> str:
        """The combined `deployment_status` (`db/types/combined_status.rs`)."""
        return combine(self.resources, self.runtime) or "Unavailable"

    @property
    def status_since(self) -> Micros:
        """When the combined status began: the later of both parts (`combine_since`)."""
        return max(self.resources_since, self.runtime_since or 0)

    @property
    def desired(self) -> str:
        """The combined `deployment_desired_status`."""
        if self.resources_desired == "Stopped":
            return "Stopped"
        return self.runtime_desired or self.initial or "Unavailable"

    @property
    def desired_since(self) -> Micros:
        """When the combined desired status began: the later of both parts (`combine_since`)."""
        return max(self.resources_desired_since, self.runtime_desired_since or 0)
