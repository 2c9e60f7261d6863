"""The plan of pipelines that need no time."""

from typing import Final

from feldera_exporter.simulator.plan import Plan

INSTANT: Final = Plan(
    pending=0.0,
    compiling_sql=0.0,
    sql_compiled=0.0,
    compiling_rust=0.0,
    provisioning=0.0,
    initializing=0.0,
    checkpointing=0.0,
    stopping=0.0,
    clearing=0.0,
)
"""Everything at once, as far as the runner's polling allows."""
