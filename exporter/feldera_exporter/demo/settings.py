"""The settings of the demo."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The demo's settings.

    Attributes:
        seed: of all that happens by chance.
        pipelines: how many live by chance, beside those with a scenario.
        duration: after how many seconds it ends by itself; None: it goes on.
        listen: where the exporter listens, as `host:port`; port 0 takes a free one.
        bridge: whether the exporter sends its problems to Alertmanager itself.
    """

    seed: int = 0
    pipelines: int = 0
    duration: float | None = None
    listen: tuple[str, ...] = ("127.0.0.1:0",)
    bridge: bool = False
