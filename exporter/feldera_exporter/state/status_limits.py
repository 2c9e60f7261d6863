"""The limits: how long each status of a pipeline may last, by its name and tags."""

from collections.abc import Mapping

from feldera_exporter.config import Limits
from feldera_exporter.state.tags import Tags, without_colours


def status_limits(configured: Limits, name: str, tags: Tags) -> Mapping[str, float]:
    """Return the limit of each status of a pipeline in seconds, and those of `StartPending` and `Drift`.

    Infinity is no limit, and a status that is not there has none (Running, Stopped, an unknown one). For each status, the
    first matching override with a limit for it wins, then the default. An override matches if its name expression matches
    the whole name, and its tag expression matches a whole tag without the colour suffix.
    """
    if not configured.overrides:
        return configured.defaults
    plain, seconds = without_colours(tags), dict(configured.defaults)
    # In reverse order, so that the first override wins.
    for override in reversed(configured.overrides):
        if (override.name is None or override.name.fullmatch(name)) and (
            override.tag is None or any(map(override.tag.fullmatch, plain))
        ):
            seconds |= override.limits
    return seconds
