"""What is read from files that others rotate."""

from pathlib import Path

import pytest
import structlog

from feldera_exporter.config.file_content import FileContent


@pytest.mark.parametrize("reads", [1, 2])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, reads: int) -> None:
    """A file that is rotated just after it was read, also the first time, is read again."""
    path = tmp_path / "cert.pem"
    path.write_text("old")
    contents: list[str] = []

    def read() -> str:
        contents.append(path.read_text())
        if len(contents) == reads:
            path.write_text("rotated")
        return contents[-1]

    content = FileContent(read, lambda _: [path], "certificates", structlog.get_logger())
    assert content.present() == path.read_text()


def test_other_files_of_a_new_content(tmp_path: Path) -> None:
    """A file that only the new content names is watched as well."""
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text(f"{first}")
    second.write_text("old")

    def read() -> tuple[Path, str]:
        named = Path(first.read_text())
        return named, named.read_text()

    content = FileContent(read, lambda each: [first, each[0]], "certificates", structlog.get_logger())
    first.write_text(f"{second}")
    assert content.present() == (second, "old")
    second.write_text("rotated")
    assert content.present() == (second, "rotated")
