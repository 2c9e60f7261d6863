"""One simulated Feldera instance: what its users do, and what goes wrong."""

from functools import cached_property

from feldera_exporter.simulator.pipeline_faults import PipelineFaults
from feldera_exporter.simulator.user_operations import UserOperations


class Feldera(UserOperations):
    """An instance with fault injection; see `Instance` for the arguments."""

    @cached_property
    def inject(self) -> PipelineFaults:
        """What lets pipelines, processes and services fail."""
        return PipelineFaults(self)
