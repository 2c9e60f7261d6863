"""Each file in `bad/` has one mistake; its first line is the exact message."""

from pathlib import Path

import pytest

from feldera_exporter.config import load
from feldera_exporter.errors import ConfigError

BAD = sorted(Path(__file__).with_name("bad").glob("*.yml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_mistake_is_named(path: Path, families: frozenset[str]) -> None:
    """The file is refused with exactly the message of its first line."""
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")

    with pytest.raises(ConfigError) as caught:
        load(path, {}, families, frozenset({"FelderaPipelineFlapping"}))

    assert caught.value.mistakes == (f"{path}: {expected}",)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_secret_is_not_repeated(path: Path, families: frozenset[str]) -> None:
    """No message repeats a secret of the file, wherever it is."""
    with pytest.raises(ConfigError) as caught:
        load(path, {}, families, frozenset({"FelderaPipelineFlapping"}))

    text = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "TopSecret" not in text
    assert "4711" not in text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_corpus_is_large() -> None:
    """There are at least as many bad files as before."""
    assert len(BAD) >= 100
