"""Writes every generated file: `python tests/generate.py [--check]`, which is what `make docs` does.

Everything is computed before anything is written, and what a new row of a table still lacks is said by name.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[:0] = [
        str(ROOT / folder) for folder in ("tests", "exporter", "config/grafana/source", "docs/source")
    ]

from dashboards import generate as boards  # noqa: E402 - see above
from feldera_exporter.feldera.statuses import DIMENSIONS, STATUSES  # noqa: E402 - see above
from feldera_exporter.problems.table import PIPELINE_PROBLEMS  # noqa: E402 - see above
from feldera_exporter.rules.alert_names import NAMES  # noqa: E402 - see above
from feldera_exporter.rules.rendering import rules  # noqa: E402 - see above
from reference import alerts_page, configuration_page, metrics_page  # noqa: E402 - see above

RUNBOOKS: Final = ROOT / "alerts/runbooks"


def files() -> Mapping[Path, str]:
    """Return the text of every generated file by its path."""
    return {
        ROOT / "docs/metrics.md": metrics_page.page(),
        ROOT / "docs/configuration.md": configuration_page.page(),
        ROOT / "alerts/README.md": alerts_page.page(),
        ROOT / "alerts/feldera.rules.yml": rules("prometheus"),
        ROOT / "alerts/prometheusrule.yaml": rules("operator"),
        **dict(boards.files()),
    }


def lacking() -> Iterator[str]:
    """Yield what rows of the tables lack, each as a line that begins with the place."""
    pages = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}
    for name in sorted(NAMES - pages):
        yield f"alerts/runbooks/{name}.md: there is no such page, and the alert {name} needs it"
    for name in sorted(pages - NAMES):
        yield f"alerts/runbooks/{name}.md: there is no alert of that name"
    for dimension in DIMENSIONS:
        for status in dimension.rows:
            if status in STATUSES and dimension.overdue_problem(status) not in PIPELINE_PROBLEMS:
                problem = dimension.overdue_problem(status)
                yield f"feldera/statuses.py: {status} names the problem {problem}, which problems/table.py lacks"


def main(arguments: list[str]) -> int:
    """Write what is generated, or with --check say what is not as it should be; return 1 where anything is wrong."""
    wrong = list(lacking())
    wanted = files()
    if arguments == ["--check"]:
        wrong += [
            f"{path.relative_to(ROOT)}: is not what the tables say: run make docs"
            for path, text in wanted.items()
            if not path.is_file() or path.read_text(encoding="utf-8") != text
        ]
        unknown = set(boards.FOLDER.iterdir()) - wanted.keys()
        wrong += [f"{path.relative_to(ROOT)}: nothing generates it" for path in sorted(unknown)]
    elif not wrong:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
