"""The families of problems: since when a pipeline or an instance has one, and for a while that it has ended."""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Final

from feldera_exporter.exposition.family import Family, Sample, extra
from feldera_exporter.exposition.text import labels, seconds
from feldera_exporter.problems.evaluate import Endings, Occurrence, Occurrences, Problems

_OVER: Final = "0"


_Told = tuple[Occurrences, Endings]
"""What the samples depend on: the present problems and those that have ended."""

_told: Final = attrgetter("present", "ended")


def _samples(told: _Told) -> Iterator[tuple[Occurrence, str]]:
    present, ended = told
    for each, since in present.items():
        yield each, seconds(since)
    for each in ended:
        yield each, _OVER


def _pipelines(told: _Told) -> Iterator[Sample]:
    for each, value in sorted(_samples(told)):
        if each.pipeline_id:
            pairs = (
                ("pipeline", f"pipeline-{each.pipeline_id}"),
                ("pipeline_name", each.pipeline_name),
                ("problem", each.problem),
                ("status", each.label),
                *each.tags,
            )
            # Not `extra`, which remembers: problems come and go.
            yield Sample(value, f",{labels(pairs)}")


def _instances(told: _Told) -> Iterator[Sample]:
    for each, value in sorted(_samples(told)):
        if not each.pipeline_id:
            yield Sample(value, extra(("problem", each.problem), ("feldera_service", each.label)))


def families(tag_labels: Iterable[str]) -> tuple[Family[Problems], ...]:
    """Return the families that read `Problems`; `tag_labels` are the labels that tags set, of which `expect` is left out."""
    tags = tuple(label for label in tag_labels if label != "expect")
    return (
        Family(
            "feldera_pipeline_problem_since_timestamp_seconds",
            "gauge",
            "When a problem of a pipeline began to count, by Feldera's clock; 0 for ten minutes after it ended.",
            ("pipeline", "pipeline_name", "problem", "status", *tags),
            _pipelines,
            _told,
        ),
        Family(
            "feldera_instance_problem_since_timestamp_seconds",
            "gauge",
            "When a problem of the instance began to count, by Feldera's clock; 0 for ten minutes after it ended.",
            ("problem", "feldera_service"),
            _instances,
            _told,
        ),
    )
