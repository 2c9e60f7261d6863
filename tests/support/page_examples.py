"""Examples for the tests of the pages: instances with pipelines of every kind, some of them hostile."""

from typing import Any, Final

import msgspec

from feldera_exporter.feldera.wire import CUT, Cuts
from feldera_exporter.pages.instance_view import PageState, WatchedInstance
from feldera_exporter.pages.links import Links
from feldera_exporter.problems.evaluate import NO_PROBLEMS, evaluate
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline
from support.fleets import NOW, fleet, pipeline

LINKS: Final = Links(runbook=lambda _: True)
URL: Final = "http://feldera.example:8080"

HOSTILE: Final = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "</title><svg onload=alert(1)>",
    "\u202egnp.exe\u2066\u200f",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "a/b?c#d%2e&amp;",
    "..",
    "\x00\x07\x1b[31m",
)
"""Texts that mean something to a browser, a shell or a template."""


def page_state(*pipelines: Pipeline, now: int = NOW, choices: Any = None, **fields: Any) -> PageState:
    """Return one instance with these pipelines, read just now but for the fields named."""
    values: dict[str, Any] = {"up": True, "size": len(pipelines), "read_at": NOW, **fields}
    known = {each.facts.row.id: each for each in pipelines}
    fleet_, chosen = Fleet("demo", pipelines=known, **values), choices or {}
    disabled = frozenset(name for name, choice in chosen.items() if not choice.enabled)
    problems = evaluate(NO_PROBLEMS, fleet_, disabled, NOW)
    return PageState([WatchedInstance(fleet_, problems, now, URL)], chosen, now)


def stuck(name: str = "stuck", minutes: float = 12, **fields: Any) -> Pipeline:
    """Return a pipeline that has been Provisioning for too long."""
    return pipeline(name, minutes, deployment_status="Provisioning", **fields)


def failed(
    name: str = "failed",
    message: str = "It broke.",
    code: str = "WorkerPanic",
    details: object = None,
    cuts: Cuts | None = None,
    **fields: Any,
) -> Pipeline:
    """Return a pipeline that was stopped by an error."""
    return pipeline(
        name,
        deployment_status="Stopped",
        deployment_desired_status="Stopped",
        deployment_error={
            "message": message,
            "error_code": code,
            "details": msgspec.Raw(msgspec.json.encode(details)),
            **({CUT: cuts} if cuts else {}),
        },
        **fields,
    )


def hostile() -> PageState:
    """Return an instance where every text is hostile."""
    return page_state(
        *(
            pipeline(
                text,
                id=f"id-{place}",
                deployment_status=text,
                program_status=text,
                platform_version=text,
                tags=[f"team:{text}", f"tier:{text}", text],
                deployment_error={
                    "message": text * 3,
                    "error_code": text,
                    "details": msgspec.Raw(msgspec.json.encode([text])),
                },
            )
            for place, text in enumerate(HOSTILE)
        ),
        unreadable=HOSTILE,
    )


__all__ = ["HOSTILE", "LINKS", "NOW", "URL", "failed", "fleet", "hostile", "page_state", "pipeline", "stuck"]
