"""The alerts about a pipeline's program and its storage: compiling, failing to, clearing."""

from typing import Final

from feldera_exporter.rules import texts
from feldera_exporter.rules.model import Alert, Pace, Scope
from feldera_exporter.rules.promql import age, highest, overdue

_P: Final = Scope.PIPELINE
_LOST: Final = (
    'increase(feldera_pipeline_program_status_transitions_total{from="CompilingRust", to="SqlCompiled"}[1h])'
)

COMPILATION: Final = (
    Alert(
        "FelderaPipelineCompileFailed",
        _P,
        f'{age("program_status")}{{status=~"SqlError|RustError"}} > 300',
        "info",
        "A pipeline's program does not compile.",
        f"{texts.PIPELINE} has a program in {texts.STATUS}{texts.FOR}. That is normal while somebody edits it.",
        by=("status",),
        aged=True,
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineCompileSystemError",
        _P,
        f'{age("program_status")}{{status="SystemError"}} > 60',
        "warning",
        "A pipeline's program could not be compiled for a reason outside of it.",
        f"{texts.PIPELINE} has had SystemError{texts.FOR}: the compiler failed, not the program.",
        by=("status",),
        aged=True,
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineCompileStuck",
        _P,
        overdue("program_status", 'status=~"Pending|CompilingSql|SqlCompiled|CompilingRust"'),
        "warning",
        "A pipeline's program waits or compiles for too long.",
        f"{texts.PIPELINE} has a program in {texts.STATUS}{texts.FOR}, longer than its limit.",
        by=("status",),
        aged=True,
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineCompileLooping",
        _P,
        highest(_P, f"{_LOST} > 2.5"),
        "warning",
        "The compilation of a pipeline's program starts over and over.",
        f"{texts.PIPELINE} went back from CompilingRust to SqlCompiled{texts.TIMES} within an hour: the compiler restarts in "
        "the middle of it, often for want of memory.",
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineStorageClearingStuck",
        _P,
        overdue("storage_status", 'status="Clearing"'),
        "warning",
        "A pipeline's storage is not cleared.",
        f"{texts.PIPELINE} has been Clearing its storage{texts.FOR}, longer than its limit. It cannot start meanwhile.",
        by=("status",),
        aged=True,
        pace=Pace.SLOW,
    ),
)
