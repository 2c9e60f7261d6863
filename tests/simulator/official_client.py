"""What the tests use of Feldera's own Python client."""

from feldera import PipelineBuilder  # type: ignore[import-untyped]
from feldera.enums import PipelineStatus, ProgramStatus  # type: ignore[import-untyped]
from feldera.rest import FelderaClient  # type: ignore[import-untyped]
from feldera.rest.errors import FelderaAPIError  # type: ignore[import-untyped]
from feldera.runtime_config import Resources, RuntimeConfig  # type: ignore[import-untyped]

__all__ = [
    "FelderaAPIError",
    "FelderaClient",
    "PipelineBuilder",
    "PipelineStatus",
    "ProgramStatus",
    "Resources",
    "RuntimeConfig",
]
