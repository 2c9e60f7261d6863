"""The log: one line per event, whatever the event holds."""

import json
import logging

import pytest
import structlog
from structlog.testing import capture_logs

from feldera_exporter import logs

HOSTILE = 'a\nb\r\x1b[31m "c" \\ \u2028 é'


def test_logfmt(capsys: pytest.CaptureFixture[str]) -> None:
    """Time, level and message come first; what could begin a line or steer a terminal is escaped."""
    logs.configure("info", "logfmt")
    structlog.get_logger().info("it happened", name=HOSTILE, number=1.5, flag=True, nothing=None)
    [line] = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    stamp, rest = line.split(" ", 1)
    assert stamp.startswith("ts=20")
    assert stamp.endswith("Z")
    assert rest.startswith('level=info msg="it happened" ')
    assert r'name="a\\nb\\r\\x1b[31m \"c\" \\ \\u2028 é"' in rest
    assert {"flag=true", "number=1.5", "nothing="} <= set(rest.split())


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is an object."""
    logs.configure("info", "json")
    structlog.get_logger().bind(feldera_instance="prod").warning("it happened", name=HOSTILE)
    [line] = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["level"], event["msg"], event["feldera_instance"]) == ("warning", "it happened", "prod")
    assert event["name"] == r"a\nb\r\x1b[31m " + '"c" \\ ' + r"\u2028 é"


@pytest.mark.parametrize("format_", logs.FORMATS)
def test_the_libraries_speak_the_same_way(capsys: pytest.CaptureFixture[str], format_: str) -> None:
    """What the standard library logs has the same form, and a traceback becomes the place of the error."""
    logs.configure("info", format_)
    try:
        int("a MARKER")
    except ValueError:
        logging.getLogger("asyncio").exception("Task exception was never\nretrieved")
    logging.getLogger("asyncio").info("not worth a line")
    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError" in line
    assert "test_logs.py:" in line
    assert "MARKER" not in line
    assert "Traceback" not in line


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_is_heeded(capsys: pytest.CaptureFixture[str], level: str, lines: int) -> None:
    """What is below it is not said."""
    logs.configure(level, "logfmt")
    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert len(capsys.readouterr().err.splitlines()) == lines


class Clock:
    """A clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def lines(steps: str, *, step: float = 1.0) -> list[str]:
    """Return what is said of steps: a letter is a failure of that kind, a dot a success."""
    clock = Clock()
    with capture_logs() as said:
        complaint = logs.FailureLog(structlog.get_logger(), "it fails", "it works", clock)
        for letter in steps:
            clock.now += step
            if letter == ".":
                complaint.succeeded()
            else:
                complaint.failed(letter, f"error {letter}")
    return [
        f"{each['event']} {each.get('kind', '')}{each['failures']} {each.get('lasting', '')}{each.get('lasted', '')}".strip()
        for each in said
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("...", []),
        ("aaaa.", ["it fails a1", "it works 4 4s"]),
        ("aaabbaa..", ["it fails a1", "it fails b4", "it works 7 7s"]),
        ("abababab.", ["it fails a1", "it fails b2", "it works 8 8s"]),
        ("a.a.a.a.", ["it fails a1", "it works 1 1s"]),
        ("a" * 200 + ".", ["it fails a1", "it works 200 3m20s"]),
        ("a." * 40, ["it fails a1", "it works 1 1s", "it fails a30", "it works 30 1s"]),
    ],
)
def test_a_repeating_failure_is_said_once(steps: str, said: list[str]) -> None:
    """Then it is counted, and its end said; what comes and goes is said once a minute."""
    assert lines(steps) == said


def test_a_failure_that_comes_again_later_is_said_again() -> None:
    """After a minute it is news."""
    assert lines("a.a.", step=61.0) == ["it fails a1", "it works 1 1m1s"] * 2


def test_a_failure_that_lasts_is_said_each_hour() -> None:
    """With how long it has lasted, which the line of its end says too."""
    assert lines("aaaaa.", step=1800.0) == [
        "it fails a1",
        "it fails a3 1h",
        "it fails a5 2h",
        "it works 5 2h30m",
    ]
    assert lines("abab.", step=3600.0) == [
        "it fails a1", "it fails b2", "it fails a3 2h", "it fails b4 3h", "it works 4 4h",
    ]  # fmt: skip
