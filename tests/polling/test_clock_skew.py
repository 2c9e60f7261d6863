"""How far Feldera's clock is believed to be from this machine's."""

from feldera_exporter.polling.clock_skew import ClockSkew


def told(*seconds: float) -> list[float]:
    """Return what is believed after each answer."""
    skew, believed = ClockSkew(), []
    for each in seconds:
        skew = skew.told(each)
        believed.append(skew.seconds)
    return believed


def test_a_first_answer_nearby_is_believed() -> None:
    """Two clocks that are minutes apart are nothing unusual."""
    assert told(-3000.0) == [-3000.0]


def test_a_first_answer_far_off_is_doubted() -> None:
    """A clock may be years off, as a simulated one is: that must be said twice."""
    assert told(1e8, 1e8 + 1) == [0.0, 1e8 + 1]
    assert told(2e9, 0.5) == [0.0, 0.5]
    assert told(1e9, 2e9, 3e9) == [0.0, 0.0, 0.0]
    assert [
        ClockSkew().told(1e8).known,
        ClockSkew().told(1e8).told(1e8).known,
        ClockSkew().told(1.0).known,
    ] == [
        False,
        True,
        True,
    ]


def test_small_steps_are_followed() -> None:
    """A clock that is set, or runs faster, is followed at once."""
    assert told(0.0, 1.5, -30.0, 3000.0, 6000.0) == [0.0, 1.5, -30.0, 3000.0, 6000.0]


def test_one_wrong_answer_changes_nothing() -> None:
    """A date in the far future would be credited as time that passed."""
    assert told(0.5, 1e9, 0.6, -1e9, 0.7) == [0.5, 0.5, 0.6, 0.6, 0.7]


def test_what_is_said_twice_is_believed() -> None:
    """A clock that really was set by more is followed with the second answer."""
    assert told(0.0, 1e9, 1e9 + 5) == [0.0, 0.0, 1e9 + 5]
    assert told(0.0, 1e9, 2e9, 2e9) == [0.0, 0.0, 0.0, 2e9]
