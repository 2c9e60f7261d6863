"""The polls and the event logs: rows of the exporter's dashboard."""

from typing import Final

from dashboards.board import SizedPanel
from dashboards.colours import BAD, GOOD
from dashboards.mappings import EVENTS_OR_POLLS
from dashboards.panels import Display, Json, Query, limits, timeline, timeseries
from dashboards.replicas import OF, REPLICA, increase, of_each, quantile

_ANY_IS_BAD: Final = ((None, GOOD), (0.5, BAD))


def _count(title: str, description: str, queries: tuple[Query, ...], unit: str = "short") -> Json:
    """Return bars of a counter that should not rise."""
    return timeseries(
        title,
        description,
        queries,
        Display(unit=unit, decimals=0, minimum=0, thresholds=_ANY_IS_BAD),
        style="bars",
    )


def polls() -> tuple[SizedPanel, ...]:
    """Return the row of polls."""
    outcomes = dict.fromkeys(
        ("unauthorized", "timeout", "unreachable", "server_error", "invalid_response", "too_large"), BAD
    )
    interval = f"max by (feldera_instance) (feldera_exporter_poll_interval_seconds{{{REPLICA}}})"
    return (
        SizedPanel(
            timeseries(
                "Polls by outcome",
                "Polls of the list of pipelines, by their outcome.",
                (Query(f"{increase('polls_total', 'outcome')} > 0", "{{instance}}: {{outcome}}"),),
                Display(minimum=0, overrides=[_ending(name, colour) for name, colour in {"success": GOOD, **outcomes}.items()]),
                style="stacked",
            ),
            8, 8,
        ),
        SizedPanel(
            timeseries(
                "Duration of a poll",
                "From the request to the published snapshot. If it exceeds the interval, polls are skipped.",
                (
                    Query(quantile(0.5, "poll_duration_seconds", "feldera_instance"), f"p50 {OF}"),
                    Query(quantile(0.95, "poll_duration_seconds", "feldera_instance"), f"p95 {OF}"),
                    Query(interval, "interval {{feldera_instance}}"),
                ),
                Display(unit="s", minimum=0, overrides=[limits("^interval ", BAD)]),
            ),
            8, 8,
        ),
        SizedPanel(
            timeseries(
                "Clock skew",
                "Feldera's clock minus the exporter's. All ages on the dashboards are wrong by this much.",
                (Query(of_each("api_clock_skew_seconds"), OF),),
                Display(unit="s", thresholds=((None, GOOD), (30.0, BAD))),
            ),
            8, 8,
        ),
        SizedPanel(
            timeseries(
                "Requests to Feldera",
                "By endpoint and status code.",
                (Query(f"{increase('api_requests_total', 'api_endpoint', 'code')} > 0", "{{instance}}: {{api_endpoint}} {{code}}"),),
                Display(minimum=0),
                style="stacked",
            ),
            12, 8,
        ),
        SizedPanel(
            timeseries(
                "Duration of requests, 95 %",
                "By endpoint.",
                (Query(quantile(0.95, "api_request_duration_seconds", "api_endpoint"), "{{instance}}: {{api_endpoint}}"),),
                Display(unit="s", minimum=0),
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


def events() -> tuple[SizedPanel, ...]:
    """Return the row of events."""
    source = (
        f"max by (job, instance, feldera_instance, source) (feldera_exporter_transition_source{{{REPLICA}}})"
    )
    return (
        SizedPanel(
            timeline(
                "Where transitions come from",
                "Feldera's event log, or the polls (before Feldera 0.292). Polls miss what begins and ends between two of them.",
                (Query(source, f"{OF} {{{{source}}}}"),),
                Display(mappings=EVENTS_OR_POLLS),
            ),
            8, 8,
        ),
        SizedPanel(
            timeseries(
                "Event backlog",
                "Pipelines whose event log has not been read yet.",
                (Query(of_each("event_backlog"), OF),),
                Display(decimals=0, minimum=0),
            ),
            8, 8,
        ),
        SizedPanel(
            _count(
                "Event gaps",
                "How often Feldera discarded events before they were read, or its clock stepped back. Counters of transitions may be too low.",
                (Query(increase("event_gaps_total", "feldera_instance"), OF),),
            ),
            8, 8,
        ),
        SizedPanel(
            _count(
                "Unknown and unreadable data",
                "Unknown statuses, unreadable pipelines, and error codes after the hundredth, which count as `other`.",
                (
                    Query(f"{increase('unknown_status_total', 'dimension')} > 0", "{{instance}}: unknown {{dimension}}"),
                    Query(of_each("unreadable_pipelines"), f"unreadable {OF}"),
                    Query(increase("error_codes_folded_total"), "{{instance}}: error codes counted as other"),
                ),
            ),
            12, 8,
        ),
        SizedPanel(
            _count(
                "Store errors",
                "Failed writes of the counters and problems that survive a restart.",
                (Query(increase("store_errors_total"), "{{instance}}"),),
            ),
            12, 8,
        ),
    )  # fmt: skip
