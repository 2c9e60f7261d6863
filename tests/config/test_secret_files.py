"""Files with a key, a token or a password."""

from pathlib import Path

import pytest

from feldera_exporter.config.secret_files import key_in, password_in


@pytest.mark.parametrize(
    ("content", "password"),
    [
        ("pässwörd\n".encode(), "pässwörd"),
        (b" open  sesame \r\n", " open  sesame "),
        (b"a\nb\n", None),
        (b"\xff\n", None),
        (b"a\x07", None),
        (b"\n", None),
    ],
)
def test_a_password_is_a_line_of_any_text(tmp_path: Path, content: bytes, password: str | None) -> None:
    """A password is one line in UTF-8, without its end; blanks are a part of it."""
    path = tmp_path / "password"
    path.write_bytes(content)
    assert password_in(path)[0] == password


@pytest.mark.parametrize(("content", "key"), [("  a-key\n", "a-key"), ("a key", None), ("schlüssel", None)])
def test_a_key_is_visible_ascii(tmp_path: Path, content: str, key: str | None) -> None:
    """A key has no blanks, which do not count around it, and no characters that a header cannot hold."""
    path = tmp_path / "key"
    path.write_text(content, encoding="utf-8")
    assert key_in(path)[0] == key
