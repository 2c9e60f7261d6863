"""The log has one line per event, whatever the event contains."""

import json
import logging
import os
import resource
import signal
import sys
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from feldera_exporter import logs
from feldera_exporter.exposition.text import Format
from feldera_exporter.telemetry import Telemetry

HOSTILE = 'a\nb\r\x1b[31m "c" \\ \u2028 é'


def test_logfmt(capsys: pytest.CaptureFixture[str]) -> None:
    """Time, level and message come first; characters that could begin a line or control a terminal are escaped."""
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
    """Lines of the standard library have the same form, and a traceback becomes the place of the error."""
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
    """Lines below the level are left out."""
    logs.configure(level, "logfmt")
    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert len(capsys.readouterr().err.splitlines()) == lines


class StoppedClock:
    """A clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def lines(steps: str, *, step: float = 1.0) -> list[str]:
    """Return what is said of steps: a letter is a failure of that kind, a dot a success."""
    clock = StoppedClock()
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
    """It is counted, and its end logged; one that comes and goes is logged once a minute."""
    assert lines(steps) == said


def test_a_failure_that_comes_again_later_is_said_again() -> None:
    """After a minute it is logged again."""
    assert lines("a.a.", step=61.0) == ["it fails a1", "it works 1 1m1s"] * 2


def test_a_failure_that_lasts_is_said_each_hour() -> None:
    """The line has how long it has lasted, and so has the line of its end."""
    assert lines("aaaaa.", step=1800.0) == [
        "it fails a1",
        "it fails a3 1h",
        "it fails a5 2h",
        "it works 5 2h30m",
    ]
    assert lines("abab.", step=3600.0) == [
        "it fails a1", "it fails b2", "it fails a3 2h", "it fails b4 3h", "it works 4 4h",
    ]  # fmt: skip


class DescriptorLog:
    """The lines that the log of this process writes to a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.stream = logs.LogStream(os.fdopen(descriptor, "w", closefd=False))
        self.before = dropped()

    def say(self, *lines: str) -> int:
        """Write lines, and return how many were dropped so far."""
        for line in lines:
            assert self.stream.write(f"{line}\n") == len(line) + 1
            self.stream.flush()
        return dropped() - self.before


def dropped() -> int:
    """Return how many lines this process has dropped."""
    [family] = logs.DROPPED.collect()
    return int(family.samples[0].value)


def test_a_pipe_without_a_reader() -> None:
    """Each line is dropped and counted, and nothing is raised."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert DescriptorLog(writer).say("a", "b", "c") == 3
    finally:
        os.close(writer)


def test_a_pipe_whose_reader_has_stopped() -> None:
    """Writing does not wait; later lines are whole, except the one that was cut."""
    reader, writer = os.pipe()
    try:
        log = DescriptorLog(writer)
        long = "x" * 10_000
        lost = log.say(*[long] * 20)
        assert 10 < lost < 20
        text = os.read(reader, 2**20)
        assert log.say("it goes on") == lost
        text += os.read(reader, 2**20)
    finally:
        os.close(reader)
        os.close(writer)
    *whole, cut, last, end = text.decode().split("\n")
    assert (whole, last, end) == ([long] * (20 - lost), "it goes on", "")
    assert set(cut) <= {"x"}


def test_a_full_disk(tmp_path: Path) -> None:
    """What fits is written, and lines go on once there is room."""
    path = tmp_path / "log"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        log = DescriptorLog(descriptor)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        assert log.say("first", "second", "third") == 2
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert log.say("fourth") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
        os.close(descriptor)
    assert path.read_text() == "first\nseco\nfourth\n"


def test_no_standard_error_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `2>&-`, there is no log and no error."""
    monkeypatch.setattr(sys, "stderr", None)
    before = dropped()
    logs.configure("info", "logfmt")
    structlog.get_logger().info("it happened")
    logging.getLogger("asyncio").error("it happened")
    assert dropped() == before


def test_what_was_dropped_is_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of dropped lines is a metric in both formats."""
    reader, writer = os.pipe()
    os.close(reader)
    before = dropped()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure("info", "json")
        structlog.get_logger().info("it happened")
        logging.getLogger("asyncio").error("it happened")
        telemetry = Telemetry("1", "3")
        for format_ in Format:
            line = f"\nfeldera_exporter_log_lines_dropped_total {before + 2}.0\n"
            assert line.encode() in telemetry.expose(format_)
