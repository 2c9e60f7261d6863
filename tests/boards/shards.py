"""The pieces of PromQL for what each shard says of its own pipelines: replicas of a shard are one, shards add up."""

from typing import Final

_TARGET: Final = "on (job, instance)"


def of_shards(expression: str, window: str = "") -> str:
    """Return what each replica says with its shard as a label; one without it (an older exporter) is the whole.

    Args:
        expression: with the labels of the scrape.
        window: how far it looks back, for those that are gone by now.
    """
    return f"{expression}\n* {_TARGET} group_left (shard) {_shard(window)}"


def _shard(window: str) -> str:
    said, there = "feldera_exporter_shard_info", "feldera_exporter_build_info"
    older = f'label_replace({there}, "shard", "0/1", "", "")'
    known = [said, older]
    if window:
        known[1:] = [
            f"last_over_time({said}[{window}])",
            f'label_replace(last_over_time({there}[{window}]), "shard", "0/1", "", "")',
        ]
    # One for each target, whatever it was before: two would fail the join for all.
    either = f" or {_TARGET} ".join(known)
    return f"topk by (job, instance) (1, {either})"


def increase(name: str, matchers: str, window: str, *by: str) -> str:
    """Return how much a counter rose that each shard has for its own pipelines, by instance and `by`."""
    labels = ", ".join(("feldera_instance", *by))
    risen = of_shards(f"increase({name}{{{matchers}}}[{window}])", window)
    return f"sum by ({labels}) (\n  max by ({labels}, shard) ({risen})\n)"
