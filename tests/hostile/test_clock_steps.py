"""The clock of the exporter's machine is set by hours: no counter changes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from feldera_exporter.simulator.plan import Plan
from support.plans import INSTANT
from support.stepped_poller import SteppedPoller

HOUR = 3600.0
SECONDS = "feldera_pipeline_deployment_status_seconds_total"
TRANSITIONS = "feldera_pipeline_deployment_resources_status_transitions_total"
SKEW = "feldera_exporter_api_clock_skew_seconds"
GAPS = "feldera_exporter_event_gaps_total"
STOPPED_TO_PROVISIONING = 'from="Stopped",to="Provisioning"'


def of(name: str, samples: Mapping[str, float], label: str) -> float:
    """Return the sample of a pipeline that has a label."""
    [value] = [
        value for labels, value in samples.items() if f'pipeline_name="{name}"' in labels and label in labels
    ]
    return value


def life(folder: Path, wrong: Sequence[float]) -> tuple[dict[str, float], dict[str, float]]:
    """Watch two pipelines, the second one new, and return the time in statuses and the transitions.

    Args:
        folder: of the store.
        wrong: by how much the machine's time is ahead at the start and in each of the five phases; each begins with a poll.
    """
    with pytest.MonkeyPatch.context() as patch:
        poller = SteppedPoller(patch, folder)
        poller.feldera.create("old", plan=INSTANT)
        poller.clock.advance(60)
        poller.wrong = wrong[0]
        poller.restart()
        poller.wrong = wrong[1]
        poller.poll(60)
        poller.wrong = wrong[2]
        poller.poll()
        poller.feldera.create("new", plan=Plan(provisioning=2.0))
        poller.clock.advance(1)
        poller.feldera.start("new")
        poller.feldera.start("old")
        poller.poll(120)
        poller.wrong = wrong[3]
        poller.poll(60)
        poller.restart()
        poller.wrong = wrong[4]
        poller.poll(60)
        poller.feldera.stop("new", force=True)
        poller.wrong = wrong[5]
        poller.poll(120)
        assert poller.shown(SKEW)[""] == pytest.approx(-wrong[5], abs=1)
        assert poller.shown(GAPS)[""] == 0
        counted = poller.shown(SECONDS), poller.shown(TRANSITIONS)
        poller.close()
        return counted


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, float], dict[str, float]]:
    """What is counted on a machine whose clock is right."""
    return life(tmp_path_factory.mktemp("right"), [0.0] * 6)


def test_what_is_counted_is_what_happened(truth: tuple[dict[str, float], dict[str, float]]) -> None:
    """Without steps the counts are right, so the other tests compare with something."""
    seconds, transitions = truth
    assert sum(
        value for labels, value in seconds.items() if 'pipeline_name="old"' in labels
    ) == pytest.approx(60 + 5 + 1 + 120 + 60 + 60 + 120, abs=6)
    assert of("old", seconds, 'status="Running"') == pytest.approx(360, abs=10)
    assert of("new", transitions, STOPPED_TO_PROVISIONING) == 1
    assert of("new", transitions, 'from="Stopping",to="Stopped"') == 1
    assert of("old", transitions, STOPPED_TO_PROVISIONING) == 1


@pytest.mark.parametrize("step", [6 * HOUR, -6 * HOUR])
@pytest.mark.parametrize(
    "right",
    [
        pytest.param((1, 1, 1, 1, 1, 1), id="always wrong"),
        pytest.param((1, 0, 0, 0, 0, 0), id="set right before the first poll"),
        pytest.param((1, 1, 0, 0, 0, 0), id="set right after the first poll"),
        pytest.param((0, 1, 1, 1, 1, 1), id="set wrong before the first poll"),
        pytest.param((0, 0, 1, 1, 1, 0), id="set wrong before a pipeline is created"),
        pytest.param((0, 0, 0, 1, 0, 1), id="set between polls again and again"),
        pytest.param((0, 0, 0, 0, 1, 1), id="wrong after a restart"),
        pytest.param((1, -1, 1, -1, 1, -1), id="from one side to the other"),
    ],
)
def test_a_clock_that_is_set_moves_no_counter(
    tmp_path: Path, truth: tuple[dict[str, float], dict[str, float]], step: float, right: Sequence[int]
) -> None:
    """Time and transitions are those of a machine with a right clock, also with the store."""
    assert life(tmp_path, [step * each for each in right]) == truth


def running_seconds(poller: SteppedPoller) -> float:
    """Return for how long the pipeline ran, as counted."""
    return of("etl", poller.shown(SECONDS), 'status="Running"')


@pytest.fixture
def poller(monkeypatch: pytest.MonkeyPatch) -> SteppedPoller:
    """An exporter of a pipeline that runs, before the first poll."""
    made = SteppedPoller(monkeypatch)
    made.feldera.create("etl", plan=INSTANT)
    made.clock.advance(60)
    made.feldera.start("etl")
    made.clock.advance(1)
    return made


def test_servers_whose_clocks_differ_by_hours(poller: SteppedPoller) -> None:
    """Behind one address, the clock of the first answer counts, and the difference is logged once."""
    with capture_logs() as lines:
        poller.poll(10)
        poller.client.wrong = [3 * HOUR, 0.0] * 120
        poller.poll(1200)
    assert running_seconds(poller) == pytest.approx(1200, abs=10)
    assert poller.shown(SKEW)[""] == pytest.approx(0, abs=1)
    [line] = [line for line in lines if line["log_level"] == "warning"]
    assert line["event"].startswith("the Date of an answer is more than an hour from the expected time")
    assert line["error"] == "+10800 s"


def test_a_first_poll_without_a_credible_time(poller: SteppedPoller) -> None:
    """A first poll without a credible time fails with the reason; counting begins with the next one."""
    poller.client.wrong = [1e9, -1e9]
    with capture_logs() as lines, pytest.raises(AssertionError):
        poller.poll()
    assert [line["error"] for line in lines] == [
        "the Date headers of two answers contradict each other and this machine's clock"
    ]
    assert poller.shown(SECONDS) == {}
    poller.poll(300)
    assert running_seconds(poller) == pytest.approx(295, abs=10)


def test_answers_without_a_date(poller: SteppedPoller) -> None:
    """Without a date the time is this machine's at the start, and goes on by its monotonic clock."""
    poller.client.dated = False
    poller.poll(300)
    poller.wrong = 6 * HOUR
    poller.poll(300)
    assert running_seconds(poller) == pytest.approx(595, abs=10)
    assert poller.shown(SKEW) == {}
