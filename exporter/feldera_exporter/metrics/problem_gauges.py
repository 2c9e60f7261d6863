"""The families of problems: since when a pipeline or an instance has one, and 0 for ten minutes after it ended."""

from collections.abc import Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import Final

from feldera_exporter.exposition.family import Family, Sample, extra
from feldera_exporter.exposition.text import labels, seconds
from feldera_exporter.problems.evaluate import Endings, Occurrence, Occurrences, Problems

_PresentAndEnded = tuple[Occurrences, Endings]
"""What the samples depend on: the present problems and the ended ones."""

_present_and_ended: Final = attrgetter("present", "ended")


def _values(problems: _PresentAndEnded) -> list[tuple[Occurrence, str]]:
    """Return the problems with the values of their samples, sorted."""
    present, ended = problems
    values = dict.fromkeys(ended, "0") | {each: seconds(since) for each, since in present.items()}
    return sorted(values.items())


def _pipelines(tags: Iterable[str], problems: _PresentAndEnded) -> Iterator[Sample]:
    for occurrence, value in _values(problems):
        if occurrence.pipeline_id:
            pairs = (
                ("pipeline", f"pipeline-{occurrence.pipeline_id}"),
                ("pipeline_name", occurrence.pipeline_name),
                ("problem", occurrence.problem),
                ("status", occurrence.label),
                *(dict.fromkeys(tags, "") | dict(occurrence.tags)).items(),
            )
            # Not `extra`, whose cache would grow: these labels come and go.
            yield Sample(value, f",{labels(pairs)}")


def _instances(problems: _PresentAndEnded) -> Iterator[Sample]:
    for occurrence, value in _values(problems):
        if not occurrence.pipeline_id:
            yield Sample(value, extra(("problem", occurrence.problem), ("feldera_service", occurrence.label)))


def families(tag_labels: Iterable[str]) -> tuple[Family[Problems], ...]:
    """Return the families that read `Problems`; `tag_labels` are the labels taken from tags, `expect` is left out."""
    tags = tuple(label for label in tag_labels if label != "expect")
    return (
        Family(
            "feldera_pipeline_problem_since_timestamp_seconds",
            "gauge",
            "Time when the pipeline's problem began, by Feldera's clock; 0 for ten minutes after the problem ended.",
            ("pipeline", "pipeline_name", "problem", "status", *tags),
            partial(_pipelines, tags),
            _present_and_ended,
        ),
        Family(
            "feldera_instance_problem_since_timestamp_seconds",
            "gauge",
            "Time when the instance's problem began, by Feldera's clock; 0 for ten minutes after the problem ended.",
            ("problem", "feldera_service"),
            _instances,
            _present_and_ended,
        ),
    )
