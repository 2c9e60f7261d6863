"""Which programs the tests run, and how thorough a run is."""

import os
import re
import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

THOROUGH: Final = bool(os.environ.get("THOROUGH"))
"""Whether there is time for more seeds and more days of the same tests, as before a release: `THOROUGH=1 make test`."""

INSTALLING: Final = THOROUGH or bool(os.environ.get("CI"))
"""Whether the package is installed again, as its users do: that takes long, and only packaging can break it."""


def example_count(whole: int) -> int:
    """Return how many of so many examples a run tries: a tenth where it is not thorough."""
    return whole if THOROUGH else max(whole // 10, 1)


DEBIAN: Final = "debian"
NEWEST: Final = "newest"

_MADE: Final = {DEBIAN: ROOT / ".cache/debian/usr/bin", NEWEST: ROOT / ".cache/go-tools"}
_SCRIPTS: Final = {DEBIAN: ".ci/debian", NEWEST: ".ci/go-tools"}


def newest() -> dict[str, str]:
    """Return the newest versions that the tests know, by project, as `.ci/go-tools` builds them."""
    script = (ROOT / ".ci/go-tools").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z]+)=(\d+\.\d+\.\d+)\b", script, re.MULTILINE))


def editions(name: str) -> tuple[str, ...]:
    """Return the editions of a program to test with: Debian's, and the newest where it was built.

    In CI, wherever there is Go, it must have been built: a test that needs it then fails if it is missing.
    """
    must = bool(os.environ.get("CI")) and shutil.which("go") is not None
    return (DEBIAN, NEWEST) if must or (_MADE[NEWEST] / name).is_file() else (DEBIAN,)


def tool(name: str, edition: str = DEBIAN) -> str:
    """Return the path of a program: Debian's from FELDERA_EXPORTER_TOOLS, else the downloaded packages, else PATH.

    Args:
        name: the program's.
        edition: one of `editions`; the newest is only where it was built.

    Raises:
        FileNotFoundError: if it is nowhere. A missing program fails a test, it never skips one.
    """
    places = [str(_MADE[edition])]
    if edition == DEBIAN:
        places = [
            *filter(None, [os.environ.get("FELDERA_EXPORTER_TOOLS")]),
            *places,
            os.environ.get("PATH", ""),
        ]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise FileNotFoundError(f"{name}: nowhere in {os.pathsep.join(places)}; run {_SCRIPTS[edition]}")
    return found
