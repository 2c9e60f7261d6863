"""Writes the generated files of the rules: `python -m feldera_exporter.rules [root]`."""

import sys
from pathlib import Path

from feldera_exporter.rules.documents import documents


def main(root: Path) -> None:
    """Write every generated file under the repository's root."""
    for path, text in documents().items():
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(*sys.argv[1:2]))
