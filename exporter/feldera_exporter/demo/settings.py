"""The settings of the demo."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The demo's settings.

    Attributes:
        pipelines: the number of pipelines of the random workload, besides those of scenarios.
        duration: after how many seconds the demo ends; None for no end.
        listen: the exporter's listen addresses, as `host:port`; port 0 takes a free port; empty for port 10058 of
            127.0.0.1, or a free port where that is taken.
        bridge: whether the exporter sends its problems to Alertmanager itself.
    """

    seed: int = 0
    pipelines: int = 0
    duration: float | None = None
    listen: tuple[str, ...] = ()
    bridge: bool = False
