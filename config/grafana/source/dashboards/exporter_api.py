"""What the exporter hears from Feldera, and what it understands of it: rows of its board."""

from typing import Final

from dashboards.board import Place
from dashboards.colours import BAD, GOOD
from dashboards.mappings import EVENTS_OR_POLLS
from dashboards.panels import Json, Look, Query, limits, timeline, timeseries
from dashboards.replicas import OF, REPLICA, increase, of_each, quantile

_ANY_IS_BAD: Final = ((None, GOOD), (0.5, BAD))


def _count(title: str, description: str, queries: tuple[Query, ...], unit: str = "short") -> Json:
    """Return bars of what should not happen."""
    return timeseries(
        title,
        description,
        queries,
        Look(unit=unit, decimals=0, least=0, thresholds=_ANY_IS_BAD),
        style="bars",
    )


def polls() -> tuple[Place, ...]:
    """Return the row of polls."""
    outcomes = dict.fromkeys(
        ("unauthorized", "timeout", "unreachable", "server_error", "invalid_response", "too_large"), BAD
    )
    interval = f"max by (feldera_instance) (feldera_exporter_poll_interval_seconds{{{REPLICA}}})"
    return (
        Place(
            timeseries(
                "Polls by outcome",
                "How the polls of the pipeline list ended.",
                (Query(f"{increase('polls_total', 'outcome')} > 0", "{{instance}}: {{outcome}}"),),
                Look(least=0, overrides=[_ending(name, colour) for name, colour in {"success": GOOD, **outcomes}.items()]),
                style="stacked",
            ),
            8, 8,
        ),
        Place(
            timeseries(
                "Duration of a poll",
                "From the request to what is shown; more than the interval means that polls are left out.",
                (
                    Query(quantile(0.5, "poll_duration_seconds", "feldera_instance"), f"p50 {OF}"),
                    Query(quantile(0.95, "poll_duration_seconds", "feldera_instance"), f"p95 {OF}"),
                    Query(interval, "interval {{feldera_instance}}"),
                ),
                Look(unit="s", least=0, overrides=[limits("^interval ", BAD)]),
            ),
            8, 8,
        ),
        Place(
            timeseries(
                "Clock skew",
                "Feldera's clock minus the exporter's: every age on every board is wrong by that much.",
                (Query(of_each("api_clock_skew_seconds"), OF),),
                Look(unit="s", thresholds=((None, GOOD), (30.0, BAD))),
            ),
            8, 8,
        ),
        Place(
            timeseries(
                "Requests to Feldera",
                "By endpoint and answer.",
                (Query(f"{increase('api_requests_total', 'api_endpoint', 'code')} > 0", "{{instance}}: {{api_endpoint}} {{code}}"),),
                Look(least=0),
                style="stacked",
            ),
            12, 8,
        ),
        Place(
            timeseries(
                "Duration of requests, 95 %",
                "By endpoint.",
                (Query(quantile(0.95, "api_request_duration_seconds", "api_endpoint"), "{{instance}}: {{api_endpoint}}"),),
                Look(unit="s", least=0),
            ),
            12, 8,
        ),
    )  # fmt: skip


def _ending(name: str, colour: str) -> Json:
    value = {"mode": "fixed", "fixedColor": colour}
    return {
        "matcher": {"id": "byRegexp", "options": f"/: {name}$/"},
        "properties": [{"id": "color", "value": value}],
    }


def events() -> tuple[Place, ...]:
    """Return the row of events."""
    source = (
        f"max by (job, instance, feldera_instance, source) (feldera_exporter_transition_source{{{REPLICA}}})"
    )
    return (
        Place(
            timeline(
                "Where transitions come from",
                "Feldera's event log, or on old servers the polls: then what happens between two polls is missed.",
                (Query(source, f"{OF} {{{{source}}}}"),),
                Look(mappings=EVENTS_OR_POLLS),
            ),
            8, 8,
        ),
        Place(
            timeseries(
                "Event backlog",
                "Pipelines whose events are still to be read.",
                (Query(of_each("event_backlog"), OF),),
                Look(decimals=0, least=0),
            ),
            8, 8,
        ),
        Place(
            _count(
                "Event gaps",
                "How often events were purged before they could be read: counters of transitions are too low since.",
                (Query(increase("event_gaps_total", "feldera_instance"), OF),),
            ),
            8, 8,
        ),
        Place(
            _count(
                "What the exporter does not understand",
                "Unknown statuses, unreadable pipelines, error codes beyond the hundredth.",
                (
                    Query(f"{increase('unknown_status_total', 'dimension')} > 0", "{{instance}}: unknown {{dimension}}"),
                    Query(of_each("unreadable_pipelines"), f"unreadable {OF}"),
                    Query(increase("error_codes_folded_total"), "{{instance}}: error codes folded"),
                ),
            ),
            12, 8,
        ),
        Place(
            _count(
                "Store errors",
                "Failures to keep what must survive a restart.",
                (Query(increase("store_errors_total"), "{{instance}}"),),
            ),
            12, 8,
        ),
    )  # fmt: skip
