"""The counts of an instance over all its pipelines."""

import pytest

from feldera_exporter.feldera.label_variants import OTHER
from feldera_exporter.feldera.statuses import TIMED
from feldera_exporter.history.effects import ErrorAppeared, Gap, StatusEnded
from feldera_exporter.history.instance_totals import BOUNDS, MOST_CODES, InstanceTotals, add, admit, label


def appeared(*codes: str | None) -> list[ErrorAppeared]:
    """Return errors with codes."""
    return [ErrorAppeared(None, code) for code in codes]


def test_errors_count_by_code() -> None:
    """Errors count by code; an unknown code is `unknown`."""
    totals = add(
        InstanceTotals(), appeared("RunnerCheckError", "RuntimeError.WorkerPanic", "RunnerCheckError", None)
    )
    assert totals.errors == {"RunnerCheckError": 2, "RuntimeError.WorkerPanic": 1, "unknown": 1}
    assert totals.folded == 0
    assert label(totals, None) == "unknown"


@pytest.mark.parametrize("code", ["", "lower", "A.B.C", "Two Words", "A" * 65, "A.", 'X"', "É", "A\n"])
def test_a_code_of_another_form_is_folded(code: str) -> None:
    """A code of another form counts under a shared name, so that no free text becomes a label."""
    totals = add(InstanceTotals(), appeared(code))
    assert (totals.errors, totals.folded) == ({OTHER: 1}, 1)
    assert label(totals, code) == OTHER


def test_the_number_of_codes_is_bounded() -> None:
    """The hundred and first code counts under the shared name; known ones go on."""
    totals = add(
        InstanceTotals(), appeared(*(f"Code{number}" for number in range(MOST_CODES + 1)), "Code100", "Code0")
    )
    assert len(totals.errors) == MOST_CODES + 1
    assert (totals.errors[OTHER], totals.folded, totals.errors["Code0"]) == (2, 2, 2)


def test_a_present_error_is_admitted_without_being_counted() -> None:
    """The code of an error from before the first list has a label, and no error is counted."""
    totals = admit(InstanceTotals(), ["RunnerCheckError", None])
    assert totals.errors == {"RunnerCheckError": 0, "unknown": 0}
    assert label(totals, "RunnerCheckError") == "RunnerCheckError"
    assert admit(totals, ["RunnerCheckError"]) is totals


def test_durations_fall_into_their_buckets() -> None:
    """A bound belongs to its bucket; what exceeds all goes into the last; the sum is exact."""
    seconds = (0.5, 0.500001, 21600, 21601)
    totals = add(InstanceTotals(), [StatusEnded("Pending", round(s * 1_000_000)) for s in seconds])
    pending = totals.durations["Pending"]
    assert [index for index, count in enumerate(pending.buckets) if count] == [
        0,
        1,
        len(BOUNDS) - 1,
        len(BOUNDS),
    ]
    assert pending.micros == 43_202_000_001
    assert list(totals.durations) == list(TIMED)
    assert totals.durations["Clearing"].micros == 0


def test_gaps_count() -> None:
    """Gaps are counted, with the time of the newest."""
    totals = add(InstanceTotals(), [Gap(7), Gap(5)])
    assert (totals.gaps, totals.last_gap) == (2, 7)
